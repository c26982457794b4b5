/**
 * A commit waits for a standby for longer than its server waits for a response, and then goes through. PostgreSQL
 * applies no `statement_timeout` to that wait.
 */

import { setTimeout } from "node:timers/promises";
import { Client } from "pg";
import { afterEach, beforeAll, beforeEach, expect, onTestFinished, test } from "vitest";
import { PostgresStore } from "../../src/store/postgres/postgres-store.ts";
import { administer, PostgresServer } from "../harness/postgres-server.ts";
import { ORD, OWN, one, ROUTES, startTestServer, type TestServer } from "../harness/server.ts";
import { verdict } from "../harness/standing.ts";

let database: PostgresServer;
/** Of the superuser, connected before commits wait. */
let operator: Client;

beforeAll(async () => {
  database = await PostgresServer.start({ fsync: false });
  operator = new Client({ connectionString: database.url("postgres", "postgres") });
  await operator.connect();
  return async () => {
    await operator.end();
    await database.stop();
  };
});

let databases = 0;
let url: string;
beforeEach(async () => {
  const name = `standby_${++databases}`;
  await administer(database.url(), [`CREATE DATABASE ${name}`]);
  url = database.url(name);
});
afterEach(() => waitForStandby(false));

/** From now on commits wait for a standby that does not exist; or those that wait are released. */
async function waitForStandby(wait: boolean): Promise<void> {
  await operator.query(`ALTER SYSTEM SET synchronous_standby_names = '${wait ? "nobody" : ""}'`);
  await operator.query("SELECT pg_reload_conf()");
  // The checkpointer announces the setting to all others: it has read the setting by the end of a checkpoint.
  await operator.query("CHECKPOINT");
}

/** Starts a server that gives up a statement after 2.25 seconds, when it has no patience left. */
async function start(): Promise<TestServer> {
  const store = await PostgresStore.open(url, { statementTimeout: 1_500, patience: 1_000 });
  const server = await startTestServer({}, { store });
  onTestFinished(() => server.close());
  return server;
}

/** Resolves when so many sessions of the test's servers wait as `where` says. */
async function sessions(count: number, where: string): Promise<void> {
  const text = `SELECT FROM pg_stat_activity WHERE application_name = 'patchbay' AND ${where}`;
  while ((await operator.query(text)).rowCount !== count) await setTimeout(10);
}

/** A session waits to lock the row, which an earlier statement still holds. */
const asksForLock = "wait_event_type = 'Lock' AND query LIKE '%FOR UPDATE%'";

interface Logged {
  readonly request_id: string;
}

async function changes(server: TestServer): Promise<readonly Logged[]> {
  return (await server.ask("GET", `${OWN}/changes?after=1`)).body.result;
}

test("an update is applied once, and does not overwrite the next one by another server", async () => {
  const [here, there] = [await start(), await start()];
  const put = (server: TestServer, description: string) =>
    server.ask("PUT", one(ORD), { body: { description } });
  await waitForStandby(true);
  const first = put(here, "A");
  await sessions(1, "wait_event = 'SyncRep'");
  const second = put(there, "B");
  // The second server's statement fails in the queue, so it is the first to ask for the lock.
  await sessions(2, asksForLock);
  await waitForStandby(false);
  const [a, b] = await Promise.all([first, second]);
  expect([verdict(a), verdict(b)]).toEqual(["200", "200"]);
  const log = await changes(there);
  expect(log.map(({ request_id }) => request_id)).toEqual([a, b].map(({ headers }) => headers.get("cf-ray")));
  const { body } = await here.ask("GET", one(ORD));
  expect(body.result.interconnect.description).toBe("B");
});

test("a create is answered as created", async () => {
  const server = await start();
  await waitForStandby(true);
  const body = { prefix: "10.9.0.0/16", nexthop: "10.213.0.9", priority: 100 };
  const creating = server.ask("POST", ROUTES, { body });
  await sessions(1, asksForLock);
  await waitForStandby(false);
  expect(verdict(await creating)).toBe("200");
  expect(await changes(server)).toHaveLength(1);
});
