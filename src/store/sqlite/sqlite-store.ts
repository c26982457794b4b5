/** The embedded engine: SQLite in the process, as shipped with Node. */

import { closeSync, fsyncSync, mkdirSync, openSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import { type ChangeRecord, editsOf } from "../../account/change.ts";
import { kindNamed, kinds } from "../../account/kinds.ts";
import type { SeededState } from "../../account/seed.ts";
import { type Doc, type Edit, type Slot, State } from "../../account/state.ts";
import { firstAt } from "../search.ts";
import {
  type Batch,
  Conflict,
  NotCommitted,
  type NumberedEvent,
  OutcomeUnknown,
  type Page,
  type StateEvent,
  type Store,
  StoreRefused,
} from "../store.ts";
import { EventTable } from "./event-table.ts";
import { migrations, pragmas, SCHEMA_VERSION, schema } from "./schema.ts";
import { type Unfolded, UnfoldedState } from "./unfolded.ts";

/**
 * Edits in the log until they are folded into the rows of objects: what a start after a crash has to
 * replay at most, some 0.3 s, against how often a row is written.
 */
const MOST_UNFOLDED = 40_000;

/** Rows of objects folded in one go; between goes, requests are answered. */
const ROWS_AT_ONCE = 1_000;

/** SQLite's limit for no limit. */
const ALL = -1;

/** Bytes of records read for one page, past the first: a record of a large bulk update is megabytes. */
const PAGE_BYTES = 4 * 1024 * 1024;

/** SQLite's result code for what another connection holds. */
const BUSY = [5];

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
  readonly #writer: DatabaseSync;
  /** A connection of its own for reading, so that no reader sees a commit that is under way. */
  readonly #reader: DatabaseSync;
  readonly #connections: DisposableStack;
  readonly #directory: string | undefined;
  readonly #statements: ReturnType<typeof prepare>;
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
      const file = join(directory, "patchbay.db");
      this.#writer = connections.use(new DatabaseSync(file));
      this.#writer.exec(pragmas);
      this.#reader = connections.use(new DatabaseSync(file));
      this.#reader.exec("PRAGMA query_only = ON; PRAGMA busy_timeout = 5000;");
    }
    migrate(this.#writer, directory);
    if (directory !== undefined) syncDirectory(directory);
    this.#statements = prepare(this.#writer, this.#reader);
    this.#events = new EventTable(this.#writer, this.#reader);
    this.#connections = connections.move();
  }

  async load(id: string): Promise<State | undefined> {
    return this.#whole(() => this.#load(id));
  }

  #load(id: string): State | undefined {
    const state = this.#stateAsFolded(id);
    if (state) for (const edits of this.#replay(state)) this.#unfoldedEdits += edits.length;
    return state;
  }

  /** The state that the rows of objects tell. */
  #stateAsFolded(id: string): State | undefined {
    const row = this.#statements.state.get(id);
    if (!row) return undefined;
    const state = new State(id, String(row["epoch"]));
    for (const object of this.#statements.objects.iterate(id)) {
      const kind = kindNamed(String(object["kind"]));
      const doc: Doc = JSON.parse(String(object["doc"]));
      state.restore(kind, String(object["id"]), doc, Number(object["revision"]));
    }
    const collections: Record<string, number> = JSON.parse(String(row["collections"]));
    const folded = Number(row["folded"]);
    const time = this.#statements.time.get(id, folded)?.["time"] ?? "";
    state.restoreRevisions(folded, new Map(Object.entries(collections)), String(time));
    return state;
  }

  /** Carries a state over the changes after it, and gives the edits of each. */
  *#replay(state: State): Iterable<readonly Edit[]> {
    for (const { record } of this.#statements.after.iterate(state.id, state.revision, ALL)) {
      const parsed: ChangeRecord = JSON.parse(String(record));
      const edits = editsOf(state, parsed, kinds);
      state.apply(edits, parsed.time);
      state.settle(edits, state.revision);
      yield edits;
    }
  }

  async states(): Promise<readonly string[]> {
    return this.#whole(() => this.#statements.states.all().map((row) => String(row["id"])));
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
      const { changes } = this.#statements.createAnew.run(id, epoch);
      if (Number(changes) === 1) return;
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
        if (this.#append(batch)) {
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
    for (const batch of appended) this.#remember(batch);
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

  /** Writes a batch as a compare-and-swap. False if the state is not where the batch was decided. */
  #append({ state, epoch, base, changes }: Batch): boolean {
    const { changes: rows } = this.#statements.advance.run(base + changes.length, state, epoch, base);
    if (Number(rows) === 0) return false;
    for (const { record } of changes)
      this.#statements.log.run(state, record.revision, record.time, JSON.stringify(record));
    return true;
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
      for (const { id, folded } of this.#statements.behind.all()) {
        const unfolded = this.#unfoldedOf(String(id), Number(folded));
        for (const _ of this.#foldState(String(id), unfolded))
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
    const state = this.#stateAsFolded(id);
    if (state) for (const edits of this.#replay(state)) told.add(edits);
    return told;
  }

  /** Folds one state, and pauses after every object. */
  *#foldState(id: string, { objects, revision }: UnfoldedState): Iterable<void> {
    const collections: Record<string, number> = {};
    for (const [slot, object] of objects) {
      this.#writeObject(id, slot, object);
      collections[slot.kind] = Math.max(collections[slot.kind] ?? 0, object.revision);
      yield;
    }
    this.#statements.folded.run(revision, JSON.stringify(collections), id);
  }

  #writeObject(state: string, { kind, id }: Slot, { after, made }: Unfolded): void {
    if (made || !after) this.#statements.remove.run(state, kind, id);
    if (!after) return;
    const doc = JSON.stringify(after.doc);
    if (made) this.#statements.insert.run(state, kind, id, after.revision, doc);
    else this.#statements.update.run(after.revision, doc, state, kind, id);
  }

  async changesAfter(id: string, revision: number, limit: number): Promise<Page | undefined> {
    await this.#quiet();
    return this.#page(id, this.#statements.after, revision, limit);
  }

  async changesBefore(id: string, revision: number, limit: number): Promise<Page | undefined> {
    await this.#quiet();
    return this.#page(id, this.#statements.before, revision, limit);
  }

  #page(id: string, statement: StatementSync, revision: number, limit: number): Page | undefined {
    const row = this.#statements.state.get(id);
    if (!row) return undefined;
    const records: ChangeRecord[] = [];
    let bytes = 0;
    let more = false;
    for (const { record } of statement.iterate(id, revision, limit + 1)) {
      const text = String(record);
      if (records.length === limit || (records.length > 0 && bytes + text.length > PAGE_BYTES)) {
        more = true;
        break;
      }
      bytes += text.length;
      records.push(JSON.parse(text));
    }
    return { records, more, position: { epoch: String(row["epoch"]), revision: Number(row["revision"]) } };
  }

  async change(id: string, revision: number): Promise<ChangeRecord | undefined> {
    await this.#quiet();
    const row = this.#statements.change.get(id, revision);
    return row ? JSON.parse(String(row["record"])) : undefined;
  }

  async changeAt(id: string, time: string): Promise<number | undefined> {
    await this.#quiet();
    const row = this.#statements.state.get(id);
    if (!row) return undefined;
    const end = Number(row["revision"]) + 1;
    const first = Number(this.#statements.first.get(id)?.["revision"] ?? end);
    return firstAt(first, end, time, (revision) =>
      String(this.#statements.time.get(id, revision)?.["time"] ?? ""),
    );
  }

  note(events: readonly StateEvent[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#noting.push({ events, resolve, reject });
      this.#committing ??= this.#commitAll();
    });
  }

  async eventsAfter(id: string, number: number, limit: number): Promise<readonly NumberedEvent[]> {
    await this.#quiet();
    return this.#events.after(id, number, limit);
  }

  async eventsBefore(id: string, number: number, limit: number): Promise<readonly NumberedEvent[]> {
    await this.#quiet();
    return this.#events.before(id, number, limit);
  }

  async eventAt(id: string, time: string): Promise<number> {
    await this.#quiet();
    return this.#events.at(id, time);
  }

  async replace(world: readonly SeededState[]): Promise<void> {
    while (this.#committing) await this.#committing;
    const db = this.#writer;
    db.exec("BEGIN IMMEDIATE");
    try {
      db.exec("DELETE FROM object; DELETE FROM change; DELETE FROM event; DELETE FROM state;");
      for (const { id, epoch, change } of world) {
        this.#statements.create.run(id, epoch);
        this.#append({ state: id, epoch, base: 0, changes: [change] });
        const unfolded = new UnfoldedState(0);
        unfolded.add(change.edits);
        for (const _ of this.#foldState(id, unfolded));
      }
      db.exec("COMMIT");
    } catch (error) {
      if (db.isTransaction) db.exec("ROLLBACK");
      throw new NotCommitted(messageOf(error));
    }
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

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The operator's sentence for whatever keeps a directory from being used. */
function refusal(directory: string | undefined, error: unknown): StoreRefused {
  if (error instanceof StoreRefused) return error;
  const reason = messageOf(error).replace(/\.$/, "");
  return new StoreRefused(`The data directory ${directory ?? "(in memory)"} cannot be used: ${reason}.`);
}

function prepare(writer: DatabaseSync, reader: DatabaseSync) {
  return {
    state: reader.prepare("SELECT epoch, revision, folded, collections FROM state WHERE id = ?"),
    states: reader.prepare("SELECT id FROM state ORDER BY id"),
    objects: reader.prepare("SELECT kind, id, revision, doc FROM object WHERE state = ? ORDER BY number"),
    after: reader.prepare(
      "SELECT record FROM change WHERE state = ? AND revision > ? ORDER BY revision LIMIT ?",
    ),
    before: reader.prepare(
      "SELECT record FROM change WHERE state = ? AND revision < ? ORDER BY revision DESC LIMIT ?",
    ),
    change: reader.prepare("SELECT record FROM change WHERE state = ? AND revision = ?"),
    first: reader.prepare("SELECT min(revision) AS revision FROM change WHERE state = ?"),
    time: reader.prepare("SELECT time FROM change WHERE state = ? AND revision = ?"),
    create: writer.prepare(
      "INSERT INTO state (id, epoch, revision, folded, collections) VALUES (?, ?, 0, 0, '{}')",
    ),
    createAnew: writer.prepare(`
      INSERT INTO state (id, epoch, revision, folded, collections) VALUES (?, ?, 0, 0, '{}')
      ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch WHERE revision = 0`),
    advance: writer.prepare("UPDATE state SET revision = ? WHERE id = ? AND epoch = ? AND revision = ?"),
    behind: writer.prepare("SELECT id, folded FROM state WHERE folded < revision"),
    folded: writer.prepare(
      "UPDATE state SET folded = ?, collections = json_patch(collections, ?) WHERE id = ?",
    ),
    insert: writer.prepare("INSERT INTO object (state, kind, id, revision, doc) VALUES (?, ?, ?, ?, ?)"),
    update: writer.prepare("UPDATE object SET revision = ?, doc = ? WHERE state = ? AND kind = ? AND id = ?"),
    remove: writer.prepare("DELETE FROM object WHERE state = ? AND kind = ? AND id = ?"),
    log: writer.prepare("INSERT INTO change (state, revision, time, record) VALUES (?, ?, ?, ?)"),
  };
}

function migrate(db: DatabaseSync, directory: string | undefined): void {
  const version = Number(db.prepare("PRAGMA user_version").get()?.["user_version"] ?? 0);
  if (version > SCHEMA_VERSION) {
    throw new StoreRefused(
      `The data directory ${directory} was written by a newer Patchbay (schema ${version}; this one knows ${SCHEMA_VERSION}). Use that version, or another directory.`,
    );
  }
  if (version === SCHEMA_VERSION) return;
  db.exec("BEGIN IMMEDIATE");
  if (version === 0) db.exec(schema);
  else for (let next = version + 1; next <= SCHEMA_VERSION; next++) db.exec(migrations[next] ?? "");
  db.exec(`PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT;`);
}

/**
 * Holds an exclusive lock on a file of its own for as long as the server runs. The system lets it go
 * when the process ends, however it ends.
 */
function lockDirectory(directory: string): DatabaseSync {
  const lock = new DatabaseSync(join(directory, "patchbay.lock"), { timeout: 0 });
  try {
    lock.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
    return lock;
  } catch (error) {
    lock.close();
    if (!hasCode(error, BUSY)) throw error;
    throw new StoreRefused(
      `The data directory ${directory} is in use by another Patchbay. Stop that one, or give this one its own with --data.`,
    );
  }
}

/** Did SQLite fail with one of these result codes? */
function hasCode(error: unknown, codes: readonly number[]): boolean {
  return error instanceof Error && "errcode" in error && codes.includes(Number(error.errcode));
}

/** Makes a directory and those above it, where they are missing; each one's name stands in the one above. */
function makeDirectory(directory: string): void {
  const first = mkdirSync(directory, { recursive: true });
  if (first === undefined) return;
  const highest = dirname(resolve(first));
  let at = resolve(directory);
  while (at !== highest) {
    at = dirname(at);
    syncDirectory(at);
  }
}

/** Makes the names of newly made files durable. */
function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
