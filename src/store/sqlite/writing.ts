/** Writes states, records and objects by one connection, within whatever transaction is open on it. */

import type { DatabaseSync } from "node:sqlite";
import type { SeededState } from "../../account/seed.ts";
import type { Slot } from "../../account/state.ts";
import type { Batch } from "../store.ts";
import { type Unfolded, UnfoldedState } from "../unfolded.ts";

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
    for (const { record } of changes)
      this.#statements.log.run(state, record.revision, record.time, JSON.stringify(record));
    return true;
  }

  /** The states whose objects' rows stand behind the log. */
  behind(): { id: string; folded: number }[] {
    return this.#statements.behind
      .all()
      .map(({ id, folded }) => ({ id: String(id), folded: Number(folded) }));
  }

  /** Brings the rows of a state's objects to their newest versions, and pauses after every object. */
  *fold(id: string, { objects, revision }: UnfoldedState): Generator<undefined> {
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

  /** Makes an empty state, or one that nothing happened in yet anew. False if something did. */
  create(id: string, epoch: string): boolean {
    return Number(this.#statements.createAnew.run(id, epoch).changes) > 0;
  }

  /** Puts a new world in the place of everything, and pauses after every object. */
  *replace(world: readonly SeededState[]): Generator<undefined> {
    this.#db.exec("DELETE FROM object; DELETE FROM change; DELETE FROM event; DELETE FROM state;");
    for (const { id, epoch, change } of world) {
      this.#statements.create.run(id, epoch);
      this.append({ state: id, epoch, base: 0, changes: [change], deadline: null });
      const unfolded = new UnfoldedState(0);
      unfolded.add(change.edits);
      yield* this.fold(id, unfolded);
    }
  }
}

function prepare(db: DatabaseSync) {
  return {
    create: db.prepare(
      "INSERT INTO state (id, epoch, revision, folded, collections) VALUES (?, ?, 0, 0, '{}')",
    ),
    createAnew: db.prepare(`
      INSERT INTO state (id, epoch, revision, folded, collections) VALUES (?, ?, 0, 0, '{}')
      ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch WHERE revision = 0`),
    advance: db.prepare("UPDATE state SET revision = ? WHERE id = ? AND epoch = ? AND revision = ?"),
    behind: db.prepare("SELECT id, folded FROM state WHERE folded < revision"),
    folded: db.prepare("UPDATE state SET folded = ?, collections = json_patch(collections, ?) WHERE id = ?"),
    insert: db.prepare("INSERT INTO object (state, kind, id, revision, doc) VALUES (?, ?, ?, ?, ?)"),
    update: db.prepare("UPDATE object SET revision = ?, doc = ? WHERE state = ? AND kind = ? AND id = ?"),
    remove: db.prepare("DELETE FROM object WHERE state = ? AND kind = ? AND id = ?"),
    log: db.prepare("INSERT INTO change (state, revision, time, record) VALUES (?, ?, ?, ?)"),
  };
}
