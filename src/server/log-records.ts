/** Reads records of the log, for responses and for rollbacks. A revision that the log does not contain is refused. */

import type { ChangeRecord } from "../account/change.ts";
import type { LogFold } from "../account/log/folding.ts";
import type { State } from "../account/state.ts";
import { LogMovedOn } from "../account/undo.ts";
import { MAX_ROLLBACK_BYTES, MAX_ROLLBACK_OBJECTS } from "../contract/limits.ts";
import type { LogSize, Page, Position, Store } from "../store/store.ts";
import { pause, runInSlices } from "../store/time-slice.ts";
import { refuse } from "./refusal.ts";

/** Records measured by one query. */
const MEASURED = 5_000;

/** Bytes and records of one page. A larger record is a page by itself. */
const PAGE_BYTES = 512 * 1024;
const PAGE = 100;

/** How much a rollback may read. */
export interface ReadBounds {
  readonly bytes: number;
  readonly objects: number;
}

export const bounds: ReadBounds = { bytes: MAX_ROLLBACK_BYTES, objects: MAX_ROLLBACK_OBJECTS };

export const unbounded: ReadBounds = { bytes: Number.POSITIVE_INFINITY, objects: Number.POSITIVE_INFINITY };

/**
 * Folds all records after the newest folded one, and returns the position of the log's end. Refuses a revision that the log
 * does not contain, and, before it reads them, more records than a rollback may read.
 */
export async function foldLog(
  store: Store,
  state: State,
  fold: LogFold,
  most: ReadBounds,
): Promise<Position> {
  const { id } = state;
  if (fold.epoch !== state.epoch) throw new LogMovedOn();
  await checkFirst(store, state, fold);
  const { bytes, records } = await measure(store, id, fold, most);
  const limit = Math.max(1, Math.min(PAGE, Math.floor((PAGE_BYTES * records) / Math.max(bytes, 1))));
  for (;;) {
    const page = await store.changesAfter(id, fold.upTo, limit);
    if (!page) throw refuse("store_unavailable", { reason: "the account is being replaced" });
    checkContinuity(page, fold);
    await pause();
    for (const record of page.records) {
      await runInSlices(fold.take(record));
      if (fold.size > most.objects) throw tooFar(fold, `changes of more than ${most.objects} objects`);
    }
    if (!page.more) {
      fold.head = page.position.head;
      return page.position;
    }
    fold.head = undefined;
  }
}

/** Throws unless the page continues the folded history without a gap. */
function checkContinuity({ records, position, from }: Page, { epoch, upTo, head }: LogFold): void {
  const [first] = records;
  // After a failover, a different commit may be at a revision that was read before.
  if (head !== undefined && from !== head) throw new LogMovedOn();
  if (position.epoch !== epoch || position.revision < upTo) throw new LogMovedOn();
  if (first && first.revision !== upTo + 1)
    throw refuse("change_pruned", { revision: upTo + 1, oldest: first.revision });
}

async function checkFirst(store: Store, { id, durable }: State, { first }: LogFold): Promise<void> {
  const { oldest } = await store.logSize(id, Math.max(first, 1) - 1, 1);
  if (oldest === first) return;
  throw first < 1 || oldest === 0
    ? refuse("change_not_found", { revision: first, newest: durable })
    : refuse("change_pruned", { revision: first, oldest });
}

/** Returns the size of the records that are not folded yet. Throws if folded and new records together are too large. */
async function measure(
  store: Store,
  id: string,
  fold: LogFold,
  most: ReadBounds,
): Promise<Pick<LogSize, "bytes" | "records">> {
  let [bytes, records] = [0, 0];
  for (let after = fold.upTo; ; ) {
    const size = await store.logSize(id, after, MEASURED);
    bytes += size.bytes;
    records += size.records;
    if (fold.bytes + bytes > most.bytes)
      throw tooFar(fold, `more than ${Math.floor(most.bytes / 1024 / 1024)} MiB of records`);
    if (size.records < MEASURED) break;
    after = size.newest;
    await pause();
  }
  fold.bytes += bytes;
  return { bytes, records };
}

function tooFar({ first }: LogFold, what: string) {
  return refuse("undo_too_far", { revision: first, what });
}

/** Returns one record; `text` is the revision in the request. Refuses a revision that the log does not contain or no longer contains. */
export async function changeOf(
  store: Store,
  state: State,
  revision: number,
  text: string | number = revision,
): Promise<ChangeRecord> {
  const record = await store.change(state.id, revision);
  if (record) return record;
  const { oldest } = await store.logSize(state.id, 0, 1);
  throw oldest > 0 && revision > 0 && revision < oldest
    ? refuse("change_pruned", { revision, oldest })
    : refuse("change_not_found", { revision: text, newest: state.durable });
}
