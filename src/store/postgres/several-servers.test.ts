/** Several stores on one database, as several servers have it. */

import { Client } from "pg";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { refusalOf } from "../../../test/harness/events.ts";
import { freshDatabase } from "../../../test/harness/postgres.ts";
import { administer } from "../../../test/harness/postgres-server.ts";
import { Chance } from "../../../test/harness/random.ts";
import {
  anyChange,
  applied,
  create,
  FIRST_ACCOUNT,
  makeSmallWorld,
  remove,
  snapshot,
  update,
  updateFirst,
} from "../../../test/harness/worlds.ts";
import { editsOf } from "../../account/change.ts";
import type { Command } from "../../account/decide.ts";
import { kinds } from "../../account/kinds.ts";
import type { State } from "../../account/state.ts";
import { Away, type Batch, Conflict, type LockedState, NotCommitted, type StateEvent } from "../store.ts";
import { type PostgresOptions, PostgresStore } from "./postgres-store.ts";

let url: string;
let stores: readonly PostgresStore[];

async function open(options: PostgresOptions = {}): Promise<PostgresStore> {
  const store = await PostgresStore.open(url, options);
  onTestFinished(() => store.close());
  return store;
}

beforeEach(async () => {
  url = await freshDatabase();
  stores = [await open(), await open(), await open()];
  await first().replace(makeSmallWorld());
});

function first(): PostgresStore {
  const [store] = stores;
  if (!store) throw new Error("There is no store.");
  return store;
}

async function load(store = first()): Promise<State> {
  const state = await store.load(FIRST_ACCOUNT);
  if (!state) throw new Error("There is no such state.");
  return state;
}

async function lock(store: PostgresStore): Promise<LockedState> {
  const locked = await store.lock(FIRST_ACCOUNT);
  if (!locked) throw new Error("There is no such state.");
  return locked;
}

function decided(state: State, ...commands: readonly Command[]): Batch {
  const base = state.revision;
  const changes = commands.map((command) => applied(state, command));
  return { state: state.id, epoch: state.epoch, base, changes, deadline: null };
}

/** Commits, and settles what was committed. */
async function commit(store: PostgresStore, state: State, ...commands: readonly Command[]): Promise<void> {
  const batch = decided(state, ...commands);
  await store.commit(batch);
  for (const { edits, record } of batch.changes) state.settle(edits, record.revision);
}

/** Carries a state over what others committed. */
async function readOn(store: PostgresStore, state: State): Promise<void> {
  const page = await store.changesAfter(state.id, state.durable, 1_000);
  for (const record of page?.records ?? []) {
    const edits = editsOf(state, record, kinds);
    state.apply(edits, record.time);
    state.settle(edits, record.revision);
  }
}

function takeBack(state: State, { changes }: Batch): void {
  for (const { edits } of changes.toReversed()) state.takeBack(edits);
}

/** What the database itself holds. */
async function rowsOf(sql: string): Promise<unknown> {
  return (await administer(url, [sql]))[0];
}

describe("three servers that commit to one state", () => {
  /** Commits so many changes, each decided again until it is made; after a lost race with the row locked. */
  async function work(store: PostgresStore, changes: number): Promise<string[]> {
    const state = await load(store);
    const made: string[] = [];
    for (let mtu = 1001; mtu <= 1000 + changes; mtu++) {
      let batch = decided(state, update({ 0: { mtu, description: `${Math.random()}` } }));
      try {
        await store.commit(batch);
      } catch (error) {
        if (!(error instanceof Conflict)) throw error;
        takeBack(state, batch);
        const locked = await lock(store);
        await readOn(store, state);
        expect(locked.position).toEqual({ epoch: state.epoch, revision: state.durable });
        batch = decided(state, update({ 0: { mtu, description: `${Math.random()}` } }));
        // Nobody comes in between: this one is never a conflict.
        await locked.commit(batch);
      }
      for (const { edits, record } of batch.changes) {
        state.settle(edits, record.revision);
        made.push(record.request_id);
      }
    }
    return made;
  }

  test("make every change once, without a gap, and who lost gets through", async () => {
    const made = (await Promise.all(stores.map((store) => work(store, 40)))).flat();
    const page = await first().changesAfter(FIRST_ACCOUNT, 1, 1_000);
    expect(page?.records.map(({ revision }) => revision)).toEqual(made.map((_, index) => index + 2));
    expect(page?.records.map(({ request_id }) => request_id).sort()).toEqual(made.sort());
    const states = await Promise.all(stores.map(load));
    expect(states.map(snapshot)).toEqual(states.map(() => snapshot(states[0] as State)));
  });

  test("wait for who holds the lock, and are let in one after the other", async () => {
    const [one, two, three] = stores as [PostgresStore, PostgresStore, PostgresStore];
    const state = await load();
    const rival = await load();
    const held = await lock(one);
    const order: string[] = [];
    const second = lock(two).then(async (locked) => {
      order.push(`second at ${locked.position.revision}`);
      await locked.release();
    });
    const third = three.commit(decided(rival, update({ 0: { mtu: 1300 } }))).then(
      () => order.push("third made"),
      () => order.push("third in conflict"),
    );
    // Both wait in the database before the lock is let go.
    await waitUntil(async () => {
      const waiting = await rowsOf("SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'");
      return Array.isArray(waiting) && waiting.length >= 2;
    });
    expect(order).toEqual([]);
    await held.commit(decided(state, update({ 0: { mtu: 1400 } })));
    await Promise.all([second, third]);
    expect(order.sort()).toEqual(["second at 2", "third in conflict"]);
  });

  test("are told in time that somebody is in the way, and nothing of theirs is made", async () => {
    const own = url;
    url = `${own}%20-c%20lock_timeout=100`;
    const impatient = await open({ patience: 50, readPatience: 50 });
    url = own;
    const state = await load();
    const held = await lock(first());
    await expect(impatient.lock(FIRST_ACCOUNT)).rejects.toBeInstanceOf(Away);
    const batch = decided(state, update({ 0: { mtu: 1400 } }));
    await expect(impatient.commit(batch)).rejects.toBeInstanceOf(NotCommitted);
    await held.release();
    await impatient.commit(batch);
    expect((await load()).durable).toBe(2);
  });

  test("are let in when the holder's server is gone", async () => {
    const [one, two] = stores as [PostgresStore, PostgresStore];
    const state = await load();
    await lock(one);
    const waiting = two.commit(decided(state, update({ 0: { mtu: 1400 } })));
    await waitUntil(async () => {
      const ended = await rowsOf(`
        SELECT pg_terminate_backend(holder.pid) FROM pg_stat_activity AS waiting,
          pg_stat_activity AS holder
        WHERE waiting.wait_event_type = 'Lock' AND holder.pid = ANY (pg_blocking_pids(waiting.pid))`);
      return Array.isArray(ended) && ended.length > 0;
    });
    await waiting;
    expect((await load()).durable).toBe(2);
  });
});

describe("a look at where states stand", () => {
  test("on one server sees at once what was committed by another", async () => {
    const [one, two] = stores as [PostgresStore, PostgresStore];
    const state = await load();
    for (let round = 1; round <= 20; round++) {
      await commit(one, state, update({ 0: { mtu: 1000 + round } }));
      const { positions } = await two.check([FIRST_ACCOUNT]);
      expect(positions.get(FIRST_ACCOUNT)).toMatchObject({ epoch: state.epoch, revision: round + 1 });
    }
  });
});

describe("folding", () => {
  const folded = () => rowsOf(`SELECT folded::int, unfolded::int FROM state WHERE id = '${FIRST_ACCOUNT}'`);

  test("brings the rows of objects to where the log ends, and changes nothing that is told", async () => {
    const state = await load();
    await commit(first(), state, update({ 0: { mtu: 1400 }, 1: { mtu: 1300 } }), create(7), create(8));
    await commit(first(), state, remove(1), remove(7), create(1), create(9), remove(9));
    expect(await folded()).toEqual([{ folded: 1, unfolded: 9 }]);
    expect(await first().fold(FIRST_ACCOUNT)).toBe(true);
    expect(await folded()).toEqual([{ folded: 9, unfolded: 0 }]);
    expect(snapshot(await load())).toEqual(snapshot(state));
    await commit(first(), state, update({ 1: { mtu: 1200 }, 8: { mtu: 1200 } }));
    expect(snapshot(await load())).toEqual(snapshot(state));
    await first().fold(FIRST_ACCOUNT);
    expect(snapshot(await load())).toEqual(snapshot(state));
  });

  test("by several servers at once leaves the objects as the log tells, whoever is first", async () => {
    const chance = new Chance();
    const state = await load();
    for (let round = 0; round < 15; round++) {
      for (let count = chance.between(1, 6); count > 0; count--)
        await commit(first(), state, anyChange(state, chance));
      const committing = commit(first(), state, anyChange(state, chance));
      const outcomes = await Promise.allSettled(stores.map((store) => store.fold(FIRST_ACCOUNT)));
      await committing;
      expect(outcomes.some((one) => one.status === "fulfilled" && one.value)).toBe(true);
      expect(snapshot(await load()), `by the chances of ${chance.seed}`).toEqual(snapshot(state));
    }
    const rows = await rowsOf(
      "SELECT count(*)::int AS rows, count(DISTINCT (state, kind, id))::int AS objects FROM object",
    );
    const [{ rows: all, objects }] = rows as [{ rows: number; objects: number }];
    expect(all).toBe(objects);
  });

  test("of what another folded meanwhile is taken back", async () => {
    const state = await load();
    await commit(first(), state, update({ 0: { mtu: 1400 }, 2: { mtu: 1300 } }));
    const letGo = await holdObjects();
    const folds = stores.map((store) => store.fold(FIRST_ACCOUNT));
    // All have read what is to be folded, and wait to write it.
    await waitUntil(async () => {
      const waiting = await rowsOf("SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'");
      return Array.isArray(waiting) && waiting.length >= stores.length;
    });
    await letGo();
    expect((await Promise.all(folds)).sort()).toEqual([false, false, true]);
    expect(await folded()).toEqual([{ folded: 2, unfolded: 0 }]);
    expect(snapshot(await load())).toEqual(snapshot(state));
  });

  test("while others commit lets them, and folds what was there", async () => {
    await first().replace(makeSmallWorld(2_500));
    const state = await load();
    await commit(first(), state, updateFirst(2_500, { mtu: 1400 }));
    const folding = first().fold(FIRST_ACCOUNT);
    for (let mtu = 1001; mtu <= 1010; mtu++) await commit(first(), state, update({ 0: { mtu } }));
    expect(await folding).toBe(true);
    expect(snapshot(await load())).toEqual(snapshot(state));
  });

  test("is begun by the commit that makes the measure full, whoever made those before", async () => {
    const [one, two] = [await open({ foldAfter: 10 }), await open({ foldAfter: 10 })];
    const state = await load();
    for (let count = 1; count <= 3; count++) {
      await commit(one, state, update({ 0: { mtu: 1000 + count }, 1: { mtu: 1000 + count } }));
      await commit(two, state, update({ 2: { mtu: 1000 + count } }));
    }
    expect(await folded()).toEqual([{ folded: 1, unfolded: 9 }]);
    await commit(two, state, update({ 2: { mtu: 1200 } }));
    // Closing waits for the fold.
    await two.close();
    expect(await folded()).toEqual([{ folded: 8, unfolded: 0 }]);
    expect(snapshot(await load())).toEqual(snapshot(state));
  });

  test("of a world that was replaced meanwhile does nothing to the new one", async () => {
    const state = await load();
    await commit(first(), state, update({ 0: { mtu: 1400 } }), remove(2));
    // The fold has read, and waits for the row of an object.
    const letGo = await holdObjects();
    const folding = first().fold(FIRST_ACCOUNT);
    await waitUntil(async () => {
      const waiting = await rowsOf("SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'");
      return Array.isArray(waiting) && waiting.length > 0;
    });
    const replacing = stores[1]?.replace(makeSmallWorld());
    await letGo();
    await folding.catch(() => undefined);
    await replacing;
    const fresh = await load();
    expect(fresh.durable).toBe(1);
    expect(fresh.list("interconnect").map(({ doc }) => doc["mtu"])).toEqual([1476, 1476, 1476]);
  });
});

describe("events of several servers", () => {
  test("are all kept, numbered without a gap", async () => {
    const noted = (server: number, second: number): StateEvent =>
      refusalOf({
        state: FIRST_ACCOUNT,
        time: `2026-05-01T00:00:${String(second).padStart(2, "0")}.000000Z`,
        request_id: `${server}.${second}`,
      });
    await Promise.all(
      stores.map(async (store, server) => {
        for (let second = 0; second < 20; second++) await store.note([noted(server, second)]);
      }),
    );
    const kept = await first().eventsAfter(FIRST_ACCOUNT, 0, 100);
    expect(kept.map(({ number }) => number)).toEqual(Array.from({ length: 60 }, (_, index) => index + 1));
    expect(new Set(kept.map(({ event }) => event.request_id)).size).toBe(60);
    const times = kept.map(({ event }) => event.time);
    expect(times).toEqual(times.toSorted());
  });
});

/** Locks the rows of all objects by a connection of its own, until what it returns is called. */
async function holdObjects(): Promise<() => Promise<void>> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query("BEGIN");
  await client.query("SELECT 1 FROM object FOR UPDATE");
  return async () => {
    await client.query("ROLLBACK");
    await client.end();
  };
}

/** Asks until it is so. */
async function waitUntil(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setImmediate(resolve));
}
