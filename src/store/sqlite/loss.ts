/** Refuses a data directory whose files show that acknowledged changes were lost. Nothing is written. */

import { closeSync, openSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type Position, StoreRefused } from "../store.ts";
import { DATABASE } from "./data-directory.ts";
import { MARK, readMark } from "./mark-file.ts";
import { findWalDamage } from "./wal.ts";

const ADVICE =
  "Nothing was changed. Restore a backup into a new directory with patchbay restore --from; docs/operating.md shows how to continue without one.";

/** Throws `StoreRefused` if the files of a directory that no server serves show a loss. */
export function refuseLoss(directory: string): void {
  const file = join(directory, DATABASE);
  const wal = `${file}-wal`;
  const mark = readMark(directory);
  const walBytes = sizeOf(wal);
  if (sizeOf(file) === 0) {
    // SQLite would make a new database here, and remove the log.
    if (mark || walBytes > 0) {
      throw lost(directory, `${DATABASE} is missing or empty, but ${mark ? MARK : `${DATABASE}-wal`} is not`);
    }
    return;
  }
  const damage = walBytes > 0 ? findWalDamage(wal, pageSizeOf(file)) : undefined;
  if (damage !== undefined) throw lost(directory, `in ${DATABASE}-wal, ${damage}`);
  if (mark) refuseBehind(directory, mark);
}

function refuseBehind(directory: string, mark: ReadonlyMap<string, Position>): void {
  // A connection that may only read leaves the log where it is when it is closed.
  using db = new DatabaseSync(join(directory, DATABASE), { readOnly: true });
  const positions = positionsIn(db);
  if (positions.size === 0) {
    throw lost(directory, `${DATABASE} holds nothing, but ${MARK} shows that it did`);
  }
  for (const [id, { epoch, revision }] of mark) {
    const found = positions.get(id);
    if (found === undefined)
      throw lost(directory, `${id} is missing, but ${MARK} shows revision ${revision}`);
    if (found.epoch !== epoch) {
      throw lost(directory, `${id} has the epoch ${found.epoch}, but ${MARK} shows ${epoch}`);
    }
    if (found.revision < revision) {
      throw lost(directory, `${id} is at revision ${found.revision}, but ${MARK} shows ${revision}`);
    }
  }
}

/** Where the states of a database are that have had a change. */
export function positionsIn(db: DatabaseSync): ReadonlyMap<string, Position> {
  const positions = new Map<string, Position>();
  // A database that was only begun has no tables yet.
  if (!db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'state'").get()) return positions;
  for (const row of db.prepare("SELECT id, epoch, revision FROM state WHERE revision > 0").all()) {
    positions.set(String(row["id"]), { epoch: String(row["epoch"]), revision: Number(row["revision"]) });
  }
  return positions;
}

function lost(directory: string, what: string): StoreRefused {
  return new StoreRefused(`The data directory ${directory} lost acknowledged changes: ${what}. ${ADVICE}`);
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/** The page size that the header of a database shows. */
function pageSizeOf(file: string): number {
  const descriptor = openSync(file, "r");
  try {
    const field = Buffer.alloc(2);
    readSync(descriptor, field, 0, 2, 16);
    const size = field.readUInt16BE(0);
    return size === 1 ? 65_536 : size >= 512 ? size : 4_096;
  } finally {
    closeSync(descriptor);
  }
}
