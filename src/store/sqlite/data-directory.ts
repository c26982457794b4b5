/** A directory that holds a database: made, locked, made durable, or refused with a sentence for the operator. */

import {
  chmodSync,
  closeSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  statSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ConfigError } from "../config-error.ts";
import { StoreRefused } from "../store.ts";

/** The database of a data directory. SQLite keeps `-wal` and `-shm` beside it while it is open. */
export const DATABASE = "patchbay.db";

/** The file with the newest revisions: see `mark.ts`. */
export const MARK = "patchbay.mark";

/** The database of health. */
export const HEALTH_DATABASE = "health.db";

/** A database that is being created. */
export const UNFINISHED = `${DATABASE}.new`;

/** Suffixes of a database and of the files that SQLite may create with it. */
export const ALONGSIDE = ["", "-wal", "-shm", "-journal"];

/** The file whose lock a running server holds. */
export const LOCK = "patchbay.lock";

/** Patchbay's files in a data directory. */
const OWN = new Set([
  ...[DATABASE, UNFINISHED, HEALTH_DATABASE].flatMap((file) => ALONGSIDE.map((end) => file + end)),
  ...[LOCK, `${LOCK}-journal`, MARK, `${MARK}.new`],
]);

/** A directory that file systems create. */
export const OF_FILE_SYSTEM = "lost+found";

/** Mode bits of group and other users. */
const OTHERS = 0o077;

/** Primary result codes of SQLite. */
/** SQLITE_BUSY: another connection holds the lock. */
export const BUSY = [5];
const UNWRITABLE = [3, 8, 14];
const DAMAGED = [11, 26];
/** SQLITE_FULL; also IOERR_SHMSIZE: the index of the write-ahead log could not be extended. */
const FULL = [13, 4874];

/** An exclusive lock on a directory. */
export interface DirectoryLock extends Disposable {
  /** The refusal if the lock file was removed or replaced: another server may have locked a new one. */
  loss(): StoreRefused | undefined;
}

/**
 * Holds an exclusive lock on a file of its own for as long as the server runs. The system lets it go
 * when the process ends, however it ends.
 */
export function lockDirectory(directory: string): DirectoryLock {
  const file = join(directory, LOCK);
  makePrivate(file);
  const lock = new DatabaseSync(file, { timeout: 0 });
  try {
    lock.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
    const { dev, ino } = statSync(file);
    let lost = false;
    return {
      loss: () => {
        const now = lost ? undefined : statSync(file, { throwIfNoEntry: false });
        lost = now?.ino !== ino || now.dev !== dev;
        return lost ? lostLock(directory) : undefined;
      },
      [Symbol.dispose]: () => lock.close(),
    };
  } catch (error) {
    lock.close();
    if (!hasCode(error, BUSY)) throw error;
    throw new StoreRefused(
      `The data directory ${directory} is in use by another Patchbay. Stop that one, or give this one its own with --data.`,
    );
  }
}

function lostLock(directory: string): StoreRefused {
  return new StoreRefused(
    `The file ${LOCK} of the data directory ${directory} was removed or replaced while the server was running, so another server may be using the directory. This server refuses all further changes and stops. All acknowledged changes are saved. Start one server on the directory, and leave ${LOCK} in place.`,
  );
}

/**
 * Makes a directory and those above it, where they are missing; each one's name stands in the one above.
 * It is closed to other users, since the database holds keys in plain text.
 */
export function makeDirectory(directory: string): void {
  const first = mkdirSync(directory, { recursive: true, mode: 0o700 });
  if (first === undefined) {
    closeToOthers(directory);
    return;
  }
  const highest = dirname(resolve(first));
  let at = resolve(directory);
  while (at !== highest) {
    at = dirname(at);
    syncDirectory(at);
  }
}

/** Removes the access of other users to a directory and to Patchbay's files in it. */
function closeToOthers(directory: string): void {
  const { mode, uid } = statSync(directory);
  const names = readdirSync(directory);
  if ((mode & OTHERS) !== 0) {
    const foreign = names.find((name) => !OWN.has(name) && name !== OF_FILE_SYSTEM);
    const isOwner = [0, uid].includes(process.geteuid?.() ?? uid);
    // Accept a directory of another user, such as a mounted volume, if other users cannot replace files in it.
    if (isOwner && foreign === undefined) chmodSync(directory, 0o700);
    else if (isOwner || (mode & 0o002) !== 0) throw exposed(directory, mode, foreign);
  }
  for (const name of names.filter((one) => OWN.has(one))) {
    const file = join(directory, name);
    // A health database that cannot be used does not keep the server from starting.
    if (!name.startsWith(HEALTH_DATABASE) || lstatSync(file).isFile()) makePrivate(file);
  }
}

function exposed(directory: string, mode: number, foreign: string | undefined): StoreRefused {
  const what =
    foreign === undefined ? "belongs to another user" : `holds ${foreign}, which is not Patchbay's`;
  return new StoreRefused(
    `The data directory ${directory} is open to other users (mode ${(mode & 0o777).toString(8).padStart(4, "0")}) and ${what}. The database holds keys in plain text. Run chmod 700 ${directory}, or choose another directory with --data.`,
  );
}

/**
 * Creates a file that only its owner can read, or removes the access of others to an existing one. An existing file is not
 * opened, since closing it would release the locks that this process holds on it.
 */
export function makePrivate(file: string): void {
  const found = lstatSync(file, { throwIfNoEntry: false });
  // As root, `chmod` would change the mode of any file that somebody else's symbolic link points to.
  if (found && !found.isFile())
    throw new StoreRefused(`${file} is not a regular file. Replace it by a regular file, or remove it.`);
  if (!found) closeSync(openSync(file, "a", 0o600));
  else if ((found.mode & OTHERS) !== 0) chmodSync(file, 0o600);
}

/** Makes the names of newly made files durable. */
export function syncDirectory(directory: string): void {
  sync(directory, "r");
}

/** Makes a file's content durable, whoever wrote it. */
export function syncFile(file: string): void {
  sync(file, "r+");
}

function sync(path: string, flags: string): void {
  const descriptor = openSync(path, flags);
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Did the system fail because there is no such file? */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

/** Did SQLite fail with one of these result codes, whether told in its plain or its extended form? */
export function hasCode(error: unknown, codes: readonly number[]): boolean {
  if (!(error instanceof Error && "errcode" in error)) return false;
  const code = Number(error.errcode);
  return codes.includes(code) || codes.includes(code & 255);
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Is what was read not what Patchbay wrote? */
export function isDamage(error: unknown): boolean {
  return hasCode(error, DAMAGED) || error instanceof SyntaxError;
}

/** The operator's sentence for whatever keeps a directory from being used. */
export function refusal(directory: string | undefined, error: unknown): StoreRefused | ConfigError {
  if (error instanceof StoreRefused || error instanceof ConfigError) return error;
  return new StoreRefused(`The data directory ${directory ?? "(in memory)"} cannot be used: ${why(error)}`);
}

/** What keeps something from being read or written, and what to do about it. */
export function why(error: unknown): string {
  const reason = messageOf(error).replace(/\.$/, "");
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "EEXIST" || code === "ENOTDIR") {
    return `there is a file where a directory should be (${reason}). Name another with --data.`;
  }
  if (code === "ENOSPC" || code === "EDQUOT" || hasCode(error, FULL)) {
    return `its disk is full (${reason}). Make room, then try again; nothing was lost.`;
  }
  if (["EACCES", "EPERM", "EROFS"].includes(code) || hasCode(error, UNWRITABLE)) {
    return `it cannot be written (${reason}). It and its files must belong to the user that Patchbay runs as, on a file system that is not read-only.`;
  }
  if (isDamage(error)) {
    return `a file of it is damaged, or not Patchbay's (${reason}). Nothing was changed. Bring back a backup with patchbay restore.`;
  }
  return `${reason}.`;
}
