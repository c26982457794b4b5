/** Reads of the log, for who answers or undoes by it: what it does not hold is refused. */

import type { ChangeRecord } from "../account/change.ts";
import type { State } from "../account/state.ts";
import { Outrun, type Stretch } from "../account/undo.ts";
import type { Store } from "../store/store.ts";
import { refuse } from "./refusal.ts";

/** Changes of objects that are held at once. */
const MOST_OBJECTS = 200_000;
const PAGE = 100;

/** How often what is made of the log is made again, when the account has moved on meanwhile. */
const MOST_TRIES = 20;

/** Makes something of the log and decides it, and again if the account was further by then than what was read. */
export async function untilCaughtUp<T>(attempt: () => Promise<T>): Promise<T> {
  for (let tries = 1; tries <= MOST_TRIES; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof Outrun)) throw error;
    }
  }
  throw refuse("undo_outrun");
}

/**
 * The records from a revision on, oldest first. Throws the refusal of a revision that the log does not hold, and of
 * more than can be held at once.
 */
export async function readStretch(store: Store, { id }: State, revision: number): Promise<Stretch> {
  const records: ChangeRecord[] = [];
  let objects = 0;
  for (;;) {
    const page = await store.changesAfter(id, revision - 1 + records.length, PAGE);
    if (!page) throw refuse("store_unavailable", { reason: "the account is being replaced" });
    const [first] = page.records;
    if (records.length === 0 && first?.revision !== revision) {
      if (!first || revision < 1)
        throw refuse("change_not_found", { revision, newest: page.position.revision });
      throw refuse("change_pruned", { revision, oldest: first.revision });
    }
    for (const record of page.records) {
      objects += record.objects.length;
      if (objects > MOST_OBJECTS) throw refuse("undo_too_far", { revision, most: MOST_OBJECTS });
      records.push(record);
    }
    if (!page.more) return records;
  }
}

/** One record. `text` is how it was asked for. Throws the refusal of a revision that the log does not hold, never or no longer. */
export async function changeOf(
  store: Store,
  state: State,
  revision: number,
  text: string | number = revision,
): Promise<ChangeRecord> {
  const record = await store.change(state.id, revision);
  if (record) return record;
  const [oldest] = (await store.changesAfter(state.id, 0, 1))?.records ?? [];
  throw oldest && revision > 0 && revision < oldest.revision
    ? refuse("change_pruned", { revision, oldest: oldest.revision })
    : refuse("change_not_found", { revision: text, newest: state.durable });
}
