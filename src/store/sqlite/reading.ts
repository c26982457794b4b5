/** Reads states and their logs by one connection. */

import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { ChangeRecord } from "../../account/change.ts";
import { kindNamed } from "../../account/kinds.ts";
import { type Edit, State } from "../../account/state.ts";
import { carryOver } from "../carry-over.ts";
import { firstAt } from "../search.ts";
import type { Page, Position } from "../store.ts";

/** SQLite's limit for no limit. */
const ALL = -1;

/** Bytes of records read for one page, past the first: a record of a large bulk update is megabytes. */
const PAGE_BYTES = 4 * 1024 * 1024;

/** Where a state stands, and where the rows of its objects do. */
export interface Standing extends Position {
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
  readonly #statements: ReturnType<typeof prepare>;

  constructor(db: DatabaseSync) {
    this.#statements = prepare(db);
  }

  states(): string[] {
    return this.#statements.states.all().map((row) => String(row["id"]));
  }

  standing(id: string): Standing | undefined {
    const row = this.#statements.state.get(id);
    if (!row) return undefined;
    return {
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

  /** The state that the rows of objects tell. */
  stateAsFolded(id: string): State | undefined {
    const row = this.#statements.state.get(id);
    if (!row) return undefined;
    const state = new State(id, String(row["epoch"]));
    for (const row of this.#statements.objects.iterate(id)) {
      const [kind, object, revision, doc] = Object.values(row);
      state.restore(kindNamed(String(kind)), String(object), JSON.parse(String(doc)), Number(revision));
    }
    const collections: Record<string, number> = JSON.parse(String(row["collections"]));
    const folded = Number(row["folded"]);
    const time = this.#statements.time.get(id, folded)?.["time"] ?? "";
    state.restoreRevisions(folded, new Map(Object.entries(collections)), String(time));
    return state;
  }

  /** Carries a state over the changes after it, and gives the edits of each. */
  *replay(state: State): Generator<readonly Edit[]> {
    for (const { record } of this.#statements.after.iterate(state.id, state.revision, ALL)) {
      yield carryOver(state, JSON.parse(String(record)));
    }
  }

  /** The records after a revision as they are stored, oldest first. */
  *records(id: string, after: number): Generator<string> {
    for (const { record } of this.#statements.after.iterate(id, after, ALL)) yield String(record);
  }

  /** The revision of the oldest record that is kept. */
  oldest(id: string): number | undefined {
    const revision = this.#statements.oldest.get(id)?.["revision"];
    return typeof revision === "number" ? revision : undefined;
  }

  /** One past the last of the records from a revision on that are so few and so small; of at least one record. */
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

  after(id: string, revision: number, limit: number): Page | undefined {
    return this.#page(id, this.#statements.after, revision, limit);
  }

  before(id: string, revision: number, limit: number): Page | undefined {
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

  /** The revision of the first record at or after a time; one past the newest if there is none. */
  changeAt(id: string, time: string): number | undefined {
    const standing = this.standing(id);
    if (!standing) return undefined;
    const end = standing.revision + 1;
    return firstAt(this.oldest(id) ?? end, end, time, (revision) =>
      String(this.#statements.time.get(id, revision)?.["time"] ?? ""),
    );
  }

  change(id: string, revision: number): ChangeRecord | undefined {
    const row = this.#statements.change.get(id, revision);
    return row ? JSON.parse(String(row["record"])) : undefined;
  }
}

function prepare(db: DatabaseSync) {
  const objects = db.prepare("SELECT kind, id, revision, doc FROM object WHERE state = ? ORDER BY number");
  // There may be ten thousand: as lists, they are read in two thirds of the time.
  objects.setReturnArrays(true);
  return {
    objects,
    state: db.prepare("SELECT epoch, revision, folded, collections FROM state WHERE id = ?"),
    states: db.prepare("SELECT id FROM state ORDER BY id"),
    after: db.prepare("SELECT record FROM change WHERE state = ? AND revision > ? ORDER BY revision LIMIT ?"),
    before: db.prepare(
      "SELECT record FROM change WHERE state = ? AND revision < ? ORDER BY revision DESC LIMIT ?",
    ),
    change: db.prepare("SELECT record FROM change WHERE state = ? AND revision = ?"),
    time: db.prepare("SELECT time FROM change WHERE state = ? AND revision = ?"),
    // The length alone: SQLite knows it without reading the text.
    sizes: db.prepare(
      "SELECT revision, octet_length(record) AS bytes FROM change WHERE state = ? AND revision >= ? ORDER BY revision LIMIT ?",
    ),
    oldest: db.prepare("SELECT min(revision) AS revision FROM change WHERE state = ?"),
  };
}
