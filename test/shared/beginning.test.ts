/** Servers that begin on a database in which nothing is yet: one puts the world there, at whatever moment of the others. */

import { beforeEach, expect, onTestFinished, test } from "vitest";
import { DIRECTORY_ID } from "../../src/account/directory.ts";
import { PostgresStore } from "../../src/store/postgres/postgres-store.ts";
import { StoreRefused } from "../../src/store/store.ts";
import { FaultyStore, type OnRead } from "../harness/faulty-store.ts";
import { freshDatabase } from "../harness/postgres.ts";
import { administer } from "../harness/postgres-server.ts";
import { ORD, one, startTestServer, type TestServer } from "../harness/server.ts";
import { verdict } from "../harness/standing.ts";

let url: string;

beforeEach(async () => {
  url = await freshDatabase();
});

async function start(onRead: OnRead = async () => undefined): Promise<TestServer> {
  const store = new FaultyStore(await PostgresStore.open(url));
  store.onRead = onRead;
  const server = await startTestServer({}, { store });
  onTestFinished(() => server.close());
  return server;
}

const mtu = async (server: TestServer) => (await server.ask("GET", one(ORD))).body.result.interconnect.mtu;

test.each(["load", "states"])("who finds the world of another at its first %s takes it", async (moment) => {
  let another: TestServer | undefined;
  const late = await start(async (name) => {
    if (name !== moment || another) return;
    another = await start();
    expect(verdict(await another.ask("PUT", one(ORD), { body: { mtu: 1300 } }))).toBe("200");
  });
  expect(another).toBeDefined();
  expect(await mtu(late)).toBe(1300);
});

test("accounts without their directory are refused", async () => {
  await (await start()).close();
  await administer(url, [`DELETE FROM state WHERE id = '${DIRECTORY_ID}'`]);
  await expect(start()).rejects.toThrow(StoreRefused);
});
