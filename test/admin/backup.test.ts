import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { beforeEach, describe, expect, test } from "vitest";
import { backup, restore } from "../../src/admin/backup.ts";
import { SCHEMA_VERSION } from "../../src/store/sqlite/schema.ts";
import { contentOf, done, openWorld, refused } from "../harness/admin.ts";
import { BIN, quietly, serve } from "../harness/command.ts";
import { Chance } from "../harness/random.ts";
import { makeSeed, OWN_TOKEN } from "../harness/seeds.ts";
import { ask, codes, LIST, ORD, OWN, startTestServer } from "../harness/server.ts";
import { temporaryDirectory } from "../harness/temporary.ts";
import { idOf } from "../harness/worlds.ts";

let directory: string;
beforeEach(() => {
  directory = temporaryDirectory();
});
const at = (name: string) => join(directory, name);

/** In a process of its own, as an operator does it. */
async function backUpApart(data: string, to: string): Promise<void> {
  const child = spawn(process.execPath, [BIN, "backup", "--data", data, "--to", to], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  expect(await once(child, "close")).toEqual([0, null]);
}

test("a backup of a server at work holds all that was acknowledged before it, and nothing by halves", async () => {
  const PORTS = 2_000;
  writeFileSync(at("seed.yaml"), makeSeed(PORTS));
  const server = await serve(quietly(at("data"), at("seed.yaml")));
  const { url } = server;
  let stop = false;
  let acknowledged = 0;
  const client = async (number: number) => {
    for (let count = 0; !stop; count++) {
      const interconnects = Array.from({ length: 20 }, (_, index) => ({
        id: idOf(number * 20 + index),
        description: `${number} ${count}`,
      }));
      const { status } = await ask(url, "PUT", LIST, { token: OWN_TOKEN, body: { interconnects } });
      expect(status).toBe(200);
      acknowledged++;
    }
  };
  const clients = Array.from({ length: 6 }, (_, number) => client(number));
  const least: number[] = [];
  for (let time = 0; time < 3; time++) {
    const before = acknowledged;
    await backUpApart(at("data"), at(`backup-${time}`));
    // Writing went on meanwhile, or the test proves nothing.
    expect(acknowledged).toBeGreaterThan(before);
    least.push(before + 1);
  }
  stop = true;
  await Promise.all(clients);
  const log = await readLog(url);
  await server.end("SIGTERM");

  for (const [time, revision] of least.entries()) {
    expect(readdirSync(directory).filter((name) => name.startsWith(`backup-${time}`))).toEqual([
      `backup-${time}`,
    ]);
    await done(restore, { from: at(`backup-${time}`), data: at(`restored-${time}`) });
    await using restored = await startTestServer({ data: at(`restored-${time}`), sandbox: false });
    const held = await readLog(restored.url);
    expect(held.length).toBeGreaterThanOrEqual(revision);
    expect(held).toEqual(log.slice(0, held.length));
    const state = (await restored.ask("GET", `${OWN}/state`, { token: OWN_TOKEN })).body.result;
    expect(state.revision).toBe(held.length);
    for (let number = 0; number < 6; number++) {
      const told = state.interconnects.slice(number * 20, number * 20 + 20);
      expect(new Set(told.map(({ description }: { description: string }) => description)).size).toBe(
        // Each client changes its twenty together; before its first change they differ.
        told[0].description.startsWith("Port") ? 20 : 1,
      );
    }
  }
});

async function readLog(url: string): Promise<unknown[]> {
  const records: { revision: number }[] = [];
  for (;;) {
    const after = records.at(-1)?.revision ?? 0;
    const { body } = await ask(url, "GET", `${OWN}/changes?limit=100&after=${after}`, { token: OWN_TOKEN });
    if (body.result.length === 0) return records;
    records.push(...body.result);
  }
}

test("a restored directory is served as it was, and goes on as another history", async () => {
  const data = at("data");
  const before = await startTestServer({ data });
  await before.ask("PUT", LIST, { body: { interconnects: [{ id: ORD, mtu: 1400 }] } });
  const state = (await before.ask("GET", `${OWN}/state`)).body.result;
  await done(backup, { data, to: at("backup") });
  // The history moves on after the backup.
  await before.ask("PUT", LIST, { body: { interconnects: [{ id: ORD, mtu: 1300 }] } });
  await before.close();

  await done(restore, { from: at("backup"), data: at("restored") });
  await using after = await startTestServer({ data: at("restored") });
  const restored = (await after.ask("GET", `${OWN}/state`)).body.result;
  expect(restored).toEqual({ ...state, epoch: restored.epoch });
  await after.ask("PUT", LIST, { body: { interconnects: [{ id: ORD, mtu: 1200 }] } });
  // Both histories have a revision 3 now, and nobody takes one for the other.
  expect(restored.epoch).not.toBe(state.epoch);
  const follower = await after.ask("GET", `${OWN}/changes?after=3&epoch=${state.epoch}`);
  expect([follower.status, codes(follower)]).toEqual([410, [990037]]);
});

test("a backup file is a data directory's database as it stands", async () => {
  const store = await openWorld(at("data"), new Chance(2), 30);
  await done(backup, { data: at("data"), to: at("backup") });
  await store.close();
  mkdirSync(at("copied"));
  copyFileSync(at("backup"), join(at("copied"), "patchbay.db"));
  expect(await contentOf(at("copied"))).toEqual(await contentOf(at("data")));
});

test("the database of a killed server, copied with its log, is restored as a backup is", async () => {
  const store = await openWorld(at("data"), new Chance(8), 30);
  mkdirSync(at("copied"));
  for (const end of ["", "-wal"])
    copyFileSync(join(at("data"), `patchbay.db${end}`), join(at("copied"), `patchbay.db${end}`));
  await store.close();
  await done(restore, { from: join(at("copied"), "patchbay.db"), data: at("restored") });
  expect(await contentOf(at("restored"))).toEqual(await contentOf(at("data")));
});

describe("backup", () => {
  beforeEach(async () => {
    const store = await openWorld(at("data"), new Chance(3), 30);
    await store.close();
  });

  test("makes a file of its user's alone, and overwrites none", async () => {
    expect(await done(backup, { data: at("data"), to: at("backup") })).toMatch(
      /backup holds 3 states with \d+ objects and 33 changes, all read and found whole\.\n$/,
    );
    expect(statSync(at("backup")).mode & 0o777).toBe(0o600);
    const before = readFileSync(at("backup"));
    expect(await refused(backup, { data: at("data"), to: at("backup") })).toBe(
      `${at("backup")} is there already. Name a new file.`,
    );
    expect(readFileSync(at("backup")).equals(before)).toBe(true);
  });

  test("is not in the way of what an earlier one left when it was killed", async () => {
    for (const end of ["", "-journal"]) writeFileSync(`${at("backup")}.part${end}`, "a part");
    await done(backup, { data: at("data"), to: at("backup") });
    expect(readdirSync(directory).sort()).toEqual(["backup", "data"]);
  });

  test.each([
    ["pages", overwritePages, /(not whole|could not be made)/],
    [
      "an object",
      cutObject,
      /The copy is not whole \(.*does not match its checksum\), so \S+backup was not made\./,
    ],
  ])(
    "of a directory with damaged %s is refused, and makes nothing that looks like one",
    async (_, damage, reason) => {
      damage(join(at("data"), "patchbay.db"));
      expect(await refused(backup, { data: at("data"), to: at("backup") })).toMatch(reason);
      expect(readdirSync(directory)).toEqual(["data"]);
    },
  );

  test("is refused where there is no data", async () => {
    expect(await refused(backup, { data: at("none"), to: at("backup") })).toBe(
      `There is no patchbay.db in ${at("none")}. Name a data directory with --data.`,
    );
  });

  test("is refused where it cannot write", async () => {
    expect(await refused(backup, { data: at("data"), to: join(at("none"), "backup") })).toMatch(
      /none\/backup could not be written: ENOENT/,
    );
  });

  test("of a newer Patchbay's directory is that one's to make; of an older one's it is made as it is", async () => {
    const file = join(at("data"), "patchbay.db");
    setVersion(file, SCHEMA_VERSION + 1);
    expect(await refused(backup, { data: at("data"), to: at("backup") })).toContain(
      `was written by a newer Patchbay (schema ${SCHEMA_VERSION + 1}; this one knows ${SCHEMA_VERSION})`,
    );
    setVersion(file, SCHEMA_VERSION - 1);
    await done(backup, { data: at("data"), to: at("backup") });
    using db = new DatabaseSync(at("backup"));
    expect(db.prepare("PRAGMA user_version").get()?.["user_version"]).toBe(SCHEMA_VERSION - 1);
  });
});

function setVersion(file: string, version: number): void {
  using raw = new DatabaseSync(file);
  raw.exec(`PRAGMA user_version = ${version}`);
}

/** Writes garbage over pages of a database, but for the first two. */
function overwritePages(file: string): void {
  writeFileSync(file, readFileSync(file).fill("garbage ", 4096 * 2, 4096 * 4));
}

/** Takes the end of one object's document. */
function cutObject(file: string): void {
  using raw = new DatabaseSync(file);
  raw.exec("UPDATE object SET doc = substr(doc, 1, 20) WHERE number = (SELECT max(number) FROM object)");
}

describe("restore", () => {
  beforeEach(async () => {
    const store = await openWorld(at("data"), new Chance(4), 30);
    await store.close();
    await done(backup, { data: at("data"), to: at("backup") });
  });

  test("gives back what was there, and leaves the backup as it is", async () => {
    const before = readFileSync(at("backup"));
    expect(await done(restore, { from: at("backup"), data: at("restored") })).toMatch(
      /restored holds 3 states with \d+ objects and 33 changes, under new epochs/,
    );
    expect(await contentOf(at("restored"))).toEqual(await contentOf(at("data")));
    expect(readFileSync(at("backup")).equals(before)).toBe(true);
    expect(statSync(join(at("restored"), "patchbay.db")).mode & 0o777).toBe(0o600);
  });

  test("takes no directory that has something in it", async () => {
    expect(await refused(restore, { from: at("backup"), data: at("data") })).toBe(
      `The directory ${at("data")} is not empty: it holds patchbay.db and 1 more. Name an empty or a new one with --data.`,
    );
  });

  test.each([
    ["none at all", () => undefined, /^There is no file \S+none\.$/, "none"],
    [
      "another program's",
      () => writeFileSync(at("other"), "This is no database. ".repeat(500)),
      /other is no backup of Patchbay's: file is not a database\.$/,
      "other",
    ],
    [
      "an empty file",
      () => writeFileSync(at("other"), ""),
      /other is no backup of Patchbay's: it holds none of Patchbay's tables\.$/,
      "other",
    ],
    [
      "cut off",
      () => truncateSync(at("backup"), 8192),
      /backup (is damaged|is no backup of Patchbay's)/,
      "backup",
    ],
    [
      "of a newer Patchbay",
      () => setVersion(at("backup"), SCHEMA_VERSION + 1),
      /backup was written by a newer Patchbay/,
      "backup",
    ],
    [
      "damaged in an object",
      () => cutObject(at("backup")),
      /backup is damaged \(.*does not match its checksum\)\. Restore another backup\.$/,
      "backup",
    ],
    [
      "damaged in its pages",
      () => overwritePages(at("backup")),
      /backup is damaged \(.*\)\. Restore another backup\.$/,
      "backup",
    ],
  ])("refuses a file that is %s, and leaves nothing", async (_, spoil, reason, name) => {
    spoil();
    expect(await refused(restore, { from: at(name), data: at("restored") })).toMatch(reason);
    expect(existsSync(join(at("restored"), "patchbay.db"))).toBe(false);
  });
});
