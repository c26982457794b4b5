/**
 * What Patchbay needs of a database: load, commit, read on. Every engine passes `store-contract`.
 */

import type { Change, ChangeRecord } from "../account/change.ts";
import type { SeededState } from "../account/seed.ts";
import type { State } from "../account/state.ts";

/** One state's changes, to become durable together with others or not at all. */
export interface Batch {
  readonly state: string;
  readonly epoch: string;
  /** The revision the first change was decided on. */
  readonly base: number;
  readonly changes: readonly Change[];
}

/** Where a state stands. */
export interface Position {
  readonly epoch: string;
  readonly revision: number;
}

/** A part of the log. */
export interface Page {
  readonly records: readonly ChangeRecord[];
  /** Where the state stood when the page was read. */
  readonly position: Position;
  /** Are there more records beyond the page? */
  readonly more: boolean;
}

export interface Store {
  /** The state as it is durable; `undefined` if there is none of this id. */
  load(id: string): Promise<State | undefined>;
  /** Identifiers of all states. */
  states(): Promise<readonly string[]>;
  /**
   * Makes the changes durable, as a compare-and-swap on epoch and revision. Resolves when they are.
   * Throws `Conflict` if the state had moved on, `NotCommitted` if nothing was changed, and
   * `OutcomeUnknown` if that cannot be told.
   */
  commit(batch: Batch): Promise<void>;
  /** Records after a revision, oldest first. `undefined` if there is no such state. */
  changesAfter(id: string, revision: number, limit: number): Promise<Page | undefined>;
  /** Records before a revision, newest first. */
  changesBefore(id: string, revision: number, limit: number): Promise<Page | undefined>;
  /** One record. */
  change(id: string, revision: number): Promise<ChangeRecord | undefined>;
  /** Replaces everything by a new world, in one step. */
  replace(world: readonly SeededState[]): Promise<void>;
  close(): Promise<void>;
}

/** The state moved on before the commit: read on and decide again. */
export class Conflict extends Error {}

/** The engine refused; nothing was changed. */
export class NotCommitted extends Error {}

/** The commit may or may not have become durable. */
export class OutcomeUnknown extends Error {}

/** The data directory cannot be used. The message is for the operator. */
export class StoreRefused extends Error {}
