import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { gate, type OnCommit } from "../../test/harness/faulty-store.ts";
import { isSettled, LiveAccount, problemsOf } from "../../test/harness/live-account.ts";
import {
  create,
  idOf,
  makeSmallWorld,
  remove,
  snapshot,
  update,
  updateFirst,
} from "../../test/harness/worlds.ts";
import type { Command } from "../account/decide.ts";
import { LiveState } from "./live-state.ts";
import { NotCommitted } from "./store.ts";

let account: LiveAccount;
beforeEach(async () => {
  account = await LiveAccount.open();
});

const notCommitted: OnCommit = () => Promise.reject(new NotCommitted("disk full"));

describe("commands that arrive together", () => {
  test("share one commit, each with a revision of its own in the order they came", async () => {
    const commands = [0, 1, 2, 3].map((number) => update({ [number]: { mtu: 1400 } }));
    const decisions = await Promise.all(commands.map((command) => account.submit(command)));
    expect(decisions).toMatchObject([2, 3, 4, 5].map((revision) => ({ change: { record: { revision } } })));
    expect(account.commits.map((changes) => changes.length)).toEqual([4]);
    expect(await account.requestsInLog()).toEqual(commands.map((command) => command.circumstances.requestId));
    await account.expectNothingLost();
  });

  test("share the next commit when they arrive while one is on its way", async () => {
    const { held, reached, open } = gate();
    account.store.next(held);
    const first = account.submit(update({ 0: { mtu: 1400 } }));
    await reached;
    const rest = [1, 2, 3].map((number) => account.submit(update({ [number]: { mtu: 1400 } })));
    expect(await isSettled(Promise.race([first, ...rest]))).toBe(false);
    open();
    await Promise.all([first, ...rest]);
    expect(account.commits.map((changes) => changes.length)).toEqual([1, 3]);
  });

  test("are decided each on what those before it made of the state", async () => {
    const [first, second, third] = await Promise.all([
      account.submit(update({ 0: { name: "taken" } })),
      account.submit(update({ 1: { name: "taken" } })),
      account.submit(update({ 1: { name: "pni_0" } })),
    ]);
    expect(first.ok).toBe(true);
    expect(problemsOf(second)).toEqual(["name_taken"]);
    expect(third.ok).toBe(true);
    expect([account.field(0, "name"), account.field(1, "name")]).toEqual(["taken", "pni_0"]);
    await account.expectNothingLost();
  });

  test("that change nothing need no commit", async () => {
    const decisions = await Promise.all([
      account.submit(update({ 0: { mtu: 1476 } })),
      account.submit(update({ 9: { mtu: 1400 } })),
      account.submit(update({ 0: { mtu: 1400 } }), true),
    ]);
    expect(decisions.map(({ ok }) => ok)).toEqual([true, false, true]);
    expect(account.store.asked).toEqual([]);
    await account.expectNothingLost();
  });

  test("may make, change, remove and make again one object", async () => {
    await Promise.all([
      account.submit(create(8)),
      account.submit(update({ 8: { mtu: 1400 }, 0: { mtu: 1400 } })),
      account.submit(remove(8)),
      account.submit(remove(0)),
      account.submit(create(8, { description: "again" })),
      account.submit(create(0, { description: "again" })),
      account.submit(create(7)),
    ]);
    expect(account.commits).toHaveLength(1);
    const names = account.names();
    expect(names).toEqual(["pni_1", "pni_2", "pni_3", "pni_8", "pni_0", "pni_7"]);
    await account.expectNothingLost();
  });
});

describe("a batch is bounded:", () => {
  test("at 256 commands", async () => {
    const commands = Array.from({ length: 600 }, (_, index) => update({ 0: { mtu: 600 + index } }));
    await Promise.all(commands.map((command) => account.submit(command)));
    expect(account.commits.map((changes) => changes.length)).toEqual([256, 256, 88]);
    expect(await account.requestsInLog()).toEqual(commands.map((command) => command.circumstances.requestId));
    await account.expectNothingLost();
  });

  test("at the command with which it has 2,000 objects; the rest keeps its place", async () => {
    account = await LiveAccount.open(900);
    const all = (mtu: number) => updateFirst(900, { mtu });
    const small = Array.from({ length: 300 }, (_, index) => update({ 0: { mtu: 600 + index } }));
    const commands = [all(1000), all(1001), all(1002), ...small, all(1004)];
    await Promise.all(commands.map((command) => account.submit(command)));
    expect(account.commits.map((changes) => changes.length)).toEqual([3, 256, 45]);
    expect(await account.requestsInLog()).toEqual(commands.map((command) => command.circumstances.requestId));
    expect(account.field(0, "mtu")).toBe(1004);
    await account.expectNothingLost();
  });
});

describe("while a commit is on its way", () => {
  test("a reader sees what is durable, of objects, lists and collections", async () => {
    const before = snapshot(account.live.state);
    const { held, reached, open } = gate();
    account.store.next(held);
    const all = Promise.all([
      account.submit(update({ 0: { mtu: 1400 } })),
      account.submit(update({ 0: { mtu: 1300 }, 1: { mtu: 1300 } })),
      account.submit(create(8)),
      account.submit(remove(2)),
      account.submit(remove(3)),
      account.submit(create(3, { description: "again" })),
    ]);
    await reached;
    expect(account.live.state.revision).toBe(7);
    expect(snapshot(account.live.state)).toEqual(before);
    expect(account.live.state.get("interconnect", idOf(8))).toBeUndefined();
    expect(account.live.state.get("interconnect", idOf(2))).toBeDefined();
    open();
    await all;
    const names = account.names();
    expect(names).toEqual(["pni_0", "pni_1", "pni_8", "pni_3"]);
    await account.expectNothingLost();
  });

  test.each([
    ["a refusal", false, update({ 1: { name: "taken" } }), ["name_taken"]],
    ["a validate_only answer", true, update({ 0: { mtu: 1300 } }), []],
    ["a refused validate_only", true, update({ 1: { name: "taken" } }), ["name_taken"]],
    ["an answer that nothing changes", false, update({ 0: { name: "taken" } }), []],
  ])("%s waits for the change that it was decided on", async (_, dry, command, problems) => {
    const { held, reached, open } = gate();
    account.store.next(held);
    const change = account.submit(update({ 0: { name: "taken" } }));
    const answer = account.submit(command, dry);
    await reached;
    expect(await isSettled(answer)).toBe(false);
    open();
    expect(problemsOf(await answer)).toEqual(problems);
    expect((await change).ok).toBe(true);
    expect(await account.requestsInLog()).toHaveLength(1);
    await account.expectNothingLost();
  });

  test("a refusal is not told if what it was decided on never becomes durable", async () => {
    account.store.onCommit = notCommitted;
    const outcomes = await Promise.allSettled([
      account.submit(update({ 0: { name: "taken" } })),
      account.submit(update({ 1: { name: "taken" } })),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    account.store.onCommit = (_, proceed) => proceed();
    expect((await account.submit(update({ 1: { name: "taken" } }))).ok).toBe(true);
    await account.expectNothingLost();
  });
});

describe("a large command", () => {
  test("is decided in steps, between which others read, and what comes meanwhile waits", async () => {
    account = await LiveAccount.open(200);
    const command = updateFirst(200, { mtu: 1400 });
    let over = false;
    // Each object takes a millisecond, on whatever machine.
    function* slowly(...[state, problems]: Parameters<Command["propose"]>) {
      for (const wish of command.propose(state, problems)) {
        for (const end = performance.now() + 1; performance.now() < end; );
        yield wish;
      }
    }
    const large = account.submit({ ...command, propose: slowly }).finally(() => {
      over = true;
    });
    let small: Promise<unknown> | undefined;
    const seen = new Set<string>();
    let turns = 0;
    while (!over) {
      seen.add([0, 100, 199].map((number) => account.field(number, "mtu")).join(" "));
      await new Promise((resolve) => setImmediate(resolve));
      if (++turns === 3) small = account.submit(update({ 0: { mtu: 1300 } }));
    }
    expect(turns).toBeGreaterThan(8);
    expect([...seen]).toEqual(["1476 1476 1476"]);
    expect(await large).toMatchObject({ ok: true, change: { record: { revision: 2 } } });
    expect(await small).toMatchObject({ ok: true, change: { record: { revision: 3 } } });
    expect([0, 1].map((number) => account.field(number, "mtu"))).toEqual([1300, 1400]);
    await account.expectNothingLost();
  });

  test("delays what replaces the state until it is committed", async () => {
    account = await LiveAccount.open(5_000);
    const large = account.submit(updateFirst(5_000, { mtu: 1400 }));
    await new Promise((resolve) => setImmediate(resolve));
    const revision = await account.live.exclusively(async () => account.live.state.durable);
    expect(revision).toBe(2);
    expect((await large).ok).toBe(true);
  });
});

describe("a rule that throws", () => {
  /** A command whose rules fail the first so many times. */
  function broken(times: number): Command & { readonly runs: () => number } {
    const command = update({ 1: { mtu: 1300 } });
    let runs = 0;
    const propose: Command["propose"] = (state, problems) => {
      if (++runs <= times) throw new TypeError("a defect");
      return command.propose(state, problems);
    };
    return { ...command, propose, runs: () => runs };
  }

  test("fails its own command and no other", async () => {
    const [before, failing, after] = await Promise.allSettled([
      account.submit(update({ 0: { mtu: 1400 } })),
      account.submit(broken(1)),
      account.submit(update({ 2: { mtu: 1400 } })),
    ]);
    expect([before.status, after.status]).toEqual(["fulfilled", "fulfilled"]);
    expect(failing).toMatchObject({ reason: new TypeError("a defect") });
    expect([account.field(0, "mtu"), account.field(1, "mtu"), account.field(2, "mtu")]).toEqual([
      1400, 1476, 1400,
    ]);
    await account.expectNothingLost();
  });

  test("is not run again when the others are decided again, so that what failed stays undone", async () => {
    const command = broken(1);
    account.store.next(notCommitted);
    const [failing] = await Promise.allSettled([
      account.submit(command),
      account.submit(update({ 0: { mtu: 1400 } })),
    ]);
    expect(failing.status).toBe("rejected");
    expect(command.runs()).toBe(1);
    expect(account.field(1, "mtu")).toBe(1476);
    expect(await account.requestsInLog()).toHaveLength(1);
  });
});

describe("exclusively", () => {
  test("runs when the decisions under way are durable, and before those that come after", async () => {
    const order: string[] = [];
    const { held, reached, open } = gate();
    account.store.next(held);
    const first = account.submit(update({ 0: { mtu: 1400 } })).then(() => order.push("first"));
    await reached;
    const alone = account.live.exclusively(async () => {
      order.push("begins");
      await new Promise((resolve) => setImmediate(resolve));
      order.push("ends");
    });
    const second = account.submit(update({ 0: { mtu: 1300 } })).then(() => order.push("second"));
    expect(await isSettled(Promise.race([alone, second]))).toBe(false);
    open();
    await Promise.all([first, alone, second]);
    expect(order).toEqual(["first", "begins", "ends", "second"]);
  });

  test("lets the state be replaced, which the commands that waited are decided on", async () => {
    const replacing = account.live.exclusively(async () => {
      await account.store.replace(makeSmallWorld(2));
      account.live.replaceState(await account.stored());
    });
    const [, kept, gone] = await Promise.all([
      replacing,
      account.submit(update({ 1: { mtu: 1400 } })),
      account.submit(update({ 3: { mtu: 1400 } })),
    ]);
    expect(kept).toMatchObject({ ok: true, change: { record: { revision: 2 } } });
    expect(problemsOf(gone)).toEqual(["unknown_interconnect"]);
    await account.expectNothingLost();
  });

  test("runs one after the other, also when one fails", async () => {
    const order: string[] = [];
    const take = (name: string, fails = false) =>
      account.live.exclusively(async () => {
        order.push(`${name} begins`);
        await new Promise((resolve) => setImmediate(resolve));
        order.push(`${name} ends`);
        if (fails) throw new Error(name);
        return name;
      });
    const outcomes = await Promise.allSettled([take("a"), take("b", true), take("c")]);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(order).toEqual(["a begins", "a ends", "b begins", "b ends", "c begins", "c ends"]);
    expect((await account.submit(update({ 0: { mtu: 1400 } }))).ok).toBe(true);
  });
});

describe("who waits for a move", () => {
  test("is woken once, by the next commit, when it can be read", async () => {
    const seen: unknown[] = [];
    account.live.onMove(() => seen.push(account.field(0, "mtu")));
    await account.submit(update({ 0: { mtu: 1476 } }));
    await account.submit(update({ 0: { mtu: 1300 } }), true);
    expect(seen).toEqual([]);
    await account.submit(update({ 0: { mtu: 1400 } }));
    await account.submit(update({ 0: { mtu: 1300 } }));
    expect(seen).toEqual([1400]);
  });

  test("is woken when the state is replaced", async () => {
    let woken = 0;
    account.live.onMove(() => woken++);
    await account.live.exclusively(async () => account.live.replaceState(await account.stored()));
    expect(woken).toBe(1);
  });

  test("is not woken by a commit that fails, nor after it stopped waiting", async () => {
    let woken = 0;
    account.live.onMove(() => woken++);
    account.store.next(notCommitted, notCommitted);
    await expect(account.submit(update({ 0: { mtu: 1400 } }))).rejects.toBeInstanceOf(NotCommitted);
    expect(woken).toBe(0);
    const stop = account.live.onMove(() => {
      woken += 100;
    });
    stop();
    await account.submit(update({ 0: { mtu: 1400 } }));
    expect(woken).toBe(1);
  });
});

describe("a command with another that goes first", () => {
  const first = () => update({ 0: { mtu: 1400 } });

  test("is a change after that one's, and both become durable together", async () => {
    const decision = await account.live.submit(update({ 0: { name: "then" } }), false, first());
    expect(decision).toMatchObject({ change: { record: { revision: 3 } } });
    expect(account.commits.map((changes) => changes.length)).toEqual([2]);
    expect([account.field(0, "mtu"), account.field(0, "name")]).toEqual([1400, "then"]);
    await account.expectNothingLost();
  });

  test("is judged on what that one made", async () => {
    const taking = update({ 1: { name: "pni_0" } });
    const decision = await account.live.submit(taking, false, update({ 0: { name: "other" } }));
    expect(decision.ok).toBe(true);
    await account.expectNothingLost();
  });

  test("leaves neither if either is refused, and tells why", async () => {
    const refused = await account.live.submit(update({ 1: { name: "pni_0" } }), false, first());
    expect(problemsOf(refused)).toEqual(["name_taken"]);
    const before = await account.live.submit(first(), false, update({ 1: { name: "pni_0" } }));
    expect(problemsOf(before)).toEqual(["name_taken"]);
    expect(account.commits).toEqual([]);
    expect(account.field(0, "mtu")).toBe(1476);
    await account.expectNothingLost();
  });

  test("leaves neither if it is only judged", async () => {
    const decision = await account.live.submit(update({ 0: { name: "then" } }), true, first());
    expect(decision).toMatchObject({ ok: true, change: { record: { revision: 3 } } });
    expect(account.commits).toEqual([]);
    await account.expectNothingLost();
  });

  test("leaves neither if the commit fails", async () => {
    account.store.next(notCommitted, notCommitted);
    await expect(account.live.submit(update({ 0: { name: "then" } }), false, first())).rejects.toThrow(
      "disk full",
    );
    expect(account.field(0, "mtu")).toBe(1476);
    await account.expectNothingLost();
  });
});

test("a saved change remains if an observer fails", async () => {
  const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => undefined);
  onTestFinished(() => warned.mockRestore());
  const failure = new Error("no room for a metric");
  const live = new LiveState(await account.stored(), account.store, () => {
    throw failure;
  });
  for (const mtu of [1400, 1300]) {
    const decision = await live.submit(update({ 0: { mtu } }));
    expect(decision).toMatchObject({ ok: true });
  }
  expect(snapshot(live.state)).toEqual(snapshot(await account.stored()));
  expect([live.state.revision, live.state.durable]).toEqual([3, 3]);
  expect(warned.mock.calls).toEqual([[failure], [failure]]);
});
