/** Figures of a server whose accounts are asked for while its metrics are read. */

import { expect, onTestFinished, test } from "vitest";
import { SqliteHealth } from "../../src/store/health/sqlite-health.ts";
import { MemoryStore } from "../harness/memory-store.ts";
import { ACCOUNT, OTHER_ACCOUNT, startTestServer } from "../harness/server.ts";

test("metrics are read once for each account, also while requests change which was used last", async () => {
  const health = SqliteHealth.open(undefined, () => undefined);
  const read: string[] = [];
  const edges = health.edges.bind(health);
  health.edges = async (account) => {
    read.push(account);
    if (read.length > 10) throw new Error("Reading does not end.");
    // Each request moves its account to the end of the list.
    for (const used of [OTHER_ACCOUNT, ACCOUNT])
      await server.ask("GET", `/patchbay/v1/accounts/${used}/state`);
    return edges(account);
  };
  const store = new MemoryStore(new Map(), { shared: true });
  const server = await startTestServer({ metricsPort: 0 }, { store, health });
  onTestFinished(() => server.close());
  for (const used of [ACCOUNT, OTHER_ACCOUNT])
    expect((await server.ask("GET", `/patchbay/v1/accounts/${used}/state`)).status).toBe(200);
  const text = await (await fetch(`${server.metricsUrl}/metrics`)).text();
  expect(read.toSorted()).toEqual([ACCOUNT, OTHER_ACCOUNT].toSorted());
  expect(text).toContain(`patchbay_interconnects{account="${ACCOUNT}"`);
});
