/** What every engine must do. Each engine's own tests call this with a way to open a store at a place. */

import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import type { Change } from "../../src/account/change.ts";
import type { Command } from "../../src/account/decide.ts";
import type { State } from "../../src/account/state.ts";
import { Conflict, type Page, type Store } from "../../src/store/store.ts";
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
      await store.commit({ state: state.id, epoch: state.epoch, base, changes });
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

      test("leaves nothing of the world before: no state, no object, no record", async () => {
        const state = await begin();
        await commit(state, update({ 0: { mtu: 1400 } }), create(7));
        const world = makeSmallWorld(1).filter(({ id }) => id !== SECOND_ACCOUNT);
        await store.replace(world);
        expect(await store.states()).toEqual([FIRST_ACCOUNT, "directory"]);
        expect(await store.load(SECOND_ACCOUNT)).toBeUndefined();
        expect((await load()).ids("interconnect")).toHaveLength(1);
        expect(revisions(await logAfter(0))).toEqual([1]);
        const stale = { state: state.id, epoch: state.epoch, base: 1, changes: [] };
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
        const committing = store.commit({ state: state.id, epoch: state.epoch, base: 1, changes: [change] });
        await store.replace(makeSmallWorld());
        await committing;
        expect(revisions(await logAfter(0))).toEqual([1]);
      });
    });

    describe("commit", () => {
      test("makes the objects, the record and the revision durable", async () => {
        const state = await begin();
        const [change] = await commit(state, update({ 0: { mtu: 1400 }, 2: { description: "third" } }));
        expect(snapshot(await load())).toEqual(snapshot(state));
        expect(await store.change(FIRST_ACCOUNT, 2)).toEqual(change?.record);
        expect((await logAfter(0)).position).toEqual({ epoch: state.epoch, revision: 2 });
        await reopen();
        expect(snapshot(await load())).toEqual(snapshot(state));
        expect(await store.change(FIRST_ACCOUNT, 2)).toEqual(change?.record);
      });

      test("takes the next one at once when the one before is durable", async () => {
        const state = await begin();
        for (const mtu of [1400, 1300, 1200]) {
          const base = state.revision;
          const changes = [applied(state, update({ 0: { mtu } }))];
          await store.commit({ state: state.id, epoch: state.epoch, base, changes });
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
        const batch = { state: state.id, epoch: state.epoch, base: 2, changes };
        await expect(store.commit({ ...batch, ...wrong })).rejects.toBeInstanceOf(Conflict);
        expect(await everything()).toEqual(before);
        await reopen();
        expect(await everything()).toEqual(before);
        await store.commit(batch);
        expect((await load()).durable).toBe(6);
      });

      test("lets one of two decisions on the same revision through", async () => {
        const state = await begin();
        const rival = await load();
        const race = await Promise.allSettled([
          commit(state, update({ 0: { mtu: 1400 } })),
          commit(rival, update({ 0: { mtu: 1300 } }), update({ 1: { mtu: 1300 } })),
        ]);
        expect(race.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
        expect(race[1]).toMatchObject({ reason: expect.any(Conflict) });
        expect(snapshot(await load())).toEqual(snapshot(state));
        expect(revisions(await logAfter(0))).toEqual([1, 2]);
      });

      test("takes changes of several states in flight together, each judged by itself", async () => {
        const first = await begin();
        const second = await load(SECOND_ACCOUNT);
        const directory = await load("directory");
        const stale = await load(SECOND_ACCOUNT);
        const outcomes = await Promise.allSettled([
          commit(first, update({ 0: { mtu: 1400 } })),
          commit(second, update({ 0: { mtu: 1300 } }), remove(2)),
          commit(stale, update({ 1: { mtu: 1200 } })),
          store.commit({ state: directory.id, epoch: "0123456789abcdef", base: 1, changes: [] }),
        ]);
        expect(outcomes.map(({ status }) => status)).toEqual([
          "fulfilled",
          "fulfilled",
          "rejected",
          "rejected",
        ]);
        await reopen();
        expect(snapshot(await load())).toEqual(snapshot(first));
        expect(snapshot(await load(SECOND_ACCOUNT))).toEqual(snapshot(second));
        expect(snapshot(await load("directory"))).toEqual(snapshot(directory));
      });

      test("shows a reader nothing of itself until it is whole", async () => {
        const state = await begin(2_500);
        const changes = [updateFirst(2_500, { mtu: 1400 }), update({ 0: { mtu: 1300 } })].map((command) =>
          applied(state, command),
        );
        let over = false;
        const committing = store
          .commit({ state: state.id, epoch: state.epoch, base: 1, changes })
          .finally(() => {
            over = true;
          });
        const seen = new Set<string>();
        do {
          const page = await logAfter(0);
          const one = await store.change(FIRST_ACCOUNT, 2);
          const { revision } = page.position;
          seen.add(`${revision}: ${revisions(page).join(" ")}, ${one ? "a" : "no"} second record`);
          await new Promise((resolve) => setImmediate(resolve));
        } while (!over);
        await committing;
        expect([...seen].filter((view) => view !== "1: 1, no second record")).toEqual(
          seen.has("3: 1 2 3, a second record") ? ["3: 1 2 3, a second record"] : [],
        );
        expect((await logAfter(0)).position.revision).toBe(3);
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
          await store.commit({ state: state.id, epoch: state.epoch, base, changes });
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

    test("closing waits for the commit that is under way", async () => {
      const state = await begin(1_500);
      const committing = commit(state, updateFirst(1_500, { mtu: 1400 }));
      await reopen();
      await committing;
      expect(snapshot(await load())).toEqual(snapshot(state));
    });
  });
}
