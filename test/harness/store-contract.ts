/** What every engine must do. Each engine's own tests call this with a way to open a store at a place. */

import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import type { Change } from "../../src/account/change.ts";
import type { Command } from "../../src/account/decide.ts";
import type { State } from "../../src/account/state.ts";
import {
  Conflict,
  MOST_EVENTS,
  type NumberedEvent,
  type Page,
  type StateEvent,
  type Store,
} from "../../src/store/store.ts";
import { refusalOf } from "./events.ts";
import { Chance } from "./random.ts";
import { temporaryDirectory } from "./temporary.ts";
import {
  anyChange,
  applied,
  create,
  FIRST_ACCOUNT,
  makeSmallWorld,
  remove,
  SECOND_ACCOUNT,
  setFlags,
  snapshot,
  stateOf,
  update,
  updateFirst,
} from "./worlds.ts";

/** Opens the store that is kept at a place, which is a directory of the test's own. */
export type Open = (place: string) => Store | Promise<Store>;

/** `forgetful` is a store that is empty when it is opened again. */
export function storeContract(name: string, open: Open, forgetful = false): void {
  describe(`${name} keeps the contract of a store:`, () => {
    let place: string;
    let store: Store;
    beforeEach(async () => {
      place = temporaryDirectory();
      store = await open(place);
      onTestFinished(() => store.close());
    });

    /** Closes the store and opens it again, if it is one that remembers. */
    async function reopen(): Promise<void> {
      if (forgetful) return;
      await store.close();
      store = await open(place);
    }

    async function load(id = FIRST_ACCOUNT): Promise<State> {
      const state = await store.load(id);
      if (!state) throw new Error(`There is no state ${id}.`);
      return state;
    }

    /** The whole store, as plain data. */
    async function everything() {
      const states = [];
      for (const id of await store.states()) {
        const log = await store.changesAfter(id, 0, 10_000);
        states.push({ ...snapshot(await load(id)), log: log?.records });
      }
      return states;
    }

    /** Fills the store, and returns the first account's state. */
    async function begin(interconnects?: number): Promise<State> {
      await store.replace(makeSmallWorld(interconnects));
      return load();
    }

    /** Decides commands one on the other, commits their changes together and settles them. */
    async function commit(state: State, ...commands: readonly Command[]): Promise<readonly Change[]> {
      const base = state.revision;
      const changes = commands.map((command) => applied(state, command));
      await store.commit({ state: state.id, epoch: state.epoch, base, changes, deadline: null });
      for (const { edits, record } of changes) state.settle(edits, record.revision);
      return changes;
    }

    async function logAfter(revision: number, limit = 100): Promise<Page> {
      const page = await store.changesAfter(FIRST_ACCOUNT, revision, limit);
      if (!page) throw new Error("There is no such state.");
      return page;
    }

    const revisions = ({ records }: Page) => records.map(({ revision }) => revision);

    test("a new one holds nothing", async () => {
      expect(await store.states()).toEqual([]);
      expect(await store.load(FIRST_ACCOUNT)).toBeUndefined();
      expect(await store.change(FIRST_ACCOUNT, 1)).toBeUndefined();
      expect(await store.changesAfter(FIRST_ACCOUNT, 0, 10)).toBeUndefined();
      expect(await store.changesBefore(FIRST_ACCOUNT, 10, 10)).toBeUndefined();
    });

    describe("replace", () => {
      test("puts a world there, each state at the revision of its first change", async () => {
        const world = makeSmallWorld();
        await store.replace(world);
        expect(await store.states()).toEqual([FIRST_ACCOUNT, SECOND_ACCOUNT, "directory"]);
        for (const seeded of world) {
          expect(snapshot(await load(seeded.id))).toEqual(snapshot(stateOf(seeded)));
          expect(await store.change(seeded.id, 1)).toEqual(seeded.change.record);
        }
      });

      test("of a world that is to begin does nothing where there is one", async () => {
        expect(await store.replace(makeSmallWorld(1), true)).toBe(true);
        const before = await everything();
        expect(await store.replace(makeSmallWorld(2), true)).toBe(false);
        expect(await everything()).toEqual(before);
        expect(await store.replace(makeSmallWorld(2))).toBe(true);
        expect(await everything()).not.toEqual(before);
      });

      test("leaves nothing of the world before: no state, no object, no record", async () => {
        const state = await begin();
        await commit(state, update({ 0: { mtu: 1400 } }), create(7));
        const world = makeSmallWorld(1).filter(({ id }) => id !== SECOND_ACCOUNT);
        await store.replace(world);
        expect(await store.states()).toEqual([FIRST_ACCOUNT, "directory"]);
        expect(await store.load(SECOND_ACCOUNT)).toBeUndefined();
        expect((await load()).ids("interconnect")).toHaveLength(1);
        expect(revisions(await logAfter(0))).toEqual([1]);
        const stale = { state: state.id, epoch: state.epoch, base: 1, changes: [], deadline: null };
        await expect(store.commit(stale)).rejects.toBeInstanceOf(Conflict);
      });

      test("can be followed by changes, and both survive reopening", async () => {
        await begin();
        const state = await begin();
        await commit(state, update({ 1: { mtu: 1400 } }));
        const before = await everything();
        await reopen();
        expect(await everything()).toEqual(before);
      });

      test("waits for a commit that is under way", async () => {
        const state = await begin();
        const change = applied(state, update({ 0: { mtu: 1400 } }));
        const committing = store.commit({
          state: state.id,
          epoch: state.epoch,
          base: 1,
          changes: [change],
          deadline: null,
        });
        await store.replace(makeSmallWorld());
        await committing;
        expect(revisions(await logAfter(0))).toEqual([1]);
      });
    });

    describe("create", () => {
      const NEW = "c".repeat(32);
      const EPOCH = "0123456789abcdef";

      test("makes an empty state, which changes can be committed to", async () => {
        await begin();
        await store.create(NEW, EPOCH);
        const state = await load(NEW);
        expect([state.epoch, state.revision, state.durable]).toEqual([EPOCH, 0, 0]);
        expect(await store.states()).toEqual([FIRST_ACCOUNT, SECOND_ACCOUNT, NEW, "directory"].sort());
        const position = { epoch: EPOCH, revision: 0 };
        expect(await store.changesAfter(NEW, 0, 10)).toEqual({ records: [], position, more: false });
        await commit(state, create(7), setFlags(["coupler_integration"]));
        await reopen();
        expect(snapshot(await load(NEW))).toEqual(snapshot(state));
        expect((await load(NEW)).durable).toBe(2);
      });

      test("survives reopening, and leaves the others as they are", async () => {
        const state = await begin();
        await commit(state, update({ 0: { mtu: 1400 } }));
        const before = await everything();
        await store.create(NEW, EPOCH);
        await reopen();
        const others = (await everything()).filter(({ id }) => id !== NEW);
        expect(others).toEqual(before);
        expect((await load(NEW)).epoch).toBe(EPOCH);
      });

      test("begins one anew that never had a change, and refuses one that had", async () => {
        await begin();
        await store.create(NEW, EPOCH);
        await store.create(NEW, "fedcba9876543210");
        const state = await load(NEW);
        expect(state.epoch).toBe("fedcba9876543210");
        const stale = {
          state: NEW,
          epoch: EPOCH,
          base: 0,
          changes: [applied(await load(NEW), create(7))],
          deadline: null,
        };
        await expect(store.commit(stale)).rejects.toBeInstanceOf(Conflict);
        await commit(state, create(7));
        const before = await everything();
        for (const id of [NEW, FIRST_ACCOUNT, "directory"])
          await expect(store.create(id, EPOCH)).rejects.toBeInstanceOf(Conflict);
        expect(await everything()).toEqual(before);
      });

      test("goes with commits that are on their way", async () => {
        const state = await begin(2_500);
        const change = applied(state, updateFirst(2_500, { mtu: 1400 }));
        const committing = store.commit({
          state: state.id,
          epoch: state.epoch,
          base: 1,
          changes: [change],
          deadline: null,
        });
        await store.create(NEW, EPOCH);
        await committing;
        expect((await load()).durable).toBe(2);
        expect((await load(NEW)).durable).toBe(0);
      });

      test("is undone by the next world", async () => {
        await store.create(NEW, EPOCH);
        await begin();
        expect(await store.load(NEW)).toBeUndefined();
      });
    });

    describe("commit", () => {
      test("makes the objects, the record and the revision durable", async () => {
        const state = await begin();
        const [change] = await commit(state, update({ 0: { mtu: 1400 }, 2: { description: "third" } }));
        expect(snapshot(await load())).toEqual(snapshot(state));
        expect(await store.change(FIRST_ACCOUNT, 2)).toEqual(change?.record);
        expect((await logAfter(0)).position).toMatchObject({ epoch: state.epoch, revision: 2 });
        await reopen();
        expect(snapshot(await load())).toEqual(snapshot(state));
        expect(await store.change(FIRST_ACCOUNT, 2)).toEqual(change?.record);
      });

      test("takes the next one at once when the one before is durable", async () => {
        const state = await begin();
        for (const mtu of [1400, 1300, 1200]) {
          const base = state.revision;
          const changes = [applied(state, update({ 0: { mtu } }))];
          await store.commit({ state: state.id, epoch: state.epoch, base, changes, deadline: null });
        }
        expect((await load()).durable).toBe(4);
      });

      test("takes many changes at once, each with a revision and a record of its own", async () => {
        const state = await begin();
        const changes = await commit(
          state,
          update({ 0: { mtu: 1400 } }),
          update({ 0: { mtu: 1300 }, 1: { mtu: 1300 } }),
          create(7),
          remove(1),
        );
        expect(changes.map(({ record }) => record.revision)).toEqual([2, 3, 4, 5]);
        expect((await logAfter(1)).records).toEqual(changes.map(({ record }) => record));
        expect(snapshot(await load())).toEqual(snapshot(state));
      });

      test.each([
        ["of an older revision", { base: 1 }],
        ["of a revision that is not there yet", { base: 3 }],
        ["of another epoch", { epoch: "0123456789abcdef" }],
        ["of a state that is not there", { state: "c".repeat(32) }],
      ])("refuses a decision %s as a conflict, and writes nothing of it", async (_, wrong) => {
        const state = await begin();
        await commit(state, update({ 0: { mtu: 1400 } }));
        const before = await everything();
        const changes = [
          update({ 0: { mtu: 1300 } }),
          create(7),
          remove(1),
          setFlags(["coupler_integration"]),
        ].map((command) => applied(state, command));
        const batch = { state: state.id, epoch: state.epoch, base: 2, changes, deadline: null };
        await expect(store.commit({ ...batch, ...wrong })).rejects.toBeInstanceOf(Conflict);
        expect(await everything()).toEqual(before);
        await reopen();
        expect(await everything()).toEqual(before);
        await store.commit(batch);
        expect((await load()).durable).toBe(6);
      });

      test("lets one of two decisions on the same revision through, whichever", async () => {
        const rivals = [await begin(), await load()] as const;
        const race = await Promise.allSettled([
          commit(rivals[0], update({ 0: { mtu: 1400 } })),
          commit(rivals[1], update({ 0: { mtu: 1300 } }), update({ 1: { mtu: 1300 } })),
        ]);
        const [won, lost] = race[0].status === "fulfilled" ? [0, 1] : [1, 0];
        expect(race[won]?.status).toBe("fulfilled");
        expect(race[lost]).toMatchObject({ reason: expect.any(Conflict) });
        expect(snapshot(await load())).toEqual(snapshot(rivals[won] ?? rivals[0]));
        expect(revisions(await logAfter(0))).toEqual(won === 0 ? [1, 2] : [1, 2, 3]);
      });

      test("takes changes of several states in flight together, each judged by itself", async () => {
        const first = await begin();
        const second = await load(SECOND_ACCOUNT);
        const directory = await load("directory");
        const stale = await load(SECOND_ACCOUNT);
        await commit(stale, update({ 1: { mtu: 1200 } }));
        const outcomes = await Promise.allSettled([
          commit(first, update({ 0: { mtu: 1400 } })),
          commit(stale, update({ 0: { mtu: 1300 } }), remove(2)),
          commit(second, update({ 1: { mtu: 1100 } })),
          store.commit({
            state: directory.id,
            epoch: "0123456789abcdef",
            base: 1,
            changes: [],
            deadline: null,
          }),
        ]);
        expect(outcomes.map(({ status }) => status)).toEqual([
          "fulfilled",
          "fulfilled",
          "rejected",
          "rejected",
        ]);
        await reopen();
        expect(snapshot(await load())).toEqual(snapshot(first));
        expect(snapshot(await load(SECOND_ACCOUNT))).toEqual(snapshot(stale));
        expect(snapshot(await load("directory"))).toEqual(snapshot(directory));
      });

      test("shows a reader nothing of itself until it is whole", async () => {
        const state = await begin(1_200);
        const changes = [updateFirst(1_200, { mtu: 1400 }), update({ 0: { mtu: 1300 } })].map((command) =>
          applied(state, command),
        );
        let over = false;
        const committing = store
          .commit({ state: state.id, epoch: state.epoch, base: 1, changes, deadline: null })
          .finally(() => {
            over = true;
          });
        const seen = new Set<string>();
        do {
          // In this order: what the first read saw, the second sees too. The commit may end between them.
          const one = await store.change(FIRST_ACCOUNT, 2);
          const page = await logAfter(0);
          seen.add(
            `${one ? "a" : "no"} second record, then ${page.position.revision}: ${revisions(page).join(" ")}`,
          );
          await new Promise((resolve) => setImmediate(resolve));
        } while (!over);
        await committing;
        const whole = [
          "no second record, then 1: 1",
          "no second record, then 3: 1 2 3",
          "a second record, then 3: 1 2 3",
        ];
        expect([...seen].filter((view) => !whole.includes(view))).toEqual([]);
        expect((await logAfter(0)).position.revision).toBe(3);
      });
    });

    describe("a look at where states stand", () => {
      test("tells all that are there, at one moment, and the time", async () => {
        const state = await begin();
        await commit(state, update({ 0: { mtu: 1400 } }));
        const other = await load(SECOND_ACCOUNT);
        const { positions, time } = await store.check([FIRST_ACCOUNT, SECOND_ACCOUNT, "c".repeat(32)]);
        expect(positions.size).toBe(2);
        expect(Object.fromEntries(positions)).toMatchObject({
          [FIRST_ACCOUNT]: { epoch: state.epoch, revision: 2 },
          [SECOND_ACCOUNT]: { epoch: other.epoch, revision: 1 },
        });
        // Both clocks are of this machine, or close.
        expect(Math.abs(time - Date.now())).toBeLessThan(60_000);
        // Some clocks tell the same time for a while.
        let later = await store.check([]);
        while (later.time === time) {
          await new Promise((resolve) => setImmediate(resolve));
          later = await store.check([]);
        }
        expect(later.positions.size).toBe(0);
        expect(later.time).toBeGreaterThan(time);
      });

      test("tells another epoch after another world was put there", async () => {
        const { epoch } = await begin();
        await begin();
        const there = (await store.check([FIRST_ACCOUNT])).positions.get(FIRST_ACCOUNT);
        expect(there?.revision).toBe(1);
        expect(there?.epoch).not.toBe(epoch);
      });
    });

    describe("a deadline", () => {
      const SOON = "2020-01-01T00:00:00.000000Z";
      const LATE = "2999-01-01T00:00:00.000000Z";

      test("goes with the commit, and is found when it has come, if the store is shared", async () => {
        const state = await begin();
        const until = async (deadline: string | null, mtu: number) => {
          const base = state.revision;
          const changes = [applied(state, update({ 0: { mtu } }))];
          await store.commit({ state: state.id, epoch: state.epoch, base, changes, deadline });
          return store.due();
        };
        expect(await store.due()).toEqual([]);
        expect(await until(LATE, 1400)).toEqual([]);
        expect(await until(SOON, 1300)).toEqual(store.shared ? [FIRST_ACCOUNT] : []);
        await reopen();
        expect(await store.due()).toEqual(store.shared ? [FIRST_ACCOUNT] : []);
        expect(await until(null, 1200)).toEqual([]);
        await until(SOON, 1100);
        await begin();
        expect(await store.due()).toEqual([]);
      });
    });

    describe("a locked state", () => {
      const locked = async () => {
        const lock = await store.lock(FIRST_ACCOUNT);
        if (!lock) throw new Error("There is no such state.");
        return lock;
      };
      const change = (state: State, mtu: number) => {
        const base = state.revision;
        const changes = [applied(state, update({ 0: { mtu } }))];
        return { state: state.id, epoch: state.epoch, base, changes, deadline: null };
      };

      test("is committed to, and then let go", async () => {
        const state = await begin();
        const lock = await locked();
        expect(lock.position).toEqual({ epoch: state.epoch, revision: 1 });
        await lock.commit(change(state, 1400));
        await lock.release();
        expect((await load()).durable).toBe(2);
        await store.commit(change(state, 1300));
        expect((await load()).durable).toBe(3);
      });

      test("is let go without a commit, as often as one likes", async () => {
        const state = await begin();
        const lock = await locked();
        await lock.release();
        await lock.release();
        await store.commit(change(state, 1400));
        expect((await load()).durable).toBe(2);
      });

      test("is let go by a commit that lost, too", async () => {
        const state = await begin();
        const rival = await load();
        await store.commit(change(state, 1400));
        const lock = await locked();
        await expect(lock.commit(change(rival, 1300))).rejects.toBeInstanceOf(Conflict);
        await store.commit(change(state, 1300));
        expect((await load()).durable).toBe(3);
      });

      test("can be read, and others committed to", async () => {
        const state = await begin();
        const other = await load(SECOND_ACCOUNT);
        const lock = await locked();
        await store.commit(change(other, 1400));
        expect((await store.check([FIRST_ACCOUNT])).positions.get(FIRST_ACCOUNT)?.revision).toBe(1);
        expect(revisions(await logAfter(0))).toEqual([1]);
        await lock.commit(change(state, 1400));
        expect((await store.check([FIRST_ACCOUNT])).positions.get(FIRST_ACCOUNT)?.revision).toBe(2);
      });

      test("is none if there is no such state", async () => {
        await begin();
        expect(await store.lock("c".repeat(32))).toBeUndefined();
      });
    });

    describe("objects", () => {
      test("made, changed and removed are there after reopening, in the order they were made", async () => {
        const state = await begin();
        await commit(state, create(9));
        await commit(state, create(8), update({ 1: { description: "changed" } }), remove(0));
        await commit(state, update({ 9: { description: "made, then changed" } }));
        expect(state.list("interconnect").map(({ doc }) => doc["name"])).toEqual([
          "pni_1",
          "pni_2",
          "pni_9",
          "pni_8",
        ]);
        await reopen();
        expect(snapshot(await load())).toEqual(snapshot(state));
      });

      test("removed and made again come last, whether in one commit or in two", async () => {
        const state = await begin();
        await commit(state, remove(0));
        await commit(state, create(0, { description: "again" }));
        await commit(state, remove(1), create(1, { description: "again" }));
        expect(state.list("interconnect").map(({ doc }) => doc["name"])).toEqual(["pni_2", "pni_0", "pni_1"]);
        await reopen();
        expect(snapshot(await load())).toEqual(snapshot(state));
        await commit(await load(), update({ 0: { mtu: 1400 }, 1: { mtu: 1400 } }));
        expect((await load()).list("interconnect").map(({ doc }) => doc["mtu"])).toEqual([1476, 1400, 1400]);
      });

      test("move the revision of their own kind alone, also over reopening", async () => {
        const state = await begin();
        await commit(state, update({ 0: { mtu: 1400 } }));
        await commit(state, setFlags(["coupler_integration"]), setFlags([]));
        await reopen();
        const again = await load();
        expect(again.collectionRevision("interconnect")).toBe(2);
        expect(again.collectionRevision("settings")).toBe(4);
        expect(again.collectionRevision("token")).toBe(0);
      });

      test("keep any text as it is", async () => {
        const state = await begin();
        const description = "quotes \" ' \\, line\nbreaks\r\n, tab\t, émoji 🛰, \u2028, \u007f, %s $1 ?1";
        await commit(state, update({ 0: { description } }));
        await reopen();
        expect((await load()).list("interconnect")[0]?.doc["description"]).toBe(description);
      });

      test("are after any course of changes what the decisions made of them", async () => {
        const chance = new Chance();
        const state = await begin(4);
        for (let commits = 0; commits < 40; commits++) {
          const base = state.revision;
          const changes = Array.from({ length: chance.between(1, 5) }, () =>
            applied(state, anyChange(state, chance)),
          );
          await store.commit({ state: state.id, epoch: state.epoch, base, changes, deadline: null });
          for (const { edits, record } of changes) state.settle(edits, record.revision);
          if (commits % 10 === 0) await reopen();
          expect(snapshot(await load()), `by the chances of ${chance.seed}`).toEqual(snapshot(state));
        }
      });
    });

    describe("the log", () => {
      /** Commits that many changes of one object. */
      async function beginWith(changes: number): Promise<void> {
        const state = await begin();
        for (let mtu = 1001; mtu <= 1000 + changes; mtu++) await commit(state, update({ 0: { mtu } }));
      }

      test("is read on from a revision, oldest first, in pages that say whether there is more", async () => {
        await beginWith(6);
        const first = await logAfter(2, 3);
        expect([revisions(first), first.more]).toEqual([[3, 4, 5], true]);
        const last = await logAfter(5, 2);
        expect([revisions(last), last.more]).toEqual([[6, 7], false]);
        expect(last.position.revision).toBe(7);
      });

      test("is read back from a revision, newest first, in pages that say whether there is more", async () => {
        await beginWith(6);
        const newest = await store.changesBefore(FIRST_ACCOUNT, Number.MAX_SAFE_INTEGER, 3);
        expect(newest && [revisions(newest), newest.more]).toEqual([[7, 6, 5], true]);
        const oldest = await store.changesBefore(FIRST_ACCOUNT, 4, 3);
        expect(oldest && [revisions(oldest), oldest.more]).toEqual([[3, 2, 1], false]);
      });

      test("has nothing after its newest and before its first, and says where the state is", async () => {
        await beginWith(1);
        for (const page of [
          await logAfter(2),
          await logAfter(99),
          await store.changesBefore(FIRST_ACCOUNT, 1, 10),
        ]) {
          expect(page).toMatchObject({ records: [], more: false, position: { revision: 2 } });
        }
        expect(await store.change(FIRST_ACCOUNT, 3)).toBeUndefined();
        expect(await store.change(FIRST_ACCOUNT, 0)).toBeUndefined();
      });

      test("has a size in bytes of UTF-8, of a number of records after a revision", async () => {
        const state = await begin();
        await commit(state, update({ 0: { description: "Zürich – 東京" } }));
        await commit(state, update({ 0: { description: "short" } }));
        const bytes: number[] = [];
        for (const revision of [1, 2, 3]) {
          const size = await store.logSize(FIRST_ACCOUNT, revision - 1, 1);
          expect(size).toMatchObject({ records: 1, oldest: revision, newest: revision });
          const record = JSON.stringify(await store.change(FIRST_ACCOUNT, revision));
          // An engine may store the same record with other spaces, but not in fewer bytes.
          expect(size.bytes).toBeGreaterThanOrEqual(Buffer.byteLength(record));
          bytes.push(size.bytes);
        }
        const [, second = 0, third = 0] = bytes;
        const two = { records: 2, bytes: second + third, oldest: 2, newest: 3 };
        expect(await store.logSize(FIRST_ACCOUNT, 1, 100)).toEqual(two);
        expect(await store.logSize(FIRST_ACCOUNT, 1, 2)).toEqual(two);
        const nothing = { records: 0, bytes: 0, oldest: 0, newest: 0 };
        expect(await store.logSize(FIRST_ACCOUNT, 3, 100)).toEqual(nothing);
        expect(await store.logSize("c".repeat(32), 0, 100)).toEqual(nothing);
      });

      test("is each state's own", async () => {
        const first = await begin();
        const second = await load(SECOND_ACCOUNT);
        await commit(first, update({ 0: { mtu: 1400 } }));
        await commit(second, update({ 0: { mtu: 1300 } }));
        const changed = await store.change(SECOND_ACCOUNT, 2);
        expect(changed?.objects[0]?.fields).toEqual({ mtu: { before: 1476, after: 1300 } });
        expect((await logAfter(1)).records[0]?.objects[0]?.fields).toEqual({
          mtu: { before: 1476, after: 1400 },
        });
      });

      test("is read in pages of a few megabytes at most, a record larger than that alone", async () => {
        const state = await begin(2_000);
        const large = (letter: string) => updateFirst(2_000, { description: letter.repeat(1_000) });
        await commit(state, large("a"));
        // Each of these tells the thousand letters before and after, for every object.
        for (const letter of ["b", "c", "d"]) await commit(state, large(letter));
        const pages = [];
        for (let at = 0; ; ) {
          const page = await logAfter(at);
          pages.push(revisions(page));
          expect(JSON.stringify(page.records).length).toBeLessThan(6 * 1024 * 1024);
          at = page.records.at(-1)?.revision ?? at;
          if (!page.more) break;
        }
        expect(pages.flat()).toEqual([1, 2, 3, 4, 5]);
        expect(pages.length).toBeGreaterThan(2);
        const newest = await store.changesBefore(FIRST_ACCOUNT, 6, 100);
        expect(newest && [revisions(newest), newest.more]).toEqual([[5], true]);
      });
    });

    describe("a time", () => {
      const at = (second: number) => `2026-05-01T00:00:${String(second).padStart(2, "0")}.000000Z`;
      const changeAt = (second: number) => store.changeAt(FIRST_ACCOUNT, at(second));

      /** Commits a change at each of these seconds. The first revision is of an earlier day. */
      async function changeEvery(state: State, ...seconds: readonly number[]): Promise<readonly Change[]> {
        const commands = seconds.map((second, index) => {
          const command = update({ 0: { description: `at ${second}, number ${index}` } });
          return { ...command, circumstances: { ...command.circumstances, time: at(second) } };
        });
        return commit(state, ...commands);
      }

      test("is found in the log: the first change at it or after it, or where that will be", async () => {
        await changeEvery(await begin(), 10, 10, 20, 30);
        const found = await Promise.all([0, 10, 11, 20, 30, 31].map(changeAt));
        expect(found).toEqual([2, 2, 4, 4, 5, 6]);
        expect(await store.changeAt(FIRST_ACCOUNT, "0000-01-01T00:00:00.000000Z")).toBe(1);
        expect(await store.changeAt(SECOND_ACCOUNT, at(0))).toBe(2);
        expect(await store.changeAt("c".repeat(32), at(0))).toBeUndefined();
        await reopen();
        expect(await Promise.all([0, 10, 11, 20, 30, 31].map(changeAt))).toEqual(found);
      });

      test("is never told to be earlier than that of the change before, also over reopening", async () => {
        const state = await begin();
        const [, second, third] = await changeEvery(state, 20, 10, 30);
        expect([second?.record.time, third?.record.time]).toEqual([at(20), at(30)]);
        await reopen();
        const again = await load();
        expect(again.time).toBe(at(30));
        const [fourth] = await changeEvery(again, 25);
        expect(fourth?.record.time).toBe(at(30));
        expect(again.list("interconnect")[0]?.doc["modified_on"]).toBe(at(30));
      });
    });

    describe("events", () => {
      const at = (second: number) => `2026-05-01T00:00:${String(second).padStart(2, "0")}.000000Z`;
      const noted = (second: number, state = FIRST_ACCOUNT): StateEvent =>
        refusalOf({ state, time: at(second), request_id: `at ${second}`, name: 'quotes " and 🛰' });
      const numbers = (events: readonly NumberedEvent[]) => events.map(({ number }) => number);

      test("are none where nothing was noted", async () => {
        await begin();
        for (const id of [FIRST_ACCOUNT, "c".repeat(32)]) {
          expect(await store.eventsAfter(id, 0, 10)).toEqual([]);
          expect(await store.eventsBefore(id, 10, 10)).toEqual([]);
          expect(await store.eventAt(id, at(0))).toBe(1);
        }
      });

      test("are read from either side of a number, each state's its own, also after reopening", async () => {
        await begin();
        await store.note([noted(1), noted(2, SECOND_ACCOUNT), noted(3)]);
        await store.note([noted(3), noted(4)]);
        for (const _ of ["noted", "reopened"]) {
          expect(await store.eventsAfter(FIRST_ACCOUNT, 0, 2)).toEqual([
            { number: 1, event: noted(1).event },
            { number: 2, event: noted(3).event },
          ]);
          expect(numbers(await store.eventsAfter(FIRST_ACCOUNT, 2, 10))).toEqual([3, 4]);
          expect(numbers(await store.eventsBefore(FIRST_ACCOUNT, 99, 3))).toEqual([4, 3, 2]);
          expect(numbers(await store.eventsBefore(FIRST_ACCOUNT, 2, 3))).toEqual([1]);
          expect(numbers(await store.eventsAfter(SECOND_ACCOUNT, 0, 10))).toEqual([1]);
          await reopen();
        }
      });

      test("are found by time, and never told to be earlier than the one before", async () => {
        await begin();
        await store.note([noted(10), noted(20), noted(15)]);
        await store.note([noted(5), noted(30)]);
        const events = await store.eventsAfter(FIRST_ACCOUNT, 0, 10);
        expect(events.map(({ event }) => event.time)).toEqual([10, 20, 20, 20, 30].map(at));
        const found = [5, 10, 11, 20, 21, 31].map((second) => store.eventAt(FIRST_ACCOUNT, at(second)));
        expect(await Promise.all(found)).toEqual([1, 1, 2, 2, 5, 6]);
      });

      test("move no revision, and are nothing to commits that are under way", async () => {
        const state = await begin();
        const before = await everything();
        const noting = store.note([noted(1)]);
        await commit(state, update({ 0: { mtu: 1400 } }));
        await noting;
        await store.note([noted(2)]);
        expect((await logAfter(0)).position).toMatchObject({ epoch: state.epoch, revision: 2 });
        expect(numbers(await store.eventsAfter(FIRST_ACCOUNT, 0, 10))).toEqual([1, 2]);
        expect(before).not.toEqual(await everything());
      });

      test("of a state that is not there are dropped, and the others kept", async () => {
        await begin();
        await store.note([noted(1, "c".repeat(32)), noted(2)]);
        expect(await store.eventsAfter("c".repeat(32), 0, 10)).toEqual([]);
        expect(numbers(await store.eventsAfter(FIRST_ACCOUNT, 0, 10))).toEqual([1]);
      });

      test("go, the oldest first, when there are more than 10,000 of a state", async () => {
        await begin();
        await store.note([noted(1, SECOND_ACCOUNT)]);
        await store.note(Array.from({ length: MOST_EVENTS + 5 }, (_, index) => noted(index % 60)));
        await store.note([noted(59)]);
        const oldest = await store.eventsAfter(FIRST_ACCOUNT, 0, 2);
        expect(numbers(oldest)).toEqual([7, 8]);
        expect(numbers(await store.eventsBefore(FIRST_ACCOUNT, 1e9, 1))).toEqual([MOST_EVENTS + 6]);
        expect(await store.eventAt(FIRST_ACCOUNT, at(0))).toBe(7);
        expect(await store.eventsAfter(SECOND_ACCOUNT, 0, 10)).toHaveLength(1);
      });

      test("go with the world they happened in", async () => {
        await begin();
        await store.note([noted(1)]);
        await begin();
        expect(await store.eventsAfter(FIRST_ACCOUNT, 0, 10)).toEqual([]);
        await store.note([noted(2)]);
        expect(numbers(await store.eventsAfter(FIRST_ACCOUNT, 0, 10))).toEqual([1]);
      });
    });

    test("closing waits for the commit that is under way", async () => {
      const state = await begin(1_500);
      const committing = commit(state, updateFirst(1_500, { mtu: 1400 }));
      await reopen();
      await committing;
      expect(snapshot(await load())).toEqual(snapshot(state));
    });
  });
}
