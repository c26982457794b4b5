/** Servers that begin on a database in which nothing is yet: one puts the world there, at whatever moment of the others. */

import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { DIRECTORY_ID } from "../../src/account/directory.ts";
import type { ServerConfig } from "../../src/server/config.ts";
import { serve } from "../../src/server/serve.ts";
import { migrate, PostgresStore } from "../../src/store/postgres/postgres-store.ts";
import type { SeedSource } from "../../src/store/seed-file.ts";
import { StoreRefused } from "../../src/store/store.ts";
import { FaultyStore, type OnRead } from "../harness/faulty-store.ts";
import { freshDatabase } from "../harness/postgres.ts";
import { administer } from "../harness/postgres-server.ts";
import { ACCOUNT, ORD, OWN, one, startTestServer, type TestServer } from "../harness/server.ts";
import { verdict } from "../harness/standing.ts";

let url: string;

beforeEach(async () => {
  url = await freshDatabase();
});

async function start(
  onRead: OnRead = async () => undefined,
  config: Partial<ServerConfig> = {},
  {
    seed,
    beforeReplace = async () => undefined,
  }: { seed?: SeedSource; beforeReplace?: () => Promise<void> } = {},
): Promise<TestServer> {
  const store = new FaultyStore(await PostgresStore.open(url));
  store.onRead = onRead;
  const replace = store.replace.bind(store);
  store.replace = async (...asked) => {
    await beforeReplace();
    return replace(...asked);
  };
  const server = await startTestServer(config, { store, ...(seed && { seed }) });
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

describe("a server with the demonstration as its seed, if another server writes production data first,", () => {
  const token = "cfut_0123456789012345678901234567890123456789";
  const policies = [{ effect: "allow", accounts: ["*"], permission_groups: ["Patchbay Admin"] }];
  const data = {
    accounts: [{ id: ACCOUNT, name: "production" }],
    tokens: [{ id: "a".repeat(32), name: "operator", value: token, policies }],
  };
  const seed = { name: "production.json", text: JSON.stringify(data) };
  const unsaid = { sandbox: undefined, rateLimit: undefined };

  test("is not a sandbox and cannot be reset", async () => {
    let production: TestServer | undefined;
    const late = await start(undefined, unsaid, {
      beforeReplace: async () => {
        production ??= await start(undefined, unsaid, { seed });
      },
    });
    expect(late).toMatchObject({ sandbox: false, isDemo: false, resumed: true });
    const before = await late.ask("GET", `${OWN}/state`, { token });
    expect(before.status).toBe(200);
    expect((await late.ask("POST", "/patchbay/v1/reset", { token })).status).toBe(403);
    const after = await production?.ask("GET", `${OWN}/state`, { token });
    expect(after?.body.result.epoch).toBe(before.body.result.epoch);
  });
});

describe("`patchbay serve` ends with a message", () => {
  /** Runs the command until it ends. It does not start to serve. */
  async function refusal(): Promise<string> {
    let stderr = "";
    const terminal = {
      stdout: { write: (text: string) => expect.unreachable(text) },
      stderr: {
        write: (text: string) => {
          stderr += text;
        },
      },
      once: () => undefined,
      off: () => undefined,
    };
    expect(
      await serve({ database: url, port: "0", metricsPort: "off", logLevel: "silent" }, {}, terminal),
    ).toBe(1);
    return stderr;
  }

  test("if the database cannot be read", async () => {
    await (await start()).close();
    await administer(url, [
      "UPDATE state SET folded = 0, unfolded = 1",
      "UPDATE change SET record = 'no JSON'",
    ]);
    expect(await refusal()).toMatch(/^The database cannot be read \(.*\)\. Restore it from a backup\.\n$/);
  });

  test("if the seed data cannot be saved", async () => {
    await migrate(url);
    await administer(url, ["ALTER TABLE object ADD CHECK (kind = '')"]);
    expect(await refusal()).toMatch(/^The seed data could not be saved \(.*\)\. Start the server again\.\n$/);
  });
});

test("accounts without their directory are refused", async () => {
  await (await start()).close();
  await administer(url, [`DELETE FROM state WHERE id = '${DIRECTORY_ID}'`]);
  await expect(start()).rejects.toThrow(StoreRefused);
});
