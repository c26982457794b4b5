/** The database stops, starts and dies; the stores go on. */

import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { administer, PostgresServer } from "../../../test/harness/postgres-server.ts";
import { applied, FIRST_ACCOUNT, makeSmallWorld, snapshot, update } from "../../../test/harness/worlds.ts";
import type { State } from "../../account/state.ts";
import { Away, type Batch, NotCommitted, Unreadable } from "../store.ts";
import { type PostgresOptions, PostgresStore } from "./postgres-store.ts";

let server: PostgresServer;

beforeAll(async () => {
  server = await PostgresServer.start();
  return () => server.stop();
});

async function open(options: PostgresOptions = {}): Promise<PostgresStore> {
  const store = await PostgresStore.open(server.url(), options);
  onTestFinished(() => store.close());
  return store;
}

async function begin(store: PostgresStore): Promise<State> {
  await store.replace(makeSmallWorld());
  return load(store);
}

async function load(store: PostgresStore): Promise<State> {
  const state = await store.load(FIRST_ACCOUNT);
  if (!state) throw new Error("There is no such state.");
  return state;
}

function change(state: State, mtu: number): Batch {
  const base = state.revision;
  const changes = [applied(state, update({ 0: { mtu } }))];
  return { state: state.id, epoch: state.epoch, base, changes, deadline: null };
}

describe("a database that is away", () => {
  test("is told as away by all that reads, and is there again without reopening", async () => {
    const store = await open({ readPatience: 100, patience: 100 });
    const state = await begin(store);
    await server.stop();
    const reads = [
      () => store.load(FIRST_ACCOUNT),
      () => store.states(),
      () => store.check([FIRST_ACCOUNT]),
      () => store.due(),
      () => store.lock(FIRST_ACCOUNT),
      () => store.changesAfter(FIRST_ACCOUNT, 0, 10),
      () => store.changesBefore(FIRST_ACCOUNT, 10, 10),
      () => store.change(FIRST_ACCOUNT, 1),
      () => store.changeAt(FIRST_ACCOUNT, "2026-01-01T00:00:00.000000Z"),
      () => store.eventsAfter(FIRST_ACCOUNT, 0, 10),
      () => store.eventAt(FIRST_ACCOUNT, "2026-01-01T00:00:00.000000Z"),
    ];
    const outcomes = await Promise.allSettled(reads.map((read) => read()));
    for (const outcome of outcomes) expect(outcome).toMatchObject({ reason: expect.any(Away) });
    const batch = change(state, 1400);
    await expect(store.commit(batch)).rejects.toBeInstanceOf(NotCommitted);
    await expect(store.create("c".repeat(32), state.epoch)).rejects.toBeInstanceOf(NotCommitted);
    await expect(store.replace([])).rejects.toBeInstanceOf(NotCommitted);
    await server.start();
    expect((await store.check([FIRST_ACCOUNT])).positions.get(FIRST_ACCOUNT)?.revision).toBe(1);
    await store.commit(batch);
    expect(snapshot(await load(store)).revision).toBe(2);
  });

  test("is waited for by a commit that is on its way", async () => {
    const store = await open();
    const state = await begin(store);
    await server.stop();
    const committing = store.commit(change(state, 1400));
    await server.start();
    await committing;
    expect((await load(store)).durable).toBe(2);
  });

  test("is not the same as one that holds what cannot be read", async () => {
    const store = await open();
    await begin(store);
    await administer(server.url(), ["UPDATE change SET record = 'no JSON'"]);
    const reading = store.change(FIRST_ACCOUNT, 1);
    await expect(reading).rejects.toBeInstanceOf(Unreadable);
    await expect(reading).rejects.not.toBeInstanceOf(Away);
  });
});

describe("a database that is killed again and again", () => {
  test("loses nothing that was told to be made, and makes nothing twice", async () => {
    const store = await open();
    const state = await begin(store);
    const made: string[] = [];
    let over = false;
    const working = (async () => {
      for (let mtu = 1001; !over; mtu = mtu === 1400 ? 1001 : mtu + 1) {
        const batch = change(state, mtu);
        await store.commit(batch);
        for (const { edits, record } of batch.changes) {
          state.settle(edits, record.revision);
          made.push(record.request_id);
        }
      }
    })();
    for (let round = 1; round <= 3; round++) {
      const enough = made.length + 20;
      while (made.length < enough) await new Promise((resolve) => setImmediate(resolve));
      await server.kill();
      await server.start();
    }
    over = true;
    await working;
    const told: string[] = [];
    for (let at = 1; ; ) {
      const page = await store.changesAfter(FIRST_ACCOUNT, at, 1_000);
      told.push(...(page?.records.map(({ request_id }) => request_id) ?? []));
      at = page?.records.at(-1)?.revision ?? at;
      if (!page?.more) break;
    }
    expect(told).toEqual(made);
    expect(snapshot(await load(store))).toEqual(snapshot(state));
  });
});
