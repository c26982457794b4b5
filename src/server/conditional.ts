/** Conditional requests, RFC 9110 section 13, on epochs and revisions. */

import type { IncomingHttpHeaders } from "node:http";
import { type Problem, problem } from "../contract/errors.ts";
import type { Answer } from "./envelope.ts";
import { Refusal, refuse } from "./refusal.ts";

/** The tag of something last changed by a revision. */
export function etag(epoch: string, revision: number): string {
  return `"${epoch}-${revision}"`;
}

const LIST = /^\s*(?:W\/)?"[\x21\x23-\x7e]*"(?:\s*,\s*(?:W\/)?"[\x21\x23-\x7e]*")*\s*$/;

/** The tags of a header, or `*`. Weak ones are told apart. */
function readTags(name: string, header: string): readonly string[] | "*" {
  if (header.trim() === "*") return "*";
  if (header.length > 4096 || !LIST.test(header)) {
    throw refuse("invalid_header", {
      name,
      given: header,
      expected: 'one or more entity tags in quotes, or "*"',
    });
  }
  return header.match(/(?:W\/)?"[^"]*"/g) ?? [];
}

/** Judges a request by the tag of what it speaks of. `undefined` means: go on. */
export type Precondition = (current: string) => "not-modified" | Problem | undefined;

/** Reads both headers; a malformed one is refused. */
export function readPrecondition(headers: IncomingHttpHeaders, reading: boolean): Precondition | undefined {
  const match = headers["if-match"];
  const noneMatch = headers["if-none-match"];
  if (match === undefined && noneMatch === undefined) return undefined;
  const wanted = match === undefined ? undefined : readTags("if-match", match);
  const unwanted = noneMatch === undefined ? undefined : readTags("if-none-match", noneMatch);
  return (current) => {
    const failed = problem("precondition_failed", { etag: current });
    // If-Match compares strongly, If-None-Match weakly.
    if (wanted && wanted !== "*" && !wanted.includes(current)) return failed;
    if (unwanted === "*" || unwanted?.some((tag) => tag.replace(/^W\//, "") === current)) {
      return reading ? "not-modified" : failed;
    }
    return undefined;
  };
}

/** The answer of a read whose condition says that there is nothing to send. Throws if it does not hold. */
export function judgeReading(headers: IncomingHttpHeaders, tag: string): Answer | undefined {
  const verdict = readPrecondition(headers, true)?.(tag);
  if (verdict === undefined) return undefined;
  if (verdict === "not-modified") return { status: 304, body: "", headers: { etag: tag } };
  throw new Refusal([verdict]);
}
