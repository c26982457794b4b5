import { expect, test } from "vitest";
import { MemoryStore } from "../../../test/harness/memory-store.ts";
import { applied, FIRST_ACCOUNT, makeSmallWorld, updateFirst } from "../../../test/harness/worlds.ts";
import { MAX_REMEMBERED_OBJECTS } from "../../contract/limits.ts";
import { RememberedCommits } from "./remembering.ts";

const OBJECTS = 5_000;

test("at the limit of objects, the state that was changed least recently is forgotten", async () => {
  const store = new MemoryStore();
  await store.replace(makeSmallWorld(OBJECTS));
  const state = await store.load(FIRST_ACCOUNT);
  if (!state) throw new Error("There is no such state.");
  const { epoch, revision: base } = state;
  const changes = [applied(state, updateFirst(OBJECTS, { mtu: 1400 }))];
  const batch = (id: string) => ({ state: id, epoch, base, changes, deadline: null });
  const remembered = new RememberedCommits();
  const most = Math.floor(MAX_REMEMBERED_OBJECTS / OBJECTS);
  const ids = Array.from({ length: most }, (_, index) => `state ${index}`);
  for (const id of ids) remembered.add(batch(id));
  // The first is changed again, which takes no more objects, and the second is the oldest then.
  const again = { ...batch("state 0"), base: base + 1 };
  remembered.add(again);
  remembered.add(batch("one more"));
  expect(remembered.take("state 1")).toBeUndefined();
  expect(remembered.take("state 0")).toMatchObject({ edits: 2 * OBJECTS, told: { revision: base + 2 } });
  for (const id of [...ids.slice(2), "one more"])
    expect(remembered.take(id)).toMatchObject({ edits: OBJECTS });
});
