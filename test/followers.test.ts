/** Many requests that wait for the same change, and requests whose waiting fails. */

import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { LiveState } from "../src/store/live-state.ts";
import { SqliteStore } from "../src/store/sqlite/sqlite-store.ts";
import { FaultyStore } from "./harness/faulty-store.ts";
import {
  type Ask,
  demo,
  ORD,
  OWN,
  one,
  type Reply,
  startTestServer,
  type TestServer,
} from "./harness/server.ts";
import { verdict } from "./harness/standing.ts";

let store: FaultyStore;
let server: TestServer;
const reads: string[] = [];

beforeAll(async () => {
  store = new FaultyStore(await SqliteStore.open(undefined));
  server = await startTestServer({}, { store });
});
afterEach(async () => {
  store.onRead = async () => undefined;
  reads.length = 0;
  vi.restoreAllMocks();
  await server.reset();
});
afterAll(() => server.close());

const follow = (after: number, asked?: Ask) =>
  server.ask("GET", `${OWN}/changes?after=${after}&wait=60`, asked);
const change = (description: string) => server.ask("PUT", one(ORD), { body: { description } });
const revisions = ({ body }: Reply): number[] =>
  body.result.map(({ revision }: { revision: number }) => revision);

/** Resolves once all requests that `start` sends wait for the next change of the returned state. */
async function waiting<T>(
  start: () => readonly Promise<T>[],
): Promise<{ state: LiveState; following: readonly Promise<T>[] }> {
  const states: LiveState[] = [];
  const onMove = LiveState.prototype.onMove;
  vi.spyOn(LiveState.prototype, "onMove").mockImplementation(function (this: LiveState, wake) {
    states.push(this);
    return onMove.call(this, wake);
  });
  const following = start();
  await vi.waitUntil(() => states.length >= following.length, { timeout: 30_000, interval: 5 });
  const [state] = states;
  if (!state) throw new Error("No request waits.");
  return { state, following };
}

function countReads(): void {
  store.onRead = async (name) => void reads.push(name);
}

describe("followers of one account", () => {
  test("share one read of the log and one text for each change", async () => {
    const { following } = await waiting(() => Array.from({ length: 300 }, () => follow(1)));
    countReads();
    await change("for all");
    const replies = await Promise.all(following);
    for (const reply of replies) expect(revisions(reply)).toEqual([2]);
    expect(reads).toEqual(["logSize", "changesAfter"]);
  });

  test("that have read everything wait without a read of the log", async () => {
    countReads();
    const { following } = await waiting(() => [follow(1)]);
    expect(reads).toEqual([]);
    await change("for one");
    for (const reply of await Promise.all(following)) expect(revisions(reply)).toEqual([2]);
  });

  test("are answered with secrets masked, as the list is", async () => {
    const { following } = await waiting(() => [follow(1), follow(1)]);
    await server.ask("PUT", one(ORD), { body: { bgp: { md5_key: "not-to-be-shown" } } });
    const listed = (await server.ask("GET", `${OWN}/changes?limit=1`)).body.result;
    for (const { body } of await Promise.all(following)) {
      expect(body.result).toEqual(listed);
      expect(JSON.stringify(body)).not.toContain("not-to-be-shown");
    }
  });
});

describe("a follower leaves no waiter behind", () => {
  test("when the log cannot be read", async () => {
    const { state, following } = await waiting(() => [follow(1)]);
    store.onRead = async () => {
      throw new Error("the test lets every read fail");
    };
    await change("not readable");
    for (const { status } of await Promise.all(following)) expect(status).toBe(500);
    expect(state.isWatched).toBe(false);
  });

  test("when its revision is not of this history", async () => {
    const { state, following } = await waiting(() => [follow(99)]);
    for (const reply of await Promise.all(following)) expect(verdict(reply)).toBe("410 990037");
    expect(state.isWatched).toBe(false);
  });

  test("when its client closes the connection", async () => {
    const gone = new AbortController();
    const { state } = await waiting(() => {
      const url = `${server.url}${OWN}/changes?after=1&wait=60`;
      const headers = { authorization: `Bearer ${demo.token}` };
      return [fetch(url, { headers, signal: gone.signal }).catch(() => undefined)];
    });
    gone.abort();
    await vi.waitUntil(() => !state.isWatched, { timeout: 30_000, interval: 5 });
  });
});
