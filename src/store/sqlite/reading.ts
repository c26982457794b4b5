/** Reads states and their logs by one connection. */

import type { DatabaseSync } from "node:sqlite";
import { kindNamed } from "../../account/kinds.ts";
import { type Edit, State } from "../../account/state.ts";
import { carryOver } from "../carry-over.ts";
import { firstAt } from "../search.ts";
import type { LogSize, Page, Position } from "../store.ts";
import { addSum, FIRST_SUM, sumOfObject, sumOfRecord, sumOfState } from "./checksums.ts";

/** SQLite's limit for no limit. */
const ALL = -1;

/** Bytes of records read for one page, past the first: a record of a large bulk update is megabytes. */
const PAGE_BYTES = 1024 * 1024;

/** A part of the log, as it is stored. */
export type TextPage = Omit<Page, "records"> & { readonly texts: readonly string[] };

/** Where a state stands, and where the rows of its objects do. */
export interface Standing extends Position {
  readonly id: string;
  readonly folded: number;
}

/** Runs within one view of the database, whatever other processes write meanwhile. */
export function consistently<T>(db: DatabaseSync, read: () => T): T {
  if (db.isTransaction) return read();
  db.exec("BEGIN");
  try {
    return read();
  } finally {
    if (db.isTransaction) db.exec("ROLLBACK");
  }
}

export class Reading {
  readonly #db: DatabaseSync;
  readonly #isSealed: boolean;
  readonly #statements: ReturnType<typeof prepare>;

  /** `unsealed`: the database is being filled and has no checksums yet. */
  constructor(db: DatabaseSync, seal: "sealed" | "unsealed" = "sealed") {
    this.#db = db;
    this.#isSealed = seal === "sealed";
    this.#statements = prepare(db);
  }

  states(): string[] {
    return this.#statements.states.all().map((row) => String(row["id"]));
  }

  standing(id: string): Standing | undefined {
    const row = this.#statements.state.get(id);
    if (!row) return undefined;
    return {
      id,
      epoch: String(row["epoch"]),
      revision: Number(row["revision"]),
      folded: Number(row["folded"]),
    };
  }

  /** The newest state, with a look at the edits that carried it there. Throws if the log does not lead there. */
  load(id: string, look: (edits: readonly Edit[]) => void = () => undefined): State | undefined {
    const state = this.stateAsFolded(id);
    if (!state) return undefined;
    for (const edits of this.replay(state)) look(edits);
    const { revision } = this.standing(id) ?? state;
    if (state.durable !== revision) {
      throw new SyntaxError(
        `the log of ${id} ends at revision ${state.durable}, but its state at ${revision}`,
      );
    }
    return state;
  }

  /** The state as in the rows of objects. Throws if a checksum does not match. */
  stateAsFolded(id: string): State | undefined {
    const row = this.#statements.state.get(id);
    if (!row) return undefined;
    const epoch = String(row["epoch"]);
    const folded = Number(row["folded"]);
    const told = String(row["collections"]);
    const content = Number(row["content"]);
    const sum = sumOfState({ id, epoch, folded, collections: told, content });
    if (this.#isSealed && sum !== row["sum"])
      throw new SyntaxError(`the row of the state ${id} does not match its checksum`);
    const state = new State(id, epoch);
    let found = 0;
    for (const row of this.#statements.objects.iterate(id)) {
      const [number, kind, object, revision, sum, doc] = Object.values(row);
      const read = {
        number: Number(number),
        kind: String(kind),
        id: String(object),
        revision: Number(revision),
        doc: String(doc),
      };
      if (this.#isSealed && sumOfObject(id, read) !== sum)
        throw new SyntaxError(`the ${read.kind} ${read.id} of the state ${id} does not match its checksum`);
      found = addSum(found, Number(sum));
      state.restore(kindNamed(read.kind), read.id, JSON.parse(read.doc), read.revision);
    }
    if (found !== content) throw new SyntaxError(`objects of the state ${id} are missing`);
    const collections: Record<string, number> = JSON.parse(told);
    const time = this.#statements.time.get(id, folded)?.["time"] ?? "";
    state.restoreRevisions(folded, new Map(Object.entries(collections)), String(time));
    return state;
  }

  /** Carries a state over the changes after it, and gives the edits of each. */
  *replay(state: State): Generator<readonly Edit[]> {
    for (const text of this.records(state.id, state.revision)) yield carryOver(state, JSON.parse(text));
  }

  /** The records after a revision as they are stored, oldest first. */
  *records(id: string, after: number): Generator<string> {
    const rows = this.#statements.after.iterate(id, after, ALL);
    if (this.#isSealed) for (const { record } of verified(id, rows)) yield record;
    else for (const { record } of rows) yield String(record);
  }

  /** Reads a complete log. Throws if a record is missing or does not match its checksum. */
  verifyLog(id: string): void {
    const { revision } = this.standing(id) ?? {};
    let last: number | undefined;
    for (const row of verified(id, this.#statements.after.iterate(id, 0, ALL))) last = row.revision;
    if (revision !== undefined && revision > 0 && last !== revision) throw lacks(id, revision);
  }

  /** The revision of the oldest record that is kept. */
  oldest(id: string): number | undefined {
    const revision = this.#statements.oldest.get(id)?.["revision"];
    return typeof revision === "number" ? revision : undefined;
  }

  /** The end (exclusive) of a part of the log from a revision on, within both limits, but of at least one record. */
  endOfPart(id: string, from: number, most: { readonly records: number; readonly bytes: number }): number {
    let end = from;
    let bytes = 0;
    for (const row of this.#statements.sizes.iterate(id, from, most.records)) {
      bytes += Number(row["bytes"]);
      if (end > from && bytes > most.bytes) break;
      end = Number(row["revision"]) + 1;
    }
    return Math.max(end, from + 1);
  }

  after(id: string, revision: number, limit: number): TextPage | undefined {
    return consistently(this.#db, () => {
      const standing = this.standing(id);
      // Pruned records are not missing.
      const first = Math.max(revision + 1, this.oldest(id) ?? 1);
      const last = standing?.revision ?? 0;
      const rows = this.#statements.after.iterate(id, revision, limit);
      return standing && page(standing, rows, limit, first <= last ? [first, last] : undefined);
    });
  }

  before(id: string, revision: number, limit: number): TextPage | undefined {
    return consistently(this.#db, () => {
      const standing = this.standing(id);
      const first = Math.min(revision - 1, standing?.revision ?? 0);
      const last = this.oldest(id) ?? 1;
      const rows = this.#statements.before.iterate(id, revision, limit);
      return standing && page(standing, rows, limit, first >= last ? [first, last] : undefined);
    });
  }

  logSize(id: string, revision: number, limit: number): LogSize {
    const row = this.#statements.size.get(id, revision, limit) ?? {};
    return {
      records: Number(row["records"]),
      bytes: Number(row["bytes"]),
      oldest: Number(row["oldest"]),
      newest: Number(row["newest"]),
    };
  }

  /** The revision of the first record at or after a time; one past the newest if there is none. */
  changeAt(id: string, time: string): number | undefined {
    const standing = this.standing(id);
    if (!standing) return undefined;
    const end = standing.revision + 1;
    return firstAt(this.oldest(id) ?? end, end, time, (revision) =>
      String(this.#statements.time.get(id, revision)?.["time"] ?? ""),
    );
  }

  /** The text of a record. */
  change(id: string, revision: number): string | undefined {
    return consistently(this.#db, () => {
      const row = this.#statements.change.get(id, revision);
      if (row) for (const { record } of verified(id, [row])) return record;
      const { revision: newest = 0 } = this.standing(id) ?? {};
      if (revision <= newest && revision >= (this.oldest(id) ?? 1)) throw lacks(id, revision);
      return undefined;
    });
  }
}

/** A page of rows. `range` is what the log must contain, from the first row on; `undefined` if nothing. */
function page(
  { id, epoch, revision }: Standing,
  rows: Iterable<SqlRow>,
  limit: number,
  range: readonly [first: number, last: number] | undefined,
): TextPage {
  const [first, last] = range ?? [0, 0];
  const step = last < first ? -1 : 1;
  const texts: string[] = [];
  let bytes = 0;
  let next = first;
  let isFull = false;
  for (const row of verified(id, rows)) {
    if (row.revision !== next) throw lacks(id, next);
    isFull = texts.length > 0 && bytes + row.record.length > PAGE_BYTES;
    if (isFull) break;
    bytes += row.record.length;
    texts.push(row.record);
    next += step;
  }
  const more = range !== undefined && next !== last + step;
  if (more && !isFull && texts.length < limit) throw lacks(id, next);
  return { texts, more, position: { epoch, revision } };
}

type SqlRow = Readonly<Record<string, unknown>>;

interface Verified {
  readonly revision: number;
  readonly record: string;
}

function lacks(id: string, revision: number): SyntaxError {
  return new SyntaxError(`the log of ${id} lacks revision ${revision}`);
}

/** Consecutive records, ascending or descending. Throws if one is missing or does not match its checksum. */
function* verified(id: string, rows: Iterable<SqlRow>): Generator<Verified> {
  let last: { readonly revision: number; readonly before: number; readonly sum: number } | undefined;
  for (const row of rows) {
    const revision = Number(row["revision"]);
    const before = Number(row["before"]);
    const record = String(row["record"]);
    const sum = sumOfRecord(id, { revision, time: String(row["time"]), before, record });
    const isLinked =
      !last ||
      (revision > last.revision
        ? revision === last.revision + 1 && before === last.sum
        : revision === last.revision - 1 && sum === last.before);
    if (last && Math.abs(revision - last.revision) !== 1)
      throw lacks(id, last.revision + Math.sign(revision - last.revision));
    if (sum !== row["sum"] || !isLinked || (revision === 1 && before !== FIRST_SUM))
      throw new SyntaxError(`the record of revision ${revision} of ${id} does not match its checksum`);
    last = { revision, before, sum };
    yield { revision, record };
  }
}

function prepare(db: DatabaseSync) {
  const objects = db.prepare(
    "SELECT number, kind, id, revision, sum, doc FROM object WHERE state = ? ORDER BY number",
  );
  const record = `SELECT revision, time, "before", sum, record FROM change WHERE state = ?`;
  // There may be ten thousand: as lists, they are read in two thirds of the time.
  objects.setReturnArrays(true);
  return {
    objects,
    state: db.prepare("SELECT epoch, revision, folded, collections, content, sum FROM state WHERE id = ?"),
    states: db.prepare("SELECT id FROM state ORDER BY id"),
    change: db.prepare(`${record} AND revision = ?`),
    after: db.prepare(`${record} AND revision > ? ORDER BY revision LIMIT ?`),
    before: db.prepare(`${record} AND revision < ? ORDER BY revision DESC LIMIT ?`),
    time: db.prepare("SELECT time FROM change WHERE state = ? AND revision = ?"),
    size: db.prepare(`
SELECT count(*) AS records, coalesce(sum(bytes), 0) AS bytes,
  coalesce(min(revision), 0) AS oldest, coalesce(max(revision), 0) AS newest
FROM (
  SELECT revision, octet_length(record) AS bytes FROM change
  WHERE state = ? AND revision > ? ORDER BY revision LIMIT ?
)`),
    // The length alone: SQLite knows it without reading the text.
    sizes: db.prepare(
      "SELECT revision, octet_length(record) AS bytes FROM change WHERE state = ? AND revision >= ? ORDER BY revision LIMIT ?",
    ),
    oldest: db.prepare("SELECT min(revision) AS revision FROM change WHERE state = ?"),
  };
}
