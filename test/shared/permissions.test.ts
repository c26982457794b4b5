/** What a request may do is judged on what is decided, where another server's change is not in memory yet. */

import { afterEach, beforeEach, expect, test } from "vitest";
import { FaultyStore } from "../harness/faulty-store.ts";
import { type Memory, MemoryStore } from "../harness/memory-store.ts";
import { ORD, OWN, one, startTestServer, type TestServer } from "../harness/server.ts";
import { verdict } from "../harness/standing.ts";

/** Holds Magic WAN Write, and no right to administer. */
const writer = { token: "demo-wan-write-token-0000000000000000000" };
const SETTINGS = `${OWN}/settings`;

let here: TestServer;
let there: TestServer;
let behind: FaultyStore;

beforeEach(async () => {
  const memory: Memory = new Map();
  behind = new FaultyStore(new MemoryStore(memory, { shared: true }));
  here = await startTestServer({}, { store: new MemoryStore(memory, { shared: true }) });
  there = await startTestServer({}, { store: behind });
});
afterEach(() => Promise.all([here.close(), there.close()]));

/**
 * Changes the account through the other server when a request to the server behind first reads the log, and lets memory
 * catch up only when that request is queued for its decision.
 */
function changeWhileTheLogIsRead(change: () => Promise<unknown>): void {
  const reading = Promise.withResolvers<void>();
  const queued = Promise.withResolvers<void>();
  let catchingUp: Promise<unknown> | undefined;
  behind.onRead = async (name) => {
    if (name !== "change" && name !== "changesAfter" && name !== "logSize") return;
    if (catchingUp) {
      reading.resolve();
      return queued.promise;
    }
    await change();
    catchingUp = there.ask("GET", one(ORD));
    await reading.promise;
    behind.onRead = async () => undefined;
    setImmediate(queued.resolve);
  };
}

const administer = () =>
  here.ask("PUT", SETTINGS, {
    body: { authorized_prefixes: ["203.0.113.0/24"] },
    headers: { "x-patchbay-confirm-within": "60" },
  });

test.each(["confirm", "extend"])(
  "a token without the right cannot %s a change that its server has not seen yet",
  async (what) => {
    await there.ask("GET", SETTINGS);
    changeWhileTheLogIsRead(async () => expect(verdict(await administer())).toBe("200"));
    const body = what === "extend" ? { body: { confirm_within: 86_400 } } : {};
    const reply = await there.ask("POST", `${OWN}/changes/2/${what}`, { ...writer, ...body });
    expect(verdict(reply)).toBe("403 10000");
    const state = (await here.ask("GET", `${OWN}/state`)).body.result;
    expect(state.revision).toBe(2);
    expect(state.pending_change.revision).toBe(2);
  },
);

test("a pending change that its server has not seen yet is not rolled back by one that awaits confirmation itself", async () => {
  await there.ask("GET", one(ORD));
  const headers = { "x-patchbay-confirm-within": "60" };
  changeWhileTheLogIsRead(async () => {
    expect(verdict(await here.ask("PUT", one(ORD), { body: { mtu: 1300 }, headers }))).toBe("200");
  });
  const reply = await there.ask("POST", `${OWN}/changes/2/revert`, { headers });
  expect(verdict(reply)).toBe("400 990137");
});
