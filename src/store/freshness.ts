/**
 * Looks at a shared store, so that what is in memory can be known to be as new as what is there.
 *
 * Who asks shares a look only if it begins after the question: what it finds is then no older than that. One look is
 * on its way at a time, and all who ask meanwhile share the next.
 */

import type { Check, Position, Store } from "./store.ts";

/** What a look found, and where memory stood when it began. */
export interface Sight {
  readonly found: Check;
  readonly before: ReadonlyMap<string, Position>;
}

interface Look {
  readonly ids: Set<string>;
  readonly sight: Promise<Sight>;
}

export class Freshness {
  readonly #store: Store;
  readonly #standing: (id: string) => Position | undefined;
  #next: Look | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /** `standing` tells where a state stands in memory, if it is there. */
  constructor(store: Store, standing: (id: string) => Position | undefined) {
    this.#store = store;
    this.#standing = standing;
  }

  /** A look at these states that begins after this call. */
  look(ids: readonly string[]): Promise<Sight> {
    if (!this.#next) {
      const sight = this.#last.then(() => this.#begin());
      this.#last = sight.catch(() => undefined);
      this.#next = { ids: new Set(), sight };
    }
    for (const id of ids) this.#next.ids.add(id);
    return this.#next.sight;
  }

  async #begin(): Promise<Sight> {
    const ids = [...(this.#next?.ids ?? [])];
    this.#next = undefined;
    const before = new Map<string, Position>();
    for (const id of ids) {
      const position = this.#standing(id);
      if (position) before.set(id, position);
    }
    return { found: await this.#store.check(ids), before };
  }
}
