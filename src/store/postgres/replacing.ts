/** Puts a new world in the place of everything, or of nothing, in one transaction. */

import type { SeededState } from "../../account/seed.ts";
import { NotCommitted, OutcomeUnknown } from "../store.ts";
import { UnfoldedState } from "../unfolded.ts";
import { attempts } from "./attempts.ts";
import { append, outgoing } from "./committing.ts";
import { type Ask, CommitFailed, type Database } from "./database.ts";
import { hadNoEffect, isPassing, messageOf } from "./failures.ts";
import { writeObjects } from "./folding.ts";
import { states } from "./reading.ts";
import { LOCK_WORLD } from "./schema.ts";

/** False if it was to be put in the place of nothing, and something is there. */
export async function replace(
  database: Database,
  world: readonly SeededState[],
  ifEmpty: boolean,
  patience: number,
): Promise<boolean> {
  let unsure = false;
  let last: unknown;
  for await (const _ of attempts(patience)) {
    try {
      return await database.transaction(
        "BEGIN",
        async (ask) => {
          await ask(LOCK_WORLD);
          // Of an attempt whose answer was lost. Somebody may have gone on from there since.
          if (unsure && (await isThere(ask, world))) return true;
          if (ifEmpty && (await states(ask)).length > 0) return false;
          await replaceAll(ask, world);
          return true;
        },
        true,
      );
    } catch (error) {
      const cause = error instanceof CommitFailed ? error.cause : error;
      unsure ||= error instanceof CommitFailed && !hadNoEffect(cause);
      last = cause;
      if (!isPassing(cause)) break;
    }
  }
  throw unsure ? new OutcomeUnknown(messageOf(last)) : new NotCommitted(messageOf(last));
}

async function replaceAll(ask: Ask, world: readonly SeededState[]): Promise<void> {
  // The states first: who commits to one has its row locked, and is waited for.
  await ask("DELETE FROM state");
  await ask("DELETE FROM object");
  await ask("DELETE FROM change");
  await ask("DELETE FROM event");
  for (const { id, epoch, change } of world) {
    const { revision } = change.record;
    const unfolded = new UnfoldedState(revision - 1);
    unfolded.add(change.edits);
    const collections: Record<string, number> = {};
    for (const { slot } of change.edits) collections[slot.kind] = revision;
    await ask(INSERT, id, epoch, revision - 1, revision, -change.edits.length, JSON.stringify(collections));
    await append(ask, outgoing({ state: id, epoch, base: revision - 1, changes: [change], deadline: null }));
    await writeObjects(ask, id, unfolded);
  }
}

/** Epochs are random, so one of them tells. */
async function isThere(ask: Ask, [first]: readonly SeededState[]): Promise<boolean> {
  if (!first) return false;
  const [row] = await ask(EPOCH, first.id);
  return row?.["epoch"] === first.epoch;
}

const EPOCH = { name: "epoch", text: "SELECT epoch FROM state WHERE id = $1" };
/** Before its first change, which takes the edits off that it adds. */
const INSERT = {
  name: "insert_state",
  text: `
INSERT INTO state (id, epoch, revision, folded, unfolded, collections)
VALUES ($1, $2, $3::bigint, $4::bigint, $5::bigint, $6)`,
};
