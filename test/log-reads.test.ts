/** A limited number of large reads of the log run at the same time, in all operations. Small reads do not wait. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { LARGE_LOG_READS_AT_ONCE } from "../src/contract/limits.ts";
import { SqliteStore } from "../src/store/sqlite/sqlite-store.ts";
import { FaultyStore } from "./harness/faulty-store.ts";
import { makeSeed, OWN_TOKEN } from "./harness/seeds.ts";
import { ACCOUNT, OWN, one, startTestServer, type TestServer } from "./harness/server.ts";
import { verdict } from "./harness/standing.ts";
import { idOf } from "./harness/worlds.ts";

/** The record of the seed has over 32 KB. */
const INTERCONNECTS = 200;
const token = OWN_TOKEN;

let store: FaultyStore;
let server: TestServer;

beforeAll(async () => {
  store = new FaultyStore(await SqliteStore.open(undefined));
  const seed = { name: "generated", text: makeSeed(INTERCONNECTS) };
  server = await startTestServer({}, { store, seed });
  expect(verdict(await server.ask("PUT", one(idOf(0)), { token, body: { mtu: 1400 } }))).toBe("200");
});
afterAll(() => server.close());

const large = [
  `${OWN}/changes/1`,
  `${OWN}/changes`,
  `${OWN}/changes?limit=2`,
  `${OWN}/changes?after=0`,
  `${OWN}/changes?after=0&limit=1`,
  `${OWN}/last-changes?interconnect=${idOf(1)}`,
  `/client/v4/accounts/${ACCOUNT}/logs/audit?since=2020-01-01&before=2100-01-01`,
];

test("the limit of large reads holds for all operations together", async () => {
  const held: (() => void)[] = [];
  store.onRead = async (name) => {
    if (name === "change" || name === "changesAfter" || name === "changesBefore")
      await new Promise<void>((resolve) => held.push(resolve));
  };
  let done = 0;
  const answers = large.map((path) => server.ask("GET", path, { token }).finally(() => done++));
  let most = 0;
  while (done < large.length) {
    // Answered in a later turn, when every read that can start has started.
    expect((await server.ask("GET", one(idOf(0)), { token })).status).toBe(200);
    most = Math.max(most, held.length);
    held.shift()?.();
  }
  store.onRead = async () => undefined;
  expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(large.map(() => 200));
  // The audit log reads the directory's log and the account's at once.
  expect(most).toBeLessThanOrEqual(LARGE_LOG_READS_AT_ONCE + 1);
});

test("a small read does not wait", async () => {
  const held: (() => void)[] = [];
  let isSmall = false;
  store.onRead = async (name) => {
    if (!isSmall && (name === "change" || name === "changesBefore"))
      await new Promise<void>((resolve) => held.push(resolve));
  };
  const answers = [1, 2, 3].map(() => server.ask("GET", `${OWN}/changes/1`, { token }));
  await expect.poll(() => held.length).toBe(LARGE_LOG_READS_AT_ONCE);
  isSmall = true;
  expect((await server.ask("GET", `${OWN}/changes/2`, { token })).body.result.revision).toBe(2);
  for (const release of held) release();
  expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200, 200]);
});
