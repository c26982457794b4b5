/**
 * What Patchbay needs of a database: load, commit, read on. Every engine passes `store-contract`.
 */

import type { RefusedRequest } from "../account/audit/refused.ts";
import type { Change, ChangeRecord } from "../account/change.ts";
import type { SeededState } from "../account/seed.ts";
import type { State } from "../account/state.ts";

/** One state's changes, to become durable together with others or not at all. */
export interface Batch {
  readonly state: string;
  readonly epoch: string;
  /** The revision the first change was decided on. */
  readonly base: number;
  /** The commit that `base` came with, if it is known, and what this one is to be called. */
  readonly head?: string | undefined;
  readonly id?: string;
  readonly changes: readonly Change[];
  /**
   * When the change that then waits to be confirmed is to be undone, RFC 3339; null if none waits. For
   * `due`: an engine whose process knows all its states need not keep it.
   */
  readonly deadline: string | null;
}

/** Where a state stands. */
export interface Position {
  readonly epoch: string;
  readonly revision: number;
  /**
   * The commit that the revision came with, where the store tells. After a standby took over another commit may
   * stand at a revision that was seen before.
   */
  readonly head?: string | undefined;
}

/** What a look at the store found. */
export interface Check {
  /** Where the states stand that were asked for. Those that are not there are not in it. */
  readonly positions: ReadonlyMap<string, Position>;
  /** The store's clock: milliseconds since 1970, with fractions. */
  readonly time: number;
}

/**
 * A state that nobody else commits to until this one committed or let go. The lock is held for moments
 * only: it is lost after a few seconds without a call, and then a commit is a race like any other.
 */
export interface LockedState {
  readonly position: Position;
  /** As `Store.commit`, and lets go, whatever the outcome. */
  commit(batch: Batch): Promise<void>;
  /** Resolves when everything that is in the log under the lock is durable, and releases the lock. */
  settle(): Promise<void>;
  /** Lets go, if that was not done yet. Never throws. */
  release(): Promise<void>;
}

/** A part of the log. */
export interface Page {
  readonly records: readonly ChangeRecord[];
  /** The commit that came with the revision after or before which these are, where the store tells. */
  readonly from?: string | undefined;
  /** Where the state stood when the page was read. */
  readonly position: Position;
  /** Are there more records beyond the page? */
  readonly more: boolean;
}

/** The size of a part of the log. */
export interface LogSize {
  readonly records: number;
  /** UTF-8 bytes of the records as stored. */
  readonly bytes: number;
  /** The revisions of the oldest and the newest record; 0 if there is none. */
  readonly oldest: number;
  readonly newest: number;
}

/**
 * Something that happened to a state and changed nothing. Events stand beside the log: they never move a
 * revision, and the oldest go when there are more than `MOST_EVENTS` of a state.
 */
export interface StateEvent {
  readonly state: string;
  readonly event: RefusedRequest;
}

/** An event with its place among those of its state: numbers grow by one. */
export interface NumberedEvent {
  readonly number: number;
  readonly event: RefusedRequest;
}

/** Events that are kept of each state. */
export const MOST_EVENTS = 10_000;

/** Whatever reads throws `Away` if the database cannot be reached. */
export interface Store {
  /** May other processes commit to the same states? Then what was read is old at once: see `check`. */
  readonly shared: boolean;
  /** The state as it is durable; `undefined` if there is none of this id. */
  load(id: string): Promise<State | undefined>;
  /** Identifiers of all states. */
  states(): Promise<readonly string[]>;
  /**
   * Creates an empty state, at revision 0, or replaces one without changes. Resolves when it is durable. Throws `Conflict` if
   * there is a state with changes, `NotCommitted` if nothing was created.
   */
  create(id: string, epoch: string): Promise<void>;
  /**
   * Gives a state the epoch `next` if its epoch is still `epoch`; otherwise returns false. Only shared stores do.
   */
  renew(id: string, epoch: string, next: string): Promise<boolean>;
  /**
   * Makes the changes durable, as a compare-and-swap on epoch, revision and head. Resolves when they are.
   * Throws `Conflict` if the state had moved on, `NotCommitted` if nothing was changed, and
   * `OutcomeUnknown` if that cannot be told.
   */
  commit(batch: Batch): Promise<void>;
  /** Where these states stand now, all at one moment. */
  check(ids: readonly string[]): Promise<Check>;
  /**
   * States whose deadline has come, by the store's clock. Only of a store that is shared: another's
   * process knows its states, and this finds none.
   */
  due(): Promise<readonly string[]>;
  /**
   * Keeps others from committing to a state, once they are done: for who lost a race. `undefined` if there
   * is no such state. Where no other process commits, there is nothing to hold.
   */
  lock(id: string): Promise<LockedState | undefined>;
  /**
   * Records after a revision, oldest first. `undefined` if there is no such state. If the oldest of those
   * that are kept does not follow the revision, those between were pruned; the newest never is.
   * Reading the log throws `Unreadable` if it cannot be read.
   */
  changesAfter(id: string, revision: number, limit: number): Promise<Page | undefined>;
  /** Records before a revision, newest first. */
  changesBefore(id: string, revision: number, limit: number): Promise<Page | undefined>;
  /** The size of the oldest `limit` records after a revision, all zeros if there is none. Reads no record. */
  logSize(id: string, revision: number, limit: number): Promise<LogSize>;
  /** One record. */
  change(id: string, revision: number): Promise<ChangeRecord | undefined>;
  /**
   * The revision of the first record at or after a time, in UTC to the microsecond; one past the newest
   * if there is none. `undefined` if there is no such state.
   */
  changeAt(id: string, time: string): Promise<number | undefined>;
  /**
   * Keeps events, in their order. None is told to be earlier than the one before it in its state. Those
   * of states that are not there are dropped.
   */
  note(events: readonly StateEvent[]): Promise<void>;
  /** Events after a number, oldest first. */
  eventsAfter(id: string, number: number, limit: number): Promise<readonly NumberedEvent[]>;
  /** Events before a number, newest first. */
  eventsBefore(id: string, number: number, limit: number): Promise<readonly NumberedEvent[]>;
  /** The number of the first event at or after a time; one past the newest if there is none. */
  eventAt(id: string, time: string): Promise<number>;
  /**
   * Replaces everything by a new world, in one step, events included. False, and nothing is done, if it is to be
   * done only where there is nothing and something is there: of several that begin a world, one does.
   */
  replace(world: readonly SeededState[], ifEmpty?: boolean): Promise<boolean>;
  close(): Promise<void>;
}

/** The state moved on before the commit: read on and decide again. */
export class Conflict extends Error {}

/** The engine refused; nothing was changed. */
export class NotCommitted extends Error {}

/** The commit may or may not have become durable. */
export class OutcomeUnknown extends Error {}

/** What is kept cannot be read: the file is damaged, or its disk is. */
export class Unreadable extends Error {}

/** The database cannot be reached just now. Nothing is wrong with what is kept; try again. */
export class Away extends Unreadable {}

/** The data directory or the database cannot be used. The message is for the operator. */
export class StoreRefused extends Error {}
