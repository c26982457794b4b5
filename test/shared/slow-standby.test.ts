/** A commit that waits for a standby longer than its server waits for the answer, and then goes through, is made once. */

import { afterAll, beforeAll, expect, test } from "vitest";
import type { ChangeRecord } from "../../src/account/change.ts";
import { PostgresStore } from "../../src/store/postgres/postgres-store.ts";
import { administer, PostgresServer } from "../harness/postgres-server.ts";
import { ORD, OWN, one, ROUTES, startTestServer, type TestServer } from "../harness/server.ts";
import { verdict } from "../harness/standing.ts";

/** Milliseconds. The server stops waiting for an answer after 1.5 times the first: longer than the patience. */
const TIMES = { statementTimeout: 1_000, patience: 700, readPatience: 10_000 };

let database: PostgresServer;
let here: TestServer;
let there: TestServer;

beforeAll(async () => {
  database = await PostgresServer.start({ fsync: false });
  const server = async () => startTestServer({}, { store: await PostgresStore.open(database.url(), TIMES) });
  [here, there] = [await server(), await server()];
});
afterAll(async () => {
  await Promise.all([here.close(), there.close()]);
  await database.remove();
});

const asAdministrator = (...statements: string[]) =>
  administer(database.url("postgres", "postgres"), statements);

/** From now on commits wait for a standby that does not exist; with "", they no longer do. */
async function waitForStandby(name: string): Promise<void> {
  await asAdministrator(`ALTER SYSTEM SET synchronous_standby_names = '${name}'`, "SELECT pg_reload_conf()");
  // The process that makes checkpoints is the one that tells the others: it has read the setting then.
  await asAdministrator("CHECKPOINT");
}

/** Resolves when so many backends are at this. */
async function until(condition: string, count: number): Promise<void> {
  const end = performance.now() + 30_000;
  for (;;) {
    const [rows] = await asAdministrator(`SELECT FROM pg_stat_activity WHERE ${condition}`);
    if ((rows as unknown[]).length >= count) return;
    if (performance.now() > end) throw new Error(`Not seen in 30 s: ${condition}`);
  }
}

const COMMIT_WAITS = "wait_event = 'SyncRep'";
const LOCK_WAITS = "wait_event_type = 'Lock' AND query LIKE 'SELECT%FOR UPDATE'";

const describe = (server: TestServer, description: string) =>
  server.ask("PUT", one(ORD), { body: { description } });

async function log(): Promise<ChangeRecord[]> {
  return (await here.ask("GET", `${OWN}/changes?after=1`)).body.result;
}

test("updates through two servers are each in the log once, in the order in which they were acknowledged", async () => {
  await waitForStandby("nobody");
  const first = describe(here, "A");
  await until(COMMIT_WAITS, 1);
  const second = describe(there, "B");
  await until(LOCK_WAITS, 2);
  await waitForStandby("");
  expect([verdict(await first), verdict(await second)]).toEqual(["200", "200"]);
  const values = (await log()).map(({ objects }) => objects[0]?.fields["description"]?.after);
  expect(values).toEqual(["A", "B"]);
  expect((await there.ask("GET", one(ORD))).body.result.interconnect.description).toBe("B");
});

test("a create through one server is acknowledged as created", async () => {
  const before = (await log()).length;
  await waitForStandby("nobody");
  const route = { prefix: "192.0.2.0/24", nexthop: "10.213.0.9", priority: 77 };
  const creating = here.ask("POST", ROUTES, { body: route });
  await until(COMMIT_WAITS, 1);
  await until(LOCK_WAITS, 1);
  await waitForStandby("");
  const reply = await creating;
  expect(verdict(reply)).toBe("200");
  expect(await log()).toHaveLength(before + 1);
});
