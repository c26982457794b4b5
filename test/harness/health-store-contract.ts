/** What every engine must do with what edges report. Each engine's own tests call this with a way to open one. */

import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import type { Heard } from "../../src/account/health/known-edge.ts";
import { MOST_EDGES } from "../../src/contract/health.ts";
import { type HealthStore, TooManyEdges } from "../../src/store/health/health-store.ts";
import { reportOf } from "./edge-report.ts";
import { Chance } from "./random.ts";
import { temporaryDirectory } from "./temporary.ts";

export const NOON = Date.parse("2026-03-01T12:00:00Z");
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const WEEK = 7 * DAY;
const ACCOUNT = "023e105f4ecef8ad9ca31a8372d0c353";
const OTHER = "0a1b2c3d4e5f60718293a4b5c6d7e8f9";
const ALL = Number.MAX_SAFE_INTEGER;

export const heard = (said: Partial<Heard> = {}): Heard => ({
  ...reportOf(),
  transitions: [],
  minutes: [],
  ...said,
});
export const minute = (time: number, interconnect = "one", sent = 6) => ({
  interconnect,
  minute: time,
  sent,
  lost: 0,
  latency: { min: 0.42, median: 0.51, p99: 1.9 },
  jitter: 0.08,
});
export const transition = (time: number, to: "healthy" | "degraded" | "down", interconnect = "one") => ({
  interconnect,
  time,
  from: null,
  to,
  reason: `it became ${to}`,
});

/** Opens the health that is kept at a place, which is a directory of the test's own. */
export type OpenHealth = (place: string) => HealthStore | Promise<HealthStore>;

export function healthStoreContract(name: string, open: OpenHealth, forgetful = false): void {
  describe(`${name} keeps the contract of health:`, () => {
    let place: string;
    let health: HealthStore;
    beforeEach(async () => {
      place = temporaryDirectory();
      health = await open(place);
      onTestFinished(() => health.close());
    });

    async function reopen(): Promise<void> {
      if (forgetful) return;
      await health.close();
      health = await open(place);
    }

    const minutes = (interconnect = "one", from = 0, account = ACCOUNT) =>
      health.minutes(account, interconnect, from, 1_000);
    const transitions = (interconnect = "one", from = 0) =>
      health.transitions(ACCOUNT, interconnect, from, 1_000);

    test("nothing is known where nothing was told", async () => {
      expect(await health.edges(ACCOUNT)).toEqual([]);
      expect(await minutes()).toEqual([]);
      expect(await transitions()).toEqual([]);
      expect(await health.transitionsAfter(ACCOUNT, 0, 10)).toEqual([]);
      await health.prune(ALL);
    });

    test("what was told is there at once, and after it is opened again", async () => {
      const since = "2026-03-01T11:00:00.000Z";
      const states = [{ interconnect: "one", state: "degraded", since, reason: "some fail" }] as const;
      const ports = [{ slot: "s", device: "eth1", up: true }];
      const configuration = {
        status: "applied" as const,
        epoch: "e",
        revision: 7,
        problems: [{ interconnect: "one", reason: "Ü 'quoted' \\ {1,2}" }],
      };
      const quiet = { ...minute(NOON - MINUTE), sent: 3, lost: 3, latency: null, jitter: null };
      const report = heard({
        states: [...states],
        ports,
        configuration,
        minutes: [minute(NOON - 2 * MINUTE), quiet],
        transitions: [{ ...transition(NOON - 5, "down"), from: "healthy", reason: "Ü 'quoted' \\ {1,2}" }],
      });
      await health.note(ACCOUNT, report, NOON);
      const seen = async () => [await health.edges(ACCOUNT), await minutes(), await transitions()];
      const before = await seen();
      await reopen();
      expect(await seen()).toEqual(before);
      const [edges, series, changes] = before;
      const { minutes: _, transitions: __, states: ___, ...about } = report;
      const current = { state: "down", since: new Date(NOON - 5).toISOString(), noted: NOON };
      expect(edges).toMatchObject([
        { ...about, seen: NOON, applied: [{ revision: 7, since: NOON }], lit: ["s"] },
      ]);
      const [edge] = await health.edges(ACCOUNT);
      expect(edge?.watched.get("one")).toMatchObject({ current, minute: { minute: NOON - MINUTE, sent: 3 } });
      const { interconnect: ____, ...measured } = minute(NOON - 2 * MINUTE);
      const { interconnect: _____, ...none } = quiet;
      expect(series).toEqual([
        { edge: "ord-1", ...measured },
        { edge: "ord-1", ...none },
      ]);
      expect(changes).toEqual([
        {
          edge: "ord-1",
          interconnect: "one",
          time: NOON - 5,
          from: "healthy",
          to: "down",
          reason: "Ü 'quoted' \\ {1,2}",
        },
      ]);
    });

    test("the same report again changes nothing but when the edge was heard of", async () => {
      const report = heard({
        minutes: [minute(NOON)],
        transitions: [transition(NOON, "down"), transition(NOON, "down")],
      });
      await health.note(ACCOUNT, report, NOON);
      const once = await health.edges(ACCOUNT);
      await health.note(ACCOUNT, { ...report, minutes: [minute(NOON, "one", 99)] }, NOON + 5);
      expect(await minutes()).toMatchObject([{ sent: 6 }]);
      expect(await transitions()).toHaveLength(1);
      const [edge] = await health.edges(ACCOUNT);
      expect(edge).toMatchObject({ seen: NOON + 5, applied: once[0]?.applied });
      expect(edge?.watched.get("one")?.current).toEqual(once[0]?.watched.get("one")?.current);
    });

    test("edges, interconnects and accounts are told apart, and told in order", async () => {
      for (const edge of ["b", "a"]) {
        for (const time of [NOON, NOON - MINUTE])
          await health.note(
            ACCOUNT,
            heard({
              edge,
              minutes: [minute(time), minute(time, "two")],
              transitions: [transition(time, "down")],
            }),
            NOON,
          );
      }
      await health.note(OTHER, heard({ minutes: [minute(NOON)] }), NOON);
      expect((await health.edges(ACCOUNT)).map(({ edge }) => edge)).toEqual(["a", "b"]);
      expect((await minutes()).map(({ edge, minute }) => [minute - NOON, edge])).toEqual([
        [-MINUTE, "a"],
        [-MINUTE, "b"],
        [0, "a"],
        [0, "b"],
      ]);
      expect(await minutes("two")).toHaveLength(4);
      expect(await minutes("one", 0, OTHER)).toHaveLength(1);
      expect((await transitions()).map(({ time }) => time - NOON)).toEqual([-MINUTE, -MINUTE, 0, 0]);
      expect(await health.transitionsAfter(ACCOUNT, NOON - MINUTE, 10)).toMatchObject([
        { time: NOON },
        { time: NOON },
      ]);
    });

    test("the newest are told of more than are asked for, from a time on", async () => {
      const times = Array.from({ length: 200 }, (_, index) => NOON - index * MINUTE);
      await health.note(
        ACCOUNT,
        heard({
          minutes: times.map((time) => minute(time)),
          transitions: times.map((time) => transition(time, "down")),
        }),
        NOON,
      );
      const last = (list: readonly { minute?: number; time?: number }[]) =>
        list.map((one) => (NOON - (one.minute ?? one.time ?? 0)) / MINUTE);
      expect(last(await health.minutes(ACCOUNT, "one", 0, 3))).toEqual([2, 1, 0]);
      expect(last(await health.transitions(ACCOUNT, "one", 0, 3))).toEqual([2, 1, 0]);
      expect(await minutes("one", NOON - 150 * MINUTE)).toHaveLength(151);
      // A minute that has begun before is of the time that is asked for.
      expect(await minutes("one", NOON - 150 * MINUTE + 1)).toHaveLength(151);
      expect(await transitions("one", NOON - 150 * MINUTE)).toHaveLength(151);
    });

    test("a report of one interconnect, and one of none, leave what is known of the others", async () => {
      const since = new Date(NOON - MINUTE).toISOString();
      const ids = Array.from({ length: 200 }, (_, index) => `i${index}`);
      const states = ids.map((interconnect) => ({
        interconnect,
        state: "healthy" as const,
        since,
        reason: "answers",
      }));
      await health.note(ACCOUNT, heard({ states }), NOON);
      await health.note(ACCOUNT, heard({ transitions: [transition(NOON + 1, "down", "i7")] }), NOON + 1);
      await health.note(ACCOUNT, heard(), NOON + 2);
      for (const _ of ["read", "read again"]) {
        const [edge] = await health.edges(ACCOUNT);
        expect(edge?.seen).toBe(NOON + 2);
        const told = ids.map((id) => edge?.watched.get(id)?.current?.state);
        expect(told).toEqual(ids.map((id) => (id === "i7" ? "down" : "healthy")));
        await reopen();
      }
      await health.note(ACCOUNT, heard({ states: states.slice(0, 50) }), NOON + 3);
      await reopen();
      const [edge] = await health.edges(ACCOUNT);
      expect(ids.filter((id) => edge?.watched.get(id)?.current)).toEqual(ids.slice(0, 50));
      expect(edge?.watched.get("i199")).toEqual({
        last: { state: "healthy", since, reason: "answers", noted: NOON, until: NOON + 3 },
      });
    });

    test("what an edge reported before it was forgotten is not known again", async () => {
      const states = [
        { interconnect: "one", state: "down", since: new Date(NOON).toISOString(), reason: "" },
      ];
      await health.note(ACCOUNT, heard({ states: states as Heard["states"] & object }), NOON);
      expect((await health.edges(ACCOUNT))[0]?.watched.size).toBe(1);
      await health.forget(ACCOUNT);
      await health.note(ACCOUNT, heard(), NOON + 1);
      await reopen();
      expect((await health.edges(ACCOUNT)).map(({ watched }) => watched.size)).toEqual([0]);
    });

    test("an account has so many edges, and another has its own", async () => {
      for (let edge = 0; edge < MOST_EDGES; edge++)
        await health.note(ACCOUNT, heard({ edge: `e${edge}` }), NOON);
      await expect(health.note(ACCOUNT, heard({ edge: "more" }), NOON)).rejects.toBeInstanceOf(TooManyEdges);
      await health.note(ACCOUNT, heard({ edge: "e7" }), NOON + 1);
      await health.note(OTHER, heard({ edge: "more" }), NOON);
      expect(await health.edges(ACCOUNT)).toHaveLength(MOST_EDGES);
    });

    test("what is old goes, by the hour, and edges of which nothing was heard", async () => {
      const times = [NOON - WEEK - 2 * 60 * MINUTE, NOON - WEEK + MINUTE, NOON];
      for (const account of [ACCOUNT, OTHER]) {
        await health.note(
          account,
          heard({
            minutes: times.flatMap((time) => [minute(time), minute(time, "two")]),
            transitions: times.map((time) => transition(time, "down")),
          }),
          NOON,
        );
        await health.note(account, heard({ edge: "gone", minutes: [minute(NOON - WEEK)] }), NOON - WEEK - 1);
      }
      await health.prune(NOON - WEEK);
      const left = async () => [
        (await health.edges(ACCOUNT)).map(({ edge }) => edge),
        (await minutes()).map(({ minute }) => minute),
        (await transitions()).map(({ time }) => time),
        (await minutes("two", 0, OTHER)).length,
      ];
      const kept = [["ord-1"], [NOON - WEEK, NOON - WEEK + MINUTE, NOON], [NOON - WEEK + MINUTE, NOON], 2];
      expect(await left()).toEqual(kept);
      await reopen();
      expect(await left()).toEqual(kept);
      await health.prune(ALL);
      expect(await left()).toEqual([[], [], [], 0]);
    });

    test.each([undefined, ACCOUNT])("what is forgotten is gone, and may be told anew: %s", async (which) => {
      const report = heard({ minutes: [minute(NOON)], transitions: [transition(NOON, "down")] });
      for (const account of [ACCOUNT, OTHER]) await health.note(account, report, NOON);
      await health.forget(which);
      expect([await health.edges(ACCOUNT), await minutes(), await transitions()]).toEqual([[], [], []]);
      expect(await health.edges(OTHER)).toHaveLength(which === undefined ? 0 : 1);
      await health.note(ACCOUNT, report, NOON + 1);
      await reopen();
      expect(await health.edges(ACCOUNT)).toMatchObject([{ seen: NOON + 1 }]);
      expect(await minutes()).toHaveLength(1);
    });

    test("reports of one edge that come at once are all kept", async () => {
      const reports = Array.from({ length: 20 }, (_, index) =>
        heard({ minutes: [minute(NOON - index * MINUTE)], transitions: [transition(NOON - index, "down")] }),
      );
      await Promise.all(reports.map((report, index) => health.note(ACCOUNT, report, NOON + index)));
      expect(await minutes()).toHaveLength(20);
      expect(await transitions()).toHaveLength(20);
      expect(await health.edges(ACCOUNT)).toMatchObject([{ seen: NOON + 19 }]);
    });

    test("a report of many minutes is kept whole, in whatever order they come", async () => {
      const chance = new Chance(7);
      const all = Array.from({ length: 5_000 }, (_, index) =>
        minute(NOON - Math.floor(index / 50) * MINUTE, `i${index % 50}`, index),
      );
      await health.note(ACCOUNT, heard({ minutes: chance.some(all, all.length) }), NOON);
      for (const index of [0, 17, 49]) {
        const kept = await minutes(`i${index}`);
        expect(kept.map(({ sent }) => sent)).toEqual(
          Array.from({ length: 100 }, (_, back) => (99 - back) * 50 + index),
        );
      }
    });
  });
}
