/** Health in an SQLite file of its own, or in memory. A file that cannot be used is created again. */

import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type Heard, hear, type KnownEdge, type Watched } from "../../account/health/known-edge.ts";
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
import { isSliceSpent, nextSlice, pause } from "../time-slice.ts";
import { columnsOf, hourOf, measuredOf, minuteOf, numberOfState, transitionOf } from "./columns.ts";
import { aboutRow, addPart, changedParts, edgeOf, textOf } from "./edge-row.ts";
import { type HealthStore, type KeptMinute, type KeptTransition, TooManyEdges } from "./health-store.ts";

/** Grows with each change of the tables. A file of a later version is created again: it holds at most one week. */
const SCHEMA_VERSION = 2;

/**
 * A commit is in the file at once, and on the disk at the next checkpoint: the power may take the last of it, and
 * nothing else. Minutes lie together by the hour, so that those that come together are written together, and by the
 * interconnect within it, so that one's are read without the others'.
 */
const pragmas = `
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
PRAGMA cache_size = -32000;
`;

const schema = `
CREATE TABLE IF NOT EXISTS name (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE IF NOT EXISTS edge (
  account TEXT NOT NULL,
  edge TEXT NOT NULL,
  seen INTEGER NOT NULL,
  about TEXT NOT NULL,
  PRIMARY KEY (account, edge)
) STRICT;
CREATE TABLE IF NOT EXISTS watched (
  account TEXT NOT NULL,
  edge TEXT NOT NULL,
  part INTEGER NOT NULL,
  watched TEXT NOT NULL,
  PRIMARY KEY (account, edge, part)
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
PRAGMA user_version = ${SCHEMA_VERSION};
`;

/** Interconnects of which an hour is removed in one go. */
const REMOVED_AT_ONCE = 20;

/** Writes of well under a millisecond each, within a transaction. */
type Steps = Generator<() => unknown>;

/** Receives a message if the file is created again or cannot be used. */
export type Complain = (sentence: string, error: unknown) => void;

export class SqliteHealth implements HealthStore {
  readonly #file: string | undefined;
  readonly #complain: Complain;
  #db: DatabaseSync;
  #statements: ReturnType<typeof prepare>;
  /** All edges, by account and name. */
  #edges = new Map<string, Map<string, KnownEdge>>();
  /** Numbers of names, as far as they were needed. */
  readonly #names = new Map<string, number>();
  /** The end of the line of those who write. */
  #last: Promise<unknown> = Promise.resolve();

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
      this.#complain(`${HEALTH_DATABASE} cannot be used and is created again`, error);
    }
    try {
      if (this.#file !== undefined) removeDatabase(this.#file);
      return this.#open(this.#file);
    } catch (error) {
      this.#complain(`${HEALTH_DATABASE} cannot be created: health is kept in memory`, error);
      return this.#open(undefined);
    }
  }

  #open(file: string | undefined): [DatabaseSync, ReturnType<typeof prepare>] {
    if (file !== undefined) makePrivate(file);
    const db = new DatabaseSync(file ?? ":memory:", { timeout: 0 });
    try {
      const version = Number(db.prepare("PRAGMA user_version").get()?.["user_version"]);
      if (version > SCHEMA_VERSION)
        throw new Error(`it is of schema ${version}, and this version knows ${SCHEMA_VERSION}`);
      db.exec(pragmas);
      if (version < SCHEMA_VERSION) makeTables(db, version);
      const statements = prepare(db);
      const edges = readEdges(statements);
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
      this.#complain(`${HEALTH_DATABASE} is damaged and is created again`, error);
      this.#db.close();
      removeDatabase(this.#file);
      [this.#db, this.#statements] = this.#openAnyhow();
      return act();
    }
  }

  /** Runs an action in a transaction. Waits while another process holds the write lock. */
  async #write(act: () => void): Promise<void> {
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

  note(account: string, report: Heard, arrived: number): Promise<void> {
    return this.#inTurn(() => this.#note(account, report, arrived));
  }

  async #note(account: string, report: Heard, arrived: number): Promise<void> {
    const own = this.#edges.get(account);
    if ((own?.size ?? 0) >= MOST_EDGES && !own?.has(report.edge)) throw new TooManyEdges();
    const before = own?.get(report.edge);
    const known = hear(before, report, arrived);
    await pause();
    await this.#writeInSlices([
      ...this.#partsSteps(account, before, known),
      ...this.#seriesSteps(account, report),
      // The edge last: until then, what it reports is not told to be as new as the report.
      () => this.#putEdge(account, known),
    ]);
    put(this.#edges, account, known);
  }

  #putEdge(account: string, known: KnownEdge): void {
    const { edge, seen, about } = aboutRow(known);
    this.#statements.putEdge.run(account, edge, seen, about);
  }

  *#partsSteps(account: string, before: KnownEdge | undefined, { edge, watched }: KnownEdge): Steps {
    // An edge that was not known may have left parts of a report that was not kept.
    if (!before) yield () => this.#statements.removeParts.run(account, edge);
    for (const part of changedParts(before?.watched, watched)) {
      yield part.told.length === 0
        ? () => this.#statements.removeWatched.run(account, edge, part.part)
        : () => this.#statements.putWatched.run(account, edge, part.part, textOf(part));
    }
  }

  *#seriesSteps(account: string, { edge, transitions, minutes }: Heard): Steps {
    for (const { interconnect, time, from, to, reason } of transitions) {
      yield () => {
        const [of, at, by] = this.#numbersOf(account, interconnect, edge);
        this.#statements.addTransition.run(of, at, by, time, numberOfState(to), numberOfState(from), reason);
      };
    }
    for (const one of minutes) {
      yield () => {
        const [of, at, by] = this.#numbersOf(account, one.interconnect, edge);
        const { minute: time } = one;
        this.#statements.addMinute.run(of, hourOf(time), at, by, minuteOf(time), ...columnsOf(one));
      };
    }
  }

  /** Each slice is a transaction. One that finds the file damaged is done again, in the new file. */
  async #writeInSlices(steps: Iterable<() => unknown>): Promise<void> {
    const all = [...steps];
    for (let at = 0; at < all.length; ) {
      let next = at;
      await this.#write(() => {
        next = at;
        do all[next++]?.();
        while (next < all.length && !isSliceSpent());
      });
      at = next;
      if (at < all.length) await pause();
    }
  }

  /** One report after the other: each is heard on what the one before left. */
  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(action);
    this.#last = turn.catch(() => undefined);
    return turn;
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
    await this.#inTurn(() => this.#pruneEdges(before));
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

  async #pruneEdges(before: number): Promise<void> {
    await this.#write(() => {
      this.#statements.pruneWatched.run(before);
      this.#statements.pruneEdges.run(before);
    });
    for (const [account, edges] of this.#edges) {
      for (const { edge, seen } of [...edges.values()]) if (seen < before) edges.delete(edge);
      if (edges.size === 0) this.#edges.delete(account);
    }
  }

  async #pruneMinutes(account: number, end: number): Promise<void> {
    for (;;) {
      const hour = this.#read(() => this.#statements.firstHour.get(account))?.["hour"];
      if (hour === null || hour === undefined || Number(hour) >= end) return;
      await this.#write(() => {
        this.#statements.pruneMinutes.run(account, Number(hour), REMOVED_AT_ONCE);
      });
      await nextSlice();
    }
  }

  forget(account?: string): Promise<void> {
    return this.#inTurn(() => this.#forget(account));
  }

  async #forget(account: string | undefined): Promise<void> {
    if (account === undefined) {
      await this.#write(() =>
        this.#db.exec(
          "DELETE FROM edge; DELETE FROM watched; DELETE FROM minute; DELETE FROM transition; DELETE FROM name;",
        ),
      );
      this.#edges.clear();
      this.#names.clear();
      return;
    }
    const of = this.#find(account);
    this.#edges.delete(account);
    await this.#write(() => {
      this.#statements.forgetWatched.run(account);
      this.#statements.forgetEdges.run(account);
      if (of !== undefined) this.#statements.pruneTransitions.run(of, Number.MAX_SAFE_INTEGER);
    });
    if (of !== undefined) await this.#pruneMinutes(of, Number.MAX_SAFE_INTEGER);
  }

  async close(): Promise<void> {
    await this.#last;
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

function readEdges({ allEdges, watchedOf }: ReturnType<typeof prepare>): Map<string, Map<string, KnownEdge>> {
  const edges = new Map<string, Map<string, KnownEdge>>();
  for (const row of allEdges.all()) {
    const [account, edge] = [String(row["account"]), String(row["edge"])];
    const watched = new Map<string, Watched>();
    for (const part of watchedOf.all(account, edge)) addPart(watched, String(part["watched"]));
    put(edges, account, edgeOf(row, watched));
  }
  return edges;
}

function makeTables(db: DatabaseSync, version: number): void {
  db.exec("BEGIN IMMEDIATE");
  const older = version === 1 ? splitEdges(db) : [];
  db.exec(schema);
  const { putWatched } = prepare(db);
  for (const { account, edge, ...part } of older) putWatched.run(account, edge, part.part, textOf(part));
  db.exec("COMMIT");
}

/** Schema 1 kept all that an edge reports in one text beside the rest. Returns it in parts, and drops the column. */
function splitEdges(db: DatabaseSync) {
  const rows = db.prepare("SELECT account, edge, watched FROM edge").all();
  const parts = rows.flatMap((row) => {
    const [account, edge] = [String(row["account"]), String(row["edge"])];
    const watched = new Map<string, Watched>();
    addPart(watched, String(row["watched"]));
    return changedParts(undefined, watched).map((part) => ({ account, edge, ...part }));
  });
  db.exec("ALTER TABLE edge DROP COLUMN watched");
  return parts;
}

function prepare(db: DatabaseSync) {
  const transition = "name.name, time, became, was, reason";
  return {
    allEdges: db.prepare("SELECT account, edge, seen, about FROM edge"),
    watchedOf: db.prepare("SELECT watched FROM watched WHERE account = ? AND edge = ?"),
    putEdge: db.prepare(
      `INSERT INTO edge (account, edge, seen, about) VALUES (?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET seen = excluded.seen, about = excluded.about`,
    ),
    putWatched: db.prepare(
      `INSERT INTO watched (account, edge, part, watched) VALUES (?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET watched = excluded.watched`,
    ),
    removeParts: db.prepare("DELETE FROM watched WHERE account = ? AND edge = ?"),
    removeWatched: db.prepare("DELETE FROM watched WHERE account = ? AND edge = ? AND part = ?"),
    pruneWatched: db.prepare(
      "DELETE FROM watched WHERE (account, edge) IN (SELECT account, edge FROM edge WHERE seen < ?)",
    ),
    forgetWatched: db.prepare("DELETE FROM watched WHERE account = ?"),
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
