import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { MemoryStore } from "../../test/harness/memory-store.ts";
import { FIRST_ACCOUNT, idOf, makeSmallWorld } from "../../test/harness/worlds.ts";
import { LiveState } from "../store/live-state.ts";
import { KnownReads } from "./known-reads.ts";

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

/** An account in memory, one of whose interconnects was read. */
async function readOnce(reads: KnownReads, request: IncomingMessage): Promise<LiveState> {
  const store = new MemoryStore();
  await store.replace(makeSmallWorld());
  const state = await store.load(FIRST_ACCOUNT);
  const entry = state?.get("interconnect", idOf(0));
  if (!state || !entry) throw new Error("There is no such interconnect.");
  const account = new LiveState(state, store, () => undefined);
  const slot = state.slotFor("interconnect", entry.id);
  const answer = { status: 200, body: "{}", of: { kind: "interconnect", entry } };
  const weakly = { account: new WeakRef(account), state: new WeakRef(state) };
  reads.remember(request, { name: "getInterconnect", ...weakly, slot, version: entry, answer, lines: [] });
  return account;
}

function get(url: string): IncomingMessage {
  return Object.assign(new IncomingMessage(new Socket()), { method: "GET", url });
}

test("a remembered read does not keep its account in memory", async () => {
  const reads = new KnownReads();
  let account: LiveState | undefined = await readOnce(reads, get("/one"));
  const state = new WeakRef(account.state);
  expect(reads.find(get("/one"))?.account).toBe(account);
  account = undefined;
  for (let turn = 0; state.deref() && turn < 20; turn++) {
    await setImmediate();
    collectGarbage();
  }
  expect(state.deref()).toBeUndefined();
  expect(reads.find(get("/one"))).toBeUndefined();
});
