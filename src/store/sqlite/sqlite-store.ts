/** The embedded engine: SQLite in the process, as shipped with Node. */

import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
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
  type StoreRefused,
  Unreadable,
} from "../store.ts";
import { freshSlice, runInSlices } from "../time-slice.ts";
import { UnfoldedState } from "../unfolded.ts";
import {
  BUSY,
  DATABASE,
  type DirectoryLock,
  hasCode,
  lockDirectory,
  makeDirectory,
  makePrivate,
  messageOf,
  refusal,
  syncDirectory,
} from "./data-directory.ts";
import { EventTable } from "./event-table.ts";
import { positionsIn, refuseLoss } from "./loss.ts";
import { Mark } from "./mark.ts";
import { consistently, Reading, type TextPage } from "./reading.ts";
import { migrate, pragmas } from "./schema.ts";
import { begin, deadlineFromNow, rollBack, whenUnlocked } from "./write-lock.ts";
import { Writing } from "./writing.ts";

/**
 * Edits in the log until they are folded into the rows of objects: what a start after a crash has to
 * replay at most, some 0.3 s, against how often a row is written.
 */
const MOST_UNFOLDED = 40_000;

/** Edits from which a commit is large: readers are answered before it. */
const LARGE_COMMIT = 1_000;

/** Milliseconds between two checks of the lock file while nothing is committed. */
const LOCK_CHECK = 1_000;

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
  /** When the commit is refused if another process still holds the write lock. */
  readonly deadline: number;
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
  readonly #lock: DirectoryLock | undefined;
  readonly #mark: Mark | undefined;
  readonly #reading: Reading;
  readonly #writing: Writing;
  readonly #events: EventTable;
  /** By state, what this store's own commits leave to be folded. */
  readonly #unfolded = new Map<string, UnfoldedState>();
  /** How much that may be, with what others left. */
  #unfoldedEdits = 0;
  #waiting: Waiting[] = [];
  #noting: Noting[] = [];
  #committing: Promise<void> | undefined;

  /**
   * Opens the store in a directory, made if missing; without one, the store is in memory.
   * Throws `StoreRefused` with a message for the operator. `lost` is called once if the lock file was removed or replaced, so
   * that another server may use the directory. From then on the store refuses to write.
   */
  static async open(
    directory: string | undefined,
    lost: (refusal: StoreRefused) => void = () => undefined,
  ): Promise<SqliteStore> {
    // On a refusal, everything that is open is closed, the lock last.
    using connections = new DisposableStack();
    try {
      const opened = await openConnections(directory, connections);
      return new SqliteStore(directory, opened, connections.move(), lost);
    } catch (error) {
      throw refusal(directory, error);
    }
  }

  private constructor(
    directory: string | undefined,
    { writer, reader, lock, mark }: Opened,
    connections: DisposableStack,
    lost: (refusal: StoreRefused) => void,
  ) {
    this.#directory = directory;
    this.#writer = writer;
    this.#reader = reader;
    this.#lock = lock;
    this.#mark = mark;
    this.#reading = new Reading(reader);
    this.#writing = new Writing(writer);
    this.#events = new EventTable(writer, reader);
    this.#connections = connections;
    if (!lock) return;
    const checking = setInterval(() => {
      const refusal = lock.loss();
      if (!refusal) return;
      clearInterval(checking);
      lost(refusal);
    }, LOCK_CHECK);
    connections.defer(() => clearInterval(checking));
    checking.unref();
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
      return await whenUnlocked(read);
    } catch (error) {
      throw refusal(this.#directory, error);
    }
  }

  /** In memory readers share the writer's connection, and wait for what is under way on it. */
  async #quiet(): Promise<void> {
    if (this.#reader === this.#writer) while (this.#committing) await this.#committing;
  }

  async create(id: string, epoch: string): Promise<void> {
    const created = await this.#alone(async () => {
      try {
        await this.#begin();
        const created = this.#writing.create(id, epoch);
        this.#writer.exec("COMMIT");
        return created;
      } catch (error) {
        rollBack(this.#writer);
        throw new NotCommitted(messageOf(error));
      }
    });
    if (!created) throw new Conflict(`There is a state ${id} already.`);
  }

  /** Begins a transaction. Waits while another process holds the write lock. */
  #begin(deadline?: number): Promise<void> {
    const refusal = this.#lock?.loss();
    if (refusal) throw refusal;
    return begin(this.#writer, deadline);
  }

  /** Runs an action while nothing else is written. Commits that arrive in the meantime run after it. */
  async #alone<T>(act: () => Promise<T>): Promise<T> {
    while (this.#committing) await this.#committing;
    const acting = act();
    this.#committing = acting.then(
      () => this.#commitAll(),
      () => this.#commitAll(),
    );
    return acting;
  }

  commit(batch: Batch): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ batch, deadline: deadlineFromNow(), resolve, reject });
      this.#committing ??= this.#commitAll();
    });
  }

  async #commitAll(): Promise<void> {
    while (this.#waiting.length > 0 || this.#noting.length > 0) {
      // Other states may have decided in the same turn; what is large gets a turn of its own.
      await (this.#waiting.some(isLarge) ? freshSlice() : undefined);
      await this.#commitWaiting();
      await this.#noteAll();
      if (this.#unfoldedEdits >= MOST_UNFOLDED) await this.#fold(0);
    }
    // In the same turn as the last look, so that no commit is left waiting.
    this.#committing = undefined;
  }

  /** Commits of different states that wait together share one transaction and one sync. */
  async #commitWaiting(): Promise<void> {
    const [first] = this.#waiting;
    if (!first) return;
    try {
      await this.#begin(first.deadline);
    } catch (error) {
      const isLocked = hasCode(error, BUSY);
      const now = performance.now();
      const refused = this.#waiting.filter(({ deadline }) => !isLocked || deadline <= now);
      this.#waiting = this.#waiting.filter((one) => !refused.includes(one));
      for (const { reject } of refused) reject(new NotCommitted(messageOf(error)));
      return;
    }
    const group = this.#waiting;
    this.#waiting = [];
    for (const settle of this.#transaction(group)) settle();
  }

  #transaction(group: readonly Waiting[]): (() => void)[] {
    const db = this.#writer;
    const outcomes: (() => void)[] = [];
    const appended: Batch[] = [];
    try {
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
    this.#mark?.note(
      appended.map(({ state: id, epoch, base, changes }) => ({ id, epoch, revision: base + changes.length })),
    );
    for (const batch of appended) this.#remember(batch);
    return outcomes;
  }

  #abort(group: readonly Waiting[], error: unknown): (() => void)[] {
    const Failure = rollBack(this.#writer) ? NotCommitted : OutcomeUnknown;
    return group.map(
      ({ reject }) =>
        () =>
          reject(new Failure(messageOf(error))),
    );
  }

  /** Writes events in a transaction of their own: nothing that is decided waits for them or fails with them. */
  async #noteAll(): Promise<void> {
    const group = this.#noting;
    if (group.length === 0) return;
    this.#noting = [];
    try {
      await this.#begin();
      for (const { events } of group) this.#events.append(events);
      this.#writer.exec("COMMIT");
      for (const { resolve } of group) resolve();
    } catch (error) {
      rollBack(this.#writer);
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
   * is closed; if another process holds the write lock, after the next commit.
   */
  async #fold(deadline?: number): Promise<void> {
    const edits = this.#unfoldedEdits;
    this.#unfoldedEdits = 0;
    try {
      await this.#begin(deadline);
      for (const { id, folded } of this.#writing.behind())
        await runInSlices(this.#writing.fold(id, this.#unfoldedOf(id, folded)));
      this.#writer.exec("COMMIT");
      this.#unfolded.clear();
    } catch (error) {
      if (hasCode(error, BUSY)) this.#unfoldedEdits = edits;
      rollBack(this.#writer);
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

  async renew(): Promise<boolean> {
    return false;
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
    return { records: await readable(() => parseRecords(texts)), ...rest };
  }

  logSize(id: string, revision: number, limit: number): Promise<LogSize> {
    return this.#read(() => this.#reading.logSize(id, revision, limit));
  }

  async change(id: string, revision: number): Promise<ChangeRecord | undefined> {
    const text = await this.#read(() => this.#reading.change(id, revision));
    const [record] = text === undefined ? [] : await readable(() => parseRecords([text]));
    return record;
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
    return readable(() => whenUnlocked(read));
  }

  replace(world: readonly SeededState[], ifEmpty = false): Promise<boolean> {
    return this.#alone(async () => {
      try {
        await encodeRecords(world.map(({ change }) => change));
        await this.#begin();
        if (ifEmpty && this.#reading.states().length > 0) {
          rollBack(this.#writer);
          return false;
        }
        await runInSlices(this.#writing.replace(world));
        // The commit is one step: 20 ms at 10,000 objects.
        await freshSlice();
        const states = world.map(({ id, epoch, change }) => ({
          id,
          epoch,
          revision: change.record.revision,
        }));
        const commit = () => this.#writer.exec("COMMIT");
        if (this.#mark) this.#mark.replacing(states, commit);
        else commit();
        this.#unfolded.clear();
        await freshSlice();
        return true;
      } catch (error) {
        rollBack(this.#writer);
        throw new NotCommitted(messageOf(error));
      }
    });
  }

  async close(): Promise<void> {
    while (this.#committing) await this.#committing;
    if (this.#connections.disposed) return;
    // What arrives during the fold is committed after it.
    await this.#alone(() => this.#fold());
    while (this.#committing) await this.#committing;
    this.#connections.dispose();
  }
}

async function readable<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw new Unreadable(messageOf(error), { cause: error });
  }
}

interface Opened {
  readonly writer: DatabaseSync;
  readonly reader: DatabaseSync;
  readonly lock?: DirectoryLock;
  readonly mark?: Mark;
}

async function openConnections(directory: string | undefined, connections: DisposableStack): Promise<Opened> {
  if (directory === undefined) {
    const db = connections.use(new DatabaseSync(":memory:"));
    migrate(db, directory);
    return { writer: db, reader: db };
  }
  makeDirectory(directory);
  const lock = connections.use(lockDirectory(directory));
  await refuseLoss(directory);
  const file = join(directory, DATABASE);
  makePrivate(file);
  const writer = connections.use(new DatabaseSync(file, { timeout: 0 }));
  const reader = connections.use(new DatabaseSync(file, { timeout: 0 }));
  const deadline = deadlineFromNow();
  await whenUnlocked(() => writer.exec(pragmas), deadline);
  await whenUnlocked(() => migrate(writer, directory), deadline);
  await whenUnlocked(() => reader.exec("PRAGMA query_only = ON"), deadline);
  syncDirectory(directory);
  const mark = connections.use(new Mark(directory, positionsIn(writer)));
  return { writer, reader, lock, mark };
}

/** Does a commit take long enough for readers to be answered before it? */
function isLarge({ batch }: Waiting): boolean {
  return batch.changes.some(({ edits }) => edits.length >= LARGE_COMMIT);
}
