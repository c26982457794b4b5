/** What is done to data directories is done to databases as well. */

import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { backup } from "../../src/admin/backup.ts";
import { dump } from "../../src/admin/dump.ts";
import { init } from "../../src/admin/init.ts";
import { load } from "../../src/admin/load.ts";
import { migrate } from "../../src/admin/migrate.ts";
import { prune } from "../../src/admin/prune.ts";
import { token } from "../../src/admin/token.ts";
import { PostgresStore } from "../../src/store/postgres/postgres-store.ts";
import type { Store } from "../../src/store/store.ts";
import { contentOf, done, linesOf, openWorld, refused } from "../harness/admin.ts";
import { freshDatabase } from "../harness/postgres.ts";
import { administer } from "../harness/postgres-server.ts";
import { Chance } from "../harness/random.ts";
import { isLong } from "../harness/runs.ts";
import { ACCOUNT, ORD, OWN, one, startTestServer } from "../harness/server.ts";
import { temporaryDirectory } from "../harness/temporary.ts";
import { FakeTerminal } from "../harness/terminal.ts";

const WORLDS = isLong ? 100 : 4;

let directory: string;
let database: string;
beforeEach(async () => {
  directory = temporaryDirectory();
  database = await freshDatabase();
});
const at = (name: string) => join(directory, name);

async function withStore<T>(url: string, use: (store: Store) => Promise<T>): Promise<T> {
  const store = await PostgresStore.open(url);
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

test(`any of ${WORLDS} worlds goes from a directory to a database and back, and is the same but for the epochs`, async () => {
  const first = Number(process.env["PATCHBAY_TEST_CHANCE"] ?? new Chance().below(2 ** 31));
  for (let world = 0; world < WORLDS; world++) {
    const chance = new Chance(first + world);
    const place = (name: string) => at(`${world}-${name}`);
    const url = await freshDatabase();
    const store = await openWorld(place("data"), chance, chance.below(60));
    await store.close();
    await done(dump, { data: place("data"), to: place("dump") });
    await done(load, { database: url, from: place("dump") });
    await done(dump, { database: url, to: place("again") });
    expect(linesOf(place("again")), `PATCHBAY_TEST_CHANCE=${chance.seed}`).toEqual(linesOf(place("dump")));
    await done(load, { data: place("back"), from: place("again") });
    expect(await contentOf(place("back"))).toEqual(await contentOf(place("data")));
  }
});

describe("a database that servers write to", () => {
  test("is dumped as it is at one moment, with what is not folded in and what stands beside the log", async () => {
    await using server = await startTestServer({ database });
    for (let turn = 0; turn < 5; turn++) await server.ask("PUT", one(ORD), { body: { mtu: 1300 + turn } });
    await server.ask("PUT", one(ORD), {
      body: { mtu: 1 },
      token: "demo-magic-read-only-token-0000000000000",
    });
    const audit = `/client/v4/accounts/${ACCOUNT}/logs/audit?since=2020-01-01&before=2100-01-01`;
    const events = (await server.ask("GET", audit)).body.result.length;
    const state = (await server.ask("GET", `${OWN}/state`)).body.result;
    await done(dump, { database, to: at("dump") });
    await done(load, { data: at("data"), from: at("dump") });
    await using loaded = await startTestServer({ data: at("data") });
    const after = (await loaded.ask("GET", `${OWN}/state`)).body.result;
    expect(after).toEqual({ ...state, epoch: after.epoch });
    expect((await loaded.ask("GET", audit)).body.result).toHaveLength(events);
  });

  test("and a change that waits in it is due in the database that it is loaded into", async () => {
    await using server = await startTestServer({ data: at("data") });
    const headers = { "x-patchbay-confirm-within": "5" };
    await server.ask("PUT", one(ORD), { body: { mtu: 1300 }, headers });
    await done(dump, { data: at("data"), to: at("dump") });
    await done(load, { database, from: at("dump") });
    const [rows] = await administer(database, ["SELECT id FROM state WHERE deadline IS NOT NULL"]);
    expect(rows).toEqual([{ id: ACCOUNT }]);
  });
});

describe("a database that holds a world", () => {
  test("takes no other: not from init, not from load", async () => {
    await done(init, { database });
    await done(dump, { database, to: at("dump") });
    const before = linesOf(at("dump"));
    for (const sentence of [
      await refused(init, { database }),
      await refused(load, { database, from: at("dump") }),
    ]) {
      expect(sentence).toMatch(
        /^The database .* holds a world already\. Name an empty one with --database\.$/,
      );
      expect(sentence).not.toContain(new URL(database).password);
    }
    await done(dump, { database, to: at("again") });
    expect(linesOf(at("again"))).toEqual(before);
  });

  test("gets an administrator's token while servers run on it, which they know at once", async () => {
    await done(init, { database });
    await using server = await startTestServer({ database, sandbox: false });
    const [secret = ""] = (await done(token, { database, name: "second" })).split("\n");
    const verified = await server.ask("GET", "/client/v4/user/tokens/verify", { token: secret });
    const own = await server.ask("GET", "/patchbay/v1/accounts", { token: secret });
    expect([verified.status === 200 || own.status === 200, own.status]).toEqual([true, 200]);
  });

  test("loses its old changes to an archive, with which a dump is whole again", async () => {
    const store = await openWorld(at("data"), new Chance(7), 40);
    await store.close();
    await done(dump, { data: at("data"), to: at("dump") });
    await done(load, { database, from: at("dump") });
    const before = "2025-01-01T00:20:00Z";
    const told = await done(prune, { database, before, archive: at("archive") });
    expect(told).toMatch(/^\d+ changes of \d states moved to /);
    await withStore(database, async (pruned) => {
      const oldest = [];
      for (const id of await pruned.states()) {
        const page = await pruned.changesAfter(id, 0, 1);
        oldest.push(page?.records[0]?.revision ?? 0);
        expect(await pruned.load(id)).toBeDefined();
      }
      expect(Math.max(...oldest)).toBeGreaterThan(1);
    });
    expect(await done(prune, { database, before, archive: at("none") })).toMatch(/^No changes of /);
    await done(dump, { database, to: at("rest") });
    await done(load, { data: at("whole"), from: at("rest"), archive: [at("archive")] });
    expect(await contentOf(at("whole"))).toEqual(await contentOf(at("data")));
  });
});

test("is pruned in place: only logs are read", async () => {
  await (await openWorld(at("data"), new Chance(4), 30)).close();
  await done(dump, { data: at("data"), to: at("dump") });
  await done(load, { database, from: at("dump") });
  // A copy of the database would need it.
  await administer(database, ["ALTER TABLE event RENAME TO event_elsewhere"]);
  expect(await done(prune, { database, before: "2025-01-01T00:20:00Z", discard: true })).toMatch(
    /^\d+ changes of \d states removed\.\n$/,
  );
});

test("is brought up to date by migrate, apart from any server", async () => {
  expect(await done(migrate, { database })).toContain("is up to date.");
  expect(await done(migrate, { database })).toContain("is up to date.");
  await withStore(database, async (store) => expect(await store.states()).toEqual([]));
});

describe("refused is", () => {
  test("a backup of a database, with what to use instead", async () => {
    expect(await refused(backup, { database, to: at("backup") })).toContain("pg_dump, or by patchbay dump");
  });

  test("a directory and a database at once", async () => {
    expect(await refused(dump, { data: at("data"), database, to: at("dump") })).toBe(
      "--data and --database are both given: the data live in one of them.",
    );
  });

  test("what is no database, without its password", async () => {
    const url = "postgres://me:secret@127.0.0.1:1/none";
    const sentence = await refused(migrate, { database: url });
    expect(sentence).toMatch(/^The database 127\.0\.0\.1:1\/none cannot be used: nothing listens there\./);
    expect(sentence).not.toContain("secret");
    expect(await refused(migrate, { database: "mysql://x/y" })).toContain("postgres://patchbay:secret@");
  });
});

test("DATABASE_URL names the database where nothing is typed", async () => {
  const terminal = new FakeTerminal();
  expect(await init({}, { DATABASE_URL: database, PATCHBAY_DATA: at("data") }, terminal)).toBe(0);
  expect(terminal.said.stdout).toContain("is ready, with no accounts");
  expect(terminal.said.stdout).not.toContain(new URL(database).password);
  expect(await withStore(database, (store) => store.states())).toEqual(["directory"]);
});
