/** The files of a running PostgreSQL, copied for a standby while a backup is declared. */

import { chown, copyFile, mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";

/** What the copy makes itself, or fetches from the primary. */
const OWN = new Set(["postmaster.pid", "postmaster.opts", "postgresql.auto.conf", "pg_replslot", "pg_wal"]);

/** Copies a data directory. `owner` is who shall run the copy, if not who runs this. */
export async function copyCluster(
  from: string,
  to: string,
  owner: { readonly uid?: number; readonly gid?: number },
): Promise<void> {
  await copyDirectory(from, to, owner);
  for (const name of ["pg_replslot", "pg_wal"]) await makeDirectory(join(to, name), owner);
}

async function copyDirectory(
  from: string,
  to: string,
  owner: { readonly uid?: number; readonly gid?: number },
): Promise<void> {
  await makeDirectory(to, owner);
  for (const entry of await readdir(from, { withFileTypes: true })) {
    if (OWN.has(entry.name)) continue;
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) await copyDirectory(source, target, owner);
    else await copyFile(source, target).then(() => give(target, owner), unlessGone);
  }
}

async function makeDirectory(path: string, owner: { uid?: number; gid?: number }): Promise<void> {
  await mkdir(path, { mode: 0o700 });
  await give(path, owner);
}

async function give(path: string, { uid, gid }: { uid?: number; gid?: number }): Promise<void> {
  if (uid !== undefined && gid !== undefined) await chown(path, uid, gid);
}

/** What went while it was copied was there for a moment only; what matters of it is in the log. */
function unlessGone(error: unknown): void {
  if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
}
