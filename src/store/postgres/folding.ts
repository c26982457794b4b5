/**
 * Brings the rows of a state's objects to their newest versions, since a commit writes the log alone. Any
 * server may do it, several at once: the last statement tells whether the rows still stood where the fold
 * began, and if not, all of it is taken back. Nobody waits for it but for that last moment.
 */

import type { ChangeRecord } from "../../account/change.ts";
import { kindNamed } from "../../account/kinds.ts";
import { State } from "../../account/state.ts";
import { carryOver } from "../carry-over.ts";
import { type Unfolded, UnfoldedState } from "../unfolded.ts";
import { type Ask, CONSISTENT, type Database, texts } from "./database.ts";
import { objectOf, records, type Standing, standing } from "./reading.ts";
import type { Remembered } from "./remembering.ts";

/** Rows written by one statement. */
const ROWS_AT_ONCE = 1_000;

/** What is to be folded. */
interface Step {
  readonly standing: Standing;
  readonly told: UnfoldedState;
  /** Edits of objects in it. */
  readonly edits: number;
}

/**
 * Folds what the log of a state tells, which needs not be read where it is remembered from where the rows stand. False
 * if somebody else did meanwhile, or began another history.
 */
export async function fold(database: Database, id: string, remembered?: Remembered): Promise<boolean> {
  const step =
    (remembered && (await rememberedStep(database, id, remembered))) ??
    (await database.transaction(CONSISTENT, (ask) => readStep(ask, id)));
  if (!step || step.edits === 0) return true;
  return database
    .transaction("BEGIN", (ask) => writeStep(ask, step))
    .catch((error: unknown) => {
      if (error instanceof FoldedElsewhere) return false;
      throw error;
    });
}

class FoldedElsewhere extends Error {}

async function rememberedStep(
  database: Database,
  id: string,
  remembered: Remembered,
): Promise<Step | undefined> {
  const row = await standing((statement, ...values) => database.ask(statement, ...values), id);
  const { epoch, told, edits } = remembered;
  return row?.epoch === epoch && row.folded === told.since ? { standing: row, told, edits } : undefined;
}

/** Reads the log after the folded revision, and of the objects those alone that it changes. */
async function readStep(ask: Ask, id: string): Promise<Step | undefined> {
  const row = await standing(ask, id);
  if (!row) return undefined;
  const state = new State(id, row.epoch);
  state.restoreRevisions(row.folded, new Map());
  const told = new UnfoldedState(row.folded);
  const known = new Set<string>();
  let edits = 0;
  for await (const text of records(ask, id, row.folded)) {
    const record: ChangeRecord = JSON.parse(text);
    await restore(ask, state, record, known);
    const carried = carryOver(state, record);
    told.add(carried);
    edits += carried.length;
  }
  return { standing: row, told, edits };
}

/** Reads the objects that a change meets for the first time. */
async function restore(ask: Ask, state: State, { objects }: ChangeRecord, known: Set<string>): Promise<void> {
  const kinds: string[] = [];
  const ids: string[] = [];
  for (const { kind, id, action } of objects) {
    const key = `${kind}/${id}`;
    if (known.has(key)) continue;
    known.add(key);
    if (action === "create") continue;
    kinds.push(kind);
    ids.push(id);
  }
  if (ids.length === 0) return;
  for (const row of await ask(SOME, state.id, texts(kinds), texts(ids))) {
    const { kind, id, doc, revision } = objectOf(row);
    state.restore(kindNamed(kind), id, JSON.parse(doc), revision);
  }
}

async function writeStep(ask: Ask, { standing, told, edits }: Step): Promise<true> {
  const { id, epoch, folded } = standing;
  await writeObjects(ask, id, told);
  const collections: Record<string, number> = { ...standing.collections };
  for (const [{ kind }, { revision }] of told.objects) {
    collections[kind] = Math.max(collections[kind] ?? 0, revision);
  }
  const done = await ask(FOLDED, id, epoch, folded, told.revision, edits, JSON.stringify(collections));
  if (done.length === 0) throw new FoldedElsewhere();
  return true;
}

/** Writes the rows of objects, whatever else stands in the state's row. */
export async function writeObjects(ask: Ask, state: string, { objects }: UnfoldedState): Promise<void> {
  const gone = new Columns();
  const changed = new Columns();
  const made = new Columns();
  for (const { kind, id, object } of byName(objects)) {
    // What was made may have been there before under the same name, and removed since.
    if (object.made || !object.after) gone.add(kind, id, object);
    if (object.after) (object.made ? made : changed).add(kind, id, object);
  }
  for (const part of gone.parts()) await ask(REMOVE, state, part.kinds, part.ids);
  for (const part of changed.parts())
    await ask(UPDATE, state, part.kinds, part.ids, part.revisions, part.docs);
  for (const part of made.parts()) await ask(INSERT, state, part.kinds, part.ids, part.revisions, part.docs);
}

interface Named {
  readonly kind: string;
  readonly id: string;
  readonly object: Unfolded;
}

/** One each, also of what has several slots: since it was made again, or its state loaded anew. */
function byName(objects: UnfoldedState["objects"]): Iterable<Named> {
  const rows = new Map<string, Named>();
  for (const [{ kind, id }, object] of objects) {
    const key = `${kind} ${id}`;
    const made = object.made || rows.get(key)?.object.made === true;
    // Only what is made again comes last.
    if (object.made) rows.delete(key);
    rows.set(key, { kind, id, object: { ...object, made } });
  }
  return rows.values();
}

/** Rows as the columns that a statement takes. */
class Columns {
  readonly #rows: { kind: string; id: string; object: Unfolded }[] = [];

  add(kind: string, id: string, object: Unfolded): void {
    this.#rows.push({ kind, id, object });
  }

  /** A part at a time, so that what is sent is made while the one before is written. */
  *parts() {
    for (let at = 0; at < this.#rows.length; at += ROWS_AT_ONCE) {
      const rows = this.#rows.slice(at, at + ROWS_AT_ONCE);
      yield {
        kinds: texts(rows.map(({ kind }) => kind)),
        ids: texts(rows.map(({ id }) => id)),
        revisions: rows.map(({ object }) => object.revision),
        docs: texts(rows.map(({ object }) => (object.after ? JSON.stringify(object.after.doc) : ""))),
      };
    }
  }
}

const SOME = {
  name: "some_objects",
  text: `
SELECT object.kind, object.id, object.revision, object.doc
FROM unnest($2::text[], $3::text[]) AS wanted (kind, id)
JOIN object ON object.state = $1 AND object.kind = wanted.kind AND object.id = wanted.id`,
};
const REMOVE = {
  name: "remove_objects",
  text: `
DELETE FROM object USING unnest($2::text[], $3::text[]) AS gone (kind, id)
WHERE object.state = $1 AND object.kind = gone.kind AND object.id = gone.id`,
};
const UPDATE = {
  name: "update_objects",
  text: `
UPDATE object SET revision = new.revision, doc = new.doc
FROM unnest($2::text[], $3::text[], $4::bigint[], $5::text[]) AS new (kind, id, revision, doc)
WHERE object.state = $1 AND object.kind = new.kind AND object.id = new.id`,
};
const INSERT = {
  name: "insert_objects",
  text: `
INSERT INTO object (state, number, kind, id, revision, doc)
SELECT $1, coalesce((SELECT max(number) FROM object WHERE state = $1), 0) + new.place, new.kind, new.id, new.revision, new.doc
FROM unnest($2::text[], $3::text[], $4::bigint[], $5::text[]) WITH ORDINALITY AS new (kind, id, revision, doc, place)`,
};
const FOLDED = {
  name: "folded",
  text: `
UPDATE state SET folded = $4::bigint, unfolded = unfolded - $5::bigint, collections = $6
WHERE id = $1 AND epoch = $2 AND folded = $3::bigint
RETURNING id`,
};
