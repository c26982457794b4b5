/** The engine for many servers: one PostgreSQL, which all of them commit to. */

import type { DatabaseSync } from "node:sqlite";
import type { ChangeRecord } from "../../account/change.ts";
import type { SeededState } from "../../account/seed.ts";
import type { State } from "../../account/state.ts";
import type { PrunableLog } from "../pruning.ts";
import {
  type Batch,
  type Check,
  type LockedState,
  type LogSize,
  type NumberedEvent,
  type Page,
  type StateEvent,
  type Store,
  StoreRefused,
} from "../store.ts";
import { carryIn, carryOut, holdsAWorld } from "./carrying.ts";
import { commit, create, outgoing, RENEW } from "./committing.ts";
import { type Ask, CONSISTENT, Database, type DatabaseOptions } from "./database.ts";
import { eventAt, eventsAfter, eventsBefore, note } from "./event-table.ts";
import { fold } from "./folding.ts";
import { lock } from "./locking.ts";
import { readPatiently } from "./patient-reading.ts";
import { prunableLog } from "./pruning.ts";
import * as reading from "./reading.ts";
import { nameOf, refusal } from "./refusal.ts";
import { RememberedCommits } from "./remembering.ts";
import { replace } from "./replacing.ts";
import { bringUpToDate } from "./schema.ts";

/**
 * Edits in the log until they are folded into the rows of objects: what loading has to replay at most, which is under a
 * second, against how often a row is written, which costs more here than in a file.
 */
export const FOLD_AFTER = 100_000;

export interface PostgresOptions extends DatabaseOptions {
  /** Milliseconds in which a commit is tried again while the database is away, and in which a read is. */
  readonly patience?: number | undefined;
  readonly readPatience?: number | undefined;
  /** Edits in the log of a state until they are folded into the rows of its objects. */
  readonly foldAfter?: number | undefined;
}

const PATIENCE = 10_000;
const READ_PATIENCE = 2_000;

export class PostgresStore implements Store {
  readonly shared = true;
  readonly #database: Database;
  readonly #patience: number;
  readonly #readPatience: number;
  readonly #foldAfter: number;
  /** What writes, and has not ended. */
  readonly #writing = new Set<Promise<unknown>>();
  /** This server's own commits that are not folded yet. */
  readonly #remembered = new RememberedCommits();
  /** One state after the other. */
  #folding: Promise<unknown> = Promise.resolve();
  #noting: Promise<void> = Promise.resolve();
  /** Events that are written after those on their way. */
  #waiting: { readonly events: StateEvent[]; readonly written: Promise<void> } | undefined;
  #closed: Promise<void> | undefined;

  /** Opens a database, and brings its tables up to date. Throws `StoreRefused` with a sentence for the operator. */
  static async open(url: string, options: PostgresOptions = {}): Promise<PostgresStore> {
    return new PostgresStore((await openDatabase(url, options)).database, options);
  }

  private constructor(database: Database, options: PostgresOptions) {
    const { patience = PATIENCE, readPatience = READ_PATIENCE, foldAfter = FOLD_AFTER } = options;
    this.#database = database;
    this.#patience = patience;
    this.#readPatience = readPatience;
    this.#foldAfter = foldAfter;
  }

  load(id: string): Promise<State | undefined> {
    return this.#read(() => this.#database.transaction(CONSISTENT, (ask) => reading.load(ask, id)));
  }

  states(): Promise<readonly string[]> {
    return this.#ask((ask) => reading.states(ask));
  }

  check(ids: readonly string[]): Promise<Check> {
    return this.#ask((ask) => reading.check(ask, ids));
  }

  due(): Promise<readonly string[]> {
    return this.#ask((ask) => reading.due(ask));
  }

  create(id: string, epoch: string): Promise<void> {
    return this.#write(create(this.#database, id, epoch, this.#patience));
  }

  async renew(id: string, epoch: string, next: string): Promise<boolean> {
    const renewed = await this.#write(this.#ask((ask) => ask(RENEW, id, epoch, next)));
    return renewed.length > 0;
  }

  commit(batch: Batch): Promise<void> {
    const committing = commit(this.#database, outgoing(batch), this.#patience);
    return this.#write(committing.then((unfolded) => this.#committed(batch, unfolded)));
  }

  async lock(id: string): Promise<LockedState | undefined> {
    const locked = await this.#read(() => lock(this.#database, id, this.#patience));
    return (
      locked && {
        position: locked.position,
        commit: (batch) => this.#write(locked.commit(batch).then((left) => this.#committed(batch, left))),
        settle: () => this.#write(locked.settle()),
        release: () => locked.release(),
      }
    );
  }

  /** Of all servers that commit, the one whose commit makes the measure full folds. */
  #committed(batch: Batch, unfolded = 0): void {
    const { state, changes } = batch;
    const edits = changes.reduce((sum, { edits }) => sum + edits.length, 0);
    this.#remembered.add(batch);
    const measures = (count: number) => Math.floor(count / this.#foldAfter);
    // Nothing depends on a fold but how long loading takes: one that fails is tried again at the next measure.
    if (measures(unfolded) > measures(unfolded - edits)) void this.fold(state).catch(() => undefined);
  }

  /**
   * Brings the rows of a state's objects to where its log ends. False if somebody else did meanwhile, or
   * began another history.
   */
  fold(id: string): Promise<boolean> {
    const folding = this.#folding.then(() => fold(this.#database, id, this.#remembered.take(id)));
    this.#folding = folding.catch(() => undefined);
    return folding;
  }

  changesAfter(id: string, revision: number, limit: number): Promise<Page | undefined> {
    return this.#ask((ask) => reading.after(ask, id, revision, limit));
  }

  changesBefore(id: string, revision: number, limit: number): Promise<Page | undefined> {
    return this.#ask((ask) => reading.before(ask, id, revision, limit));
  }

  logSize(id: string, revision: number, limit: number): Promise<LogSize> {
    return this.#ask((ask) => reading.logSize(ask, id, revision, limit));
  }

  change(id: string, revision: number): Promise<ChangeRecord | undefined> {
    return this.#ask((ask) => reading.change(ask, id, revision));
  }

  changeAt(id: string, time: string): Promise<number | undefined> {
    return this.#ask((ask) => reading.changeAt(ask, id, time));
  }

  /** What arrives while others are written is written together after them. */
  note(noted: readonly StateEvent[]): Promise<void> {
    if (this.#waiting) {
      this.#waiting.events.push(...noted);
      return this.#waiting.written;
    }
    const events = [...noted];
    const written = this.#noting.then(() => {
      this.#waiting = undefined;
      return note(this.#database, events, this.#readPatience);
    });
    this.#noting = written.catch(() => undefined);
    this.#waiting = { events, written };
    return this.#write(written);
  }

  eventsAfter(id: string, number: number, limit: number): Promise<readonly NumberedEvent[]> {
    return this.#ask((ask) => eventsAfter(ask, id, number, limit));
  }

  eventsBefore(id: string, number: number, limit: number): Promise<readonly NumberedEvent[]> {
    return this.#ask((ask) => eventsBefore(ask, id, number, limit));
  }

  eventAt(id: string, time: string): Promise<number> {
    return this.#ask((ask) => eventAt(ask, id, time));
  }

  async replace(world: readonly SeededState[], ifEmpty = false): Promise<boolean> {
    await Promise.allSettled(this.#writing);
    return this.#write(replace(this.#database, world, ifEmpty, this.#patience));
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    while (this.#writing.size > 0) await Promise.allSettled(this.#writing);
    await this.#folding;
    await this.#database.close();
  }

  /** Remembers what writes until it has ended. */
  async #write<T>(writing: Promise<T>): Promise<T> {
    this.#writing.add(writing);
    try {
      return await writing;
    } finally {
      this.#writing.delete(writing);
    }
  }

  #ask<T>(read: (ask: Ask) => Promise<T>): Promise<T> {
    return this.#read(() => read((statement, ...values) => this.#database.ask(statement, ...values)));
  }

  #read<T>(read: () => Promise<T>): Promise<T> {
    return readPatiently(this.#readPatience, read);
  }
}

/** Brings a database's tables up to date, for who wants that separate from serving. */
export function migrate(url: string): Promise<void> {
  return withDatabase(url, async () => undefined);
}

/** Puts a world into a database that holds nothing. Throws `StoreRefused` where there is something. */
export async function begin(url: string, world: readonly SeededState[]): Promise<void> {
  const store = await PostgresStore.open(url);
  try {
    if (!(await store.replace(world, true))) throw holdsAWorld(nameOf(url));
  } finally {
    await store.close();
  }
}

/** Fills an empty SQLite file with what a database holds, as it is at one moment. */
export function carryOutOf(url: string, db: DatabaseSync): Promise<void> {
  return withDatabase(url, (database) => carryOut(database, db));
}

/** Puts what an SQLite file holds into a database that holds nothing. Throws `StoreRefused` where there is something. */
export function carryInto(url: string, db: DatabaseSync): Promise<void> {
  return withDatabase(url, (database, name) => carryIn(database, db, name));
}

/** Prunes the log of a database in place. */
export function prune<T>(url: string, use: (log: PrunableLog) => Promise<T>): Promise<T> {
  return withDatabase(url, (database) => use(prunableLog(database)));
}

async function withDatabase<T>(
  url: string,
  use: (database: Database, name: string) => Promise<T>,
): Promise<T> {
  const { database, name } = await openDatabase(url, {});
  try {
    return await use(database, name);
  } catch (error) {
    throw refusal(name, error);
  } finally {
    await database.close();
  }
}

/** A database that can be used, its tables up to date. Throws `StoreRefused` with a sentence for the operator. */
async function openDatabase(
  url: string,
  options: DatabaseOptions,
): Promise<{ readonly database: Database; readonly name: string }> {
  const name = nameOf(url);
  const database = new Database(url, options);
  try {
    await examine(database, name);
    await bringUpToDate(database, name);
    return { database, name };
  } catch (error) {
    await database.close();
    throw refusal(name, error);
  }
}

/** Refuses a database in which what is acknowledged could be lost, or what is kept not be told as it was given. */
async function examine(database: Database, name: string): Promise<void> {
  const setting = async (which: string) => {
    const [row] = await database.ask(`SHOW ${which}`);
    return String(row?.[which]);
  };
  const encoding = await setting("server_encoding");
  if (!["UTF8", "utf8"].includes(encoding))
    throw new StoreRefused(`The database ${name} keeps text as ${encoding}. Make one with ENCODING 'UTF8'.`);
  if ((await setting("synchronous_commit")) === "off")
    throw new StoreRefused(
      `The database ${name} answers before a commit is on its disk (synchronous_commit is off), so what is acknowledged could be lost. Set it to on.`,
    );
}
