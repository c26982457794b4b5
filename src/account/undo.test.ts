import { expect, test } from "vitest";
import { LiveAccount } from "../../test/harness/live-account.ts";
import { StallMonitor } from "../../test/harness/stall-monitor.ts";
import { circumstances, updateFirst } from "../../test/harness/worlds.ts";
import { ReadLog } from "../server/rollbacks.ts";
import { restoreAccount, revertChange } from "./undo.ts";

const OBJECTS = 10_000;

/**
 * CPU milliseconds. A slice is 10 ms, and what follows it at most a few; garbage collection comes on top. Deciding at once
 * takes over 100.
 */
const LONGEST_STEP = 60;

test(`a rollback of ${OBJECTS} objects is decided in small steps`, async () => {
  const account = await LiveAccount.open(OBJECTS);
  await account.submit(updateFirst(OBJECTS, { mtu: 1400 }));
  const log = new ReadLog(account.store);
  const restoring = await log.restoring(account.live, 1);
  const reverting = await log.reverting(account.live, 2);
  for (const { command } of [
    restoreAccount(restoring, circumstances()),
    revertChange(reverting, circumstances()),
  ]) {
    using monitor = StallMonitor.start();
    const decision = await account.submit(command, true);
    const { longest } = monitor;
    if (!decision.ok || !decision.change) throw new Error("The rollback is accepted.");
    expect(decision.change.record.objects).toHaveLength(OBJECTS);
    expect(longest).toBeLessThan(LONGEST_STEP);
  }
});
