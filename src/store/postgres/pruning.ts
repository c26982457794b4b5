/** Removes old records from the log while servers run: each step reads and locks only a part of one log. */

import { durablePending } from "../../account/pending.ts";
import { type OldChanges, type PrunableLog, partBefore } from "../pruning.ts";
import { type Ask, CONSISTENT, type Database } from "./database.ts";
import { fold } from "./folding.ts";
import { changeAt, load, records, standing, states } from "./reading.ts";

/** Records, and bytes of records past the first, that one statement removes. */
const RECORDS_AT_ONCE = 1_000;
const BYTES_AT_ONCE = 8 * 1024 * 1024;

export function prunableLog(database: Database): PrunableLog {
  const ask: Ask = (statement, ...values) => database.ask(statement, ...values);
  return {
    old: async (before) => {
      const old: OldChanges[] = [];
      for (const id of await states(ask)) old.push(...(await oldChanges(database, id, before)));
      return old;
    },
    records: (id, after) => records(ask, id, after),
    remove: (old) => removeUpTo(database, ask, old),
  };
}

function oldChanges(database: Database, id: string, before: string): Promise<readonly OldChanges[]> {
  return database.transaction(CONSISTENT, async (ask) => {
    const row = await standing(ask, id);
    if (!row) return [];
    const [edge] = await ask(EDGE, id);
    const oldest = edge?.["oldest"] === null ? undefined : Number(edge?.["oldest"]);
    // The revision of a pending change is in the state, which is loaded only if there is one.
    const state = edge?.["waits"] === true ? await load(ask, id) : undefined;
    const waiting = state && durablePending(state)?.revision;
    const end = Math.min(row.revision, waiting ?? row.revision, (await changeAt(ask, id, before)) ?? 0);
    return partBefore(row, oldest, end);
  });
}

/** Removes records up to a revision, the oldest first, so that what is left is always the end of the log. */
async function removeUpTo(
  database: Database,
  ask: Ask,
  { id, epoch, after, revision }: OldChanges,
): Promise<number> {
  // Fold the records into the rows of objects before removing them.
  while (((await standing(ask, id))?.folded ?? revision) < revision) await fold(database, id);
  let removed = 0;
  for (let last = after; last < revision; ) {
    const [part] = await ask(PART, id, last, revision, RECORDS_AT_ONCE, BYTES_AT_ONCE);
    const end = part?.["end"];
    if (end === null || end === undefined) break;
    last = Number(end);
    removed += (await ask(REMOVE, id, epoch, last)).length;
  }
  return removed;
}

const EDGE = {
  name: "prune_edge",
  text: `
SELECT deadline IS NOT NULL AS waits, (SELECT min(revision) FROM change WHERE state = $1) AS oldest
FROM state WHERE id = $1`,
};
/** Measures records without reading them. */
const PART = {
  name: "prune_part",
  text: `
SELECT max(revision) AS "end" FROM (
  SELECT revision, row_number() OVER rising AS number, sum(octet_length(record)) OVER rising AS bytes
  FROM (
    SELECT revision, record FROM change
    WHERE state = $1 AND revision > $2::bigint AND revision <= $3::bigint ORDER BY revision LIMIT $4::bigint
  ) AS part
  WINDOW rising AS (ORDER BY revision)
) AS summed
WHERE number = 1 OR bytes <= $5::bigint`,
};
/** Never one that the rows of objects still need, never the newest, and none of a history that was begun meanwhile. */
const REMOVE = {
  name: "prune",
  text: `
DELETE FROM change USING state
WHERE state.id = $1 AND state.epoch = $2 AND change.state = state.id
  AND change.revision <= $3::bigint AND change.revision <= state.folded AND change.revision < state.revision
RETURNING change.revision`,
};
