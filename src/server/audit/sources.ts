/** The three logs that an account's audit log is drawn from, each within a query's window. */

import {
  type Audited,
  fromChange,
  fromDirectory,
  fromRefusal,
  type Origin,
  positionIn,
  type Surroundings,
} from "../../account/audit/entry.ts";
import type { Filter } from "../../account/audit/filter.ts";
import type { ChangeRecord } from "../../account/change.ts";
import type { State } from "../../account/state.ts";
import type { Page, Store } from "../../store/store.ts";
import { refuse } from "../refusal.ts";
import type { Placed, Source } from "./merge.ts";
import type { AuditQuery } from "./query.ts";

/** Something in a log that may be an entry. */
export interface Found extends Placed {
  /** How many objects it is about, which is what it costs to look at. */
  readonly weight: number;
  /** `undefined` if it is none of the account's business. */
  readonly audit: (around: Surroundings) => Audited | undefined;
}

type Draw = (record: ChangeRecord, epoch: string, around: Surroundings) => Audited | undefined;

/** The logs of an account, in the order in which entries of equal times are told. */
export async function sourcesOf(
  store: Store,
  account: State,
  directory: State,
  query: AuditQuery,
): Promise<readonly Source<Found>[]> {
  return Promise.all([
    changesOf(store, directory, "directory", fromDirectory, query),
    changesOf(store, account, "account", fromChange, query),
    refusalsOf(store, account, query),
  ]);
}

async function changesOf(
  store: Store,
  { id, epoch }: State,
  origin: "account" | "directory",
  draw: Draw,
  query: AuditQuery,
): Promise<Source<Found>> {
  const [first, end] = await Promise.all([query.since, query.before].map((time) => store.changeAt(id, time)));
  if (first === undefined || end === undefined) throw replaced();
  return {
    ...narrow(query.filters, origin, epoch, { first, end }),
    read: async (from, limit) => {
      const page =
        query.direction === "asc"
          ? await store.changesAfter(id, from, limit)
          : await store.changesBefore(id, from, limit);
      return recordsOf(page, epoch).map((record) => ({
        position: record.revision,
        time: record.time,
        weight: Math.max(1, record.objects.length),
        audit: (around) => draw(record, epoch, around),
      }));
    },
  };
}

async function refusalsOf(store: Store, { id, epoch }: State, query: AuditQuery): Promise<Source<Found>> {
  const first = await store.eventAt(id, query.since);
  const end = await store.eventAt(id, query.before);
  return {
    ...narrow(query.filters, "event", epoch, { first, end }),
    read: async (from, limit) => {
      const events =
        query.direction === "asc"
          ? await store.eventsAfter(id, from, limit)
          : await store.eventsBefore(id, from, limit);
      return events.map(({ number, event }) => ({
        position: number,
        time: event.time,
        weight: 1,
        audit: (around) => fromRefusal(event, number, epoch, around),
      }));
    },
  };
}

/** The records of a page, which must be of the history that the query began in. */
function recordsOf(page: Page | undefined, epoch: string): readonly ChangeRecord[] {
  if (page?.position.epoch !== epoch) throw replaced();
  return page.records;
}

function replaced() {
  return refuse("store_unavailable", { reason: "the account is being replaced" });
}

/** Ids name places in the logs, so that entries asked for by id need not be looked for. */
function narrow(
  filters: readonly Filter[],
  origin: Origin,
  epoch: string,
  window: { readonly first: number; readonly end: number },
) {
  let { first, end } = window;
  for (const { name, values, not } of filters) {
    if (not || (name !== "id" && name !== "audit_log_id")) continue;
    const positions = [...values].flatMap((id) => positionIn(id, epoch, origin) ?? []);
    if (positions.length === 0) end = first;
    else {
      first = Math.max(first, Math.min(...positions));
      end = Math.min(end, Math.max(...positions) + 1);
    }
  }
  return { first, end };
}
