/** Commits, and what became of those whose answer was lost. */

import { randomUUID } from "node:crypto";
import { textOf } from "../record-text.ts";
import { type Batch, Conflict, NotCommitted, OutcomeUnknown } from "../store.ts";
import { attempts } from "./attempts.ts";
import { type Ask, type Database, texts } from "./database.ts";
import { hadNoEffect, isPassing, messageOf } from "./failures.ts";

/** The whole commit: one statement, one transaction, one way there and back. */
const APPEND = {
  name: "append",
  text: `
WITH moved AS (
  UPDATE state
  SET revision = revision + $4::integer, unfolded = unfolded + $5::integer, deadline = $6::timestamptz
  WHERE id = $1 AND epoch = $2 AND revision = $3::bigint AND (
    $10::uuid IS NULL
    OR $10::uuid = (SELECT commit_id FROM change WHERE state = $1 AND revision = $3::bigint)
  )
  RETURNING id, unfolded
), logged AS (
  INSERT INTO change (state, revision, time, record, commit_id)
  SELECT moved.id, $3::bigint + told.place, told.time, told.record, $7::uuid
  FROM moved CROSS JOIN unnest($8::text[], $9::text[]) WITH ORDINALITY AS told (time, record, place)
)
SELECT unfolded FROM moved`,
};

const LOOK = {
  name: "look",
  text: `
SELECT state.epoch, state.revision, change.commit_id,
  (SELECT commit_id FROM change WHERE state = $1 AND revision = $2 - 1) AS head
FROM state LEFT JOIN change ON change.state = state.id AND change.revision = $2
WHERE state.id = $1`,
};

/**
 * Changes nothing, and is durable only with everything before it: a primary that comes back after a crash shows commits
 * that its standby may not have, until the next one waits for it.
 */
export const SETTLE = { name: "settle", text: "UPDATE state SET epoch = epoch WHERE id = $1" };

/** Has the same result if it is repeated because the response was lost. */
export const RENEW = {
  name: "renew",
  text: "UPDATE state SET epoch = $3 WHERE id = $1 AND epoch IN ($2, $3) RETURNING id",
};

const CREATE = {
  name: "create",
  text: `
INSERT INTO state (id, epoch, revision, folded, unfolded, collections) VALUES ($1, $2, 0, 0, 0, '{}')
ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch WHERE state.revision = 0
RETURNING epoch`,
};

/** A batch on its way, ready to be sent as often as it takes. */
export interface Outgoing {
  readonly batch: Batch;
  readonly id: string;
  /** Edits of objects in it. */
  readonly edits: number;
  readonly times: Buffer;
  readonly records: Buffer;
}

export function outgoing(batch: Batch): Outgoing {
  const { changes } = batch;
  return {
    batch,
    id: batch.id ?? randomUUID(),
    edits: changes.reduce((sum, { edits }) => sum + edits.length, 0),
    times: texts(changes.map(({ record }) => record.time)),
    records: texts(changes.map(({ record }) => textOf(record))),
  };
}

/** Sends a batch once. The edits that are to be folded then; `undefined` if the state is elsewhere. */
export async function append(
  ask: Ask,
  { batch, id, edits, times, records }: Outgoing,
): Promise<number | undefined> {
  const { state, epoch, base, changes, deadline, head = null } = batch;
  const count = changes.length;
  const [row] = await ask(APPEND, state, epoch, base, count, edits, deadline, id, times, records, head);
  return row && Number(row["unfolded"]);
}

/**
 * Sends a batch until its outcome is known. An attempt without an answer may have been the one: before the
 * next, the log is asked whose commit is there. Two attempts never both count, since both want the same
 * revision. `lost` is the error of an attempt that went out already. Returns the edits that are to be
 * folded, if it knows.
 */
export async function commit(
  database: Database,
  out: Outgoing,
  patience: number,
  lost?: unknown,
): Promise<number | undefined> {
  const ask: Ask = (statement, ...values) => database.ask(statement, ...values);
  let unsure = lost !== undefined;
  let last = lost;
  const found = async () => {
    if (!unsure || !(await isThere(ask, out))) return false;
    await ask(SETTLE, out.batch.state);
    return true;
  };
  for await (const _ of attempts(patience)) {
    try {
      if (await found()) return undefined;
      const unfolded = await append(ask, out);
      if (unfolded !== undefined) return unfolded;
      if (!unsure) moved(out.batch.state);
    } catch (error) {
      if (error instanceof Conflict || error instanceof OutcomeUnknown) throw error;
      last = error;
      unsure ||= !hadNoEffect(error);
      if (!isPassing(error)) break;
    }
  }
  // One attempt may take longer than the patience; its commit may be there by now.
  try {
    if (await found()) return undefined;
  } catch (error) {
    if (error instanceof Conflict || error instanceof OutcomeUnknown) throw error;
  }
  throw unsure ? new OutcomeUnknown(messageOf(last)) : new NotCommitted(messageOf(last));
}

function moved(state: string): never {
  throw new Conflict(`The state ${state} has moved on.`);
}

/** Is the commit in the log? Throws `Conflict` if another one is in its place. */
async function isThere(ask: Ask, { batch: { state, epoch, base, head }, id }: Outgoing): Promise<boolean> {
  const [row] = await ask(LOOK, state, base + 1);
  if (row?.["commit_id"] === id) return true;
  if (!row || row["epoch"] !== epoch || row["commit_id"] !== null) moved(state);
  const revision = Number(row["revision"]);
  // A standby that took over may have less than was known, or something else.
  if (revision < base || (revision === base && head !== undefined && row["head"] !== head)) moved(state);
  if (revision > base) throw new OutcomeUnknown(`The log of ${state} no longer tells revision ${base + 1}.`);
  return false;
}

/** Makes an empty state. The epoch tells whether one that is there then is ours. */
export async function create(database: Database, id: string, epoch: string, patience: number): Promise<void> {
  let last: unknown;
  let unsure = false;
  for await (const _ of attempts(patience)) {
    try {
      const made = await database.ask(CREATE, id, epoch);
      if (made.length > 0) return;
      const [there] = unsure ? await database.ask(LOOK, id, 1) : [];
      if (there?.["epoch"] === epoch) return;
      throw new Conflict(`There is a state ${id} already.`);
    } catch (error) {
      if (error instanceof Conflict) throw error;
      last = error;
      unsure ||= !hadNoEffect(error);
      if (!isPassing(error)) break;
    }
  }
  throw unsure ? new OutcomeUnknown(messageOf(last)) : new NotCommitted(messageOf(last));
}
