import { closeSync, existsSync, openSync, readFileSync, statSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  healthStoreContract,
  heard,
  minute,
  NOON,
  transition,
} from "../../../test/harness/health-store-contract.ts";
import { temporaryDirectory } from "../../../test/harness/temporary.ts";
import type { Heard } from "../../account/health/known-edge.ts";
import { HEALTH_DATABASE } from "../sqlite/data-directory.ts";
import { SqliteHealth } from "./sqlite-health.ts";

const quiet = (sentence: string) => {
  throw new Error(sentence);
};

healthStoreContract("SQLite in a file", (place) => SqliteHealth.open(place, quiet));
healthStoreContract("SQLite in memory", () => SqliteHealth.open(undefined, quiet), true);

describe("a file that cannot be used is created again, with a message:", () => {
  const told: string[] = [];
  function open(directory: string): SqliteHealth {
    told.length = 0;
    const health = SqliteHealth.open(directory, (sentence) => told.push(sentence));
    onTestFinished(() => health.close());
    return health;
  }

  async function works(health: SqliteHealth, directory: string): Promise<void> {
    expect(await health.edges("account")).toEqual([]);
    await health.note("account", heard({ minutes: [minute(NOON)] }), NOON);
    expect(await health.minutes("account", "one", 0, 10)).toHaveLength(1);
    await health.close();
    const again = open(directory);
    expect(told).toEqual([]);
    expect(await again.edges("account")).toHaveLength(1);
  }

  test("it is none of ours", async () => {
    const directory = temporaryDirectory();
    writeFileSync(
      join(directory, HEALTH_DATABASE),
      "not a database, and longer than a header of SQLite".repeat(99),
    );
    const health = open(directory);
    expect(told).toEqual(["health.db cannot be used and is created again"]);
    await works(health, directory);
  });

  test("another version wrote it", async () => {
    const directory = temporaryDirectory();
    const db = new DatabaseSync(join(directory, HEALTH_DATABASE));
    db.exec("CREATE TABLE edge (mine TEXT); PRAGMA user_version = 9;");
    db.close();
    const health = open(directory);
    expect(told).toEqual(["health.db cannot be used and is created again"]);
    await works(health, directory);
  });

  test("what is in it is none of ours", async () => {
    const directory = temporaryDirectory();
    await SqliteHealth.open(directory, quiet).close();
    const db = new DatabaseSync(join(directory, HEALTH_DATABASE));
    db.exec("INSERT INTO edge VALUES ('account', 'edge', 1, '{')");
    db.close();
    const health = open(directory);
    expect(told).toEqual(["health.db cannot be used and is created again"]);
    await works(health, directory);
  });

  test("it turns out to be damaged while it is used", async () => {
    const directory = temporaryDirectory();
    const first = open(directory);
    const many = Array.from({ length: 900 }, (_, index) => minute(NOON, `interconnect ${index}`));
    await first.note("account", heard({ minutes: many }), NOON);
    await first.close();
    // The first page is whole, so that it opens; of the others none is, but for the table of edges.
    const file = join(directory, HEALTH_DATABASE);
    const pages = readFileSync(file).length / 4096;
    const db = new DatabaseSync(file);
    const roots = db.prepare("SELECT rootpage FROM sqlite_master WHERE name = 'minute'").all();
    db.close();
    const descriptor = openSync(file, "r+");
    for (const { rootpage } of roots)
      writeSync(descriptor, Buffer.alloc(4096, 0xee), 0, 4096, (Number(rootpage) - 1) * 4096);
    closeSync(descriptor);
    expect(pages).toBeGreaterThan(10);
    const health = open(directory);
    expect(told).toEqual([]);
    await health.note("account", heard({ minutes: [minute(NOON + 60_000, "interconnect 1")] }), NOON);
    expect(told).toEqual(["health.db is damaged and is created again"]);
    expect(await health.minutes("account", "interconnect 1", 0, 10)).toHaveLength(1);
  });

  test("there is no place for it: then it is kept in memory", async () => {
    const directory = temporaryDirectory();
    const health = open(join(directory, "not", "there"));
    expect(told).toEqual([
      "health.db cannot be used and is created again",
      "health.db cannot be created: health is kept in memory",
    ]);
    await health.note("account", heard(), NOON);
    expect(await health.edges("account")).toHaveLength(1);
    expect(existsSync(join(directory, "not"))).toBe(false);
  });
});

/** Bytes in the write-ahead log of a directory's health. */
function written(directory: string): number {
  return statSync(join(directory, `${HEALTH_DATABASE}-wal`)).size;
}

test("a heartbeat of an edge of 10,000 interconnects writes what the edge is, and one transition a part", async () => {
  const directory = temporaryDirectory();
  const health = SqliteHealth.open(directory, quiet);
  onTestFinished(() => health.close());
  const since = new Date(NOON).toISOString();
  const states = Array.from({ length: 10_000 }, (_, index) => ({
    interconnect: `interconnect ${index}`,
    state: "healthy" as const,
    since,
    reason: "all probes of the last 5 minutes were answered",
  }));
  await health.note("account", heard({ states }), NOON);
  const grown = async (report: Heard) => {
    const before = written(directory);
    await health.note("account", report, NOON + 1);
    return written(directory) - before;
  };
  expect(await grown(heard())).toBeLessThan(32 * 1024);
  expect(await grown(heard({ transitions: [transition(NOON + 1, "down", "interconnect 7")] }))).toBeLessThan(
    256 * 1024,
  );
  expect(await grown(heard({ states: states.filter((_, index) => index !== 7) }))).toBeLessThan(256 * 1024);
});

test("a file of schema 1 is split into parts, and loses nothing", async () => {
  const directory = temporaryDirectory();
  const db = new DatabaseSync(join(directory, HEALTH_DATABASE));
  const current = { state: "down", since: "2026-03-01T11:00:00.000Z", reason: "no answer", noted: NOON };
  const { states: _, transitions: __, minutes: ___, edge, ...about } = heard();
  db.exec(`CREATE TABLE edge (account TEXT NOT NULL, edge TEXT NOT NULL, seen INTEGER NOT NULL, about TEXT NOT NULL,
    watched TEXT NOT NULL, PRIMARY KEY (account, edge)) STRICT; PRAGMA user_version = 1;`);
  db.prepare("INSERT INTO edge VALUES (?, ?, ?, ?, ?)").run(
    "account",
    edge,
    NOON,
    JSON.stringify({ ...about, applied: [], lit: [] }),
    JSON.stringify({ one: { current }, two: { current } }),
  );
  db.close();
  for (const _ of ["migrated", "opened again"]) {
    const health = SqliteHealth.open(directory, quiet);
    const edges = await health.edges("account");
    await health.close();
    expect(edges).toMatchObject([{ edge, seen: NOON, applied: [] }]);
    expect(edges[0]?.watched).toEqual(
      new Map([
        ["one", { current }],
        ["two", { current }],
      ]),
    );
  }
});

test("only the owner can access the file", async () => {
  const directory = temporaryDirectory();
  const health = SqliteHealth.open(directory, quiet);
  onTestFinished(() => health.close());
  for (const end of ["", "-wal", "-shm"])
    expect(statSync(join(directory, HEALTH_DATABASE + end)).mode & 0o777).toBe(0o600);
});

test("a report waits for the write lock without blocking the event loop, then is saved", async () => {
  const directory = temporaryDirectory();
  const health = SqliteHealth.open(directory, quiet);
  onTestFinished(() => health.close());
  const other = new DatabaseSync(join(directory, HEALTH_DATABASE), { timeout: 0 });
  onTestFinished(() => other.close());
  other.exec("BEGIN IMMEDIATE");
  let settled = false;
  const noting = health.note("account", heard({ minutes: [minute(NOON)] }), NOON).finally(() => {
    settled = true;
  });
  for (let turn = 0; turn < 20; turn++) await setTimeout(1);
  expect(settled).toBe(false);
  other.exec("ROLLBACK");
  await noting;
  expect(await health.edges("account")).toHaveLength(1);
});
