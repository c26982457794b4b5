/**
 * A whole world from PostgreSQL into an SQLite file, and back: dumps, archives and what judges them work on
 * the file, so that they are the same for both engines.
 */

import { randomUUID } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { kinds } from "../../account/kinds.ts";
import { pendingKind } from "../../account/pending.ts";
import type { State } from "../../account/state.ts";
import { collectionsOf, Filling } from "../sqlite/filling.ts";
import { StoreRefused } from "../store.ts";
import { type Ask, CONSISTENT, type Database, type Row, texts, type Value } from "./database.ts";
import { load, records, states } from "./reading.ts";
import { LOCK_WORLD } from "./schema.ts";

/** Rows in one statement, and UTF-16 units past the first: a record of a large bulk update is megabytes. */
const ROWS_AT_ONCE = 2_000;
const UNITS_AT_ONCE = 4 * 1024 * 1024;

/** Fills an empty file with what the database holds, as it is at one moment. */
export async function carryOut(database: Database, db: DatabaseSync): Promise<void> {
  const filling = new Filling(db);
  db.exec("BEGIN");
  await database.transaction(
    CONSISTENT,
    async (ask) => {
      for (const id of await states(ask)) {
        const state = await load(ask, id);
        if (!state) continue;
        fill(filling, state);
        for await (const text of records(ask, id, 0)) filling.change(id, JSON.parse(text));
      }
      for await (const { state, number, time, event } of eventRows(ask)) {
        filling.row("event", {
          state: String(state),
          number: Number(number),
          time: String(time),
          event: String(event),
        });
      }
    },
    true,
  );
  filling.finish();
  db.exec("COMMIT");
}

function fill(filling: Filling, state: State): void {
  const { id, epoch, durable: revision } = state;
  filling.state({ id, epoch, revision, collections: collectionsOf(state) });
  for (const kind of kinds.keys())
    for (const entry of state.list(kind)) filling.object(id, { kind, ...entry });
}

/** All of them, in the order of their keys, a part at a time. */
async function* eventRows(ask: Ask): AsyncGenerator<Row> {
  let state = "";
  let number = 0;
  for (;;) {
    const part = await ask(EVENTS, state, number, ROWS_AT_ONCE);
    yield* part;
    const last = part.at(-1);
    if (!last) return;
    state = String(last["state"]);
    number = Number(last["number"]);
  }
}

/**
 * Puts what a file holds, whose objects are all as new as its log, into a database that holds nothing: all of it or
 * nothing. Throws `StoreRefused` where there is something.
 */
export async function carryIn(database: Database, db: DatabaseSync, name: string): Promise<void> {
  await database.transaction(
    "BEGIN",
    async (ask) => {
      await ask(LOCK_WORLD);
      if ((await states(ask)).length > 0) throw holdsAWorld(name);
      const insert = inserting(ask, db);
      await insert(STATES, ["id", "epoch", "revision", "collections"], "SELECT * FROM state");
      await insert(OBJECTS, ["state", "number", "kind", "id", "revision", "doc"], "SELECT * FROM object");
      await insert(CHANGES, ["state", "revision", "time", "record"], "SELECT * FROM change", randomUUID());
      await insert(EVENTS_IN, ["state", "number", "time", "event"], "SELECT * FROM event");
      for (const [state, deadline] of deadlinesIn(db)) await ask(DEADLINE, state, deadline);
    },
    true,
  );
}

export function holdsAWorld(name: string): StoreRefused {
  return new StoreRefused(`The database ${name} holds a world already. Name an empty one with --database.`);
}

/** Inserts what a query of the file tells, as columns of texts, a part at a time. */
function inserting(ask: Ask, db: DatabaseSync) {
  return async (text: string, columns: readonly string[], query: string, ...more: readonly Value[]) => {
    let part: string[][] = [];
    let units = 0;
    const send = async () => {
      const lists = columns.map((_, at) => texts(part.map((row) => row[at] ?? "")));
      part = [];
      units = 0;
      await ask({ name: `carry_in_${columns.join("_")}`, text }, ...lists, ...more);
    };
    for (const row of db.prepare(query).iterate()) {
      const values = columns.map((column) => String(row[column]));
      part.push(values);
      for (const value of values) units += value.length;
      if (part.length === ROWS_AT_ONCE || units > UNITS_AT_ONCE) await send();
    }
    if (part.length > 0) await send();
  };
}

/** When changes that wait to be confirmed are undone, by state. */
function deadlinesIn(db: DatabaseSync): readonly (readonly [state: string, deadline: string])[] {
  const waiting = db.prepare(
    "SELECT state, json_extract(doc, '$.confirm_by') AS deadline FROM object WHERE kind = ?",
  );
  return waiting
    .all(pendingKind.name)
    .map(({ state, deadline }) => [String(state), String(deadline)] as const);
}

const EVENTS = {
  name: "carry_out_events",
  text: `
SELECT state, number, time, event FROM event
WHERE state > $1 OR (state = $1 AND number > $2::bigint)
ORDER BY state, number LIMIT $3`,
};
const STATES = `
INSERT INTO state (id, epoch, revision, folded, unfolded, collections)
SELECT id, epoch, revision::bigint, revision::bigint, 0, collections
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS new (id, epoch, revision, collections)`;
const OBJECTS = `
INSERT INTO object (state, number, kind, id, revision, doc)
SELECT state, number::bigint, kind, id, revision::bigint, doc
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
  AS new (state, number, kind, id, revision, doc)`;
const CHANGES = `
INSERT INTO change (state, revision, time, record, commit_id)
SELECT state, revision::bigint, time, record, $5::uuid
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS new (state, revision, time, record)`;
const EVENTS_IN = `
INSERT INTO event (state, number, time, event)
SELECT state, number::bigint, time, event
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS new (state, number, time, event)`;
const DEADLINE = {
  name: "carry_in_deadline",
  text: "UPDATE state SET deadline = $2::timestamptz WHERE id = $1",
};
