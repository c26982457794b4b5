/**
 * Where a text stops being JSON, and what was expected there. The message of `JSON.parse` has an excerpt of the text, which
 * may be a secret, and often no position.
 */

/** Characters between two steps. */
const STEP = 64 * 1024;

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;
const HEX = /[0-9A-Fa-f]{4}/y;

/** Generates a step now and then. Returns `undefined` for a text that is JSON. */
export function* findSyntaxError(text: string): Generator<undefined, string | undefined> {
  /** Closing brackets of what is open. */
  const open: string[] = [];
  let expected: "value" | "value or ]" | "name" | "name or }" | ":" | "end" = "value";
  let i = 0;
  let next = STEP;
  const wrong = (what: string, at = i) =>
    `${at >= text.length ? "the body ends too early" : "the body is not valid JSON"} at ${placeOf(text, at)}: ${what}`;
  for (;;) {
    while (isBlank(text.charCodeAt(i))) i++;
    if (i >= next) {
      next = i + STEP;
      yield;
    }
    const character = text[i];
    const last = open.at(-1);
    if (expected === "end") {
      if (last === undefined) {
        if (character === undefined) return undefined;
        return wrong("nothing may follow the value");
      }
      if (character === last) open.pop();
      else if (character === ",") expected = last === "}" ? "name" : "value";
      else return wrong(`expected a comma or ${last}`);
      i++;
    } else if (expected === ":") {
      if (character !== ":") return wrong("expected a colon");
      expected = "value";
      i++;
    } else if (expected === "name or }" && character === "}") {
      open.pop();
      expected = "end";
      i++;
    } else if (expected === "value or ]" && character === "]") {
      open.pop();
      expected = "end";
      i++;
    } else if (expected === "name" || expected === "name or }") {
      if (character !== '"') return wrong(`expected a ${expected === "name" ? "name" : "name or }"}`);
      const read: Read = yield* readString(text, i);
      if (read.wrong !== undefined) return wrong(read.wrong, read.at);
      i = read.at;
      expected = ":";
    } else if (character === "{" || character === "[") {
      open.push(character === "{" ? "}" : "]");
      expected = character === "{" ? "name or }" : "value or ]";
      i++;
    } else if (character === '"') {
      const read: Read = yield* readString(text, i);
      if (read.wrong !== undefined) return wrong(read.wrong, read.at);
      i = read.at;
      expected = "end";
    } else {
      const end = endOf(NUMBER, text, i) ?? endOf(WORD, text, i);
      if (end === undefined) return wrong(`expected a ${expected}`);
      i = end;
      expected = "end";
    }
  }
}

interface Read {
  /** What is wrong with the string. */
  readonly wrong?: string;
  /** Where that is, or where the string ended. */
  readonly at: number;
}

function* readString(text: string, start: number): Generator<undefined, Read> {
  let next = start + STEP;
  for (let i = start + 1; ; i++) {
    if (i >= next) {
      next = i + STEP;
      yield;
    }
    const code = text.charCodeAt(i);
    if (code === 34) return { at: i + 1 };
    if (Number.isNaN(code)) return { wrong: "a string is not closed", at: i };
    if (code < 32) return { wrong: "a control character in a string must be escaped", at: i };
    if (code !== 92) continue;
    i++;
    const escaped = text[i] ?? "";
    if (escaped === "") return { wrong: "a string is not closed", at: i };
    if (escaped === "u") {
      const end = endOf(HEX, text, i + 1);
      if (end === undefined) return { wrong: "\\u needs four hexadecimal digits", at: i };
      i = end - 1;
    } else if (!'"\\/bfnrt'.includes(escaped)) return { wrong: "there is no such escape", at: i };
  }
}

function endOf(pattern: RegExp, text: string, at: number): number | undefined {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}

function isBlank(code: number): boolean {
  return code === 32 || code === 10 || code === 13 || code === 9;
}

/** Line and column, from 1; columns in UTF-16 units. */
function placeOf(text: string, at: number): string {
  let line = 1;
  let start = 0;
  for (let i = text.indexOf("\n"); i !== -1 && i < at; i = text.indexOf("\n", i + 1)) {
    line++;
    start = i + 1;
  }
  return `line ${line}, column ${at - start + 1}`;
}
