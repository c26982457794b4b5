import { expect, test, vi } from "vitest";
import { heard, NOON, transition } from "../../../test/harness/health-store-contract.ts";
import { LiveAccount } from "../../../test/harness/live-account.ts";
import { idOf } from "../../../test/harness/worlds.ts";
import { hear } from "../../account/health/known-edge.ts";
import { Tallies } from "./tallies.ts";

test("interconnects are counted again only once a report, silence or a change alters their states", async () => {
  const { live } = await LiveAccount.open(4);
  const { state } = live;
  const tallies = new Tallies();
  const list = vi.spyOn(state, "list");
  const down = hear(undefined, heard({ transitions: [transition(NOON, "down", idOf(1))] }), NOON);
  const of = (edge: typeof down, now: number) => tallies.of(live, state, [edge], now);
  const first = await of(down, NOON);
  expect(first.states).toEqual({ healthy: 0, degraded: 0, down: 1, unknown: 3 });
  expect(first.unwell).toMatchObject([{ id: idOf(1), state: "down" }]);
  const heartbeat = hear(down, heard(), NOON + 5_000);
  expect(await of(heartbeat, NOON + 6_000)).toBe(first);
  expect(list).toHaveBeenCalledTimes(1);
  const healed = hear(
    heartbeat,
    heard({ transitions: [transition(NOON + 7_000, "healthy", idOf(1))] }),
    NOON + 7_000,
  );
  expect((await of(healed, NOON + 7_000)).states).toMatchObject({ healthy: 1, down: 0 });
  expect((await of(healed, NOON + 60_000)).states).toMatchObject({ healthy: 0, unknown: 4 });
  expect(list).toHaveBeenCalledTimes(3);
});
