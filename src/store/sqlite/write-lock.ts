/**
 * Waits for SQLite's locks without blocking the event loop. Connections have no busy timeout, since SQLite would block the
 * complete process while it waits.
 */

import type { DatabaseSync } from "node:sqlite";
import { setTimeout } from "node:timers/promises";
import { WRITE_LOCK_PATIENCE } from "../../contract/limits.ts";
import { BUSY, hasCode } from "./data-directory.ts";

/** Milliseconds between two attempts: shorter than a commit of another process, and cheap. */
const RETRY_AFTER = 5;

/** The deadline of a wait that starts now, by `performance.now()`. */
export function deadlineFromNow(): number {
  return performance.now() + WRITE_LOCK_PATIENCE;
}

/** Runs an action, and retries it while another connection holds a lock that it needs. After the deadline it throws. */
export async function whenUnlocked<T>(act: () => T, deadline = deadlineFromNow()): Promise<T> {
  for (;;) {
    try {
      return act();
    } catch (error) {
      if (!hasCode(error, BUSY) || performance.now() >= deadline) throw error;
    }
    await setTimeout(RETRY_AFTER);
  }
}

/** Begins a transaction that holds the write lock. */
export function begin(db: DatabaseSync, deadline?: number): Promise<void> {
  return whenUnlocked(() => {
    // An earlier transaction that could not be rolled back.
    if (db.isTransaction) db.exec("ROLLBACK");
    db.exec("BEGIN IMMEDIATE");
  }, deadline);
}

/** Rolls back the open transaction, if any. False if that failed: then its outcome is unknown. */
export function rollBack(db: DatabaseSync): boolean {
  try {
    if (db.isTransaction) db.exec("ROLLBACK");
    return true;
  } catch {
    return false;
  }
}
