/** A database that nobody can reach: no answer names its address, its user or its driver's errors. */

import { beforeAll, expect, test } from "vitest";
import { PostgresHealth } from "../../src/store/health/postgres-health.ts";
import { PostgresStore } from "../../src/store/postgres/postgres-store.ts";
import { PostgresServer } from "../harness/postgres-server.ts";
import {
  type Ask,
  LIST,
  ORD,
  OWN,
  one,
  ROUTES,
  startTestServer,
  type TestServer,
} from "../harness/server.ts";

let database: PostgresServer;
let server: TestServer;
const log: string[] = [];

beforeAll(async () => {
  database = await PostgresServer.start({ fsync: false });
  const impatient = { patience: 50, readPatience: 50 };
  const store = await PostgresStore.open(database.url(), impatient);
  const health = new PostgresHealth(database.url());
  const logTo = { write: (line: string) => void log.push(line) };
  server = await startTestServer({ metricsPort: 0, logLevel: "info" }, { store, health, logTo });
  expect((await server.ask("GET", one(ORD))).status).toBe(200);
  await database.stop();
  return async () => {
    await server.close();
    await database.stop();
  };
});

/** Everything that an answer says, headers included. */
async function answer(method: string, path: string, { token, body }: Ask = {}): Promise<string> {
  const asked = { ...(token === undefined ? {} : { token }), ...(body === undefined ? {} : { body }) };
  const reply = await server.ask(method, path, asked);
  return JSON.stringify([reply.status, [...reply.headers], reply.body]).replaceAll(server.url, "");
}

async function figures(path: string): Promise<string> {
  const response = await fetch(`${server.metricsUrl}${path}`);
  return `${response.status} ${await response.text()}`;
}

test("no answer names host, port, user or an error of the driver; the log does", async () => {
  const route = { prefix: "10.9.0.0/16", nexthop: "10.213.0.9", priority: 100 };
  const answers = [
    ...(await Promise.all(
      [one(ORD), LIST, ROUTES, `${OWN}/state`, `${OWN}/changes`, `${OWN}/health`].flatMap((path) => [
        answer("GET", path),
        answer("GET", path, { token: null }),
        answer("GET", path, { token: "0".repeat(40) }),
      ]),
    )),
    await answer("PUT", one(ORD), { body: { mtu: 1300 } }),
    await answer("POST", ROUTES, { body: route }),
    await answer("POST", "/patchbay/v1/reset"),
    await answer("GET", "/client/v4/user/tokens/verify"),
    await answer("POST", "/patchbay/v1/accounts", { body: { name: "new" } }),
    await figures("/readyz"),
    await figures("/metrics"),
  ];
  const words = ["127.0.0.1", `:${database.port}`, "ECONN", "terminat", "postgres", "pool", "statement"];
  for (const text of answers)
    expect(
      words.filter((word) => text.includes(word)),
      text,
    ).toEqual([]);
  expect(answers.filter((text) => text.includes("990123")).length).toBeGreaterThanOrEqual(20);
  expect(answers.at(-2)).toBe("503 the database is unavailable\n");
  expect(log.join("")).toContain(`ECONNREFUSED 127.0.0.1:${database.port}`);
});
