/** The tables, and what every connection sets. */

/** Grows with each change of the tables. A store of a newer schema is refused. */
export const SCHEMA_VERSION = 1;

export const schema = `
CREATE TABLE state (
  id TEXT PRIMARY KEY,
  epoch TEXT NOT NULL,
  revision INTEGER NOT NULL,
  -- JSON: for each kind of object, the revision of the last change to one
  collections TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE object (
  -- order of creation, and what updates go by
  number INTEGER PRIMARY KEY,
  state TEXT NOT NULL,
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  revision INTEGER NOT NULL,
  doc TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX object_by_id ON object (state, kind, id);

CREATE TABLE change (
  state TEXT NOT NULL,
  revision INTEGER NOT NULL,
  record TEXT NOT NULL,
  PRIMARY KEY (state, revision)
) STRICT, WITHOUT ROWID;

PRAGMA user_version = ${SCHEMA_VERSION};
`;

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
PRAGMA busy_timeout = 5000;
`;
