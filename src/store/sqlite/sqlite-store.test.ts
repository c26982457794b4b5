import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { storeContract } from "../../../test/harness/store-contract.ts";
import { temporaryDirectory } from "../../../test/harness/temporary.ts";
import {
  applied,
  create,
  FIRST_ACCOUNT,
  idOf,
  makeSmallWorld,
  remove,
  SECOND_ACCOUNT,
  setFlags,
  snapshot,
  update,
  updateFirst,
} from "../../../test/harness/worlds.ts";
import type { Change } from "../../account/change.ts";
import type { Command } from "../../account/decide.ts";
import type { State } from "../../account/state.ts";
import { LiveState } from "../live-state.ts";
import { Conflict, NotCommitted, StoreRefused } from "../store.ts";
import { seal } from "./checksums.ts";
import { SCHEMA_VERSION } from "./schema.ts";
import { SqliteStore } from "./sqlite-store.ts";

storeContract("SQLite in a directory", (place) => SqliteStore.open(place));
storeContract("SQLite in memory", () => SqliteStore.open(undefined), true);

let directory: string;
beforeEach(() => {
  directory = temporaryDirectory();
});

const file = () => join(directory, "patchbay.db");

/** Opens the store, to be closed when the test is over. */
async function open(): Promise<SqliteStore> {
  const store = await SqliteStore.open(directory);
  onTestFinished(() => store.close().catch(() => undefined));
  return store;
}

/** A connection past the store, as nothing but a test has it. */
function past(): DatabaseSync {
  const raw = new DatabaseSync(file());
  onTestFinished(() => raw.close());
  return raw;
}

/** Where the log of the first account stands, and where the rows of its objects do. */
function standing(raw: DatabaseSync) {
  const row = raw.prepare("SELECT revision, folded FROM state WHERE id = ?").get(FIRST_ACCOUNT);
  return { revision: Number(row?.["revision"]), folded: Number(row?.["folded"]) };
}

/** Fills a store and closes it. */
async function fill(): Promise<void> {
  const store = await SqliteStore.open(directory);
  await store.replace(makeSmallWorld(500));
  await store.close();
}

async function loadFrom(store: SqliteStore, id = FIRST_ACCOUNT): Promise<State> {
  const state = await store.load(id);
  if (!state) throw new Error(`There is no state ${id}.`);
  return state;
}

/** The sentence with which opening and reading a store is refused. */
async function sentence(at = directory): Promise<string> {
  try {
    const store = await SqliteStore.open(at);
    try {
      for (const id of await store.states()) await store.load(id);
    } finally {
      await store.close();
    }
  } catch (error) {
    if (error instanceof StoreRefused) return error.message;
    throw error;
  }
  throw new Error("The store was opened and read.");
}

describe("a directory in use", () => {
  const taken = () =>
    `The data directory ${directory} is in use by another Patchbay. Stop that one, or give this one its own with --data.`;

  test("is refused to a second store, and free again when the first is closed", async () => {
    const first = await open();
    await first.replace(makeSmallWorld());
    expect(await sentence()).toBe(taken());
    expect(await first.states()).toHaveLength(3);
    await first.close();
    expect(await (await open()).states()).toHaveLength(3);
  });

  test("is refused to another process, and free again when the first one is killed", async () => {
    const program = `
      import { SqliteStore } from ${JSON.stringify(new URL("./sqlite-store.ts", import.meta.url).href)};
      globalThis.store = await SqliteStore.open(${JSON.stringify(directory)});
      console.log("open");
      setInterval(() => undefined, 1_000_000);
    `;
    const holder = spawn(process.execPath, ["--input-type=module", "--eval", program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    onTestFinished(() => void holder.kill("SIGKILL"));
    await once(holder.stdout, "data");
    expect(await sentence()).toBe(taken());
    holder.kill("SIGKILL");
    await once(holder, "exit");
    expect(await (await open()).states()).toEqual([]);
  });
});

describe("a directory that cannot be used is refused with a sentence:", () => {
  const damaged = (reason: string) =>
    `The data directory ${directory} cannot be used: a file of it is damaged, or not Patchbay's (${reason}). Nothing was changed. Bring back a backup with patchbay restore.`;

  test("of a newer schema, of which nothing is changed", async () => {
    await fill();
    const raw = new DatabaseSync(file());
    raw.exec(`PRAGMA user_version = ${SCHEMA_VERSION + 1}`);
    raw.close();
    const before = readFileSync(file());
    expect(await sentence()).toBe(
      `The data directory ${directory} was written by a newer Patchbay (schema ${SCHEMA_VERSION + 1}; this one knows ${SCHEMA_VERSION}). Use that version, or another directory.`,
    );
    expect(readFileSync(file()).equals(before)).toBe(true);
    // The refusal holds nothing: whoever knows the schema can open it.
    const newer = new DatabaseSync(file());
    newer.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
    newer.close();
    expect(await (await open()).states()).toHaveLength(3);
  });

  test("a file", async () => {
    const path = join(directory, "data");
    writeFileSync(path, "mine");
    expect(await sentence(path)).toContain(
      `The data directory ${path} cannot be used: there is a file where a directory should be (EEXIST`,
    );
    expect(readFileSync(path, "utf8")).toBe("mine");
  });

  test("below a file", async () => {
    const path = join(directory, "file", "data");
    writeFileSync(join(directory, "file"), "mine");
    expect(await sentence(path)).toContain(
      `The data directory ${path} cannot be used: there is a file where a directory should be (ENOTDIR`,
    );
  });

  test("one that may not be written", async () => {
    await fill();
    const before = readFileSync(file());
    chmodSync(directory, 0o555);
    chmodSync(file(), 0o444);
    onTestFinished(() => chmodSync(directory, 0o755));
    expect(await asNobody(() => SqliteStore.open(directory))).toMatch(
      /^The data directory \S+ cannot be used: it cannot be written \(((EACCES|EPERM): .*|attempt to write a readonly database|unable to open database file)\)\. It and its files must belong to the user that Patchbay runs as, on a file system that is not read-only\.$/,
    );
    expect(readFileSync(file()).equals(before)).toBe(true);
  });

  test("one that may not be made", async () => {
    chmodSync(directory, 0o555);
    onTestFinished(() => chmodSync(directory, 0o755));
    const path = join(directory, "data");
    expect(await asNobody(() => SqliteStore.open(path))).toContain(
      `The data directory ${path} cannot be used: it cannot be written (EACCES`,
    );
  });

  test("whose file is of another program", async () => {
    writeFileSync(file(), "This is no database. ".repeat(500));
    const before = readFileSync(file());
    expect(await sentence()).toBe(damaged("file is not a database"));
    expect(readFileSync(file()).equals(before)).toBe(true);
  });

  test("whose lock file is of another program", async () => {
    await fill();
    writeFileSync(join(directory, "patchbay.lock"), "This is no database. ".repeat(500));
    expect(await sentence()).toBe(damaged("file is not a database"));
  });

  test.each([0.9, 0.5, 0.1])("whose file was cut to %s of its length", async (part) => {
    await fill();
    const { length } = readFileSync(file());
    truncateSync(file(), Math.floor((length * part) / 4096) * 4096);
    const before = readFileSync(file());
    expect(await sentence()).toBe(damaged("database disk image is malformed"));
    expect(readFileSync(file()).equals(before)).toBe(true);
  });

  test("whose file has been written over in the middle", async () => {
    await fill();
    const bytes = readFileSync(file());
    bytes.fill("garbage ", 4096, Math.floor(bytes.length * 0.9));
    writeFileSync(file(), bytes);
    expect(await sentence()).toContain(`The data directory ${directory} cannot be used: `);
    expect(readFileSync(file()).equals(bytes)).toBe(true);
  });

  test("that holds a kind of object from a later version", async () => {
    await fill();
    const raw = new DatabaseSync(file());
    raw.exec("UPDATE object SET kind = 'wormhole' WHERE number = 5");
    seal(raw);
    raw.close();
    expect(await sentence()).toBe(
      `The data directory ${directory} cannot be used: This version of Patchbay does not know objects of the kind wormhole.`,
    );
  });

  test("whose log lacks a change that the objects do not have yet", async () => {
    await fill();
    const raw = new DatabaseSync(file());
    raw.exec(`UPDATE state SET revision = 3 WHERE id = '${FIRST_ACCOUNT}'`);
    raw.close();
    expect(await sentence()).toBe(
      damaged(`the log of ${FIRST_ACCOUNT} ends at revision 1, but its state at 3`),
    );
  });

  test("whose log has a gap among such changes", async () => {
    const store = await open();
    await store.replace(makeSmallWorld());
    const live = await loadFrom(store);
    const changes = [1400, 1300, 1200].map((mtu) => applied(live, update({ 0: { mtu } })));
    await store.commit({ state: live.id, epoch: live.epoch, base: 1, changes, deadline: null });
    past().exec(`DELETE FROM change WHERE state = '${FIRST_ACCOUNT}' AND revision = 3`);
    await expect(store.load(FIRST_ACCOUNT)).rejects.toThrow(
      damaged(`the log of ${FIRST_ACCOUNT} lacks revision 3`),
    );
  });

  /** What a user without any rights is told; by permission bits alone the administrator can do anything. */
  async function asNobody(action: () => Promise<SqliteStore>): Promise<string> {
    const administrator = process.geteuid?.() === 0;
    if (administrator) process.seteuid?.(65534);
    try {
      await (await action()).close();
    } catch (error) {
      if (error instanceof StoreRefused) return error.message;
      throw error;
    } finally {
      if (administrator) process.seteuid?.(0);
    }
    throw new Error("The store was opened.");
  }
});

describe("a directory", () => {
  const modesIn = (path: string) =>
    Object.fromEntries(
      ["", ...readdirSync(path)].map((name) => [name, (statSync(join(path, name)).mode & 0o777).toString(8)]),
    );

  test("that other users can access is closed to them, with all files in it", async () => {
    await fill();
    const health = join(directory, "health.db");
    writeFileSync(health, "");
    chmodSync(directory, 0o755);
    for (const name of readdirSync(directory)) chmodSync(join(directory, name), 0o644);
    await open();
    const modes = modesIn(directory);
    expect(modes).toEqual({
      "": "700",
      "health.db": "600",
      "patchbay.db": "600",
      "patchbay.db-shm": "600",
      "patchbay.db-wal": "600",
      "patchbay.lock": "600",
      "patchbay.mark": "600",
    });
  });

  test("that other users can access and that contains other files is refused", async () => {
    const path = join(directory, "shared");
    mkdirSync(path);
    writeFileSync(join(path, "notes.txt"), "mine");
    chmodSync(path, 0o755);
    expect(await sentence(path)).toBe(
      `The data directory ${path} is open to other users (mode 0755) and holds notes.txt, which is not Patchbay's. The database holds keys in plain text. Run chmod 700 ${path}, or choose another directory with --data.`,
    );
    expect(modesIn(path)).toMatchObject({ "": "755" });
    chmodSync(path, 0o700);
    expect(await sentence(path).catch(() => "opened")).toBe("opened");
  });

  test.each(["patchbay.db", "patchbay.mark", "patchbay.lock"])(
    "with a link in place of %s is refused, and what the link points to keeps its mode",
    async (name) => {
      const target = join(directory, "of-another-user");
      writeFileSync(target, "", { mode: 0o644 });
      const data = join(directory, "data");
      mkdirSync(data);
      symlinkSync(target, join(data, name));
      expect(await sentence(data)).toContain(
        `${join(data, name)} is not a regular file. Replace it by a regular file, or remove it.`,
      );
      expect(statSync(target).mode & 0o777).toBe(0o644);
    },
  );

  test("is made with all that is missing above it", async () => {
    const path = join(directory, "a", "b", "c");
    const store = await SqliteStore.open(path);
    await store.replace(makeSmallWorld());
    await store.close();
    const again = await SqliteStore.open(path);
    expect(await again.states()).toHaveLength(3);
    await again.close();
  });

  test("copied while its server is killed opens with all that was committed", async () => {
    const store = await open();
    await store.replace(makeSmallWorld());
    const live = await loadFrom(store);
    const changes = [applied(live, update({ 0: { mtu: 1400 } }))];
    await store.commit({ state: live.id, epoch: live.epoch, base: 1, changes, deadline: null });
    // What a killed process leaves: the log beside the database, and nothing carried over.
    const copy = join(directory, "copy");
    mkdirSync(copy);
    for (const end of ["", "-wal"]) cpSync(file() + end, join(copy, `patchbay.db${end}`));
    const copied = await SqliteStore.open(copy);
    onTestFinished(() => copied.close());
    expect(snapshot(await loadFrom(copied))).toEqual(snapshot(await loadFrom(store)));
    expect((await loadFrom(copied)).durable).toBe(2);
  });
});

describe("a commit that the database refuses", () => {
  let store: SqliteStore;
  let raw: DatabaseSync;
  beforeEach(async () => {
    store = await open();
    await store.replace(makeSmallWorld());
    raw = past();
  });

  /** Commits a change of one interconnect of each account, in flight together. */
  async function commitBoth(mtu: number) {
    const states = [await loadFrom(store), await loadFrom(store, SECOND_ACCOUNT)];
    return Promise.allSettled(
      states.map((state) => {
        const base = state.durable;
        const changes = [applied(state, update({ 0: { mtu } }))];
        return store.commit({ state: state.id, epoch: state.epoch, base, changes, deadline: null });
      }),
    );
  }

  async function mtus(): Promise<unknown[]> {
    const states = [await loadFrom(store), await loadFrom(store, SECOND_ACCOUNT)];
    return states.map((state) => [state.durable, state.get("interconnect", idOf(0))?.doc["mtu"]]);
  }

  const refusals = {
    "while it is written": {
      arm: "CREATE TRIGGER full BEFORE INSERT ON change BEGIN SELECT RAISE(ABORT, 'no room'); END",
      disarm: "DROP TRIGGER full",
      reason: "no room",
    },
    "by ending the transaction": {
      arm: "CREATE TRIGGER full BEFORE INSERT ON change BEGIN SELECT RAISE(ROLLBACK, 'no room'); END",
      disarm: "DROP TRIGGER full",
      reason: "no room",
    },
    "when it is to become durable": {
      arm: `CREATE TABLE parent (id INTEGER PRIMARY KEY);
        CREATE TABLE child (id INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED);
        CREATE TRIGGER full BEFORE INSERT ON change BEGIN INSERT INTO child VALUES (1); END`,
      disarm: "DROP TRIGGER full; DROP TABLE child; DROP TABLE parent",
      reason: "FOREIGN KEY constraint failed",
    },
  };

  test.each(Object.entries(refusals))("%s is not committed, wholly", async (_, { arm, disarm, reason }) => {
    raw.exec(arm);
    const outcomes = await commitBoth(1400);
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ status: "rejected", reason: expect.any(NotCommitted) });
      expect(outcome).toMatchObject({ reason: { message: reason } });
    }
    expect(await mtus()).toEqual([
      [1, 1476],
      [1, 1476],
    ]);
    raw.exec(disarm);
    await commitBoth(1300);
    expect(await mtus()).toEqual([
      [2, 1300],
      [2, 1300],
    ]);
  });

  test("leaves an object that it would have made anew where it was", async () => {
    const state = await loadFrom(store);
    const commit = (changes: readonly Change[]) =>
      store.commit({ state: state.id, epoch: state.epoch, base: 1, changes, deadline: null });
    const { arm, disarm } = refusals["when it is to become durable"];
    raw.exec(arm);
    const remade = [applied(state, remove(0)), applied(state, create(0))];
    await expect(commit(remade)).rejects.toBeInstanceOf(NotCommitted);
    for (const { edits } of remade.toReversed()) state.takeBack(edits);
    raw.exec(disarm);
    await commit([applied(state, update({ 0: { mtu: 1300 } }))]);
    expect((await mtus())[0]).toEqual([2, 1300]);
  });

  test("leaves the world before in its place when it was a new world", async () => {
    raw.exec(refusals["while it is written"].arm);
    await expect(store.replace(makeSmallWorld(1))).rejects.toBeInstanceOf(NotCommitted);
    expect((await loadFrom(store)).ids("interconnect")).toHaveLength(3);
    raw.exec(refusals["while it is written"].disarm);
    await commitBoth(1300);
    expect(await mtus()).toEqual([
      [2, 1300],
      [2, 1300],
    ]);
  });
});

describe("rows of objects", () => {
  const MANY = 2_000;
  /** This many objects changed are folded in at once. */
  const MOST = 40_000;

  let store: SqliteStore;
  let state: State;
  let raw: DatabaseSync;
  beforeEach(async () => {
    store = await open();
    await store.replace(makeSmallWorld(MANY));
    state = await loadFrom(store);
    raw = past();
  });

  async function commit(...commands: Command[]): Promise<void> {
    const base = state.revision;
    const changes = commands.map((command) => applied(state, command));
    await store.commit({ state: state.id, epoch: state.epoch, base, changes, deadline: null });
    for (const { edits, record } of changes) state.settle(edits, record.revision);
  }

  /** Updates all objects until they would be folded in, but for the last time. */
  async function nearlyFill(): Promise<void> {
    for (let times = 1; times < MOST / MANY; times++) await commit(updateFirst(MANY, { mtu: 1000 + times }));
  }

  /** What the row of an interconnect tells. */
  function rowOf(number: number): { revision: number; mtu: number } | undefined {
    const row = raw
      .prepare("SELECT revision, doc FROM object WHERE state = ? AND id = ?")
      .get(FIRST_ACCOUNT, idOf(number));
    return row && { revision: Number(row["revision"]), mtu: JSON.parse(String(row["doc"])).mtu };
  }

  test("stay behind the log until the store is closed", async () => {
    await commit(update({ 0: { mtu: 1400 } }), create(MANY), remove(1));
    expect(standing(raw)).toEqual({ revision: 4, folded: 1 });
    expect([rowOf(0), rowOf(1), rowOf(MANY)]).toEqual([
      { revision: 1, mtu: 1476 },
      { revision: 1, mtu: 1476 },
      undefined,
    ]);
    expect(snapshot(await loadFrom(store))).toEqual(snapshot(state));
    await store.close();
    expect(standing(raw)).toEqual({ revision: 4, folded: 4 });
    expect([rowOf(0), rowOf(1), rowOf(MANY)]).toEqual([
      { revision: 2, mtu: 1400 },
      undefined,
      { revision: 3, mtu: 1476 },
    ]);
  });

  test("stay behind no further than 40,000 changes of objects", async () => {
    await nearlyFill();
    expect(standing(raw)).toEqual({ revision: MOST / MANY, folded: 1 });
    await commit(updateFirst(MANY, { mtu: 1400 }));
    // In flight while they are folded in, and after that still to be.
    await commit(update({ 0: { mtu: 1300 } }));
    expect(standing(raw)).toEqual({ revision: MOST / MANY + 2, folded: MOST / MANY + 1 });
    expect([rowOf(0)?.mtu, rowOf(1)?.mtu]).toEqual([1400, 1400]);
    expect(snapshot(await loadFrom(store))).toEqual(snapshot(state));
  });

  test("stay behind no further over any number of crashes", async () => {
    await nearlyFill();
    const copy = join(directory, "copy");
    mkdirSync(copy);
    for (const end of ["", "-wal"]) cpSync(file() + end, join(copy, `patchbay.db${end}`));
    store = await SqliteStore.open(copy);
    onTestFinished(() => store.close());
    state = await loadFrom(store);
    raw = new DatabaseSync(join(copy, "patchbay.db"));
    onTestFinished(() => raw.close());
    for (const mtu of [1400, 1300]) await commit(updateFirst(MANY, { mtu }));
    expect(standing(raw)).toEqual({ revision: MOST / MANY + 2, folded: MOST / MANY + 1 });
    expect(snapshot(await loadFrom(store))).toEqual(snapshot(state));
  });

  test("that cannot be written stay behind, and nothing is lost", async () => {
    await nearlyFill();
    raw.exec("CREATE TRIGGER full BEFORE UPDATE ON object BEGIN SELECT RAISE(ABORT, 'no room'); END");
    for (const mtu of [1400, 1300]) await commit(updateFirst(MANY, { mtu }));
    expect(standing(raw)).toEqual({ revision: MOST / MANY + 2, folded: 1 });
    expect(snapshot(await loadFrom(store))).toEqual(snapshot(state));
    await store.close();
    expect(standing(raw)).toEqual({ revision: MOST / MANY + 2, folded: 1 });
    store = await open();
    expect(snapshot(await loadFrom(store))).toEqual(snapshot(state));
    raw.exec("DROP TRIGGER full");
    await store.close();
    expect(standing(raw)).toEqual({ revision: MOST / MANY + 2, folded: MOST / MANY + 2 });
    expect(snapshot(await loadFrom(await open()))).toEqual(snapshot(state));
  });

  test("are those of a new world at once", async () => {
    await commit(updateFirst(MANY, { mtu: 1400 }));
    await store.replace(makeSmallWorld(2));
    expect(standing(raw)).toEqual({ revision: 1, folded: 1 });
    expect([rowOf(0), rowOf(2)]).toEqual([{ revision: 1, mtu: 1476 }, undefined]);
    state = await loadFrom(store);
    await commit(update({ 1: { mtu: 1300 } }));
    await store.close();
    expect([rowOf(0)?.mtu, rowOf(1)?.mtu]).toEqual([1476, 1300]);
  });
});

describe("a directory written by an older schema", () => {
  const object = `
    CREATE TABLE object (number INTEGER PRIMARY KEY, state TEXT NOT NULL, kind TEXT NOT NULL,
      id TEXT NOT NULL, revision INTEGER NOT NULL, doc TEXT NOT NULL) STRICT;
    CREATE UNIQUE INDEX object_by_id ON object (state, kind, id);`;
  const change = `
    CREATE TABLE change (state TEXT NOT NULL, revision INTEGER NOT NULL, record TEXT NOT NULL,
      PRIMARY KEY (state, revision)) STRICT`;
  /** The tables of then, and how they are filled from those of now. */
  const schemas = {
    1: {
      tables: `
        CREATE TABLE state (id TEXT PRIMARY KEY, epoch TEXT NOT NULL, revision INTEGER NOT NULL,
          collections TEXT NOT NULL) STRICT, WITHOUT ROWID;
        ${object}
        ${change}, WITHOUT ROWID;
        PRAGMA user_version = 1;`,
      state: "id, epoch, revision, collections",
    },
    2: {
      tables: `
        CREATE TABLE state (id TEXT PRIMARY KEY, epoch TEXT NOT NULL, revision INTEGER NOT NULL,
          folded INTEGER NOT NULL, collections TEXT NOT NULL) STRICT, WITHOUT ROWID;
        ${object}
        ${change};
        PRAGMA user_version = 2;`,
      state: "id, epoch, revision, folded, collections",
    },
  } as const;

  /** Writes what the store holds as it was kept then, to a directory of its own. */
  function writeOld({ tables, state }: (typeof schemas)[1 | 2]): string {
    const old = join(directory, "old");
    mkdirSync(old);
    const raw = new DatabaseSync(join(old, "patchbay.db"));
    raw.exec(`PRAGMA journal_mode = WAL; ${tables} ATTACH '${file()}' AS now;
      INSERT INTO state SELECT ${state} FROM now.state;
      INSERT INTO object SELECT number, state, kind, id, revision, doc FROM now.object;
      INSERT INTO change SELECT state, revision, record FROM now.change`);
    raw.close();
    return old;
  }

  test.each(Object.entries(schemas))("%s is carried over with all it holds", async (_, schema) => {
    let store = await open();
    await store.replace(makeSmallWorld(50));
    const state = await loadFrom(store);
    const commands = [update({ 0: { mtu: 1400 } }), remove(1), create(1), setFlags(["coupler_integration"])];
    const changes = commands.map((command) => applied(state, command));
    await store.commit({ state: state.id, epoch: state.epoch, base: 1, changes, deadline: null });
    for (const { edits, record } of changes) state.settle(edits, record.revision);
    const log = await store.changesAfter(FIRST_ACCOUNT, 0, 100);
    await store.close();
    const old = writeOld(schema);
    for (const _ of ["first", "again"]) {
      store = await SqliteStore.open(old);
      expect(snapshot(await loadFrom(store))).toEqual(snapshot(state));
      expect(await store.states()).toHaveLength(3);
      expect(await store.changesAfter(FIRST_ACCOUNT, 0, 100)).toEqual(log);
      expect(await store.changeAt(FIRST_ACCOUNT, state.time)).toBe(1);
      expect(await store.changeAt(FIRST_ACCOUNT, "2999-01-01T00:00:00.000000Z")).toBe(6);
      expect(await store.eventsAfter(FIRST_ACCOUNT, 0, 10)).toEqual([]);
      await store.close();
    }
  });

  test("whose clock had stepped back is searched as if it had stood still, and records stay as they are", async () => {
    let store = await open();
    await store.replace(makeSmallWorld());
    const state = await loadFrom(store);
    const changes = [1401, 1402, 1403].map((mtu) => applied(state, update({ 0: { mtu } })));
    await store.commit({ state: state.id, epoch: state.epoch, base: 1, changes, deadline: null });
    await store.close();
    const old = writeOld(schemas[2]);
    const raw = new DatabaseSync(join(old, "patchbay.db"));
    const at = (second: number) => `2026-05-01T00:00:0${second}.000000Z`;
    const told = raw.prepare(
      "UPDATE change SET record = json_set(record, '$.time', ?) WHERE state = ? AND revision = ?",
    );
    for (const [index, second] of [5, 9, 3, 9].entries()) told.run(at(second), FIRST_ACCOUNT, index + 1);
    raw.close();
    store = await SqliteStore.open(old);
    onTestFinished(() => store.close());
    const found = await Promise.all([3, 5, 6, 9].map((second) => store.changeAt(FIRST_ACCOUNT, at(second))));
    expect(found).toEqual([1, 1, 2, 2]);
    expect((await store.change(FIRST_ACCOUNT, 3))?.time).toBe(at(3));
    expect((await loadFrom(store)).time).toBe(at(9));
  });
});

test("states that decide in the same turn share a commit", async () => {
  const store = await open();
  await store.replace(makeSmallWorld());
  const lives: LiveState[] = [];
  for (const id of [FIRST_ACCOUNT, SECOND_ACCOUNT])
    lives.push(new LiveState(await loadFrom(store, id), store, () => undefined));
  const statements = vi.spyOn(DatabaseSync.prototype, "exec");
  onTestFinished(() => statements.mockRestore());
  const answers = await Promise.all(
    lives.flatMap((live) => [
      live.submit(update({ 0: { mtu: 1400 } })),
      live.submit(update({ 1: { mtu: 1400 } })),
    ]),
  );
  expect(answers.map(({ ok }) => ok)).toEqual([true, true, true, true]);
  expect(statements.mock.calls.flat()).toEqual(["BEGIN IMMEDIATE", "COMMIT"]);
});

describe("a race that is lost to another server", () => {
  /** Does what another server's commit does: a record, and the revision. */
  function commitPast(raw: DatabaseSync, before: number, after: number): void {
    const { revision: base } = standing(raw);
    const revision = base + 1;
    const record = {
      revision,
      time: "2026-03-04T05:06:08.000000Z",
      actor: { type: "system", id: "other", name: "other" },
      request_id: `other-${revision}`,
      operation: "updateInterconnect",
      objects: [
        {
          kind: "interconnect",
          id: idOf(1),
          name: "pni_1",
          action: "update",
          fields: { mtu: { before, after } },
        },
      ],
    };
    raw.exec("BEGIN");
    raw.prepare("UPDATE state SET revision = ? WHERE id = ?").run(revision, FIRST_ACCOUNT);
    raw
      .prepare(`INSERT INTO change (state, revision, time, "before", sum, record) VALUES (?, ?, ?, 0, 0, ?)`)
      .run(FIRST_ACCOUNT, revision, record.time, JSON.stringify(record));
    seal(raw);
    raw.exec("COMMIT");
  }

  test("is a conflict of which nothing is written", async () => {
    const store = await open();
    await store.replace(makeSmallWorld());
    const state = await loadFrom(store);
    commitPast(past(), 1476, 1400);
    const changes = [applied(state, update({ 0: { mtu: 1300 } }))];
    const batch = { state: state.id, epoch: state.epoch, base: 1, changes, deadline: null };
    await expect(store.commit(batch)).rejects.toBeInstanceOf(Conflict);
    const now = await loadFrom(store);
    expect(now.durable).toBe(2);
    expect(now.list("interconnect").map(({ doc }) => doc["mtu"])).toEqual([1476, 1400, 1476]);
    expect(await store.change(state.id, 2)).toMatchObject({ request_id: "other-2" });
  });

  test("is decided again on what the other one made, and then committed", async () => {
    const store = await open();
    await store.replace(makeSmallWorld());
    const live = new LiveState(await loadFrom(store), store, () => undefined);
    const raw = past();
    commitPast(raw, 1476, 1400);
    commitPast(raw, 1400, 1300);
    const decision = await live.submit(update({ 0: { mtu: 1200 }, 1: { description: "mine" } }));
    expect(decision).toMatchObject({ ok: true, change: { record: { revision: 4 } } });
    const stored = await loadFrom(store);
    expect(snapshot(live.state)).toEqual(snapshot(stored));
    expect(stored.get("interconnect", idOf(1))?.doc).toMatchObject({ mtu: 1300, description: "mine" });
    // What the other one did is folded in as well.
    await store.close();
    expect(standing(raw)).toEqual({ revision: 4, folded: 4 });
    expect(snapshot(await loadFrom(await open()))).toEqual(snapshot(stored));
  });
});
