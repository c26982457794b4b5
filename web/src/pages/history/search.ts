/** What the history's address says: which changes are shown, and what is open beside them. */

export interface HistorySearch {
  /** An object's identifier, or a name it has or had. */
  readonly object?: string;
  /** The name of a token or user. */
  readonly by?: string;
  /** Words that all must be found. */
  readonly q?: string;
  /** The revision whose change is open. */
  readonly change?: string;
  /** Two revisions that are compared; without `to`, with the newest. */
  readonly from?: string;
  readonly to?: string;
}

const texts = ["object", "by", "q"] as const;
const revisions = ["change", "from", "to"] as const;

/** Takes what it knows of an address and drops the rest. */
export function readHistorySearch(search: Readonly<Record<string, unknown>>): HistorySearch {
  const read: { -readonly [name in keyof HistorySearch]: HistorySearch[name] } = {};
  for (const name of texts) {
    const text = textIn(search[name]);
    if (text !== "") read[name] = text;
  }
  for (const name of revisions) {
    const number = revisionIn(textIn(search[name]));
    if (number !== undefined) read[name] = String(number);
  }
  if (read.from === undefined) delete read.to;
  else delete read.change;
  return read;
}

/** The router takes what looks like a number or a truth value for one. */
function textIn(value: unknown): string {
  return ["string", "number", "boolean"].includes(typeof value) ? String(value) : "";
}

/** A revision as it is typed, or 0: the account before anything was. */
export function revisionIn(text: string): number | undefined {
  return /^(0|[1-9]\d{0,14})$/.test(text) ? Number(text) : undefined;
}

/** The same without what is open. */
export function closed({ change: _, from: __, to: ___, ...rest }: HistorySearch): HistorySearch {
  return rest;
}
