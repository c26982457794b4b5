/** Refuses a data directory that lost acknowledged changes, before SQLite opens it and drops what it cannot read. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { StoreRefused } from "../store.ts";
import { DATABASE } from "./data-directory.ts";
import { damageOfLog } from "./log-file.ts";
import { MarkCheck, type StatePosition } from "./mark.ts";
import { SCHEMA_VERSION, schemaVersion } from "./schema.ts";
import { whenUnlocked } from "./write-lock.ts";

/** Attempts to compare the mark while another process may be replacing the database. */
const ATTEMPTS = 3;

/** Throws `StoreRefused` if the log of the database is damaged, or the database is behind its mark. */
export async function refuseLoss(directory: string): Promise<void> {
  const damage = await damageOfLog(join(directory, DATABASE));
  if (damage !== undefined)
    throw lost(directory, `${DATABASE}-wal is damaged (${damage}), so acknowledged changes would be lost`);
  for (let attempt = 1; ; attempt++) {
    const check = new MarkCheck(directory);
    const states = await statesOf(directory);
    const missing = states && check.missing(states);
    if (missing === undefined) return;
    if (attempt === ATTEMPTS)
      throw lost(directory, `the database is older than its last acknowledged change (${missing})`);
  }
}

function lost(directory: string, what: string): StoreRefused {
  return new StoreRefused(
    `The data directory ${directory} cannot be used: ${what}. Nothing was changed. Restore a backup into a new directory with patchbay restore. If you have no backup, restore what can still be read with patchbay restore --from ${join(directory, DATABASE)} --data NEW-DIRECTORY.`,
  );
}

/**
 * The positions of the states in a directory. Reads by a read-only connection, which leaves the log in place when it is closed.
 * `undefined` for a schema that this version does not know.
 */
async function statesOf(directory: string): Promise<readonly StatePosition[] | undefined> {
  const file = join(directory, DATABASE);
  if (!existsSync(file)) return [];
  using db = new DatabaseSync(file, { readOnly: true, timeout: 0 });
  // With `await`, since the connection is closed when this function returns.
  return await whenUnlocked(() => {
    const version = schemaVersion(db);
    if (version > SCHEMA_VERSION) return undefined;
    return version === 0 ? [] : positionsIn(db);
  });
}

/** The positions of the states in a database of any schema. */
export function positionsIn(db: DatabaseSync): readonly StatePosition[] {
  return db
    .prepare("SELECT id, epoch, revision FROM state")
    .all()
    .map(({ id, epoch, revision }) => ({ id: String(id), epoch: String(epoch), revision: Number(revision) }));
}
