/** Answers in the vendor's envelope, as text that is ready to be sent. */

import type { Entry } from "../account/state.ts";
import type { ResponseInfo } from "../contract/envelope.ts";
import { entryOf, type Problem, statusOf } from "../contract/errors.ts";

export interface Answer {
  readonly status: number;
  readonly body: string | Buffer;
  /** Bytes of the body, where they are known. */
  readonly length?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** The version whose answer this is, to anybody who may read it, for as long as it is the durable one. */
  readonly of?: { readonly kind: string; readonly entry: Entry };
}

/** Members of the envelope after `result` where nothing is to be said. */
export const QUIET = ',"success":true,"errors":[],"messages":[]}';

/** Members of the envelope after `result`. */
export function afterResult(messages: readonly ResponseInfo[]): string {
  return messages.length === 0
    ? QUIET
    : `,"success":true,"errors":[],"messages":${JSON.stringify(messages)}}`;
}

/** Wraps a result that is encoded already. */
export function wrap(result: string, messages: readonly ResponseInfo[] = []): string {
  return `{"result":${result}${afterResult(messages)}`;
}

/** An accepted request's answer, with `result_info` where there are pages. */
export function succeed(result: unknown, info?: Readonly<Record<string, unknown>>): string {
  const envelope = { result, success: true, errors: [], messages: [] };
  return JSON.stringify(info ? { ...envelope, result_info: info } : envelope);
}

/** A refusal. `docs` is the address under which the error pages are found. */
export function fail(problems: readonly Problem[], docs: string): Answer {
  const errors = problems.map((problem): ResponseInfo => {
    const entry = entryOf(problem.name);
    const chain = problem.chain ?? entry.chain;
    return {
      code: entry.code,
      message: problem.message,
      documentation_url: `${docs}/docs/errors/${entry.code}`,
      ...(problem.pointer === undefined ? {} : { source: { pointer: problem.pointer } }),
      ...(chain ? { error_chain: [...chain] } : {}),
    };
  });
  const status = statusOf(problems);
  // The vendor's gateway answers a request without credentials with these two members alone.
  const bare = problems[0]?.name === "missing_credentials";
  const body = bare ? { success: false, errors } : { result: null, success: false, errors, messages: [] };
  return { status, body: JSON.stringify(body), headers: hintsFor(status) };
}

/** What a client's own retries should do about it. */
function hintsFor(status: number): Record<string, string> {
  if (status === 503) return { "retry-after": "1" };
  // The vendor's client sends a request again after a conflict. Neither of these goes away by that.
  return status === 409 || status === 410 ? { "x-should-retry": "false" } : {};
}
