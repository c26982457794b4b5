import { beforeEach, describe, expect, test } from "vitest";
import type { OnCommit } from "../../test/harness/faulty-store.ts";
import { LiveAccount, problemsOf } from "../../test/harness/live-account.ts";
import {
  addressOf,
  create,
  FIRST_ACCOUNT,
  idOf,
  makeSmallWorld,
  remove,
  snapshot,
  update,
} from "../../test/harness/worlds.ts";
import type { Command } from "../account/decide.ts";
import type { State } from "../account/state.ts";
import { Conflict, NotCommitted, OutcomeUnknown } from "./store.ts";

let account: LiveAccount;
beforeEach(async () => {
  account = await LiveAccount.open();
});

const notCommitted: OnCommit = () => Promise.reject(new NotCommitted("disk full"));
const unknownButLost: OnCommit = () => Promise.reject(new OutcomeUnknown("connection lost"));
const unknownButMade: OnCommit = async (_, proceed) => {
  await proceed();
  throw new OutcomeUnknown("connection lost");
};

describe("a commit that was not made", () => {
  test("is made by a second decision", async () => {
    account.store.next(notCommitted);
    const decision = await account.submit(update({ 0: { mtu: 1400 } }));
    expect(decision).toMatchObject({ ok: true, change: { record: { revision: 2 } } });
    expect(account.store.asked).toHaveLength(2);
    expect(await account.requestsInLog()).toHaveLength(1);
    await account.expectNothingLost();
  });

  test("fails its commands when the second try fails too, and leaves no trace", async () => {
    const before = snapshot(account.live.state);
    account.store.onCommit = notCommitted;
    const commands = [
      update({ 0: { name: "renamed", mtu: 1400 }, 1: { name: "pni_0" } }),
      create(8),
      remove(2),
      create(2, { name: "second" }),
    ];
    const outcomes = await Promise.allSettled(commands.map((command) => account.submit(command)));
    for (const outcome of outcomes) expect(outcome).toMatchObject({ reason: expect.any(NotCommitted) });
    expect(account.store.asked).toHaveLength(2);
    expect(snapshot(account.live.state)).toEqual(before);
    await account.expectNothingLost();
    // What the failed ones claimed is free, what they gave up is held.
    account.store.onCommit = (_, proceed) => proceed();
    const decisions = await Promise.all([
      account.submit(update({ 3: { name: "renamed", interface_address: addressOf(8) } })),
      account.submit(update({ 3: { name: "pni_0" } })),
      account.submit(update({ 3: { interface_address: addressOf(2) } })),
      account.submit(create(2)),
    ]);
    expect(decisions.map(problemsOf)).toEqual([[], ["name_taken"], ["address_overlap"], ["invalid_request"]]);
    await account.expectNothingLost();
  });

  test("for a reason that the store did not foresee fails its commands at once", async () => {
    const reads: string[] = [];
    account.store.onRead = async (name) => void reads.push(name);
    account.store.next(() => Promise.reject(new TypeError("a defect")));
    await expect(account.submit(update({ 0: { mtu: 1400 } }))).rejects.toThrow(new TypeError("a defect"));
    expect(account.store.asked).toHaveLength(1);
    await account.expectNothingLost();
    // Nobody knows what the store did, so the next decision looks.
    expect((await account.submit(update({ 0: { mtu: 1300 } }))).ok).toBe(true);
    expect(reads).toEqual(["load"]);
    await account.expectNothingLost();
  });
});

describe("a commit that others overtook", () => {
  test("is decided again on what they made", async () => {
    account.store.next(
      account.overtaken(update({ 0: { mtu: 1400 } }), update({ 1: { mtu: 1400 } }), create(8), remove(3)),
    );
    const decision = await account.submit(update({ 0: { description: "mine" } }));
    expect(decision).toMatchObject({ ok: true, change: { record: { revision: 6 } } });
    expect(account.live.state.get("interconnect", idOf(0))?.doc).toMatchObject({
      mtu: 1400,
      description: "mine",
    });
    await account.expectNothingLost();
  });

  test("is refused if they took what it wants", async () => {
    account.store.next(account.overtaken(update({ 1: { name: "taken" } })));
    const [mine, next] = await Promise.all([
      account.submit(update({ 0: { name: "taken" } })),
      account.submit(update({ 1: { mtu: 1400 } })),
    ]);
    expect(problemsOf(mine)).toEqual(["name_taken"]);
    expect(next).toMatchObject({ ok: true, change: { record: { revision: 3 } } });
    expect(account.field(0, "name")).toBe("pni_0");
    await account.expectNothingLost();
  });

  test("has its condition judged again", async () => {
    const judged: number[] = [];
    const command = update({ 0: { mtu: 1400 } });
    const condition = (state: State) => {
      judged.push(state.revision);
      return state.revision > 1 ? ({ name: "precondition_failed", message: "it moved" } as const) : undefined;
    };
    account.store.next(account.overtaken(update({ 1: { mtu: 1400 } })));
    expect(problemsOf(await account.submit({ ...command, condition }))).toEqual(["precondition_failed"]);
    expect(judged).toEqual([1, 2]);
    await account.expectNothingLost();
  });

  test("gets through after four lost races", async () => {
    account.store.next(...[1400, 1300, 1200, 1100].map((mtu) => account.overtaken(update({ 1: { mtu } }))));
    expect((await account.submit(update({ 0: { mtu: 1400 } }))).ok).toBe(true);
    expect(account.store.asked.map(({ base }) => base)).toEqual([1, 2, 3, 4, 5]);
    await account.expectNothingLost();
  });

  test("gives up after five, with nothing of it committed", async () => {
    let mtu = 1000;
    account.store.onCommit = (batch, proceed) =>
      account.overtaken(update({ 1: { mtu: mtu++ } }))(batch, proceed);
    await expect(account.submit(update({ 0: { mtu: 1400 } }))).rejects.toBeInstanceOf(Conflict);
    expect(account.store.asked).toHaveLength(5);
    expect(account.field(0, "mtu")).toBe(1476);
    expect(account.field(1, "mtu")).toBe(1004);
    await account.expectNothingLost();
  });

  test.each([
    ["reads on over a few records", 5, []],
    ["loads the state anew when there are more than a thousand", 1_001, ["load"]],
  ])("%s", async (_, count, loads) => {
    const reads: string[] = [];
    account.store.onRead = async (name) => void reads.push(name);
    const theirs = Array.from({ length: count }, (__, index) =>
      update({ 1: { description: `their ${index}` } }),
    );
    account.store.next(account.overtaken(...theirs));
    await account.submit(update({ 0: { mtu: 1400 } }));
    expect(reads).toEqual(["changesAfter", ...loads]);
    expect(account.live.state.durable).toBe(count + 2);
    await account.expectNothingLost();
  });

  test("loads the state anew when what it missed is no longer in the log", async () => {
    const { store } = account;
    const reads: string[] = [];
    store.onRead = async (name) => void reads.push(name);
    const changesAfter = store.inner.changesAfter.bind(store.inner);
    store.inner.changesAfter = async (...asked) => {
      const page = await changesAfter(...asked);
      return page && { ...page, records: page.records.slice(1) };
    };
    store.next(account.overtaken(update({ 1: { mtu: 1400 } }), update({ 2: { mtu: 1400 } })));
    expect(await account.submit(update({ 0: { mtu: 1400 } }))).toMatchObject({ ok: true });
    expect(reads).toEqual(["changesAfter", "load"]);
    expect(account.live.state.durable).toBe(4);
    await account.expectNothingLost();
  });

  test("by a new world is decided on that", async () => {
    const { epoch } = account.live.state;
    account.store.next(async (_, proceed) => {
      await account.store.replace(makeSmallWorld(2));
      await proceed();
    });
    const [mine, lost] = await Promise.all([
      account.submit(update({ 1: { mtu: 1400 } })),
      account.submit(update({ 3: { mtu: 1400 } })),
    ]);
    expect(mine).toMatchObject({ ok: true, change: { record: { revision: 2 } } });
    expect(problemsOf(lost)).toEqual(["unknown_interconnect"]);
    expect(account.live.state.epoch).not.toBe(epoch);
    await account.expectNothingLost();
  });

  test("by a world without the account fails", async () => {
    account.store.next(async (_, proceed) => {
      await account.store.replace(makeSmallWorld().filter(({ id }) => id !== FIRST_ACCOUNT));
      await proceed();
    });
    await expect(account.submit(update({ 0: { mtu: 1400 } }))).rejects.toBeInstanceOf(Conflict);
  });

  test("wakes those who wait for changes, as theirs are changes too", async () => {
    let woken = 0;
    account.live.onMove(() => woken++);
    account.store.next(account.overtaken(update({ 0: { mtu: 1400 } })));
    await account.submit(update({ 0: { mtu: 1400 } }));
    expect(account.commits).toEqual([]);
    expect(woken).toBe(1);
  });
});

describe("a commit of unknown outcome", () => {
  test("that was made is a success, once", async () => {
    account.store.next(unknownButMade);
    const decisions = await Promise.all([
      account.submit(update({ 0: { mtu: 1400 } })),
      account.submit(update({ 0: { mtu: 1300 } })),
      account.submit(update({ 9: { mtu: 1300 } })),
    ]);
    expect(decisions.map(({ ok }) => ok)).toEqual([true, true, false]);
    expect(account.store.asked).toHaveLength(1);
    expect(await account.requestsInLog()).toHaveLength(2);
    expect(account.field(0, "mtu")).toBe(1300);
    await account.expectNothingLost();
  });

  test("that was lost is made by another decision, once", async () => {
    account.store.next(unknownButLost, unknownButLost);
    expect((await account.submit(update({ 0: { mtu: 1400 } }))).ok).toBe(true);
    expect(account.store.asked).toHaveLength(3);
    expect(await account.requestsInLog()).toHaveLength(1);
    await account.expectNothingLost();
  });

  test("that was lost to others is decided again on what they made", async () => {
    account.store.next(async () => {
      await account.others(update({ 1: { name: "taken" } }));
      throw new OutcomeUnknown("connection lost");
    });
    expect(problemsOf(await account.submit(update({ 0: { name: "taken" } })))).toEqual(["name_taken"]);
    expect(await account.requestsInLog()).toHaveLength(1);
    await account.expectNothingLost();
  });

  test("that was made, and overtaken before it was looked for, is a success, once", async () => {
    account.store.next(async (_, proceed) => {
      await proceed();
      await account.others(update({ 0: { mtu: 1300 } }));
      throw new OutcomeUnknown("connection lost");
    });
    const decision = await account.submit(update({ 0: { mtu: 1400 } }));
    expect(decision).toMatchObject({ ok: true, change: { record: { revision: 2 } } });
    expect(await account.requestsInLog()).toHaveLength(2);
    expect(account.field(0, "mtu")).toBe(1300);
    await account.expectNothingLost();
  });

  test("gives up after five, with nothing of it committed", async () => {
    account.store.onCommit = unknownButLost;
    await expect(account.submit(update({ 0: { mtu: 1400 } }))).rejects.toBeInstanceOf(OutcomeUnknown);
    expect(account.store.asked).toHaveLength(5);
    expect(await account.requestsInLog()).toEqual([]);
    await account.expectNothingLost();
  });

  describe.each([
    ["was made", unknownButMade, 1400],
    ["was lost", unknownButLost, 1476],
  ])("that %s, and a store that cannot be read:", (_, happening, mtu) => {
    beforeEach(async () => {
      account.store.next(happening);
      account.store.onRead = () => Promise.reject(new Error("connection lost"));
      const command = update({ 0: { mtu: 1400, name: "taken" } });
      await expect(account.submit(command)).rejects.toBeInstanceOf(OutcomeUnknown);
    });

    test("nothing more is decided on what is in memory, not even a refusal", async () => {
      const unavailable = new NotCommitted("connection lost");
      await expect(account.submit(update({ 1: { name: "taken" } }))).rejects.toThrow(unavailable);
      await expect(account.submit(update({ 0: { mtu: 1476 } }), true)).rejects.toThrow(unavailable);
      expect(account.store.asked).toHaveLength(1);
    });

    test("decisions go on from what is found when it can be read again", async () => {
      account.store.onRead = async () => undefined;
      const rival = await account.submit(update({ 1: { name: "taken" } }));
      expect(problemsOf(rival)).toEqual(mtu === 1400 ? ["name_taken"] : []);
      expect(account.field(0, "mtu")).toBe(mtu);
      await account.expectNothingLost();
    });
  });
});

describe("a commit on a shared store that goes through after its response was lost", () => {
  /** After attempts that fail as `before` says, one runs on with the row locked. Others commit `then` after it. */
  async function throughLate(then: Command[], ...before: readonly OnCommit[]): Promise<void> {
    account = await LiveAccount.open(4, true);
    let running: (() => Promise<void>) | undefined;
    account.store.next(...before, (_, proceed) => {
      running = proceed;
      return Promise.reject(new OutcomeUnknown("timeout"));
    });
    account.store.onRead = async (name) => {
      if (name !== "lock") return;
      if (!running) return;
      await running();
      running = undefined;
      if (then.length > 0) await account.others(...then);
    };
  }

  test("is applied once, and later changes by others are kept", async () => {
    await throughLate([update({ 0: { mtu: 1300 } })]);
    const mine = update({ 0: { mtu: 1400 } });
    expect(await account.submit(mine)).toMatchObject({ ok: true, change: { record: { revision: 2 } } });
    const log = await account.requestsInLog();
    expect(log).toHaveLength(2);
    expect(log[0]).toBe(mine.circumstances.requestId);
    expect(account.field(0, "mtu")).toBe(1300);
    await account.expectNothingLost();
  });

  test("is answered as created, not as a duplicate", async () => {
    await throughLate([]);
    expect(await account.submit(create(8))).toMatchObject({ ok: true, change: { record: { revision: 2 } } });
    expect(await account.requestsInLog()).toHaveLength(1);
    await account.expectNothingLost();
  });

  test("is found if it was not the first attempt", async () => {
    const lost: OnCommit = async () => {
      await account.others(update({ 1: { mtu: 1300 } }));
      throw new OutcomeUnknown("timeout");
    };
    await throughLate([update({ 0: { mtu: 1300 } })], lost);
    const mine = update({ 0: { mtu: 1400 } });
    expect(await account.submit(mine)).toMatchObject({ ok: true, change: { record: { revision: 3 } } });
    expect(await account.requestsInLog()).toHaveLength(3);
    expect(account.field(0, "mtu")).toBe(1300);
    await account.expectNothingLost();
  });
});
