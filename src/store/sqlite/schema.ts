/**
 * The tables, and what every connection sets.
 *
 * A commit writes the log and the revision, and nothing else: rows of objects lie spread over the
 * file, so to rewrite them each time costs more than all the rest. They are folded in later, many
 * changes at once, and loading carries them over the changes that are not folded in yet.
 */

import type { DatabaseSync } from "node:sqlite";
import { StoreRefused } from "../store.ts";
import { seal } from "./checksums.ts";
import { rollBack } from "./write-lock.ts";

/** Grows with each change of the tables. A store of a newer schema is refused. */
export const SCHEMA_VERSION = 4;

export const schema = `
CREATE TABLE state (
  id TEXT PRIMARY KEY,
  epoch TEXT NOT NULL,
  revision INTEGER NOT NULL,
  -- the revision that the objects and the next column stand at
  folded INTEGER NOT NULL,
  -- JSON: for each kind of object, the revision of the last change to one
  collections TEXT NOT NULL,
  -- the sum of the objects' checksums, and the checksum of this row (checksums.ts)
  content INTEGER NOT NULL,
  sum INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE object (
  -- order of creation
  number INTEGER PRIMARY KEY,
  state TEXT NOT NULL,
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  revision INTEGER NOT NULL,
  sum INTEGER NOT NULL,
  doc TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX object_by_id ON object (state, kind, id);

-- with row numbers, so that records of more than a kilobyte are appended whole
CREATE TABLE change (
  state TEXT NOT NULL,
  revision INTEGER NOT NULL,
  -- the record's; never earlier than that of the revision before, so that a time can be searched for
  time TEXT NOT NULL,
  -- the checksum of the record before, and the one of this record, before it so that they are read without it
  "before" INTEGER NOT NULL,
  sum INTEGER NOT NULL,
  record TEXT NOT NULL,
  PRIMARY KEY (state, revision)
) STRICT;

CREATE TABLE event (
  state TEXT NOT NULL,
  number INTEGER NOT NULL,
  -- never earlier than that of the number before
  time TEXT NOT NULL,
  event TEXT NOT NULL,
  PRIMARY KEY (state, number)
) STRICT, WITHOUT ROWID;
`;

/** What carries a database of the schema before each over to it, by number. It tells of its own time, whatever comes later. */
export const migrations: Readonly<Record<number, string>> = {
  2: `
ALTER TABLE state ADD COLUMN folded INTEGER NOT NULL DEFAULT 0;
UPDATE state SET folded = revision;
ALTER TABLE change RENAME TO change_before;
CREATE TABLE change (
  state TEXT NOT NULL,
  revision INTEGER NOT NULL,
  record TEXT NOT NULL,
  PRIMARY KEY (state, revision)
) STRICT;
INSERT INTO change SELECT state, revision, record FROM change_before ORDER BY state, revision;
DROP TABLE change_before;
`,
  // The clock may have stepped back, as it no longer can; records stay as they are.
  3: `
ALTER TABLE change RENAME TO change_before;
CREATE TABLE change (
  state TEXT NOT NULL,
  revision INTEGER NOT NULL,
  time TEXT NOT NULL,
  record TEXT NOT NULL,
  PRIMARY KEY (state, revision)
) STRICT;
INSERT INTO change
  SELECT state, revision, max(json_extract(record, '$.time')) OVER (PARTITION BY state ORDER BY revision), record
  FROM change_before ORDER BY state, revision;
DROP TABLE change_before;
CREATE TABLE event (
  state TEXT NOT NULL,
  number INTEGER NOT NULL,
  time TEXT NOT NULL,
  event TEXT NOT NULL,
  PRIMARY KEY (state, number)
) STRICT, WITHOUT ROWID;
`,
  // The checksums are written by `seal`.
  4: `
ALTER TABLE state ADD COLUMN content INTEGER NOT NULL DEFAULT 0;
ALTER TABLE state ADD COLUMN sum INTEGER NOT NULL DEFAULT 0;
ALTER TABLE object RENAME TO object_before;
DROP INDEX object_by_id;
CREATE TABLE object (
  number INTEGER PRIMARY KEY,
  state TEXT NOT NULL,
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  revision INTEGER NOT NULL,
  sum INTEGER NOT NULL,
  doc TEXT NOT NULL
) STRICT;
INSERT INTO object SELECT number, state, kind, id, revision, 0, doc FROM object_before;
DROP TABLE object_before;
CREATE UNIQUE INDEX object_by_id ON object (state, kind, id);
ALTER TABLE change RENAME TO change_before;
CREATE TABLE change (
  state TEXT NOT NULL,
  revision INTEGER NOT NULL,
  time TEXT NOT NULL,
  "before" INTEGER NOT NULL,
  sum INTEGER NOT NULL,
  record TEXT NOT NULL,
  PRIMARY KEY (state, revision)
) STRICT;
INSERT INTO change SELECT state, revision, time, 0, 0, record FROM change_before ORDER BY state, revision;
DROP TABLE change_before;
`,
};

/**
 * Durability needs WAL with a full sync at each commit, set on every open since SQLite builds differ
 * in what a reopened database comes up with. On macOS only the full variants reach past the drive's
 * cache; elsewhere they change nothing. Checkpoints at 4000 pages keep the slowest commits short.
 */
export const pragmas = `
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA fullfsync = ON;
PRAGMA checkpoint_fullfsync = ON;
PRAGMA wal_autocheckpoint = 4000;
`;

/** The schema that a database was written by; 0 for one that holds nothing yet. */
export function schemaVersion(db: DatabaseSync): number {
  return Number(db.prepare("PRAGMA user_version").get()?.["user_version"] ?? 0);
}

/** Brings a database to this version's schema. One of a newer schema is refused. */
export function migrate(db: DatabaseSync, directory: string | undefined): void {
  const version = schemaVersion(db);
  refuseNewer(version, `The data directory ${directory}`);
  if (version === SCHEMA_VERSION) return;
  db.exec("BEGIN IMMEDIATE");
  try {
    if (version === 0) db.exec(schema);
    else {
      for (let next = version + 1; next <= SCHEMA_VERSION; next++) db.exec(migrations[next] ?? "");
      seal(db);
    }
    db.exec(`PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT;`);
  } catch (error) {
    rollBack(db);
    throw error;
  }
}

/** Throws the refusal of what a later version wrote. */
export function refuseNewer(version: number, what: string): void {
  if (version <= SCHEMA_VERSION) return;
  throw new StoreRefused(
    `${what} was written by a newer Patchbay (schema ${version}; this one knows ${SCHEMA_VERSION}). Use that version, or another directory.`,
  );
}
