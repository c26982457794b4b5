/** Writes states, records and objects by one connection, within whatever transaction is open on it. */

import type { DatabaseSync } from "node:sqlite";
import type { SeededState } from "../../account/seed.ts";
import type { Slot } from "../../account/state.ts";
import { textOf } from "../record-text.ts";
import type { Batch } from "../store.ts";
import { type Unfolded, UnfoldedState } from "../unfolded.ts";
import { addSum, FIRST_SUM, sumOfObject, sumOfRecord, sumOfState } from "./checksums.ts";

export class Writing {
  readonly #db: DatabaseSync;
  readonly #statements: ReturnType<typeof prepare>;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#statements = prepare(db);
  }

  /** Writes a batch as a compare-and-swap. False if the state is not where the batch was decided. */
  append({ state, epoch, base, changes }: Batch): boolean {
    const { changes: rows } = this.#statements.advance.run(base + changes.length, state, epoch, base);
    if (Number(rows) === 0) return false;
    let before = base === 0 ? FIRST_SUM : this.#sumAt(state, base);
    for (const { record: made } of changes) {
      const { revision, time } = made;
      const record = textOf(made);
      const sum = sumOfRecord(state, { revision, time, before, record });
      this.#statements.log.run(state, revision, time, before, sum, record);
      before = sum;
    }
    return true;
  }

  #sumAt(state: string, revision: number): number {
    const sum = this.#statements.sumOfRecord.get(state, revision)?.["sum"];
    if (sum === undefined) throw new SyntaxError(`the log of ${state} lacks revision ${revision}`);
    return Number(sum);
  }

  /** The states whose objects' rows stand behind the log. */
  behind(): { id: string; folded: number }[] {
    return this.#statements.behind
      .all()
      .map(({ id, folded }) => ({ id: String(id), folded: Number(folded) }));
  }

  /** Brings the rows of a state's objects to their newest versions, and pauses after every object. */
  *fold(id: string, { objects, revision }: UnfoldedState): Generator<undefined> {
    const row = this.#statements.state.get(id);
    if (!row) return;
    const collections: Record<string, number> = JSON.parse(String(row["collections"]));
    let content = Number(row["content"]);
    for (const [slot, object] of objects) {
      content = addSum(content, this.#writeObject(id, slot, object));
      collections[slot.kind] = Math.max(collections[slot.kind] ?? 0, object.revision);
      yield;
    }
    const folded = { id, epoch: String(row["epoch"]), folded: revision, content };
    const text = JSON.stringify(collections);
    const sum = sumOfState({ ...folded, collections: text });
    this.#statements.folded.run(revision, text, content, sum, id);
  }

  /** Returns the change of the sum of the objects' checksums. */
  #writeObject(state: string, { kind, id }: Slot, { after, made }: Unfolded): number {
    const row = this.#statements.object.get(state, kind, id);
    const before = Number(row?.["sum"] ?? 0);
    if (row && (made || !after)) this.#statements.remove.run(Number(row["number"]));
    if (!after) return -before;
    if (!made && !row) throw new SyntaxError(`the object ${id} of ${state} is missing`);
    const number = made
      ? Number(this.#statements.lastNumber.get()?.["number"] ?? 0) + 1
      : Number(row?.["number"]);
    const { revision } = after;
    const doc = JSON.stringify(after.doc);
    const sum = sumOfObject(state, { number, kind, id, revision, doc });
    if (made) this.#statements.insert.run(number, state, kind, id, revision, sum, doc);
    else this.#statements.update.run(revision, sum, doc, number);
    return sum - before;
  }

  /** Makes an empty state, or one that nothing happened in yet anew. False if something did. */
  create(id: string, epoch: string): boolean {
    return Number(this.#statements.createAnew.run(id, epoch, sumOfEmpty(id, epoch)).changes) > 0;
  }

  /** Puts a new world in the place of everything, and pauses after every table and object. */
  *replace(world: readonly SeededState[]): Generator<undefined, void> {
    for (const table of ["object", "change", "event", "state"]) {
      this.#db.exec(`DELETE FROM ${table}`);
      yield;
    }
    for (const { id, epoch, change } of world) {
      this.#statements.create.run(id, epoch, sumOfEmpty(id, epoch));
      this.append({ state: id, epoch, base: 0, changes: [change], deadline: null });
      yield;
      const unfolded = new UnfoldedState(0);
      unfolded.add(change.edits);
      yield;
      yield* this.fold(id, unfolded);
    }
  }
}

function sumOfEmpty(id: string, epoch: string): number {
  return sumOfState({ id, epoch, folded: 0, collections: "{}", content: 0 });
}

function prepare(db: DatabaseSync) {
  const create =
    "INSERT INTO state (id, epoch, revision, folded, collections, content, sum) VALUES (?, ?, 0, 0, '{}', 0, ?)";
  return {
    create: db.prepare(create),
    createAnew: db.prepare(`${create}
      ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch, sum = excluded.sum WHERE revision = 0`),
    state: db.prepare("SELECT epoch, collections, content FROM state WHERE id = ?"),
    advance: db.prepare("UPDATE state SET revision = ? WHERE id = ? AND epoch = ? AND revision = ?"),
    behind: db.prepare("SELECT id, folded FROM state WHERE folded < revision"),
    folded: db.prepare("UPDATE state SET folded = ?, collections = ?, content = ?, sum = ? WHERE id = ?"),
    object: db.prepare("SELECT number, sum FROM object WHERE state = ? AND kind = ? AND id = ?"),
    lastNumber: db.prepare("SELECT max(number) AS number FROM object"),
    insert: db.prepare(
      "INSERT INTO object (number, state, kind, id, revision, sum, doc) VALUES (?, ?, ?, ?, ?, ?, ?)",
    ),
    update: db.prepare("UPDATE object SET revision = ?, sum = ?, doc = ? WHERE number = ?"),
    remove: db.prepare("DELETE FROM object WHERE number = ?"),
    sumOfRecord: db.prepare("SELECT sum FROM change WHERE state = ? AND revision = ?"),
    log: db.prepare(
      `INSERT INTO change (state, revision, time, "before", sum, record) VALUES (?, ?, ?, ?, ?, ?)`,
    ),
  };
}
