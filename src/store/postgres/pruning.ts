/** Takes old records out of the log, beside servers that go on. */

import type { Ask, Database } from "./database.ts";
import { fold } from "./folding.ts";
import type { OldChanges } from "./postgres-store.ts";
import { standing } from "./reading.ts";

/** Records removed in one statement. */
const AT_ONCE = 1_000;

/** Never one that the rows of objects still need, never the newest, and none of a history that was begun meanwhile. */
const REMOVE = {
  name: "prune",
  text: `
DELETE FROM change USING state
WHERE state.id = $1 AND state.epoch = $2 AND change.state = state.id
  AND change.revision <= $3::bigint AND change.revision <= state.folded AND change.revision < state.revision
RETURNING change.revision`,
};
const OLDEST = { name: "oldest", text: "SELECT min(revision) AS revision FROM change WHERE state = $1" };

/** Removes records up to a revision, the oldest first, so that what is left is always the end of the log. */
export async function removeUpTo(database: Database, { id, epoch, revision }: OldChanges): Promise<number> {
  const ask: Ask = (statement, ...values) => database.ask(statement, ...values);
  // What the log no longer tells must stand in the rows of objects.
  while (((await standing(ask, id))?.folded ?? revision) < revision) await fold(database, id);
  const [first] = await ask(OLDEST, id);
  let removed = 0;
  const oldest = Number(first?.["revision"] ?? revision + 1);
  for (let to = oldest + AT_ONCE - 1; to < revision + AT_ONCE; to += AT_ONCE) {
    removed += (await ask(REMOVE, id, epoch, Math.min(to, revision))).length;
  }
  return removed;
}
