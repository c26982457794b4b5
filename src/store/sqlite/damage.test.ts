/** Damaged databases and logs: refused, or served with their acknowledged content, never with other content. */

import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Worker } from "node:worker_threads";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { done, refused } from "../../../test/harness/admin.ts";
import { Chance } from "../../../test/harness/random.ts";
import { isLong } from "../../../test/harness/runs.ts";
import { temporaryDirectoryForAll } from "../../../test/harness/temporary.ts";
import {
  applied,
  create,
  FIRST_ACCOUNT,
  makeSmallWorld,
  remove,
  SECOND_ACCOUNT,
  snapshot,
  update,
  updateFirst,
} from "../../../test/harness/worlds.ts";
import type { Command } from "../../account/decide.ts";
import { backup, restore } from "../../admin/backup.ts";
import { dump } from "../../admin/dump.ts";
import { ConfigError } from "../config-error.ts";
import { StoreRefused, Unreadable } from "../store.ts";
import { MarkCheck } from "./mark.ts";
import { SqliteStore } from "./sqlite-store.ts";

const FLIPS = isLong ? 2_000 : 40;
const FIRST_FLIP = Number(process.env["PATCHBAY_TEST_CHANCE"] ?? new Chance().below(2 ** 31));

const DATABASE = "patchbay.db";
const LOG = "patchbay.db-wal";
const MARK = "patchbay.mark";

/** Gives an empty mark its name, again and again. */
const REPLACING = `
  const { renameSync, writeFileSync } = require("node:fs");
  const { parentPort, workerData } = require("node:worker_threads");
  parentPort.postMessage("begun");
  for (;;) {
    writeFileSync(workerData + ".new", "");
    renameSync(workerData + ".new", workerData);
  }`;

const root = temporaryDirectoryForAll();
/** Directories of a killed and of a stopped server. */
let killed: string;
let stopped: string;
/** The content of both. */
let content: unknown;

async function commit(store: SqliteStore, id: string, ...commands: readonly Command[]): Promise<void> {
  const state = await store.load(id);
  if (!state) throw new Error(`There is no state ${id}.`);
  const base = state.durable;
  const changes = commands.map((command) => {
    const change = applied(state, command);
    state.settle(change.edits, change.record.revision);
    return change;
  });
  await store.commit({ state: id, epoch: state.epoch, base, changes, deadline: null });
}

/** Everything that is acknowledged: epochs, objects, logs. */
async function read(store: SqliteStore) {
  const states = [];
  for (const id of await store.states()) {
    const state = await store.load(id);
    const log = await store.changesAfter(id, 0, 10_000);
    states.push({ id, epoch: state?.epoch, ...(state && snapshot(state)), log });
  }
  return states;
}

/** Copies a database with its log and mark. */
function copy(from: string, to: string): string {
  mkdirSync(to);
  for (const name of [DATABASE, LOG, MARK])
    if (existsSync(join(from, name))) cpSync(join(from, name), join(to, name));
  return to;
}

let copies = 0;
const copyOf = (directory: string) => copy(directory, join(root, `copy-${copies++}`));

beforeAll(async () => {
  const data = join(root, "data");
  const store = await SqliteStore.open(data);
  await store.replace(makeSmallWorld(20));
  for (let mtu = 1300; mtu < 1312; mtu++) {
    await commit(store, FIRST_ACCOUNT, update({ 0: { mtu } }), updateFirst(10, { description: `d${mtu}` }));
    await commit(store, SECOND_ACCOUNT, update({ 1: { mtu } }));
  }
  await commit(store, FIRST_ACCOUNT, remove(3), create(3));
  content = await read(store);
  killed = copyOf(data);
  await store.close();
  stopped = copyOf(data);
});

/** The message with which a directory is refused; `undefined` if its content is as acknowledged. */
async function judge(directory: string): Promise<string | undefined> {
  try {
    const store = await SqliteStore.open(directory);
    try {
      expect(await read(store)).toEqual(content);
    } finally {
      await store.close();
    }
    return undefined;
  } catch (error) {
    if (error instanceof StoreRefused || error instanceof ConfigError || error instanceof Unreadable)
      return error.message;
    throw error;
  }
}

function flip(file: string, bit: number): void {
  const bytes = readFileSync(file);
  const at = Math.floor(bit / 8);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit % 8));
  writeFileSync(file, bytes);
}

test("a directory without damage is served", async () => {
  expect(await judge(copyOf(killed))).toBeUndefined();
  expect(await judge(copyOf(stopped))).toBeUndefined();
});

describe.each([
  ["the log that a killed server leaves", () => killed, LOG],
  ["the database of a stopped server", () => stopped, DATABASE],
] as const)(`${FLIPS} flipped bits in %s`, (_, from, name) => {
  test("are refused, or do not change the content that is served", async () => {
    const chance = new Chance(FIRST_FLIP);
    const bits = statSync(join(from(), name)).size * 8;
    for (let count = 0; count < FLIPS; count++) {
      const directory = copyOf(from());
      const bit = chance.below(bits);
      flip(join(directory, name), bit);
      const seen = await judge(directory).catch((error: unknown) => {
        throw new Error(`bit ${bit} of ${name}, PATCHBAY_TEST_CHANCE=${FIRST_FLIP}`, { cause: error });
      });
      if (name === LOG)
        expect(seen, `bit ${bit}, PATCHBAY_TEST_CHANCE=${FIRST_FLIP}`).toMatch(/^The data directory /);
      rmSync(directory, { recursive: true });
    }
  });
});

describe("a damaged log", () => {
  test("is refused by the server and by commands with a message about restoring, and stays unchanged", async () => {
    const directory = copyOf(killed);
    // In the first frame: SQLite would open it as an empty database.
    flip(join(directory, LOG), (32 + 24 + 100) * 8);
    const before = readFileSync(join(directory, LOG));
    const sentence = `The data directory ${directory} cannot be used: patchbay.db-wal is damaged (frame 1 is not valid, and commits follow), so acknowledged changes would be lost. Nothing was changed. Restore a backup into a new directory with patchbay restore. If you have no backup, restore what can still be read with patchbay restore --from ${join(directory, DATABASE)} --data NEW-DIRECTORY.`;
    expect(await judge(directory)).toBe(sentence);
    expect(await refused(dump, { data: directory, to: join(root, "dump") })).toBe(sentence);
    expect(await refused(backup, { data: directory, to: join(root, "backup") })).toBe(sentence);
    expect(readFileSync(join(directory, LOG)).equals(before)).toBe(true);
  });

  test("can be restored as far as it can be read, under new epochs", async () => {
    const directory = copyOf(killed);
    const { size } = statSync(join(directory, LOG));
    flip(join(directory, LOG), Math.floor(size * 0.8) * 8);
    expect(await judge(directory)).toContain("is damaged (frame ");
    const data = join(root, `restored-${copies++}`);
    const said = await done(restore, { data, from: join(directory, DATABASE) });
    expect(said).toMatch(/ Changes are missing: the state \S+ is at revision \d+, but was at \d+\.\n$/);
    const store = await SqliteStore.open(data);
    onTestFinished(() => store.close());
    const states = await read(store);
    expect(states.map(({ id }) => id)).toContain(FIRST_ACCOUNT);
  });

  test("of which nothing can be read is not restored", async () => {
    // The tables are made by one commit, and filled by the next one.
    const refusals = [];
    for (let frame = 0; frame < 24; frame++) {
      const directory = copyOf(killed);
      flip(join(directory, LOG), (32 + frame * (24 + 4096) + 100) * 8);
      const data = join(root, `restored-${copies++}`);
      refusals.push(await refused(restore, { data, from: join(directory, DATABASE) }));
    }
    expect(refusals[0]).toMatch(/ is no backup of Patchbay's: it holds none of Patchbay's tables\.$/);
    expect(refusals.at(-1)).toMatch(/^Nothing can be read from \S+\. Restore another backup\.$/);
  });

  test.each([
    ["cut off", (directory: string) => truncateSync(join(directory, LOG), 0)],
    ["removed", (directory: string) => rmSync(join(directory, LOG))],
    [
      "cut in the last commit",
      (directory: string) => {
        truncateSync(join(directory, LOG), statSync(join(directory, LOG)).size - 100);
      },
    ],
    [
      "removed with its database",
      (directory: string) => {
        for (const name of [LOG, DATABASE]) rmSync(join(directory, name));
      },
    ],
  ])("that is %s is detected by the mark", async (_, damage) => {
    const directory = copyOf(killed);
    damage(directory);
    expect(await judge(directory)).toMatch(
      /cannot be used: the database is older than its last acknowledged change \((the state \w+ is at revision \d+, but was at \d+|it is empty, but was not)\)\. Nothing was changed\. Restore a backup/,
    );
  });
});

describe("after a power failure, the server starts on", () => {
  /** A directory whose last commit, of several frames, was not acknowledged, and the frames of it. */
  async function unacknowledged() {
    const data = join(root, `data-${copies++}`);
    const store = await SqliteStore.open(data);
    onTestFinished(() => store.close());
    await store.replace(makeSmallWorld(20));
    await commit(store, FIRST_ACCOUNT, update({ 0: { mtu: 1300 } }));
    const before = await read(store);
    const mark = readFileSync(join(data, MARK));
    const { size } = statSync(join(data, LOG));
    await commit(store, FIRST_ACCOUNT, updateFirst(20, { description: "x".repeat(1_000) }));
    const directory = copyOf(data);
    writeFileSync(join(directory, MARK), mark);
    const frames = Math.floor((statSync(join(directory, LOG)).size - size) / (24 + 4096));
    expect(frames).toBeGreaterThan(3);
    return { directory, before, size };
  }

  test("a last commit with a frame in the middle that did not reach the disk", async () => {
    const { directory, before, size } = await unacknowledged();
    const bytes = readFileSync(join(directory, LOG));
    bytes.fill(0, size + 24 + 4096, size + 2 * (24 + 4096));
    writeFileSync(join(directory, LOG), bytes);
    const store = await SqliteStore.open(directory);
    onTestFinished(() => store.close());
    expect(await read(store)).toEqual(before);
  });

  test("a commit that reached the disk before its mark", async () => {
    const { directory } = await unacknowledged();
    const store = await SqliteStore.open(directory);
    onTestFinished(() => store.close());
    expect((await store.load(FIRST_ACCOUNT))?.durable).toBe(3);
  });

  test("a mark that is missing, empty, or unreadable in part", async () => {
    for (const damage of [
      (file: string) => rmSync(file),
      (file: string) => truncateSync(file, 0),
      (file: string) => flip(file, 500),
      (file: string) => truncateSync(file, 200),
    ]) {
      const directory = copyOf(killed);
      damage(join(directory, MARK));
      expect(await judge(directory)).toBeUndefined();
    }
  });
});

describe("the mark", () => {
  test("matches a directory that was reset, at whatever point the server was killed", async () => {
    const data = join(root, `data-${copies++}`);
    const store = await SqliteStore.open(data);
    onTestFinished(() => store.close());
    await store.replace(makeSmallWorld(2));
    await commit(store, FIRST_ACCOUNT, update({ 0: { mtu: 1300 } }));
    const old = readFileSync(join(data, MARK));
    const before = await read(store);
    const world = makeSmallWorld(1).map((state) => ({ ...state, epoch: "fedcba9876543210" }));
    const early = copyOf(data);
    await store.replace(world);
    const after = await read(store);
    // Killed before the commit, and between the commit and the renaming of the mark.
    cpSync(join(data, MARK), join(early, `${MARK}.new`));
    const late = copyOf(data);
    cpSync(join(data, MARK), join(late, `${MARK}.new`));
    writeFileSync(join(late, MARK), old);
    for (const [directory, expected] of [
      [early, before],
      [late, after],
    ] as const) {
      const again = await SqliteStore.open(directory);
      expect(await read(again)).toEqual(expected);
      await again.close();
    }
  });

  test("fits a state that was created again before its first change", async () => {
    const data = join(root, `data-${copies++}`);
    const first = await SqliteStore.open(data);
    await first.replace(makeSmallWorld(1));
    await first.create("again", "0123456789abcdef");
    await first.close();
    const second = await SqliteStore.open(data);
    onTestFinished(() => second.close());
    await second.create("again", "fedcba9876543210");
    const killed = await SqliteStore.open(copyOf(data));
    onTestFinished(() => killed.close());
    expect((await killed.load("again"))?.epoch).toBe("fedcba9876543210");
  });

  test("is read while a running server replaces it", async () => {
    const directory = join(root, `data-${copies++}`);
    mkdirSync(directory);
    const worker = new Worker(REPLACING, { eval: true, workerData: join(directory, MARK) });
    onTestFinished(async () => void (await worker.terminate()));
    await once(worker, "message");
    for (let read = 0; read < 20_000; read++) expect(new MarkCheck(directory).missing([])).toBeUndefined();
  });

  test("refuses a database that was replaced by an older copy", async () => {
    const directory = copyOf(stopped);
    const other = join(root, `data-${copies++}`);
    const store = await SqliteStore.open(other);
    await store.replace(makeSmallWorld(2));
    await store.close();
    cpSync(join(other, DATABASE), join(directory, DATABASE));
    expect(await judge(directory)).toContain("the database is older than");
  });
});

test("a record that was changed is not served, but the others are", async () => {
  const directory = copyOf(stopped);
  const raw = new DatabaseSync(join(directory, DATABASE));
  raw.exec(
    `UPDATE change SET record = replace(record, '1301', '1399') WHERE state = '${FIRST_ACCOUNT}' AND revision = 4`,
  );
  raw.close();
  const store = await SqliteStore.open(directory);
  onTestFinished(() => store.close());
  expect((await store.load(FIRST_ACCOUNT))?.durable).toBe(27);
  await expect(store.change(FIRST_ACCOUNT, 4)).rejects.toBeInstanceOf(Unreadable);
  await expect(store.changesAfter(FIRST_ACCOUNT, 0, 10)).rejects.toBeInstanceOf(Unreadable);
  await expect(store.changesBefore(FIRST_ACCOUNT, 10, 10)).rejects.toBeInstanceOf(Unreadable);
  expect(await store.change(FIRST_ACCOUNT, 3)).toMatchObject({ revision: 3 });
  expect((await store.changesAfter(FIRST_ACCOUNT, 4, 10))?.records).toHaveLength(10);
  expect((await store.changesBefore(FIRST_ACCOUNT, 4, 10))?.records).toHaveLength(3);
  expect(await refused(backup, { data: directory, to: join(root, `backup-${copies++}`) })).toContain(
    "The copy is not whole (the record of revision 4 of",
  );
});
