/** What pruning needs of an engine: to find old changes, to read them, and to remove them, alongside servers at work. */

/** A part of a state's log: the changes after `after`, up to `revision`. */
export interface OldChanges {
  readonly id: string;
  readonly epoch: string;
  readonly after: number;
  readonly revision: number;
}

export interface PrunableLog {
  /**
   * For each state, its oldest changes that were made before a time, in UTC to the microsecond. Never the newest change,
   * nor one that waits to be confirmed, nor one after that: it may have to be rolled back by its record.
   */
  old(before: string): Promise<readonly OldChanges[]>;
  /** The records after a revision as they are stored, oldest first. */
  records(id: string, after: number): AsyncIterable<string> | Iterable<string>;
  /** Removes changes in short steps. Resolves with how many there were. */
  remove(old: OldChanges): Promise<number>;
}

/** Of a log that is kept from `oldest` on, the part before a change, if there is one. */
export function partBefore(
  { id, epoch }: { readonly id: string; readonly epoch: string },
  oldest: number | undefined,
  end: number,
): readonly OldChanges[] {
  if (oldest === undefined || end <= oldest) return [];
  return [{ id, epoch, after: oldest - 1, revision: end - 1 }];
}
