import { expect, test } from "vitest";
import { freshDatabase } from "../../../test/harness/postgres.ts";
import { Chance } from "../../../test/harness/random.ts";
import { isLong } from "../../../test/harness/runs.ts";
import { anyChange, applied, FIRST_ACCOUNT, makeSmallWorld, snapshot } from "../../../test/harness/worlds.ts";
import type { State } from "../../account/state.ts";
import { PostgresStore } from "./postgres-store.ts";

const WORLDS = isLong ? 300 : 12;

async function loaded(store: PostgresStore): Promise<State> {
  const state = await store.load(FIRST_ACCOUNT);
  if (!state) throw new Error("There is no such state.");
  return state;
}

test(
  `whoever folds, from memory or from the log, the rows are as the log tells, in ${WORLDS} worlds`,
  async () => {
    const first = Number(process.env["PATCHBAY_TEST_CHANCE"] ?? new Chance().below(2 ** 31));
    for (let world = 0; world < WORLDS; world++) {
      const chance = new Chance(first + world);
      const url = await freshDatabase();
      const stores = [await PostgresStore.open(url), await PostgresStore.open(url)];
      try {
        await stores[0]?.replace(makeSmallWorld(chance.between(0, 4)));
        let store = chance.pick(stores);
        let state = await loaded(store);
        for (let step = 0; step < 40; step++) {
          // Another server, or the same after its memory was dropped.
          if (chance.below(6) === 0) {
            store = chance.pick(stores);
            state = await loaded(store);
          }
          if (chance.below(6) === 0) await chance.pick(stores).fold(FIRST_ACCOUNT);
          const { id, epoch, revision: base } = state;
          const change = applied(state, anyChange(state, chance));
          await store.commit({ state: id, epoch, base, changes: [change], deadline: null });
          state.settle(change.edits, change.record.revision);
        }
        const told = snapshot(await loaded(store));
        for (const one of stores) await one.fold(FIRST_ACCOUNT);
        // All of it comes from the rows now.
        expect(snapshot(await loaded(store)), `PATCHBAY_TEST_CHANCE=${chance.seed}`).toEqual(told);
        expect(told).toEqual(snapshot(state));
      } finally {
        for (const one of stores) await one.close();
      }
    }
  },
  60_000 + WORLDS * 1_000,
);
