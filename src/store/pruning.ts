/** What an engine provides for pruning while servers run: find old changes, read them and remove them. */

/** A part of a state's log: the changes after `after`, up to `revision`. */
export interface OldChanges {
  readonly id: string;
  readonly epoch: string;
  readonly after: number;
  readonly revision: number;
}

export interface PrunableLog {
  /**
   * For each state, its oldest changes up to a time in UTC, with microseconds. Never the newest change, nor a pending change
   * or one after it, since a rollback needs their records.
   */
  old(before: string): Promise<readonly OldChanges[]>;
  /** The stored text of the records after a revision, oldest first. */
  records(id: string, after: number): AsyncIterable<string> | Iterable<string>;
  /** Removes changes in short transactions. Resolves with their number. */
  remove(old: OldChanges): Promise<number>;
}

/** The part of a log, which begins with revision `oldest`, before revision `end`. Empty if there is none. */
export function partBefore(
  { id, epoch }: { readonly id: string; readonly epoch: string },
  oldest: number | undefined,
  end: number,
): readonly OldChanges[] {
  if (oldest === undefined || end <= oldest) return [];
  return [{ id, epoch, after: oldest - 1, revision: end - 1 }];
}
