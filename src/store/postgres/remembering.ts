/** The server's own commits that are not folded yet, so that folding them need not read the log. */

import { MAX_REMEMBERED_OBJECTS } from "../../contract/limits.ts";
import type { Batch } from "../store.ts";
import { UnfoldedState } from "../unfolded.ts";

/** What a server remembers of its own commits to a state, one after the other. */
export interface Remembered {
  readonly epoch: string;
  readonly told: UnfoldedState;
  /** Edits of objects in it. */
  readonly edits: number;
}

export class RememberedCommits {
  /** By state, the one that was changed least recently first. */
  readonly #states = new Map<string, Remembered>();
  /** Objects of all of them. */
  #objects = 0;

  /** Remembers which objects a commit changed, as long as no other server commits in between. */
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
