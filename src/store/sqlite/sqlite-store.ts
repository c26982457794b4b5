/** The embedded engine: SQLite in the process, as shipped with Node. */

import { closeSync, fsyncSync, mkdirSync, openSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import type { ChangeRecord } from "../../account/change.ts";
import { kindNamed } from "../../account/kinds.ts";
import type { SeededState } from "../../account/seed.ts";
import { type Doc, type Edit, type Slot, State } from "../../account/state.ts";
import {
  type Batch,
  Conflict,
  NotCommitted,
  OutcomeUnknown,
  type Page,
  type Store,
  StoreRefused,
} from "../store.ts";
import { pragmas, SCHEMA_VERSION, schema } from "./schema.ts";

/** Objects written in one go; between goes of a large commit, other requests are answered. */
const ROWS_AT_ONCE = 1_000;

/** Bytes of records read for one page, past the first: a record of a large bulk update is megabytes. */
const PAGE_BYTES = 4 * 1024 * 1024;

/** SQLite's result code for what another connection holds. */
const BUSY = [5];

/**
 * SQLite's result codes, extended, for a commit whose last frame, the one that makes it count, did not
 * reach the log (FULL, IOERR_WRITE). After a failed sync it may have.
 */
const NOT_WRITTEN = [13, 778];

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
  /** Row numbers of objects. What it does not know is looked up. */
  #numbers = new WeakMap<Slot, number>();
  #waiting: Waiting[] = [];
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
    this.#connections = connections.move();
  }

  async load(id: string): Promise<State | undefined> {
    return this.#whole(() => this.#load(id));
  }

  #load(id: string): State | undefined {
    const row = this.#statements.state.get(id);
    if (!row) return undefined;
    const state = new State(id, String(row["epoch"]));
    for (const object of this.#statements.objects.iterate(id)) {
      const kind = kindNamed(String(object["kind"]));
      const doc: Doc = JSON.parse(String(object["doc"]));
      const slot = state.restore(kind, String(object["id"]), doc, Number(object["revision"]));
      this.#numbers.set(slot, Number(object["number"]));
    }
    const collections: Record<string, number> = JSON.parse(String(row["collections"]));
    state.restoreRevisions(Number(row["revision"]), new Map(Object.entries(collections)));
    return state;
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

  commit(batch: Batch): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ batch, resolve, reject });
      this.#committing ??= this.#commitAll();
    });
  }

  /** Commits of different states that wait together share one transaction and one sync. */
  async #commitAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#waiting;
      this.#waiting = [];
      const settled = await this.#transaction(group);
      for (const settle of settled) settle();
    }
    // In the same turn as the last look, so that no commit is left waiting.
    this.#committing = undefined;
  }

  async #transaction(group: readonly Waiting[]): Promise<(() => void)[]> {
    const db = this.#writer;
    const outcomes: (() => void)[] = [];
    try {
      db.exec("BEGIN IMMEDIATE");
      for (const { batch, resolve, reject } of group) {
        if (this.#advance(batch)) {
          await this.#write(batch);
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
    return outcomes;
  }

  #abort(group: readonly Waiting[], error: unknown): (() => void)[] {
    // Rows that were made are gone again, and those that were removed are back.
    this.#numbers = new WeakMap();
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

  /** The compare-and-swap. False if the state is not where the batch was decided. */
  #advance({ state, epoch, base, changes }: Batch): boolean {
    const kinds = new Map<string, number>();
    for (const { record, edits } of changes)
      for (const { slot } of edits) kinds.set(slot.kind, record.revision);
    const moved = JSON.stringify(Object.fromEntries(kinds));
    const { changes: rows } = this.#statements.advance.run(base + changes.length, moved, state, epoch, base);
    return Number(rows) === 1;
  }

  async #write({ state, changes }: Batch): Promise<void> {
    let rows = 0;
    for (const { record, edits } of changes) {
      for (const edit of edits) {
        if (++rows % ROWS_AT_ONCE === 0) await setImmediate();
        this.#writeObject(state, edit);
      }
      this.#statements.log.run(state, record.revision, JSON.stringify(record));
    }
  }

  #writeObject(state: string, { slot, before, after }: Edit): void {
    if (before) {
      const number = this.#numbers.get(slot) ?? this.#numberOf(state, slot);
      if (after) this.#statements.update.run(after.revision, JSON.stringify(after.doc), number);
      else this.#statements.remove.run(number);
    } else if (after) {
      const { lastInsertRowid } = this.#statements.insert.run(
        state,
        slot.kind,
        slot.id,
        after.revision,
        JSON.stringify(after.doc),
      );
      this.#numbers.set(slot, Number(lastInsertRowid));
    }
  }

  /** Looks up the number of an object that another server made, or that an aborted commit made unsure. */
  #numberOf(state: string, slot: Slot): number {
    const number = Number(this.#statements.number.get(state, slot.kind, slot.id)?.["number"]);
    this.#numbers.set(slot, number);
    return number;
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

  async replace(world: readonly SeededState[]): Promise<void> {
    while (this.#committing) await this.#committing;
    const db = this.#writer;
    db.exec("BEGIN IMMEDIATE");
    try {
      db.exec("DELETE FROM object; DELETE FROM change; DELETE FROM state;");
      for (const { id, epoch, change } of world) {
        this.#statements.create.run(id, epoch);
        const batch = { state: id, epoch, base: 0, changes: [change] };
        this.#advance(batch);
        for (const edit of change.edits) this.#writeObject(id, edit);
        this.#statements.log.run(id, change.record.revision, JSON.stringify(change.record));
      }
      db.exec("COMMIT");
    } catch (error) {
      if (db.isTransaction) db.exec("ROLLBACK");
      throw new NotCommitted(messageOf(error));
    }
  }

  async close(): Promise<void> {
    while (this.#committing) await this.#committing;
    this.#connections.dispose();
  }
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
    state: reader.prepare("SELECT epoch, revision, collections FROM state WHERE id = ?"),
    states: reader.prepare("SELECT id FROM state ORDER BY id"),
    objects: reader.prepare(
      "SELECT number, kind, id, revision, doc FROM object WHERE state = ? ORDER BY number",
    ),
    after: reader.prepare(
      "SELECT record FROM change WHERE state = ? AND revision > ? ORDER BY revision LIMIT ?",
    ),
    before: reader.prepare(
      "SELECT record FROM change WHERE state = ? AND revision < ? ORDER BY revision DESC LIMIT ?",
    ),
    change: reader.prepare("SELECT record FROM change WHERE state = ? AND revision = ?"),
    number: writer.prepare("SELECT number FROM object WHERE state = ? AND kind = ? AND id = ?"),
    create: writer.prepare("INSERT INTO state (id, epoch, revision, collections) VALUES (?, ?, 0, '{}')"),
    advance: writer.prepare(
      "UPDATE state SET revision = ?, collections = json_patch(collections, ?) WHERE id = ? AND epoch = ? AND revision = ?",
    ),
    insert: writer.prepare("INSERT INTO object (state, kind, id, revision, doc) VALUES (?, ?, ?, ?, ?)"),
    update: writer.prepare("UPDATE object SET revision = ?, doc = ? WHERE number = ?"),
    remove: writer.prepare("DELETE FROM object WHERE number = ?"),
    log: writer.prepare("INSERT INTO change (state, revision, record) VALUES (?, ?, ?)"),
  };
}

function migrate(db: DatabaseSync, directory: string | undefined): void {
  const version = Number(db.prepare("PRAGMA user_version").get()?.["user_version"] ?? 0);
  if (version > SCHEMA_VERSION) {
    throw new StoreRefused(
      `The data directory ${directory} was written by a newer Patchbay (schema ${version}; this one knows ${SCHEMA_VERSION}). Use that version, or another directory.`,
    );
  }
  if (version === 0) db.exec(`BEGIN IMMEDIATE; ${schema} COMMIT;`);
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
