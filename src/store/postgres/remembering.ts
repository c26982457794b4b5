/** Remembers the server's own commits until they are folded, so that folding need not read the log. */

import { MAX_REMEMBERED_OBJECTS } from "../../contract/limits.ts";
import type { Batch } from "../store.ts";
import { UnfoldedState } from "../unfolded.ts";

/** Consecutive commits of this server to one state. */
export interface Remembered {
  readonly epoch: string;
  readonly told: UnfoldedState;
  /** Edits of objects in it. */
  readonly edits: number;
}

export class RememberedCommits {
  /** By state, the one that was changed least recently first. */
  readonly #states = new Map<string, Remembered>();
  /** Objects of all states. */
  #objects = 0;

  /** Remembers a commit. If another server committed in between, forgets the earlier ones. */
  add({ state, epoch, base, changes }: Batch): void {
    let known = this.take(state);
    if (known?.epoch !== epoch || known.told.revision !== base)
      known = { epoch, told: new UnfoldedState(base), edits: 0 };
    const { told } = known;
    let { edits } = known;
    for (const change of changes) {
      told.add(change.edits);
      edits += change.edits.length;
    }
    this.#states.set(state, { epoch, told, edits });
    this.#objects += told.objects.size;
    for (const oldest of this.#states.keys()) {
      if (this.#objects <= MAX_REMEMBERED_OBJECTS) break;
      this.take(oldest);
    }
  }

  /** Returns what is remembered of a state, and forgets it. */
  take(state: string): Remembered | undefined {
    const known = this.#states.get(state);
    if (!known) return undefined;
    this.#states.delete(state);
    this.#objects -= known.told.objects.size;
    return known;
  }
}
