/** Who changed interconnects last, by the revisions that their versions are of. */

import { interconnectKind } from "../../account/interconnect.ts";
import type { State } from "../../account/state.ts";
import type { LastChange } from "../../contract/last-changes.ts";
import { MAX_REMEMBERED_CHANGES } from "../../contract/limits.ts";
import { MOST_NAMED } from "../../contract/parameters.ts";
import type { Store } from "../../store/store.ts";
import { pause } from "../../store/time-slice.ts";
import type { Routes } from "../call.ts";
import type { AppContext } from "../context.ts";
import { succeed } from "../envelope.ts";
import type { LogReads } from "../log-reads.ts";
import { readNamed } from "../read-request.ts";

type ChangeSummary = LastChange["change"];

export function addLastChangeRoutes(routes: Routes, { store, logReads }: AppContext): void {
  const summaries = new ChangeSummaries(store, logReads);

  routes.account("listLastChanges", async ({ account: { state }, query }) => {
    const named = readNamed(query, "interconnect");
    const entries = named
      ? named.flatMap((id) => state.get(interconnectKind.name, id) ?? [])
      : state.list(interconnectKind.name).slice(0, MOST_NAMED);
    const told: LastChange[] = [];
    for (const { id, revision } of entries)
      told.push({ interconnect: id, revision, change: await summaries.of(state, revision) });
    return { status: 200, body: succeed(told) };
  });
}

/**
 * Summaries of changes, without their objects, of which there may be thousands. If several requests need a record at the same
 * time, it is parsed once.
 */
export class ChangeSummaries {
  readonly #store: Store;
  readonly #reads: LogReads;
  readonly #most: number;
  readonly #remembered = new Map<string, Promise<ChangeSummary>>();

  constructor(store: Store, reads: LogReads, most = MAX_REMEMBERED_CHANGES) {
    this.#store = store;
    this.#reads = reads;
    this.#most = most;
  }

  of({ id, epoch }: State, revision: number): Promise<ChangeSummary> {
    const key = `${id} ${epoch} ${revision}`;
    const known = this.#remembered.get(key);
    if (known) return known;
    const reading = this.#read(id, revision);
    if (this.#remembered.size >= this.#most) {
      const [oldest = ""] = this.#remembered.keys();
      this.#remembered.delete(oldest);
    }
    this.#remembered.set(key, reading);
    const forget = () => {
      if (this.#remembered.get(key) === reading) this.#remembered.delete(key);
    };
    // Do not remember a missing record or a failed read.
    reading.then((summary) => summary ?? forget(), forget);
    return reading;
  }

  #read(id: string, revision: number): Promise<ChangeSummary> {
    return this.#reads.run(id, revision - 1, 1, async () => {
      await pause();
      const record = await this.#store.change(id, revision);
      if (!record) return null;
      const { time, actor, operation, reason } = record;
      return { time, actor, operation, ...(reason === undefined ? {} : { reason }) };
    });
  }
}
