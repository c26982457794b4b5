import { beforeEach, expect, test } from "vitest";
import { LiveAccount } from "../../../test/harness/live-account.ts";
import { updateFirst } from "../../../test/harness/worlds.ts";
import { Unreadable } from "../../store/store.ts";
import { LogReads } from "../log-reads.ts";
import { Heads } from "./last-changes.ts";

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

test("a change that many ask for at once is read once", async () => {
  const heads = new Heads(account.store, new LogReads(account.store));
  const told = await Promise.all([2, 3, 2, 2].map((revision) => heads.of(state(), revision)));
  expect(told[0]).toMatchObject({ actor: { type: "system" }, operation: expect.any(String) });
  expect(told[2]).toBe(told[0]);
  expect(reads.toSorted()).toEqual([2, 3]);
});

test("so many changes are remembered; one more takes the place of the oldest", async () => {
  const heads = new Heads(account.store, new LogReads(account.store), 3);
  for (const revision of [2, 3, 4]) await heads.of(state(), revision);
  for (const revision of [2, 3, 4]) await heads.of(state(), revision);
  expect(reads).toEqual([2, 3, 4]);
  await heads.of(state(), 5);
  for (const revision of [3, 4, 5]) await heads.of(state(), revision);
  expect(reads).toEqual([2, 3, 4, 5]);
  await heads.of(state(), 2);
  expect(reads).toEqual([2, 3, 4, 5, 2]);
});

test("what could not be read, or is not there, is asked for again", async () => {
  const heads = new Heads(account.store, new LogReads(account.store));
  account.store.onRead = async () => {
    throw new Unreadable("the disk fails");
  };
  await expect(heads.of(state(), 2)).rejects.toThrow("the disk fails");
  account.store.onRead = async () => undefined;
  expect(await heads.of(state(), 2)).not.toBeNull();
  expect(await heads.of(state(), 6)).toBeNull();
  await account.submit(updateFirst(1, { mtu: 1400 }));
  expect(await heads.of(state(), 6)).not.toBeNull();
});

test("large records are parsed in turns of their own", async () => {
  const { inner } = account.store;
  const read = inner.change.bind(inner);
  // As long as a record of a few megabytes takes to parse, on whatever machine.
  inner.change = (...asked) => {
    for (const end = performance.now() + 12; performance.now() < end; );
    return read(...asked);
  };
  const heads = new Heads(account.store, new LogReads(account.store));
  let turns = 0;
  const interval = setInterval(() => turns++, 0);
  for (const revision of [1, 2, 3, 4, 5]) await heads.of(state(), revision);
  clearInterval(interval);
  expect(turns).toBeGreaterThanOrEqual(3);
});
