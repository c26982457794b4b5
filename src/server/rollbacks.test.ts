import { beforeEach, describe, expect, test } from "vitest";
import { FaultyStore } from "../../test/harness/faulty-store.ts";
import { LiveAccount } from "../../test/harness/live-account.ts";
import { circumstances, idOf, update, updateFirst } from "../../test/harness/worlds.ts";
import { keyOf } from "../account/log/folding.ts";
import { LogMovedOn, restoreAccount } from "../account/undo.ts";
import { MAX_ROLLBACK_ATTEMPTS, MAX_WAITING_ROLLBACKS } from "../contract/limits.ts";
import { Refusal } from "./refusal.ts";
import { ReadLog, Rollbacks } from "./rollbacks.ts";

let account: LiveAccount;
beforeEach(async () => {
  account = await LiveAccount.open(5);
  for (const mtu of [1400, 1401, 1402]) await account.submit(updateFirst(mtu === 1402 ? 5 : 2, { mtu }));
});

const nameOf = (error: unknown) => (error instanceof Refusal ? error.problems[0]?.name : String(error));
const refusalOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "accepted",
    (error) => nameOf(error),
  );

describe("a rollback reads the log", () => {
  const all = Number.POSITIVE_INFINITY;

  test("up to the limit of bytes, which is checked before a record is read", async () => {
    const { bytes } = await account.store.logSize(account.live.state.id, 1, 100);
    const reads: string[] = [];
    account.store.onRead = async (name) => void reads.push(name);
    const read = (most: number) =>
      new ReadLog(account.store, { bytes: most, objects: all }).restoring(account.live, 1);
    expect(await refusalOf(read(bytes - 1))).toBe("undo_too_far");
    expect(reads).not.toContain("changesAfter");
    expect((await read(bytes)).upTo).toBe(4);
  });

  test("up to the limit of distinct objects", async () => {
    const read = (objects: number, revision: number) =>
      new ReadLog(account.store, { bytes: all, objects }).restoring(account.live, revision);
    expect(await refusalOf(read(4, 1))).toBe("undo_too_far");
    expect((await read(5, 1)).size).toBe(5);
  });

  test("without limits for a pending change", async () => {
    const log = new ReadLog(account.store, { bytes: 1, objects: 1 });
    expect(await refusalOf(log.reverting(account.live, 2))).toBe("undo_too_far");
    expect((await log.revertingPending(account.live, 2)).upTo).toBe(4);
  });

  test("from the newest folded record on when it reads again", async () => {
    const log = new ReadLog(account.store);
    const first = await log.restoring(account.live, 1);
    await account.submit(update({ 0: { name: "renamed" } }));
    const inner = account.store.inner.changesAfter.bind(account.store.inner);
    const from: number[] = [];
    account.store.inner.changesAfter = (id, revision, limit) => {
      from.push(revision);
      return inner(id, revision, limit);
    };
    const again = await log.restoring(account.live, 1);
    expect([again === first, again.upTo, from]).toEqual([true, 5, [4]]);
    const earlier = again.get(keyOf("interconnect", idOf(0)));
    expect([...(earlier?.fields ?? [])]).toEqual([
      ["mtu", 1476],
      ["name", "pni_0"],
    ]);
  });

  test("from the beginning if another commit is at the newest folded revision", async () => {
    const log = new ReadLog(account.store);
    const inner = account.store.inner.changesAfter.bind(account.store.inner);
    let commit = "one";
    account.store.inner.changesAfter = async (...asked) => {
      const page = await inner(...asked);
      return page && { ...page, from: commit, position: { ...page.position, head: commit } };
    };
    const first = await log.restoring(account.live, 1);
    expect(await log.restoring(account.live, 1)).toBe(first);
    commit = "another";
    await expect(log.restoring(account.live, 1)).rejects.toThrow(LogMovedOn);
    const again = await log.restoring(account.live, 1);
    expect([again === first, again.upTo]).toEqual([false, 4]);
  });

  test.each([
    { revision: 0, refused: "change_not_found" },
    { revision: 5, refused: "change_not_found" },
  ])("and refuses revision $revision, which the log does not contain", async ({ revision, refused }) => {
    expect(await refusalOf(new ReadLog(account.store).restoring(account.live, revision))).toBe(refused);
  });
});

describe("rollbacks take turns", () => {
  const rollbacks = () => new Rollbacks(new FaultyStore(account.store.inner));

  test("and a request over the limit of waiting requests is refused", async () => {
    const turns = rollbacks();
    const { promise, resolve } = Promise.withResolvers<void>();
    let running = 0;
    let most = 0;
    const one = () =>
      turns.forRequest(async () => {
        most = Math.max(most, ++running);
        await promise;
        running--;
      });
    const accepted = Array.from({ length: 1 + MAX_WAITING_ROLLBACKS }, one);
    expect(await refusalOf(one())).toBe("rollbacks_busy");
    resolve();
    await Promise.all(accepted);
    expect(most).toBe(1);
    expect(await refusalOf(one())).toBe("accepted");
  });

  test("and the server's own rollbacks read one at a time, without waiting for decisions", async () => {
    const turns = rollbacks();
    const { promise, resolve } = Promise.withResolvers<void>();
    const request = turns.forRequest(() => promise);
    let reading = 0;
    let most = 0;
    const { inner } = account.store;
    const read = inner.changesAfter.bind(inner);
    inner.changesAfter = async (...asked) => {
      most = Math.max(most, ++reading);
      await new Promise((resolve) => setImmediate(resolve));
      reading--;
      return read(...asked);
    };
    // All finish reading before any is decided.
    const all = Array.from({ length: 3 }, () => Promise.withResolvers<void>());
    const own = all.map((done) =>
      turns.forServer(async (log) => {
        await log.revertingPending(account.live, 2);
        done.resolve();
        await promise;
      }),
    );
    await Promise.all(all.map((done) => done.promise));
    expect(most).toBe(1);
    resolve();
    await Promise.all([request, ...own]);
  });

  test("and a failure ends a turn", async () => {
    const turns = rollbacks();
    await expect(
      turns.forRequest(async () => {
        throw new Error("no");
      }),
    ).rejects.toThrow("no");
    expect(await turns.forRequest(async () => "next")).toBe("next");
  });

  test("and read a change of another server into memory before the decision", async () => {
    await account.others(update({ 0: { name: "renamed" } }));
    expect(account.live.state.durable).toBe(4);
    let attempts = 0;
    const decision = await new Rollbacks(account.store).forRequest(async (log) => {
      attempts++;
      return account.submit(restoreAccount(await log.restoring(account.live, 4), circumstances()).command);
    });
    expect([decision.ok, attempts, account.field(0, "name")]).toEqual([true, 1, "pni_0"]);
  });

  test("and are refused if the account changes during every attempt", async () => {
    let attempts = 0;
    const outrun = rollbacks().forRequest(async () => {
      attempts++;
      throw new LogMovedOn();
    });
    expect(await refusalOf(outrun)).toBe("undo_outrun");
    expect(attempts).toBe(MAX_ROLLBACK_ATTEMPTS);
  });
});
