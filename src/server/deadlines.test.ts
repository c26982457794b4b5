import pino from "pino";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { LiveAccount } from "../../test/harness/live-account.ts";
import { FIRST_ACCOUNT } from "../../test/harness/worlds.ts";
import { pendingKind, pendingSlot } from "../account/pending.ts";
import type { Accounts } from "../store/accounts.ts";
import type { LiveState } from "../store/live-state.ts";
import { systemClock } from "./clock.ts";
import { Deadlines } from "./deadlines.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

test("the deadline of an account that no longer exists is not retried for ever", async () => {
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
      clock: systemClock,
      log: pino({ level: "silent" }),
      newRequestId: () => "deadline",
    }),
    { [Symbol.asyncDispose]: () => deadlines.close() },
  );
  await deadlines.settle();
  await vi.advanceTimersByTimeAsync(3_000);
  expect(reads).toBe(4);
  live.delete(FIRST_ACCOUNT);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(reads).toBe(4);
});
