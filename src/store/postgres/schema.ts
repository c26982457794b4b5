/**
 * The tables, and how a database comes to have them.
 *
 * As with the embedded engine, a commit writes the log and the revision, and nothing else; rows of objects
 * are folded in later, many changes at once. Only what PostgreSQL shares with the engines that speak its
 * protocol is used: tables, plain statements, locks of rows.
 */

import { StoreRefused } from "../store.ts";
import { attempts } from "./attempts.ts";
import type { Ask, Database } from "./database.ts";
import { codeOf } from "./failures.ts";

/**
 * What carries a database from each schema to the next, from an empty one on. What stands here was run
 * somewhere: it is never changed, only added to.
 */
const migrations: readonly string[] = [
  `
CREATE TABLE state (
  id text COLLATE "C" PRIMARY KEY,
  epoch text NOT NULL,
  revision bigint NOT NULL,
  -- the revision that the objects and the collections stand at
  folded bigint NOT NULL,
  -- edits of objects in the log after it
  unfolded bigint NOT NULL,
  -- JSON: for each kind of object, the revision of the last change to one that is folded in
  collections text NOT NULL,
  -- when the change that waits to be confirmed is undone
  deadline timestamptz
);
CREATE INDEX state_due ON state (deadline) WHERE deadline IS NOT NULL;

CREATE TABLE object (
  state text COLLATE "C" NOT NULL,
  -- order of creation
  number bigint NOT NULL,
  kind text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  revision bigint NOT NULL,
  doc text NOT NULL,
  PRIMARY KEY (state, number)
);
CREATE UNIQUE INDEX object_by_id ON object (state, kind, id);

CREATE TABLE change (
  state text COLLATE "C" NOT NULL,
  revision bigint NOT NULL,
  -- the record's; never earlier than that of the revision before, so that a time can be searched for
  time text COLLATE "C" NOT NULL,
  record text NOT NULL,
  -- of the commit that wrote it, so that who heard no answer can look whether it did
  commit_id uuid NOT NULL,
  PRIMARY KEY (state, revision)
);

CREATE TABLE event (
  state text COLLATE "C" NOT NULL,
  number bigint NOT NULL,
  -- never earlier than that of the number before
  time text COLLATE "C" NOT NULL,
  event text NOT NULL,
  PRIMARY KEY (state, number)
);
`,
  `
-- What edges report (../health/). Accounts, interconnects and edges have numbers where there are many rows of them.
CREATE TABLE health_name (
  number integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text COLLATE "C" NOT NULL UNIQUE
);

CREATE TABLE health_edge (
  account text COLLATE "C" NOT NULL,
  edge text COLLATE "C" NOT NULL,
  -- milliseconds since 1970
  seen bigint NOT NULL,
  about text NOT NULL,
  watched text NOT NULL,
  PRIMARY KEY (account, edge)
);

CREATE TABLE health_minute (
  account integer NOT NULL,
  -- since 1970
  hour integer NOT NULL,
  interconnect integer NOT NULL,
  edge integer NOT NULL,
  minute smallint NOT NULL,
  sent integer NOT NULL,
  lost integer NOT NULL,
  -- microseconds
  least integer,
  median integer,
  p99 integer,
  jitter integer,
  PRIMARY KEY (account, hour, interconnect, edge, minute)
);

CREATE TABLE health_transition (
  account integer NOT NULL,
  interconnect integer NOT NULL,
  edge integer NOT NULL,
  -- milliseconds since 1970
  time bigint NOT NULL,
  became smallint NOT NULL,
  was smallint NOT NULL,
  reason text NOT NULL,
  PRIMARY KEY (account, interconnect, edge, time, became)
);
CREATE INDEX health_transition_by_time ON health_transition (account, time);
`,
  `
-- What an edge reports of the interconnects, in parts (../health/edge-row.ts), so that a report writes only what changed.
CREATE TABLE health_watched (
  account text COLLATE "C" NOT NULL,
  edge text COLLATE "C" NOT NULL,
  part smallint NOT NULL,
  watched text NOT NULL,
  PRIMARY KEY (account, edge, part)
);
-- A random text, new whenever a part changes; empty before the first. The column \`watched\` holds what was not split into parts yet; it is empty otherwise.
ALTER TABLE health_edge ADD COLUMN changed text NOT NULL DEFAULT '';
`,
];

/** Grows with each change of the tables. A database of a newer schema is refused. */
export const SCHEMA_VERSION = migrations.length;

/** One row: the schema. Whoever changes everything locks it. */
const VERSION_TABLE = `CREATE TABLE IF NOT EXISTS patchbay_schema (
  only_row boolean PRIMARY KEY CHECK (only_row),
  version integer NOT NULL
)`;

const VERSION_ROW = "INSERT INTO patchbay_schema (only_row, version) VALUES (true, 0) ON CONFLICT DO NOTHING";

/** Locks the version against all others who change everything, until the transaction ends. */
export const LOCK_WORLD = "SELECT version FROM patchbay_schema FOR UPDATE";

/** Milliseconds in which those who begin at the same time must have made way. */
const PATIENCE = 30_000;

/** No such table; and what the database says to whoever made a table that another made meanwhile. */
const NO_TABLE = "42P01";
const TABLE_IS_THERE = new Set(["42P07", "23505", "42710"]);

/** The schema that a database was written by; `undefined` for one that holds nothing of Patchbay yet. */
async function schemaVersion(ask: Ask): Promise<number | undefined> {
  try {
    const [row] = await ask("SELECT version FROM patchbay_schema");
    return row && Number(row["version"]);
  } catch (error) {
    if (codeOf(error) === NO_TABLE) return undefined;
    throw error;
  }
}

/** Brings a database to this version's schema. One of a newer schema is refused. */
export async function bringUpToDate(database: Database, name: string): Promise<void> {
  const ask: Ask = (statement, ...values) => database.ask(statement, ...values);
  const version = await schemaVersion(ask);
  if (version === SCHEMA_VERSION) return;
  if (version === undefined) await makeVersionTable(database);
  await database.transaction(
    "BEGIN",
    async (ask) => {
      // Whoever came first has migrated when this is answered.
      const [row] = await ask(LOCK_WORLD);
      const from = Number(row?.["version"]);
      refuseNewer(from, name);
      for (let next = from; next < SCHEMA_VERSION; next++) await ask(migrations[next] ?? "");
      await ask(`UPDATE patchbay_schema SET version = ${SCHEMA_VERSION}`);
    },
    true,
  );
}

/** Makes the table whose row is the lock: what stands first cannot be made under it. */
async function makeVersionTable(database: Database): Promise<void> {
  for await (const _ of attempts(PATIENCE)) {
    try {
      await database.ask(VERSION_TABLE);
      await database.ask(VERSION_ROW);
      return;
    } catch (error) {
      if (!TABLE_IS_THERE.has(codeOf(error))) throw error;
    }
  }
}

function refuseNewer(version: number, name: string): void {
  if (version <= SCHEMA_VERSION) return;
  throw new StoreRefused(
    `The database ${name} was written by a newer Patchbay (schema ${version}; this one knows ${SCHEMA_VERSION}). Use that version, or another database.`,
  );
}
