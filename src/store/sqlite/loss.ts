/** Refuses a data directory that lost what was acknowledged, before SQLite opens it and drops what it cannot read. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { StoreRefused } from "../store.ts";
import { DATABASE } from "./data-directory.ts";
import { damageOfLog } from "./log-file.ts";
import { type Placed, Witness } from "./mark.ts";
import { SCHEMA_VERSION, schemaVersion } from "./schema.ts";
import { whenUnlocked } from "./write-lock.ts";

/** How often the mark is compared again while another process may be replacing everything. */
const ATTEMPTS = 3;

/** Throws `StoreRefused` if the log of the database is damaged, or the database is behind its mark. */
export async function refuseLoss(directory: string): Promise<void> {
  const damage = await damageOfLog(join(directory, DATABASE));
  if (damage !== undefined)
    throw lost(
      directory,
      `its ${DATABASE}-wal is damaged (${damage}), so that acknowledged changes would be lost`,
    );
  for (let attempt = 1; ; attempt++) {
    const witness = new Witness(directory);
    const states = await statesOf(directory);
    const missing = states && witness.missing(states);
    if (missing === undefined) return;
    if (attempt === ATTEMPTS)
      throw lost(directory, `it is older than it was when its last change was acknowledged (${missing})`);
  }
}

function lost(directory: string, what: string): StoreRefused {
  return new StoreRefused(
    `The data directory ${directory} cannot be used: ${what}. Nothing was changed. Restore a backup into a new directory with patchbay restore. Without a backup, keep what can still be read with patchbay restore --from ${join(directory, DATABASE)} --data NEW-DIRECTORY.`,
  );
}

/**
 * Where the states of a directory are, by a connection that cannot write: its end leaves the log in place. `undefined`
 * for a schema that this version does not know.
 */
async function statesOf(directory: string): Promise<readonly Placed[] | undefined> {
  const file = join(directory, DATABASE);
  if (!existsSync(file)) return [];
  using db = new DatabaseSync(file, { readOnly: true, timeout: 0 });
  // With `await`, since the connection is closed when this function returns.
  return await whenUnlocked(() => {
    const version = schemaVersion(db);
    if (version > SCHEMA_VERSION) return undefined;
    return version === 0 ? [] : placedIn(db);
  });
}

/** Where the states of a database are, of any schema. */
export function placedIn(db: DatabaseSync): readonly Placed[] {
  return db
    .prepare("SELECT id, epoch, revision FROM state")
    .all()
    .map(({ id, epoch, revision }) => ({ id: String(id), epoch: String(epoch), revision: Number(revision) }));
}
