import { readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout } from "node:timers/promises";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { done } from "../../../test/harness/admin.ts";
import { temporaryDirectory } from "../../../test/harness/temporary.ts";
import { FakeTerminal } from "../../../test/harness/terminal.ts";
import { applied, FIRST_ACCOUNT, makeSmallWorld, update } from "../../../test/harness/worlds.ts";
import { prune } from "../../admin/prune.ts";
import { WRITE_LOCK_PATIENCE } from "../../contract/limits.ts";
import { serve } from "../../server/serve.ts";
import { type Batch, NotCommitted, StoreRefused } from "../store.ts";
import { why } from "./data-directory.ts";
import { openBeside } from "./database-file.ts";
import { SqliteStore } from "./sqlite-store.ts";

/** Turns of the event loop that a write must leave to others while it waits. */
const TURNS = 20;

let directory: string;
let store: SqliteStore;
beforeEach(async () => {
  directory = temporaryDirectory();
  store = await SqliteStore.open(directory);
  onTestFinished(() => store.close());
  await store.replace(makeSmallWorld());
});

/** A second connection, in place of another process. */
function another(): DatabaseSync {
  const other = new DatabaseSync(join(directory, "patchbay.db"), { timeout: 0 });
  onTestFinished(() => other.close());
  return other;
}

async function batch(): Promise<Batch> {
  const state = await store.load(FIRST_ACCOUNT);
  if (!state) throw new Error("There is no account.");
  const base = state.durable;
  const changes = [applied(state, update({ 0: { mtu: 1400 } }))];
  return { state: state.id, epoch: state.epoch, base, changes, deadline: null };
}

const event = {
  time: "2026-03-04T05:06:07.000000Z",
  actor: { type: "user", id: "u", name: "u" },
  request_id: "r",
  operation: "o",
} as never;

const writes: Readonly<Record<string, () => Promise<unknown>>> = {
  "a commit": async () => store.commit(await batch()),
  "an event": () => store.note([{ state: FIRST_ACCOUNT, event }]),
  "a new state": () => store.create("c".repeat(32), "0123456789abcdef"),
  "a reset": () => store.replace(makeSmallWorld(1)),
};

describe("while another process holds the write lock", () => {
  /** Starts a write and lets it wait for so many turns. */
  async function waiting<T>(write: () => Promise<T>) {
    let settled = false;
    const writing = write().finally(() => {
      settled = true;
    });
    writing.catch(() => undefined);
    for (let turn = 0; turn < TURNS; turn++) await setTimeout(1);
    expect(settled).toBe(false);
    return { writing };
  }

  test.each(Object.entries(writes))(
    "%s waits without blocking the event loop, then is saved",
    async (_, write) => {
      const other = another();
      other.exec("BEGIN IMMEDIATE");
      const { writing } = await waiting(write);
      other.exec("ROLLBACK");
      await writing;
    },
  );

  test.each(Object.entries(writes))(
    "%s is refused after the deadline, and saved when it is retried",
    async (_, write) => {
      const other = another();
      other.exec("BEGIN IMMEDIATE");
      const { writing } = await waiting(write);
      const now = performance.now.bind(performance);
      const clock = vi.spyOn(performance, "now").mockImplementation(() => now() + WRITE_LOCK_PATIENCE);
      onTestFinished(() => clock.mockRestore());
      await expect(writing).rejects.toBeInstanceOf(NotCommitted);
      other.exec("ROLLBACK");
      await write();
    },
  );

  test("a start waits", async () => {
    await store.close();
    const raw = another();
    // Gives the start something to write.
    raw.exec(
      "DROP TABLE object; DROP TABLE change; DROP TABLE event; DROP TABLE state; PRAGMA user_version = 0",
    );
    rmSync(join(directory, "patchbay.mark"));
    raw.exec("BEGIN IMMEDIATE");
    const { writing: opening } = await waiting(() => SqliteStore.open(directory));
    raw.exec("ROLLBACK");
    store = await opening;
    expect(await store.states()).toEqual([]);
  });

  const openings: Readonly<Record<string, () => Promise<{ close(): unknown }>>> = {
    "a start": () => SqliteStore.open(directory),
    "a command": () => openBeside(directory),
  };

  test.each(Object.entries(openings))(
    "%s waits while another process has exclusive access to the database, as when it closes it",
    async (_, open) => {
      await store.close();
      const other = new DatabaseSync(join(directory, "patchbay.db"));
      other.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT");
      const { writing: opening } = await waiting(open);
      other.close();
      await (await opening).close();
    },
  );

  test("commits that cannot be folded yet are folded when the store is closed", async () => {
    await store.commit(await batch());
    const other = another();
    other.exec("BEGIN IMMEDIATE");
    const { writing: closing } = await waiting(() => store.close());
    other.exec("ROLLBACK");
    await closing;
    expect(other.prepare("SELECT count(*) AS n FROM state WHERE folded < revision").get()).toEqual({ n: 0 });
  });
});

test("pruning removes large records in transactions of half a megabyte", async () => {
  const state = await store.load(FIRST_ACCOUNT);
  if (!state) throw new Error("There is no account.");
  const RECORDS = 30;
  const changes = Array.from({ length: RECORDS }, (_, number) => {
    const change = applied(state, update({ 0: { description: `${number}` } }));
    return { ...change, record: { ...change.record, reason: "r".repeat(200_000) } };
  });
  await store.commit({ state: state.id, epoch: state.epoch, base: 1, changes, deadline: null });
  const statements = vi.spyOn(DatabaseSync.prototype, "exec");
  onTestFinished(() => statements.mockRestore());
  await done(prune, { data: directory, before: "0d", discard: true });
  const commits = statements.mock.calls.flat().filter((sql) => sql === "COMMIT").length;
  expect(commits).toBeGreaterThanOrEqual(RECORDS / 3);
});

describe("a lock file that is removed or replaced while the server runs", () => {
  const sentence = () =>
    `The file patchbay.lock of the data directory ${directory} was removed or replaced while the server was running`;

  test("makes the store refuse all further writes", async () => {
    rmSync(join(directory, "patchbay.lock"));
    for (const write of Object.values(writes)) await expect(write()).rejects.toThrow(sentence());
    const second = await SqliteStore.open(directory);
    onTestFinished(() => second.close());
    for (const write of Object.values(writes)) await expect(write()).rejects.toThrow(sentence());
  });

  test("ends `patchbay serve` with a message and status 1", async () => {
    const terminal = new FakeTerminal();
    const data = join(directory, "served");
    const serving = serve({ data, port: "0", metricsPort: "off", logLevel: "silent" }, {}, terminal);
    await expect.poll(() => terminal.said.stdout, { timeout: 30_000 }).toContain("Patchbay answers at");
    rmSync(join(data, "patchbay.lock"));
    expect(await serving).toBe(1);
    expect(terminal.said.stderr).toContain(
      `The file patchbay.lock of the data directory ${data} was removed`,
    );
  });

  test("is reported without a write", async () => {
    const { promise, resolve } = Promise.withResolvers<StoreRefused>();
    await store.close();
    store = await SqliteStore.open(directory, resolve);
    writeFileSync(join(directory, "other"), "");
    renameSync(join(directory, "other"), join(directory, "patchbay.lock"));
    const refusal = await promise;
    expect(refusal).toBeInstanceOf(StoreRefused);
    expect(refusal.message).toContain(sentence());
    expect(readdirSync(directory)).toContain("patchbay.lock");
  });
});

test.each([
  ["the database", 13],
  ["the index of its log", 4874],
])("a disk without space for %s is reported as full", (_, errcode) => {
  const error = Object.assign(new Error("disk I/O error"), { errcode });
  expect(why(error)).toMatch(/^its disk is full /);
});
