/** Lists of the CNI API: filters that may be left empty, and pages. */

import { MOST } from "../../../contract/cni/forms.ts";
import type { Call } from "../../call.ts";
import { etag, judgeReading } from "../../conditional.ts";
import type { Answer } from "../../envelope.ts";
import { readFlag, readNumber } from "../../read-request.ts";

/** A query without the parameters that are empty: so the official clients send `null`, which means nothing. */
function given(query: Call["query"]): Call["query"] {
  return Object.fromEntries(Object.entries(query).filter(([, text]) => text !== ""));
}

/** The filters of a query, and how they judge. A filter that is not there lets everything pass. */
export class Filters {
  readonly #query: Call["query"];

  constructor(call: Call) {
    this.#query = given(call.query);
  }

  /** Is the parameter absent, or exactly this? */
  is(name: string, value: string | undefined): boolean {
    const text = this.#query[name];
    return text === undefined || text === value;
  }

  /** Is the parameter absent, or a part of one of these, in whatever case? */
  isIn(name: string, values: readonly string[]): boolean {
    const text = this.#query[name]?.toLowerCase();
    return text === undefined || values.some((value) => value.toLowerCase().includes(text));
  }

  /** The parameter, as an identifier is compared. */
  text(name: string): string | undefined {
    return this.#query[name];
  }

  /** A flag; `undefined` if it is not there. */
  flag(name: string): boolean | undefined {
    return this.#query[name] === undefined ? undefined : readFlag(this.#query, name);
  }

  /**
   * One page of what the filters left. The cursor is a position in it, so what is removed between two
   * pages moves the rest.
   */
  page<Item>(all: readonly Item[]): { readonly items: readonly Item[]; readonly next: number | null } {
    const from = readNumber(this.#query, "cursor", 0, MOST) ?? 0;
    const limit = readNumber(this.#query, "limit", 0, MOST) ?? all.length;
    const to = from + limit;
    return { items: all.slice(from, to), next: to < all.length ? to : null };
  }
}

/** The answer to a read, unless its condition says that there is nothing to send. `revision` is that of what is told. */
export function told(call: Call, revision: number, body: () => unknown): Answer {
  const tag = etag(call.account.state.epoch, revision);
  // Made in any case, so that what is wrong with the query is told.
  const text = JSON.stringify(body());
  return judgeReading(call.request.headers, tag) ?? { status: 200, body: text, headers: { etag: tag } };
}

/** What Patchbay's own operations answer, in the envelope. */
export function enveloped(result: unknown) {
  return { result, success: true, errors: [], messages: [] };
}
