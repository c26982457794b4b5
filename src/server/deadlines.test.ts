import pino, { type Logger } from "pino";
import { afterEach, expect, test, vi } from "vitest";
import { LiveAccount } from "../../test/harness/live-account.ts";
import { SetClock } from "../../test/harness/set-clock.ts";
import { circumstances, FIRST_ACCOUNT, update } from "../../test/harness/worlds.ts";
import { durablePending, pendingKind, pendingSlot } from "../account/pending.ts";
import type { Accounts } from "../store/accounts.ts";
import type { LiveState } from "../store/live-state.ts";
import { Unreadable } from "../store/store.ts";
import { systemClock } from "./clock.ts";
import { Deadlines } from "./deadlines.ts";
import { Rollbacks } from "./rollbacks.ts";

afterEach(() => vi.useRealTimers());

test("a failed rollback is retried after a delay that doubles up to a minute", async () => {
  const clock = new SetClock("2026-03-04T05:06:07Z");
  const account = await LiveAccount.open();
  const confirmBy = "2026-03-04T05:07:00.000Z";
  await account.submit({ ...update({ 0: { mtu: 1400 } }), circumstances: { ...circumstances(), confirmBy } });
  const logged: unknown[] = [];
  const note = (details: object) => void logged.push(details);
  const log = { error: note, warn: () => undefined, info: note, debug: () => undefined } as unknown as Logger;
  const accounts = { all: () => [account.live], get: () => account.live } as unknown as Accounts;
  const { store } = account;
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  const began = performance.now();
  const attempts: number[] = [];
  store.onRead = async (name) => {
    if (name !== "logSize") return;
    attempts.push(Math.round((performance.now() - began) / 1000));
    throw new Unreadable("the disk fails");
  };
  const rollbacks = new Rollbacks(store);
  const deadlines = new Deadlines({ accounts, store, rollbacks, clock, log, newRequestId: () => "r" });
  clock.set("2026-03-04T05:07:00Z");
  await deadlines.start();
  // The directory or the account may move on meanwhile: that is no reason to try earlier.
  deadlines.moved(account.live.state.id);
  for (let second = 0; second < 200; second++) await vi.advanceTimersByTimeAsync(1_000);
  expect(attempts).toEqual([0, 1, 3, 7, 15, 31, 63, 123, 183]);
  expect(logged).toHaveLength(attempts.length);
  expect(logged.slice(0, 2)).toMatchObject([{ retryAfterMs: 1_000 }, { retryAfterMs: 2_000 }]);
  store.onRead = async () => undefined;
  vi.useRealTimers();
  await deadlines.close();
  // A server that starts begins with an attempt.
  const again = new Deadlines({ accounts, store, rollbacks, clock, log, newRequestId: () => "r" });
  await again.start();
  expect(durablePending(account.live.state)).toBeUndefined();
  expect(account.field(0, "mtu")).toBe(1476);
  await again.close();
});

test("the deadline of an account that no longer exists is not retried for ever", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  const account = await LiveAccount.open();
  const live = new Map<string, LiveState>([[FIRST_ACCOUNT, account.live]]);
  const accounts = { all: () => live.values(), get: (id: string) => live.get(id) } as unknown as Accounts;
  const actor = { type: "system", id: "seed", name: "seed" } as const;
  await account.submit({
    operation: "updateInterconnect",
    circumstances: { time: "2026-01-01T00:00:00.000000Z", actor, requestId: "pending" },
    propose: (state) => [
      {
        kind: pendingKind,
        slot: pendingSlot(state),
        doc: { revision: 2, confirm_by: "2026-01-01T00:00:00.000Z", actor },
        pointer: undefined,
      },
    ],
  });
  let reads = 0;
  account.store.onRead = async () => {
    reads++;
    throw new Error("the test lets every read fail");
  };
  await using deadlines = Object.assign(
    new Deadlines({
      accounts,
      store: account.store,
      rollbacks: new Rollbacks(account.store),
      clock: systemClock,
      log: pino({ level: "silent" }),
      newRequestId: () => "deadline",
    }),
    { [Symbol.asyncDispose]: () => deadlines.close() },
  );
  await deadlines.settle();
  await vi.advanceTimersByTimeAsync(3_000);
  expect(reads).toBe(3);
  live.delete(FIRST_ACCOUNT);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(reads).toBe(3);
});
