/** Writes a whole world into a database that holds nothing yet, row by row. */

import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { kinds } from "../../account/kinds.ts";
import type { State } from "../../account/state.ts";
import { seal } from "./checksums.ts";

/** Tables of the states themselves. All others lie beside them, and are carried as they are. */
const OF_STATES = new Set(["state", "object", "change"]);

/** The tables beside those of the states. */
export function otherTables(db: DatabaseSync): string[] {
  return db
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'")
    .all()
    .map((row) => String(row["name"]))
    .filter((name) => !OF_STATES.has(name))
    .sort();
}

/** A row of such a table, as JSON carries it. */
export type Row = Readonly<Record<string, string | number | null>>;

/** All rows of a table beside those of the states, in its own order. */
export function* rowsOf(db: DatabaseSync, table: string): Generator<Row> {
  for (const row of db.prepare(`SELECT * FROM "${table}"`).iterate()) {
    const values: Record<string, string | number | null> = {};
    for (const [column, value] of Object.entries(row)) {
      const plain = value === null || typeof value === "string" || typeof value === "number";
      if (!plain) throw new Error(`the table ${table} holds what is no JSON, in column ${column}`);
      values[column] = value;
    }
    yield values;
  }
}

/** Where a state that is to be written stands. */
export interface StateRow {
  readonly id: string;
  readonly epoch: string;
  readonly revision: number;
  readonly collections: Readonly<Record<string, number>>;
}

/** For each kind of object, the revision of the last change to one. */
export function collectionsOf(state: State): Record<string, number> {
  const revisions = [...kinds.keys()].map((kind) => [kind, state.collectionRevision(kind)] as const);
  return Object.fromEntries(revisions.filter(([, revision]) => revision > 0));
}

export interface ObjectRow {
  readonly kind: string;
  readonly id: string;
  readonly revision: number;
  readonly doc: object;
}

export class Filling {
  readonly #db: DatabaseSync;
  readonly #statements: ReturnType<typeof prepare>;
  readonly #columns = new Map<string, ReadonlySet<string>>();
  readonly #inserts = new Map<string, StatementSync>();

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#statements = prepare(db);
    for (const table of otherTables(db)) {
      const columns = db.prepare(`SELECT name FROM pragma_table_info(?)`).all(table);
      this.#columns.set(table, new Set(columns.map((row) => String(row["name"]))));
    }
  }

  state({ id, epoch, revision, collections }: StateRow): void {
    this.#statements.state.run(id, epoch, revision, revision, JSON.stringify(collections));
  }

  /** False if an object of this kind and id is there already. */
  object(state: string, { kind, id, revision, doc }: ObjectRow): boolean {
    return this.#statements.object.run(state, kind, id, revision, JSON.stringify(doc)).changes === 1;
  }

  /** Adds a record. False if another one is there under this revision. */
  change(state: string, record: { readonly revision: number; readonly time: string }): boolean {
    const { revision, time } = record;
    const text = JSON.stringify(record);
    if (this.#statements.change.run(state, revision, time, text).changes === 1) return true;
    return this.#statements.known.get(state, revision)?.["record"] === text;
  }

  /** After the last row: sets the times by which the log is searched, which never run backwards, and the checksums. */
  finish(): void {
    this.#db.exec(`
      UPDATE change SET time = later.time
      FROM (SELECT rowid AS id, max(time) OVER (PARTITION BY state ORDER BY revision) AS time FROM change) AS later
      WHERE change.rowid = later.id AND change.time < later.time`);
    seal(this.#db);
  }

  /** Adds a row to a table beside those of the states. Returns what is wrong with it, if something is. */
  row(table: string, values: Row): string | undefined {
    const columns = this.#columns.get(table);
    if (!columns) return `this version of Patchbay does not know the table ${table}`;
    const names = Object.keys(values);
    const unknown = names.find((name) => !columns.has(name));
    if (unknown !== undefined) return `the table ${table} has no column ${unknown}`;
    const given: SQLInputValue[] = Object.values(values);
    try {
      this.#insert(table, names).run(...given);
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
    return undefined;
  }

  #insert(table: string, names: readonly string[]): StatementSync {
    const listed = names.map((name) => `"${name}"`).join(", ");
    const sql = `INSERT INTO "${table}" (${listed}) VALUES (${names.map(() => "?").join(", ")})`;
    const known = this.#inserts.get(sql) ?? this.#db.prepare(sql);
    this.#inserts.set(sql, known);
    return known;
  }
}

function prepare(db: DatabaseSync) {
  return {
    state: db.prepare(
      "INSERT INTO state (id, epoch, revision, folded, collections, content, sum) VALUES (?, ?, ?, ?, ?, 0, 0)",
    ),
    object: db.prepare(
      "INSERT INTO object (state, kind, id, revision, sum, doc) VALUES (?, ?, ?, ?, 0, ?) ON CONFLICT DO NOTHING",
    ),
    change: db.prepare(
      `INSERT INTO change (state, revision, time, "before", sum, record) VALUES (?, ?, ?, 0, 0, ?) ON CONFLICT DO NOTHING`,
    ),
    known: db.prepare("SELECT record FROM change WHERE state = ? AND revision = ?"),
  };
}
