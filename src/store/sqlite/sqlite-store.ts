/** The embedded engine: SQLite in the process, as shipped with Node. */

import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import type { ChangeRecord } from "../../account/change.ts";
import type { SeededState } from "../../account/seed.ts";
import type { State } from "../../account/state.ts";
import { encodeRecords, parseRecords } from "../record-text.ts";
import {
  type Batch,
  type Check,
  Conflict,
  type LockedState,
  type LogSize,
  NotCommitted,
  type NumberedEvent,
  OutcomeUnknown,
  type Page,
  type Position,
  type StateEvent,
  type Store,
  Unreadable,
} from "../store.ts";
import { nextSlice, runInSlices } from "../time-slice.ts";
import { UnfoldedState } from "../unfolded.ts";
import {
  DATABASE,
  hasCode,
  lockDirectory,
  makeDirectory,
  messageOf,
  refusal,
  syncDirectory,
} from "./data-directory.ts";
import { EventTable } from "./event-table.ts";
import { positionsIn, refuseLoss } from "./loss.ts";
import { MarkFile } from "./mark-file.ts";
import { consistently, Reading, type TextPage } from "./reading.ts";
import { migrate, pragmas } from "./schema.ts";
import { Writing } from "./writing.ts";

/**
 * Edits in the log until they are folded into the rows of objects: what a start after a crash has to
 * replay at most, some 0.3 s, against how often a row is written.
 */
const MOST_UNFOLDED = 40_000;

/** Rows of objects folded in one go; between goes, requests are answered. */
const ROWS_AT_ONCE = 1_000;

/**
 * SQLite's result codes, extended, for a commit whose last frame, the one that makes it count, did not
 * reach the log (FULL, IOERR_WRITE). After a failed sync it may have.
 */
const NOT_WRITTEN = [13, 778];

interface Noting {
  readonly events: readonly StateEvent[];
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

interface Waiting {
  readonly batch: Batch;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class SqliteStore implements Store {
  readonly shared = false;
  readonly #writer: DatabaseSync;
  /** A connection of its own for reading, so that no reader sees a commit that is under way. */
  readonly #reader: DatabaseSync;
  readonly #connections: DisposableStack;
  readonly #directory: string | undefined;
  readonly #reading: Reading;
  readonly #writing: Writing;
  readonly #events: EventTable;
  readonly #mark: MarkFile | undefined;
  /** By state, what this store's own commits leave to be folded. */
  readonly #unfolded = new Map<string, UnfoldedState>();
  /** How much that may be, with what others left. */
  #unfoldedEdits = 0;
  #waiting: Waiting[] = [];
  #noting: Noting[] = [];
  #committing: Promise<void> | undefined;

  /**
   * Opens the store in a directory, made if missing; without one, the store is in memory.
   * Throws `StoreRefused` with a sentence for the operator.
   */
  static open(directory: string | undefined): SqliteStore {
    try {
      return new SqliteStore(directory);
    } catch (error) {
      throw refusal(directory, error);
    }
  }

  private constructor(directory: string | undefined) {
    // Whatever is open when something is refused is closed again, the lock last.
    using connections = new DisposableStack();
    this.#directory = directory;
    if (directory === undefined) {
      this.#writer = connections.use(new DatabaseSync(":memory:"));
      this.#reader = this.#writer;
    } else {
      makeDirectory(directory);
      connections.use(lockDirectory(directory));
      refuseLoss(directory);
      const file = join(directory, DATABASE);
      this.#writer = connections.use(new DatabaseSync(file));
      this.#writer.exec(pragmas);
      this.#reader = connections.use(new DatabaseSync(file));
      this.#reader.exec("PRAGMA query_only = ON; PRAGMA busy_timeout = 5000;");
    }
    migrate(this.#writer, directory);
    if (directory !== undefined) {
      syncDirectory(directory);
      this.#mark = connections.use(new MarkFile(directory, positionsIn(this.#writer)));
    }
    this.#reading = new Reading(this.#reader);
    this.#writing = new Writing(this.#writer);
    this.#events = new EventTable(this.#writer, this.#reader);
    this.#connections = connections.move();
  }

  async load(id: string): Promise<State | undefined> {
    return this.#whole(() => this.#load(id));
  }

  #load(id: string): State | undefined {
    return consistently(this.#reader, () =>
      this.#reading.load(id, (edits) => {
        this.#unfoldedEdits += edits.length;
      }),
    );
  }

  async states(): Promise<readonly string[]> {
    return this.#whole(() => this.#reading.states());
  }

  /** Reads what must be readable for the store to be of use. */
  async #whole<T>(read: () => T): Promise<T> {
    await this.#quiet();
    try {
      return read();
    } catch (error) {
      throw refusal(this.#directory, error);
    }
  }

  /** In memory readers share the writer's connection, and wait for what is under way on it. */
  async #quiet(): Promise<void> {
    if (this.#reader === this.#writer) while (this.#committing) await this.#committing;
  }

  async create(id: string, epoch: string): Promise<void> {
    while (this.#committing) await this.#committing;
    try {
      if (this.#writing.create(id, epoch)) return;
    } catch (error) {
      throw new NotCommitted(messageOf(error));
    }
    throw new Conflict(`There is a state ${id} already.`);
  }

  commit(batch: Batch): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ batch, resolve, reject });
      this.#committing ??= this.#commitAll();
    });
  }

  /** Commits of different states that wait together share one transaction and one sync. */
  async #commitAll(): Promise<void> {
    while (this.#waiting.length > 0 || this.#noting.length > 0) {
      // Other states may have decided in the same turn; what is large gets a turn of its own.
      await (this.#waiting.some(isLarge) ? setImmediate() : undefined);
      const group = this.#waiting;
      this.#waiting = [];
      if (group.length > 0) for (const settle of this.#transaction(group)) settle();
      if (this.#noting.length > 0) this.#noteAll();
      if (this.#unfoldedEdits >= MOST_UNFOLDED) await this.#fold();
    }
    // In the same turn as the last look, so that no commit is left waiting.
    this.#committing = undefined;
  }

  #transaction(group: readonly Waiting[]): (() => void)[] {
    const db = this.#writer;
    const outcomes: (() => void)[] = [];
    const appended: Batch[] = [];
    try {
      db.exec("BEGIN IMMEDIATE");
      for (const { batch, resolve, reject } of group) {
        if (this.#writing.append(batch)) {
          appended.push(batch);
          outcomes.push(resolve);
        } else outcomes.push(() => reject(new Conflict(`The state ${batch.state} has moved on.`)));
      }
    } catch (error) {
      return this.#abort(group, error);
    }
    try {
      db.exec("COMMIT");
    } catch (error) {
      // Still inside the transaction, nothing was written; else it depends on what failed.
      if (db.isTransaction || hasCode(error, NOT_WRITTEN)) return this.#abort(group, error);
      return group.map(
        ({ reject }) =>
          () =>
            reject(new OutcomeUnknown(messageOf(error))),
      );
    }
    for (const batch of appended) {
      const { state, epoch, base, changes } = batch;
      this.#mark?.note(state, { epoch, revision: base + changes.length });
      this.#remember(batch);
    }
    return outcomes;
  }

  #abort(group: readonly Waiting[], error: unknown): (() => void)[] {
    try {
      if (this.#writer.isTransaction) this.#writer.exec("ROLLBACK");
    } catch {
      return group.map(
        ({ reject }) =>
          () =>
            reject(new OutcomeUnknown(messageOf(error))),
      );
    }
    return group.map(
      ({ reject }) =>
        () =>
          reject(new NotCommitted(messageOf(error))),
    );
  }

  /** Writes events in a transaction of their own: nothing that is decided waits for them or fails with them. */
  #noteAll(): void {
    const group = this.#noting;
    this.#noting = [];
    const db = this.#writer;
    try {
      db.exec("BEGIN IMMEDIATE");
      for (const { events } of group) this.#events.append(events);
      db.exec("COMMIT");
      for (const { resolve } of group) resolve();
    } catch (error) {
      if (db.isTransaction) db.exec("ROLLBACK");
      for (const { reject } of group) reject(new NotCommitted(messageOf(error)));
    }
  }

  /** Remembers which objects a commit moved. */
  #remember({ state, base, changes }: Batch): void {
    let unfolded = this.#unfolded.get(state);
    if (unfolded?.revision !== base) {
      unfolded = new UnfoldedState(base);
      this.#unfolded.set(state, unfolded);
    }
    for (const { edits } of changes) {
      unfolded.add(edits);
      this.#unfoldedEdits += edits.length;
    }
  }

  /**
   * Brings the rows of all objects to their newest durable versions. Nothing depends on it but how
   * long loading takes: if it fails, it is tried again after as many edits more, or when the store
   * is closed.
   */
  async #fold(): Promise<void> {
    this.#unfoldedEdits = 0;
    const db = this.#writer;
    try {
      db.exec("BEGIN IMMEDIATE");
      let rows = 0;
      for (const { id, folded } of this.#writing.behind()) {
        for (const _ of this.#writing.fold(id, this.#unfoldedOf(id, folded)))
          if (++rows % ROWS_AT_ONCE === 0) await setImmediate();
      }
      db.exec("COMMIT");
      this.#unfolded.clear();
    } catch {
      if (db.isTransaction) db.exec("ROLLBACK");
    }
  }

  /** What is to be folded into the objects of a state: as remembered, else as the log tells. */
  #unfoldedOf(id: string, folded: number): UnfoldedState {
    const remembered = this.#unfolded.get(id);
    if (remembered?.since === folded) return remembered;
    const told = new UnfoldedState(folded);
    const state = this.#reading.stateAsFolded(id);
    if (state) for (const edits of this.#reading.replay(state)) told.add(edits);
    return told;
  }

  check(ids: readonly string[]): Promise<Check> {
    return this.#read(() => {
      const positions = new Map<string, Position>();
      consistently(this.#reader, () => {
        for (const id of ids) {
          const standing = this.#reading.standing(id);
          if (standing) positions.set(id, { epoch: standing.epoch, revision: standing.revision });
        }
      });
      return { positions, time: performance.timeOrigin + performance.now() };
    });
  }

  async due(): Promise<readonly string[]> {
    return [];
  }

  /** No other process writes, so there is nothing to hold. */
  async lock(id: string): Promise<LockedState | undefined> {
    const position = (await this.check([id])).positions.get(id);
    const nothing = async () => undefined;
    return position && { position, commit: (batch) => this.commit(batch), settle: nothing, release: nothing };
  }

  changesAfter(id: string, revision: number, limit: number): Promise<Page | undefined> {
    return this.#page(() => this.#reading.after(id, revision, limit));
  }

  changesBefore(id: string, revision: number, limit: number): Promise<Page | undefined> {
    return this.#page(() => this.#reading.before(id, revision, limit));
  }

  async #page(read: () => TextPage | undefined): Promise<Page | undefined> {
    const page = await this.#read(read);
    if (!page) return undefined;
    const { texts, ...rest } = page;
    try {
      return { records: await parseRecords(texts), ...rest };
    } catch (error) {
      throw new Unreadable(messageOf(error), { cause: error });
    }
  }

  logSize(id: string, revision: number, limit: number): Promise<LogSize> {
    return this.#read(() => this.#reading.logSize(id, revision, limit));
  }

  change(id: string, revision: number): Promise<ChangeRecord | undefined> {
    return this.#read(() => this.#reading.change(id, revision));
  }

  changeAt(id: string, time: string): Promise<number | undefined> {
    return this.#read(() => this.#reading.changeAt(id, time));
  }

  note(events: readonly StateEvent[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#noting.push({ events, resolve, reject });
      this.#committing ??= this.#commitAll();
    });
  }

  eventsAfter(id: string, number: number, limit: number): Promise<readonly NumberedEvent[]> {
    return this.#read(() => this.#events.after(id, number, limit));
  }

  eventsBefore(id: string, number: number, limit: number): Promise<readonly NumberedEvent[]> {
    return this.#read(() => this.#events.before(id, number, limit));
  }

  eventAt(id: string, time: string): Promise<number> {
    return this.#read(() => this.#events.at(id, time));
  }

  /** Reads a part of the log, or of what stands beside it, which a damaged file may keep from being read. */
  async #read<T>(read: () => T): Promise<T> {
    await this.#quiet();
    try {
      return read();
    } catch (error) {
      throw new Unreadable(messageOf(error), { cause: error });
    }
  }

  async replace(world: readonly SeededState[], ifEmpty = false): Promise<boolean> {
    while (this.#committing) await this.#committing;
    if (ifEmpty && this.#reading.states().length > 0) return false;
    const replacing = this.#replace(world);
    // What arrives meanwhile is committed after it.
    this.#committing = replacing.catch(() => undefined).then(() => this.#commitAll());
    await replacing;
    return true;
  }

  async #replace(world: readonly SeededState[]): Promise<void> {
    await encodeRecords(world.map(({ change }) => change));
    const db = this.#writer;
    try {
      db.exec("BEGIN IMMEDIATE");
      await runInSlices(this.#writing.replace(world));
      // All of it goes to the log in one step: 20 ms at 10,000 objects.
      await nextSlice();
      this.#mark?.clear();
      db.exec("COMMIT");
      await nextSlice();
    } catch (error) {
      if (db.isTransaction) db.exec("ROLLBACK");
      throw new NotCommitted(messageOf(error));
    }
    this.#mark?.noteAll(positionsIn(db));
    this.#unfolded.clear();
  }

  async close(): Promise<void> {
    while (this.#committing) await this.#committing;
    if (this.#connections.disposed) return;
    // What arrives during the fold is committed after it.
    this.#committing = this.#fold().then(() => this.#commitAll());
    while (this.#committing) await this.#committing;
    this.#connections.dispose();
  }
}

/** Does a commit take long enough for readers to be answered before it? */
function isLarge({ batch }: Waiting): boolean {
  return batch.changes.some(({ edits }) => edits.length >= ROWS_AT_ONCE);
}
