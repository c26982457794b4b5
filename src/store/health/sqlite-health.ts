/** Health in an SQLite file of its own, or in memory. A file that cannot be used is begun anew. */

import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import { type Heard, hear, type KnownEdge } from "../../account/health/known-edge.ts";
import { MOST_EDGES } from "../../contract/health.ts";
import {
  BUSY,
  HEALTH_DATABASE,
  hasCode,
  isDamage,
  makePrivate,
  messageOf,
} from "../sqlite/data-directory.ts";
import { removeDatabase } from "../sqlite/database-file.ts";
import { rollBack, whenUnlocked } from "../sqlite/write-lock.ts";
import { NotCommitted, Unreadable } from "../store.ts";
import { columnsOf, hourOf, measuredOf, minuteOf, numberOfState, transitionOf } from "./columns.ts";
import { fromRow, toRow } from "./edge-row.ts";
import { type HealthStore, type KeptMinute, type KeptTransition, TooManyEdges } from "./health-store.ts";

/** Grows with each change of the tables. What another version wrote is begun anew: it is a week at most. */
const SCHEMA_VERSION = 1;

/**
 * A commit is in the file at once, and on the disk at the next checkpoint: the power may take the last of it, and
 * nothing else. Minutes lie together by the hour, so that those that come together are written together, and by the
 * interconnect within it, so that one's are read without the others'.
 */
const schema = `
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
PRAGMA cache_size = -32000;
CREATE TABLE IF NOT EXISTS name (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE IF NOT EXISTS edge (
  account TEXT NOT NULL,
  edge TEXT NOT NULL,
  seen INTEGER NOT NULL,
  about TEXT NOT NULL,
  watched TEXT NOT NULL,
  PRIMARY KEY (account, edge)
) STRICT;
CREATE TABLE IF NOT EXISTS minute (
  account INTEGER NOT NULL,
  hour INTEGER NOT NULL,
  interconnect INTEGER NOT NULL,
  edge INTEGER NOT NULL,
  minute INTEGER NOT NULL,
  sent INTEGER NOT NULL,
  lost INTEGER NOT NULL,
  -- microseconds
  least INTEGER,
  median INTEGER,
  p99 INTEGER,
  jitter INTEGER,
  PRIMARY KEY (account, hour, interconnect, edge, minute)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS transition (
  account INTEGER NOT NULL,
  interconnect INTEGER NOT NULL,
  edge INTEGER NOT NULL,
  time INTEGER NOT NULL,
  became INTEGER NOT NULL,
  was INTEGER NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (account, interconnect, edge, time, became)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS transition_by_time ON transition (account, time);
`;

/** Rows written in one go; between goes, requests are answered. */
const ROWS_AT_ONCE = 1_000;
/** Interconnects of which an hour is removed in one go. */
const REMOVED_AT_ONCE = 20;

/** Told, in a sentence, of what was begun anew. */
export type Complain = (sentence: string, error: unknown) => void;

export class SqliteHealth implements HealthStore {
  readonly #file: string | undefined;
  readonly #complain: Complain;
  #db: DatabaseSync;
  #statements: ReturnType<typeof prepare>;
  /** One write after the other. */
  #writing: Promise<unknown> = Promise.resolve();
  /** All edges, by account and name. */
  #edges = new Map<string, Map<string, KnownEdge>>();
  /** Numbers of names, as far as they were needed. */
  readonly #names = new Map<string, number>();

  /** Opens the health of a data directory; without one, in memory. Never fails for what the file is. */
  static open(directory: string | undefined, complain: Complain): SqliteHealth {
    return new SqliteHealth(directory && join(directory, HEALTH_DATABASE), complain);
  }

  private constructor(file: string | undefined, complain: Complain) {
    this.#file = file;
    this.#complain = complain;
    [this.#db, this.#statements] = this.#openAnyhow();
  }

  #openAnyhow(): [DatabaseSync, ReturnType<typeof prepare>] {
    try {
      return this.#open(this.#file);
    } catch (error) {
      if (hasCode(error, BUSY)) {
        this.#complain(`${HEALTH_DATABASE} is locked by another process: health is kept in memory`, error);
        return this.#open(undefined);
      }
      this.#complain(`${HEALTH_DATABASE} cannot be used, and is begun anew`, error);
    }
    try {
      if (this.#file !== undefined) removeDatabase(this.#file);
      return this.#open(this.#file);
    } catch (error) {
      this.#complain(`${HEALTH_DATABASE} cannot be made: health is kept in memory`, error);
      return this.#open(undefined);
    }
  }

  #open(file: string | undefined): [DatabaseSync, ReturnType<typeof prepare>] {
    if (file !== undefined) makePrivate(file);
    const db = new DatabaseSync(file ?? ":memory:", { timeout: 0 });
    try {
      const version = Number(db.prepare("PRAGMA user_version").get()?.["user_version"]);
      if (version !== 0 && version !== SCHEMA_VERSION)
        throw new Error(`it is of schema ${version}, and this version knows ${SCHEMA_VERSION}`);
      db.exec(schema);
      if (version === 0) db.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
      const statements = prepare(db);
      const edges = new Map<string, Map<string, KnownEdge>>();
      for (const row of statements.allEdges.all()) put(edges, String(row["account"]), fromRow(row));
      this.#names.clear();
      this.#edges = edges;
      return [db, statements];
    } catch (error) {
      db.close();
      throw error;
    }
  }

  /** Begins the file anew if it turns out to be damaged, and does it again. */
  #attempt<T>(act: () => T): T {
    try {
      return act();
    } catch (error) {
      rollBack(this.#db);
      if (this.#file === undefined || !isDamage(error)) throw error;
      this.#complain(`${HEALTH_DATABASE} is damaged, and is begun anew`, error);
      this.#db.close();
      removeDatabase(this.#file);
      [this.#db, this.#statements] = this.#openAnyhow();
      return act();
    }
  }

  /**
   * Runs after the writes before it, once no other process holds the write lock. `committed` follows at once, so that
   * the next write finds what it keeps in memory.
   */
  #write(act: () => void, committed: () => void = () => undefined): Promise<void> {
    const writing = this.#writing.then(() => this.#writeNow(act)).then(committed);
    this.#writing = writing.catch(() => undefined);
    return writing;
  }

  async #writeNow(act: () => void): Promise<void> {
    try {
      await whenUnlocked(() =>
        this.#attempt(() => {
          this.#db.exec("BEGIN IMMEDIATE");
          act();
          this.#db.exec("COMMIT");
        }),
      );
    } catch (error) {
      // Of what was taken back, the numbers of new names are too.
      this.#names.clear();
      if (error instanceof TooManyEdges) throw error;
      throw new NotCommitted(messageOf(error), { cause: error });
    }
  }

  #read<T>(act: () => T): T {
    try {
      return this.#attempt(act);
    } catch (error) {
      throw new Unreadable(messageOf(error), { cause: error });
    }
  }

  async note(account: string, report: Heard, arrived: number): Promise<void> {
    let known: KnownEdge | undefined;
    const act = () => {
      // Within the write, since another report may have been written while this one waited.
      const own = this.#edges.get(account);
      if ((own?.size ?? 0) >= MOST_EDGES && !own?.has(report.edge)) throw new TooManyEdges();
      known = hear(own?.get(report.edge), report, arrived);
      const { edge, seen, about, watched } = toRow(known);
      this.#statements.putEdge.run(account, edge, seen, about, watched);
      for (const { interconnect, time, from, to, reason } of report.transitions) {
        const [of, at, by] = this.#numbersOf(account, interconnect, edge);
        this.#statements.addTransition.run(of, at, by, time, numberOfState(to), numberOfState(from), reason);
      }
      this.#addMinutes(account, report.edge, report.minutes.slice(0, ROWS_AT_ONCE));
    };
    await this.#write(act, () => known && put(this.#edges, account, known));
    for (let at = ROWS_AT_ONCE; at < report.minutes.length; at += ROWS_AT_ONCE) {
      await setImmediate();
      const minutes = report.minutes.slice(at, at + ROWS_AT_ONCE);
      await this.#write(() => this.#addMinutes(account, report.edge, minutes));
    }
  }

  #addMinutes(account: string, edge: string, minutes: Heard["minutes"]): void {
    for (const one of minutes) {
      const [of, at, by] = this.#numbersOf(account, one.interconnect, edge);
      const { minute: time } = one;
      this.#statements.addMinute.run(of, hourOf(time), at, by, minuteOf(time), ...columnsOf(one));
    }
  }

  /** Only within a transaction. */
  #numbersOf(account: string, interconnect: string, edge: string): [number, number, number] {
    return [this.#numberOf(account), this.#numberOf(interconnect), this.#numberOf(edge)];
  }

  #numberOf(name: string): number {
    const known = this.#find(name);
    if (known !== undefined) return known;
    const number = Number(this.#statements.addName.run(name).lastInsertRowid);
    this.#names.set(name, number);
    return number;
  }

  #find(name: string): number | undefined {
    const known = this.#names.get(name);
    if (known !== undefined) return known;
    const row = this.#read(() => this.#statements.name.get(name));
    if (!row) return undefined;
    const number = Number(row["number"]);
    this.#names.set(name, number);
    return number;
  }

  async edges(account: string): Promise<readonly KnownEdge[]> {
    return [...(this.#edges.get(account)?.values() ?? [])].sort(byName);
  }

  async minutes(
    account: string,
    interconnect: string,
    from: number,
    limit: number,
  ): Promise<readonly KeptMinute[]> {
    const [of, at] = [this.#find(account), this.#find(interconnect)];
    if (of === undefined || at === undefined) return [];
    return this.#read(() => {
      const first = Math.max(hourOf(from), Number(this.#statements.firstHour.get(of)?.["hour"] ?? 0));
      const last = Number(this.#statements.lastHour.get(of)?.["hour"] ?? 0);
      const found: KeptMinute[] = [];
      // The newest hours first, until there is enough.
      for (let hour = last; hour >= first && found.length < limit; hour--) {
        const rows = this.#statements.minutes.all(of, hour, at);
        for (const row of rows) {
          const measured = measuredOf(row);
          if (measured.minute + 60_000 > from) found.push({ edge: String(row["name"]), ...measured });
        }
      }
      return found.sort((one, other) => one.minute - other.minute || byName(one, other)).slice(-limit);
    });
  }

  async transitions(
    account: string,
    interconnect: string,
    from: number,
    limit: number,
  ): Promise<readonly KeptTransition[]> {
    const [of, at] = [this.#find(account), this.#find(interconnect)];
    if (of === undefined || at === undefined) return [];
    const rows = this.#read(() => this.#statements.transitions.all(of, at, from, limit));
    return rows.map((row) => ({ edge: String(row["name"]), ...transitionOf(row, interconnect) })).reverse();
  }

  async transitionsAfter(account: string, time: number, limit: number): Promise<readonly KeptTransition[]> {
    const of = this.#find(account);
    if (of === undefined) return [];
    const rows = this.#read(() => this.#statements.transitionsAfter.all(of, time, limit));
    return rows.map((row) => ({ edge: String(row["name"]), ...transitionOf(row, String(row["of"])) }));
  }

  async prune(before: number): Promise<void> {
    await this.#write(() => {
      this.#statements.pruneEdges.run(before);
    });
    for (const [account, edges] of this.#edges) {
      for (const { edge, seen } of [...edges.values()]) if (seen < before) edges.delete(edge);
      if (edges.size === 0) this.#edges.delete(account);
    }
    for (let of = 0; ; ) {
      const next = this.#read(() => this.#statements.nextAccount.get(of))?.["account"];
      if (next === null || next === undefined) return;
      of = Number(next);
      await this.#write(() => {
        this.#statements.pruneTransitions.run(of, before);
      });
      await this.#pruneMinutes(of, hourOf(before));
    }
  }

  async #pruneMinutes(account: number, end: number): Promise<void> {
    for (;;) {
      const hour = this.#read(() => this.#statements.firstHour.get(account))?.["hour"];
      if (hour === null || hour === undefined || Number(hour) >= end) return;
      await this.#write(() => {
        this.#statements.pruneMinutes.run(account, Number(hour), REMOVED_AT_ONCE);
      });
      await setImmediate();
    }
  }

  async forget(account?: string): Promise<void> {
    if (account === undefined) {
      await this.#write(() =>
        this.#db.exec("DELETE FROM edge; DELETE FROM minute; DELETE FROM transition; DELETE FROM name;"),
      );
      this.#edges.clear();
      this.#names.clear();
      return;
    }
    const of = this.#find(account);
    this.#edges.delete(account);
    await this.#write(() => {
      this.#statements.forgetEdges.run(account);
      if (of !== undefined) this.#statements.pruneTransitions.run(of, Number.MAX_SAFE_INTEGER);
    });
    if (of !== undefined) await this.#pruneMinutes(of, Number.MAX_SAFE_INTEGER);
  }

  async close(): Promise<void> {
    await this.#writing;
    if (this.#db.isOpen) this.#db.close();
  }
}

function put(edges: Map<string, Map<string, KnownEdge>>, account: string, edge: KnownEdge): void {
  let own = edges.get(account);
  if (!own) {
    own = new Map();
    edges.set(account, own);
  }
  own.set(edge.edge, edge);
}

function byName(one: { readonly edge: string }, other: { readonly edge: string }): number {
  return one.edge < other.edge ? -1 : Number(one.edge > other.edge);
}

function prepare(db: DatabaseSync) {
  const transition = "name.name, time, became, was, reason";
  return {
    allEdges: db.prepare("SELECT account, edge, seen, about, watched FROM edge"),
    putEdge: db.prepare(
      `INSERT INTO edge (account, edge, seen, about, watched) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET seen = excluded.seen, about = excluded.about, watched = excluded.watched`,
    ),
    pruneEdges: db.prepare("DELETE FROM edge WHERE seen < ?"),
    forgetEdges: db.prepare("DELETE FROM edge WHERE account = ?"),
    addName: db.prepare("INSERT INTO name (name) VALUES (?)"),
    name: db.prepare("SELECT number FROM name WHERE name = ?"),
    addMinute: db.prepare(
      "INSERT INTO minute VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    ),
    minutes: db.prepare(
      `SELECT name.name, hour, minute, sent, lost, least, median, p99, jitter FROM minute
      JOIN name ON name.number = edge WHERE account = ? AND hour = ? AND interconnect = ?`,
    ),
    firstHour: db.prepare("SELECT min(hour) AS hour FROM minute WHERE account = ?"),
    lastHour: db.prepare("SELECT max(hour) AS hour FROM minute WHERE account = ?"),
    pruneMinutes: db.prepare(
      `DELETE FROM minute WHERE account = ?1 AND hour = ?2 AND interconnect IN
      (SELECT DISTINCT interconnect FROM minute WHERE account = ?1 AND hour = ?2 ORDER BY interconnect LIMIT ?3)`,
    ),
    nextAccount: db.prepare(
      `SELECT min(account) AS account FROM (
        SELECT min(account) AS account FROM minute WHERE account > ?1
        UNION ALL SELECT min(account) FROM transition WHERE account > ?1)`,
    ),
    addTransition: db.prepare("INSERT INTO transition VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"),
    transitions: db.prepare(
      `SELECT ${transition} FROM transition JOIN name ON name.number = edge
      WHERE account = ? AND interconnect = ? AND time >= ? ORDER BY time DESC LIMIT ?`,
    ),
    transitionsAfter: db.prepare(
      `SELECT ${transition}, other.name AS "of" FROM transition
      JOIN name ON name.number = edge JOIN name AS other ON other.number = interconnect
      WHERE account = ? AND time > ? ORDER BY time LIMIT ?`,
    ),
    pruneTransitions: db.prepare("DELETE FROM transition WHERE account = ? AND time < ?"),
  };
}
