/** Who changed interconnects last, by the revisions that their versions are of. */

import { interconnectKind } from "../../account/interconnect.ts";
import type { State } from "../../account/state.ts";
import type { LastChange } from "../../contract/last-changes.ts";
import { MOST_NAMED } from "../../contract/parameters.ts";
import type { Store } from "../../store/store.ts";
import type { Routes } from "../call.ts";
import type { AppContext } from "../context.ts";
import { succeed } from "../envelope.ts";
import { readNamed } from "../read-request.ts";

type Head = LastChange["change"];

export function addLastChangeRoutes(routes: Routes, { store }: AppContext): void {
  const heads = new Heads(store);

  routes.account("listLastChanges", async ({ account: { state }, query }) => {
    const named = readNamed(query, "interconnect");
    const entries = named
      ? named.flatMap((id) => state.get(interconnectKind.name, id) ?? [])
      : state.list(interconnectKind.name).slice(0, MOST_NAMED);
    const told: LastChange[] = [];
    for (const { id, revision } of entries)
      told.push({ interconnect: id, revision, change: await heads.of(state, revision) });
    return { status: 200, body: succeed(told) };
  });
}

/** Heads that are remembered; past that, remembering begins anew. */
const MOST_REMEMBERED = 10_000;

/** What is told of changes beside their objects, of which there may be thousands. */
class Heads {
  readonly #store: Store;
  readonly #remembered = new Map<string, Head>();

  constructor(store: Store) {
    this.#store = store;
  }

  async of({ id, epoch }: State, revision: number): Promise<Head> {
    const key = `${id} ${epoch} ${revision}`;
    const known = this.#remembered.get(key);
    if (known) return known;
    const record = await this.#store.change(id, revision);
    if (!record) return null;
    const { time, actor, operation, reason } = record;
    const head = { time, actor, operation, ...(reason === undefined ? {} : { reason }) };
    if (this.#remembered.size >= MOST_REMEMBERED) this.#remembered.clear();
    this.#remembered.set(key, head);
    return head;
  }
}
