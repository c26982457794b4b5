/**
 * Reads that were answered before, by their whole address: what is asked for again and again is found
 * without the framework, whose own way costs as much as all the rest of such a read.
 */

import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { Entry, Slot, State } from "../account/state.ts";
import { MAX_KNOWN_READS } from "../contract/limits.ts";
import type { OperationName } from "../contract/operations.ts";
import type { LiveState } from "../store/live-state.ts";
import type { Answer } from "./envelope.ts";

export interface KnownRead {
  readonly name: OperationName;
  /** A weak reference, so that a remembered read does not keep its account in memory. */
  readonly account: WeakRef<LiveState>;
  readonly state: WeakRef<State>;
  readonly slot: Slot;
  /** The version told last. */
  readonly version: Entry;
  readonly answer: Answer;
  /** Its headers, as far as they are the same each time. */
  readonly lines: readonly string[];
}

export interface FoundRead {
  readonly account: LiveState;
  readonly known: KnownRead;
}

/** An address in its only plain spelling: each further spelling of one address would be kept as one more. */
function isPlain(url: string): boolean {
  return !url.includes("?") && !url.includes("%");
}

/** May more than the version decide what is answered? Then it goes the long way. */
function isSpecial(headers: IncomingHttpHeaders): boolean {
  return (
    headers["if-none-match"] !== undefined ||
    headers["if-match"] !== undefined ||
    headers["content-length"] !== undefined ||
    headers["transfer-encoding"] !== undefined ||
    headers["x-forwarded-for"] !== undefined
  );
}

export class KnownReads {
  /** By the header that chooses between forms, as it is sent, then by path and query. */
  readonly #known = new Map<unknown, Map<string, KnownRead>>();
  #count = 0;

  /** Returns the remembered read that still answers a request, and its account. */
  find({ method, url = "", headers }: IncomingMessage): FoundRead | undefined {
    if (method !== "GET") return undefined;
    const known = this.#known.get(headers["x-magic-new-hc-target"])?.get(url);
    if (!known || isSpecial(headers)) return undefined;
    const account = known.account.deref();
    if (!account || account.state !== known.state.deref()) return undefined;
    return account.state.durableOf(known.slot) === known.version ? { account, known } : undefined;
  }

  remember({ url = "", headers }: IncomingMessage, read: KnownRead): void {
    if (!isPlain(url)) return;
    if (this.#count >= MAX_KNOWN_READS) {
      this.#known.clear();
      this.#count = 0;
    }
    const form = headers["x-magic-new-hc-target"];
    const known = this.#known.get(form) ?? new Map<string, KnownRead>();
    if (!known.has(url)) this.#count++;
    known.set(url, read);
    this.#known.set(form, known);
  }
}
