/** Numbers and revisions as people type them. */

import { CommandFailure } from "../failure.ts";

/** A whole number from 1 on. */
export function readCount(what: string, text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new CommandFailure(`${what} is a whole number from 1 on, not ${JSON.stringify(text)}.`);
}

/** A revision that a change may be of. */
export function readRevision(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new CommandFailure(`A revision is a whole number from 1 on, not ${JSON.stringify(text)}.`, {
    advice: "patchbay history tells them.",
  });
}

/** A revision or 0, which is the account before anything was. */
function readPoint(text: string): number {
  return text === "0" ? 0 : readRevision(text);
}

/** `A B`, `A..B`, or `N` for the change that made N of the revision before it. */
export function readRange(first: string, second: string | undefined): readonly [from: number, to: number] {
  if (second !== undefined) return [readPoint(first), readPoint(second)];
  const [from, to, ...rest] = first.split("..");
  if (from !== undefined && to !== undefined && rest.length === 0) return [readPoint(from), readPoint(to)];
  const revision = readRevision(first);
  return [revision - 1, revision];
}
