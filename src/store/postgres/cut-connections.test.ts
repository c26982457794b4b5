/** What is asked of the database happens once, however the way to it is cut. */

import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { type Cut, CuttingProxy } from "../../../test/harness/cutting-proxy.ts";
import { refusalOf } from "../../../test/harness/events.ts";
import { freshDatabase } from "../../../test/harness/postgres.ts";
import {
  applied,
  create,
  FIRST_ACCOUNT,
  makeSmallWorld,
  snapshot,
  update,
} from "../../../test/harness/worlds.ts";
import type { State } from "../../account/state.ts";
import { Away, type Batch, Conflict, NotCommitted, OutcomeUnknown, type StateEvent } from "../store.ts";
import { type PostgresOptions, PostgresStore } from "./postgres-store.ts";

let url: string;
let proxy: CuttingProxy;
/** By the way that is cut, and beside it. */
let store: PostgresStore;
let witness: PostgresStore;

async function open(options: PostgresOptions = {}): Promise<PostgresStore> {
  const opened = await PostgresStore.open(proxy.url, options);
  onTestFinished(() => opened.close());
  return opened;
}

beforeEach(async () => {
  url = await freshDatabase();
  proxy = await CuttingProxy.to(url);
  onTestFinished(() => proxy.close());
  witness = await PostgresStore.open(url);
  onTestFinished(() => witness.close());
  await witness.replace(makeSmallWorld());
  store = await open();
});

async function load(): Promise<State> {
  const state = await witness.load(FIRST_ACCOUNT);
  if (!state) throw new Error("There is no such state.");
  return state;
}

/** A change of one interconnect, decided on the newest of a state. */
function change(state: State, mtu: number): Batch {
  const base = state.revision;
  const changes = [applied(state, update({ 0: { mtu } }))];
  return { state: state.id, epoch: state.epoch, base, changes, deadline: null };
}

/** The requests that the log tells, from the second revision on. */
async function requests(): Promise<unknown[]> {
  const page = await witness.changesAfter(FIRST_ACCOUNT, 1, 100);
  return page?.records.map(({ request_id }) => request_id) ?? [];
}

const requestsOf = (...batches: readonly Batch[]) =>
  batches.flatMap(({ changes }) => changes.map(({ record }) => record.request_id));

const EVERY_CUT: readonly Cut[] = ["before", "within", "after"];

describe("a commit whose connection is cut", () => {
  test.each(EVERY_CUT)("%s the database answered is made once, and told as made", async (cut) => {
    const state = await load();
    const first = change(state, 1400);
    const cutting = proxy.cut("append", cut);
    await store.commit(first);
    await cutting;
    const second = change(state, 1300);
    await store.commit(second);
    expect(await requests()).toEqual(requestsOf(first, second));
    expect((await load()).list("interconnect")[0]?.doc["mtu"]).toBe(1300);
  });

  test.each(EVERY_CUT)("again and again, %s the database answered, is made once", async (cut) => {
    const batch = change(await load(), 1400);
    const cutting = [proxy.cut("append", cut), proxy.cut("append", cut), proxy.cut("look", cut)];
    await store.commit(batch);
    if (cut === "before") await Promise.all(cutting.slice(0, 2));
    else expect(proxy.cuts).toBeGreaterThanOrEqual(1);
    expect(await requests()).toEqual(requestsOf(batch));
  });

  test("is made once, also if the database hears of the first attempt after the second", async () => {
    const batch = change(await load(), 1400);
    const cutting = proxy.cut("append", "late");
    await store.commit(batch);
    await cutting;
    await proxy.deliver();
    expect(await requests()).toEqual(requestsOf(batch));
    expect((await load()).durable).toBe(2);
  });

  test.each(EVERY_CUT)("%s, while another's takes its place, is a conflict or made", async (cut) => {
    const [state, rival] = [await load(), await load()];
    const mine = change(state, 1400);
    const theirs = change(rival, 1300);
    const cutting = proxy.cut("append", cut);
    const outcome = store.commit(mine).then(
      () => "made",
      (error: unknown) => error,
    );
    await cutting;
    const their = await witness.commit(theirs).then(
      () => "made",
      (error: unknown) => error,
    );
    const [won, lost, winner] =
      their === "made" ? [their, await outcome, theirs] : [await outcome, their, mine];
    expect(won).toBe("made");
    expect(lost).toBeInstanceOf(Conflict);
    expect(await requests()).toEqual(requestsOf(winner));
    if (cut === "after") expect(winner).toBe(mine);
  });

  test("without a word, as where a machine is gone, is made once by another connection", async () => {
    const attentive = await open({ statementTimeout: 200 });
    const batch = change(await load(), 1400);
    const cutting = proxy.cut("append", "silence");
    await attentive.commit(batch);
    await cutting;
    expect(await requests()).toEqual(requestsOf(batch));
  });

  test("every time, is told as unknown when the patience is over, and nothing of it was made", async () => {
    const impatient = await open({ patience: 300 });
    proxy.always = { word: "append", cut: "before" };
    const batch = change(await load(), 1400);
    await expect(impatient.commit(batch)).rejects.toBeInstanceOf(OutcomeUnknown);
    expect(proxy.cuts).toBeGreaterThan(2);
    expect(await requests()).toEqual([]);
  });

  test("is not made if there was no connection at all, and told so", async () => {
    const impatient = await open({ patience: 300, readPatience: 300 });
    const batch = change(await load(), 1400);
    proxy.cutAll();
    // What the client says first on a connection.
    proxy.always = { word: "application_name", cut: "before" };
    await expect(impatient.check([])).rejects.toBeInstanceOf(Away);
    await expect(impatient.commit(batch)).rejects.toBeInstanceOf(NotCommitted);
    proxy.always = undefined;
    await impatient.commit(batch);
    expect(await requests()).toEqual(requestsOf(batch));
  });

  test("goes through after all connections were cut while nothing was asked", async () => {
    const state = await load();
    await store.commit(change(state, 1400));
    proxy.cutAll();
    await store.commit(change(state, 1300));
    expect((await load()).durable).toBe(3);
  });
});

describe("a commit to a locked state whose connection is cut", () => {
  const moments = (["append", "COMMIT"] as const).flatMap((word) =>
    EVERY_CUT.map((cut): [string, Cut] => [word, cut]),
  );
  test.each(moments)("at %s, %s the database answered, is made once", async (word, cut) => {
    const state = await load();
    const locked = await store.lock(FIRST_ACCOUNT);
    const first = change(state, 1400);
    const cutting = proxy.cut(word, cut);
    await locked?.commit(first);
    await cutting;
    await locked?.release();
    const second = change(state, 1300);
    await witness.commit(second);
    expect(await requests()).toEqual(requestsOf(first, second));
  });

  test("before it came to a commit, is a race like any other", async () => {
    const [state, rival] = [await load(), await load()];
    const locked = await store.lock(FIRST_ACCOUNT);
    proxy.cutAll();
    const theirs = change(rival, 1300);
    await witness.commit(theirs);
    await expect(locked?.commit(change(state, 1400))).rejects.toBeInstanceOf(Conflict);
    expect(await requests()).toEqual(requestsOf(theirs));
  });
});

describe("what else is asked once and cut", () => {
  const NEW = "c".repeat(32);
  const EPOCH = "0123456789abcdef";

  test.each(EVERY_CUT)("%s the answer: a state is made", async (cut) => {
    const cutting = proxy.cut("create", cut);
    await store.create(NEW, EPOCH);
    await cutting;
    expect((await witness.load(NEW))?.epoch).toBe(EPOCH);
  });

  test("a state that was made, and went on, is told as made", async () => {
    const cutting = proxy.cut("create", "after");
    const creating = store.create(NEW, EPOCH);
    await cutting;
    proxy.always = { word: "create", cut: "before" };
    const made = await witness.load(NEW);
    if (!made) throw new Error("There is no such state.");
    const changes = [applied(made, create(7))];
    await witness.commit({ state: NEW, epoch: EPOCH, base: 0, changes, deadline: null });
    proxy.always = undefined;
    await creating;
    expect((await witness.load(NEW))?.durable).toBe(1);
  });

  const words = ["DELETE FROM state", "append", "COMMIT"].flatMap((word) =>
    EVERY_CUT.map((cut): [string, Cut] => [word, cut]),
  );
  test.each(words)("at %s, %s the answer: the world is replaced", async (word, cut) => {
    await witness.commit(change(await load(), 1400));
    const world = makeSmallWorld(5);
    const cutting = proxy.cut(word, cut);
    await store.replace(world);
    await cutting;
    const state = await load();
    expect(state.epoch).toBe(world.find(({ id }) => id === FIRST_ACCOUNT)?.epoch);
    expect(state.list("interconnect")).toHaveLength(5);
    expect(await requests()).toEqual([]);
  });

  test("a world that was replaced, and went on, is not replaced again", async () => {
    const cutting = proxy.cut("COMMIT", "after");
    const replacing = store.replace(makeSmallWorld(5));
    await cutting;
    const batch = change(await load(), 1400);
    await witness.commit(batch);
    await replacing;
    expect(await requests()).toEqual(requestsOf(batch));
  });

  test.each([...EVERY_CUT, "late" as const])("%s the answer: an event is kept", async (cut) => {
    const cutting = proxy.cut("event_insert", cut);
    await store.note([noted(1), noted(2)]);
    await cutting;
    await proxy.deliver();
    await store.note([noted(3)]);
    const kept = await witness.eventsAfter(FIRST_ACCOUNT, 0, 10);
    expect(kept.map(({ number, event }) => [number, event.request_id])).toEqual([
      [1, "request 1"],
      [2, "request 2"],
      [3, "request 3"],
    ]);
  });

  test.each(EVERY_CUT)("%s the answer: reading reads again", async (cut) => {
    await witness.commit(change(await load(), 1400));
    const expected = snapshot(await load());
    for (const word of ["BEGIN", "objects", "after", "COMMIT"]) {
      const cutting = proxy.cut(word, cut);
      const state = await store.load(FIRST_ACCOUNT);
      await cutting;
      expect(state && snapshot(state)).toEqual(expected);
    }
    const cutting = proxy.cut("check", cut);
    expect((await store.check([FIRST_ACCOUNT])).positions.get(FIRST_ACCOUNT)?.revision).toBe(2);
    await cutting;
  });
});

function noted(second: number): StateEvent {
  return refusalOf({
    state: FIRST_ACCOUNT,
    time: `2026-05-01T00:00:0${second}.000000Z`,
    request_id: `request ${second}`,
  });
}
