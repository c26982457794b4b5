import { beforeEach, expect, test } from "vitest";
import { LiveAccount } from "../../../test/harness/live-account.ts";
import { updateFirst } from "../../../test/harness/worlds.ts";
import { Unreadable } from "../../store/store.ts";
import { LogReads } from "../log-reads.ts";
import { ChangeSummaries } from "./last-changes.ts";

let account: LiveAccount;
/** Revisions that were read. */
let reads: number[];
const state = () => account.live.state;

beforeEach(async () => {
  account = await LiveAccount.open(2);
  for (const mtu of [1401, 1402, 1403, 1404]) await account.submit(updateFirst(2, { mtu }));
  reads = [];
  const { inner } = account.store;
  const read = inner.change.bind(inner);
  inner.change = (id, revision) => {
    reads.push(revision);
    return read(id, revision);
  };
});

test("a change that several requests need at the same time is read once", async () => {
  const summaries = new ChangeSummaries(account.store, new LogReads(account.store));
  const told = await Promise.all([2, 3, 2, 2].map((revision) => summaries.of(state(), revision)));
  expect(told[0]).toMatchObject({ actor: { type: "system" }, operation: expect.any(String) });
  expect(told[2]).toBe(told[0]);
  expect(reads.toSorted()).toEqual([2, 3]);
});

test("at the limit, a new change replaces the oldest remembered one", async () => {
  const summaries = new ChangeSummaries(account.store, new LogReads(account.store), 3);
  for (const revision of [2, 3, 4]) await summaries.of(state(), revision);
  for (const revision of [2, 3, 4]) await summaries.of(state(), revision);
  expect(reads).toEqual([2, 3, 4]);
  await summaries.of(state(), 5);
  for (const revision of [3, 4, 5]) await summaries.of(state(), revision);
  expect(reads).toEqual([2, 3, 4, 5]);
  await summaries.of(state(), 2);
  expect(reads).toEqual([2, 3, 4, 5, 2]);
});

test("a missing record and a failed read are not remembered", async () => {
  const summaries = new ChangeSummaries(account.store, new LogReads(account.store));
  account.store.onRead = async () => {
    throw new Unreadable("the disk fails");
  };
  await expect(summaries.of(state(), 2)).rejects.toThrow("the disk fails");
  account.store.onRead = async () => undefined;
  expect(await summaries.of(state(), 2)).not.toBeNull();
  expect(await summaries.of(state(), 6)).toBeNull();
  await account.submit(updateFirst(1, { mtu: 1400 }));
  expect(await summaries.of(state(), 6)).not.toBeNull();
});

test("each large record is parsed in a separate turn of the event loop", async () => {
  const { inner } = account.store;
  const read = inner.change.bind(inner);
  // About as long as parsing a record of a few megabytes takes, on any machine.
  inner.change = (...asked) => {
    for (const end = performance.now() + 12; performance.now() < end; );
    return read(...asked);
  };
  const summaries = new ChangeSummaries(account.store, new LogReads(account.store));
  let turns = 0;
  const interval = setInterval(() => turns++, 0);
  for (const revision of [1, 2, 3, 4, 5]) await summaries.of(state(), revision);
  clearInterval(interval);
  expect(turns).toBeGreaterThanOrEqual(3);
});
