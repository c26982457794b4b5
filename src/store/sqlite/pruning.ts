/**
 * Takes old records out of the log, beside a server that goes on. Each step is a short transaction, and
 * between steps the server has its turn. A server tolerates that the log's beginning moves, and that
 * rows of objects were brought to newer versions by somebody else.
 */

import type { DatabaseSync } from "node:sqlite";
import { setTimeout } from "node:timers/promises";
import { durablePending } from "../../account/pending.ts";
import { type OldChanges, type PrunableLog, partBefore } from "../pruning.ts";
import { UnfoldedState } from "../unfolded.ts";
import { consistently, Reading } from "./reading.ts";
import { begin, rollBack } from "./write-lock.ts";
import { Writing } from "./writing.ts";

/** Objects written in one transaction, past the first record. Delays a waiting commit by a few milliseconds. */
const OBJECTS_AT_ONCE = 200;

/**
 * Records and bytes removed in one transaction, past the first record. Delays a waiting commit by a few milliseconds. SQLite
 * frees the pages of a record one by one, so bytes cost more than records.
 */
const RECORDS_AT_ONCE = 200;
const BYTES_AT_ONCE = 512 * 1024;

/** Milliseconds that a step waits for the write lock: the server holds it while it folds. */
const PATIENCE = 30_000;

/** Milliseconds between transactions. */
const PAUSE = 10;

/** The log of a data directory's database. */
export function prunableLog(db: DatabaseSync): PrunableLog {
  const reading = new Reading(db);
  return {
    old: async (before) =>
      consistently(db, () => reading.states().flatMap((id) => oldChanges(reading, id, before))),
    records: (id, after) => reading.records(id, after),
    remove: async (old) => {
      await foldUpTo(db, reading, old.id, old.revision);
      return removeUpTo(db, reading, old);
    },
  };
}

function oldChanges(reading: Reading, id: string, before: string): readonly OldChanges[] {
  const state = reading.load(id);
  if (!state) return [];
  const waiting = durablePending(state)?.revision;
  const end = Math.min(state.durable, waiting ?? state.durable, reading.changeAt(id, before) ?? 0);
  return partBefore(state, reading.oldest(id), end);
}

/**
 * Brings the rows of a state's objects to this revision at least, since what the log no longer tells
 * must stand in them.
 */
async function foldUpTo(db: DatabaseSync, reading: Reading, id: string, revision: number): Promise<void> {
  const writing = new Writing(db);
  const isBehind = () => (reading.standing(id)?.folded ?? revision) < revision;
  while (isBehind()) {
    const { epoch, steps } = unfoldedSteps(db, reading, id);
    for (const step of steps) {
      if (!(await foldStep(db, reading, writing, { id, epoch, step }))) break;
      await setTimeout(PAUSE);
      if (!isBehind()) break;
    }
  }
}

/** What is to be folded, a part after the other. */
function unfoldedSteps(db: DatabaseSync, reading: Reading, id: string) {
  return consistently(db, () => {
    const state = reading.stateAsFolded(id);
    if (!state) return { epoch: "", steps: [] };
    let step = new UnfoldedState(state.revision);
    const steps = [step];
    for (const edits of reading.replay(state)) {
      if (step.objects.size >= OBJECTS_AT_ONCE) {
        step = new UnfoldedState(step.revision);
        steps.push(step);
      }
      step.add(edits);
    }
    return { epoch: state.epoch, steps };
  });
}

interface Part {
  readonly id: string;
  readonly epoch: string;
  readonly step: UnfoldedState;
}

/** Folds a part. False if the server folded or replaced the state after it was read. */
function foldStep(
  db: DatabaseSync,
  reading: Reading,
  writing: Writing,
  { id, epoch, step }: Part,
): Promise<boolean> {
  return transaction(db, () => {
    const standing = reading.standing(id);
    const still = standing?.folded === step.since && standing.epoch === epoch;
    if (still) for (const _ of writing.fold(id, step));
    return still;
  });
}

async function transaction<T>(db: DatabaseSync, act: () => T): Promise<T> {
  await begin(db, performance.now() + PATIENCE);
  try {
    const result = act();
    db.exec("COMMIT");
    return result;
  } catch (error) {
    rollBack(db);
    throw error;
  }
}

/**
 * Removes the records up to a revision, the oldest first, so that what is left is always the end of the
 * log without a gap. Never one that the rows of objects still need, never the newest, and none of a
 * history that was begun meanwhile.
 */
async function removeUpTo(
  db: DatabaseSync,
  reading: Reading,
  { id, epoch, revision }: OldChanges,
): Promise<number> {
  const remove = db.prepare(`
    DELETE FROM change WHERE state = :id AND revision < :to
      AND revision <= :revision
      AND revision <= (SELECT min(folded, revision - 1) FROM state WHERE id = :id AND epoch = :epoch)`);
  let removed = 0;
  for (let from = reading.oldest(id); from !== undefined && from <= revision; ) {
    const to = reading.endOfPart(id, from, { records: RECORDS_AT_ONCE, bytes: BYTES_AT_ONCE });
    removed += await transaction(db, () => Number(remove.run({ id, epoch, revision, to }).changes));
    from = to;
    await setTimeout(PAUSE);
  }
  return removed;
}
