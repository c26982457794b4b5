/** JSON line by line, with what is to be said of places in it. */

/** Something to say of the place that a JSON pointer names. */
export interface Mark {
  readonly pointer: string;
  readonly kind: "problem" | "ignored";
  readonly text: string;
}

export interface Line {
  readonly text: string;
  readonly marks: readonly Mark[];
}

export interface MarkedJson {
  readonly lines: readonly Line[];
  /** What is said of the whole, or of no place that there is. */
  readonly others: readonly Mark[];
}

/** Nothing if the text is no JSON, such as one that is cut off. */
export function markJson(text: string, marks: readonly Mark[]): MarkedJson | undefined {
  const value = parse(text);
  if (value === undefined) return undefined;
  const printed = linesOf(value.json, "", "", "");
  const pointers = new Set(printed.flatMap(({ pointer }) => pointer ?? []));
  const placed = marks.map((mark) => ({ mark, at: nearest(mark.pointer, pointers) }));
  return {
    lines: printed.map(({ text: line, pointer }) => ({
      text: line,
      marks: placed.filter(({ at }) => at !== "" && at === pointer).map(({ mark }) => mark),
    })),
    others: placed.filter(({ at }) => at === "").map(({ mark }) => mark),
  };
}

function parse(text: string): { readonly json: unknown } | undefined {
  try {
    return { json: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

/** The place itself, or what should hold it: a member that is missing is not there to be marked. */
function nearest(pointer: string, known: ReadonlySet<string>): string {
  let at = pointer;
  while (at !== "" && !known.has(at)) at = at.slice(0, at.lastIndexOf("/"));
  return at;
}

interface Printed {
  readonly text: string;
  /** Of the value that begins on the line; none of a closing bracket. */
  readonly pointer: string | undefined;
}

function linesOf(value: unknown, pointer: string, indent: string, before: string): readonly Printed[] {
  const members = membersOf(value);
  if (!members || members.length === 0) {
    return [{ text: `${indent}${before}${JSON.stringify(value)}`, pointer }];
  }
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  const inside = members.flatMap(([key, member], place) => {
    const name = Array.isArray(value) ? "" : `${JSON.stringify(key)}: `;
    const lines = linesOf(member, `${pointer}/${escaped(key)}`, `${indent}  `, name);
    return place === members.length - 1 ? lines : withComma(lines);
  });
  return [
    { text: `${indent}${before}${open}`, pointer },
    ...inside,
    { text: `${indent}${close}`, pointer: undefined },
  ];
}

function membersOf(value: unknown): readonly (readonly [string, unknown])[] | undefined {
  return typeof value === "object" && value !== null ? Object.entries(value) : undefined;
}

function withComma(lines: readonly Printed[]): readonly Printed[] {
  return lines.map((line, place) => (place === lines.length - 1 ? { ...line, text: `${line.text},` } : line));
}

/** As a part of a JSON pointer (RFC 6901). */
function escaped(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}
