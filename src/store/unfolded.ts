/** Objects whose rows do not stand at their newest version yet, since a commit writes the log alone. */

import type { Edit, Entry, Slot } from "../account/state.ts";

/** What has to be done to one object's row. */
export interface Unfolded {
  /** The version the row is to hold; `undefined` if there is to be none. */
  readonly after: Entry | undefined;
  /** Of the last change to it. */
  readonly revision: number;
  /** Is the object younger than what its row may hold? Then it comes last among its kind. */
  readonly made: boolean;
}

/** What the changes of one state after a revision, up to another, did to its objects. */
export class UnfoldedState {
  /** The changes after this one are told. */
  readonly since: number;
  /** Up to this one. */
  revision: number;
  /**
   * What was made comes in the order in which it was made. An object has a slot of its own again after
   * its removal, and after its state was loaded anew; its parts then follow one another.
   */
  readonly objects = new Map<Slot, Unfolded>();

  constructor(since: number) {
    this.since = since;
    this.revision = since;
  }

  /** Takes in the edits of the next change. */
  add(edits: readonly Edit[]): void {
    this.revision++;
    for (const { slot, before, after } of edits) {
      const made = before ? this.objects.get(slot)?.made === true : true;
      if (!before) this.objects.delete(slot);
      this.objects.set(slot, { after, revision: this.revision, made });
    }
  }
}
