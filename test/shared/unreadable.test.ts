/** An account that the shared database holds, but that cannot be read from it. */

import { expect, onTestFinished, test } from "vitest";
import { PostgresStore } from "../../src/store/postgres/postgres-store.ts";
import { freshDatabase } from "../harness/postgres.ts";
import { administer } from "../harness/postgres-server.ts";
import { ACCOUNT, LIST, ORD, OWN, one, startTestServer } from "../harness/server.ts";
import { verdict } from "../harness/standing.ts";

async function start(url: string) {
  const store = await PostgresStore.open(url);
  const server = await startTestServer({ logLevel: "silent" }, { store });
  onTestFinished(() => server.close());
  return server;
}

test("is refused as the contract of every read says", async () => {
  const url = await freshDatabase();
  const first = await start(url);
  expect(verdict(await first.ask("PUT", one(ORD), { body: { mtu: 1300 } }))).toBe("200");
  await administer(url, [`DELETE FROM change WHERE state = '${ACCOUNT}' AND revision = 2`]);
  const second = await start(url);
  for (const path of [LIST, one(ORD), `${OWN}/state`, `${OWN}/changes`])
    expect(verdict(await second.ask("GET", path))).toBe("503 990122");
});
