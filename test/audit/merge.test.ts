/** Logs read as one, against a model that has them all in one list. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Direction, Merged, type Placed, type Source } from "../../src/server/audit/merge.ts";
import { runs } from "../harness/runs.ts";

interface Item extends Placed {
  readonly log: number;
}

/** A log that is appended to while it is read. */
class Log {
  readonly items: Item[] = [];
  /** Pruned before this position. */
  pruned = 1;
  readonly #log: number;

  constructor(log: number) {
    this.#log = log;
  }

  /** Times never run backwards in one log. */
  append(time: number): void {
    const last = Number(this.items.at(-1)?.time ?? 0);
    const text = String(Math.max(last, time)).padStart(4, "0");
    this.items.push({ log: this.#log, position: this.items.length + 1, time: text });
  }

  /** The window as the store would find it now. Pages are as short as chance has it. */
  source(since: string, before: string, direction: Direction, page: number): Source<Item> {
    const at = (time: string) => {
      const found = this.items.find((item) => item.position >= this.pruned && item.time >= time);
      return found?.position ?? this.items.length + 1;
    };
    const kept = () => this.items.filter(({ position }) => position >= this.pruned);
    const read = async (from: number, limit: number) => {
      const items =
        direction === "asc"
          ? kept().filter(({ position }) => position > from)
          : kept()
              .filter(({ position }) => position < from)
              .reverse();
      return items.slice(0, Math.min(limit, page));
    };
    return { first: at(since), end: at(before), read };
  }
}

const name = ({ log, position }: Item) => `${log}:${position}`;

/** All there is in the window, in order: by time, of equal times by log and place. */
function naive(logs: readonly Log[], since: string, before: string, direction: Direction): string[] {
  const items = logs
    .flatMap(({ items, pruned }) => items.filter(({ position }) => position >= pruned))
    .filter(({ time }) => time >= since && time < before)
    .sort((a, b) =>
      a.time === b.time ? a.log - b.log || a.position - b.position : a.time < b.time ? -1 : 1,
    );
  return (direction === "asc" ? items : items.reverse()).map(name);
}

const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ does: fc.constant("append" as const), log: fc.nat(2), time: fc.nat(60) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ does: fc.constant("page" as const), limit: fc.integer({ min: 1, max: 7 }) }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constant("prune" as const), count: fc.nat(3) }) },
);
const setup = fc.record({
  there: fc.array(fc.record({ log: fc.nat(2), time: fc.nat(60) }), { maxLength: 40 }),
  since: fc.nat(40),
  length: fc.integer({ min: 1, max: 60 }),
  direction: fc.constantFrom<Direction>("asc", "desc"),
  page: fc.integer({ min: 1, max: 6 }),
});

const text = (time: number) => String(time).padStart(4, "0");

describe("logs read page by page", () => {
  test("are in the order of their times, whatever the size of pages, and the other way round in the other direction", async () => {
    await fc.assert(
      fc.asyncProperty(setup, fc.integer({ min: 1, max: 9 }), async (given, limit) => {
        const logs = [new Log(0), new Log(1), new Log(2)];
        for (const { log, time } of given.there) logs[log]?.append(time);
        const [since, before] = [text(given.since), text(given.since + given.length)];
        for (const direction of ["asc", "desc"] as const) {
          const told: string[] = [];
          let positions: number[] | undefined;
          for (let more = true; more; ) {
            const sources = logs.map((log) => log.source(since, before, direction, given.page));
            const merged = new Merged(sources, direction, positions);
            for (let count = 0; count < limit; count++) {
              const item = await merged.next();
              if (item) told.push(name(item));
            }
            more = (await merged.peek()) !== undefined;
            positions = merged.positions;
          }
          expect(told).toEqual(naive(logs, since, before, direction));
        }
      }),
      { numRuns: 300 },
    );
  });

  test("while they are appended to and pruned skip nothing and double nothing", async () => {
    const counts = { appended: 0, pages: 0, late: 0 };
    await fc.assert(
      fc.asyncProperty(setup, fc.array(step, { maxLength: 40 }), async (given, steps) => {
        const { direction, page } = given;
        const logs = [new Log(0), new Log(1), new Log(2)];
        for (const { log, time } of given.there) logs[log]?.append(time);
        const [since, before] = [text(given.since), text(given.since + given.length)];
        const atFirst = naive(logs, since, before, direction);
        const told: Item[] = [];
        let positions: number[] | undefined;
        const turn = async (limit: number) => {
          const sources = logs.map((log) => log.source(since, before, direction, page));
          const merged = new Merged(sources, direction, positions);
          for (let count = 0; count < limit; count++) {
            const item = await merged.next();
            if (!item) break;
            told.push(item);
          }
          positions = merged.positions;
          return merged.peek();
        };
        await turn(1);
        const gone = new Set<string>();
        for (const step of steps) {
          if (step.does === "append") {
            logs[step.log]?.append(step.time);
            counts.appended++;
          } else if (step.does === "page") {
            await turn(step.limit);
            counts.pages++;
          } else {
            // Only events are pruned as one reads; the oldest go.
            const [, , events] = logs;
            if (!events) continue;
            events.pruned = Math.min(events.items.length, events.pruned + step.count);
            for (const item of events.items) if (item.position < events.pruned) gone.add(name(item));
          }
        }
        while (await turn(5));
        const names = told.map(name);
        expect(new Set(names).size).toBe(names.length);
        const now = naive(logs, since, before, direction);
        const missing = now.filter((item) => !names.includes(item));
        if (direction === "asc") {
          // Whatever came late is told all the same.
          expect(missing).toEqual([]);
          const passed = names.filter((item, index) => !gone.has(item) && now.indexOf(item) < index);
          if (passed.length > 0) counts.late++;
        } else {
          // Newest first, what was there when one began is told, and what came later is not.
          expect(missing.filter((item) => atFirst.includes(item))).toEqual([]);
          expect(names.filter((item) => !atFirst.includes(item))).toEqual([]);
          expect(names.filter((item) => !gone.has(item))).toEqual(atFirst.filter((item) => !gone.has(item)));
        }
        // Each log's own items are in their order.
        for (const log of [0, 1, 2]) {
          const own = told.filter((item) => item.log === log).map(({ position }) => position);
          expect(own).toEqual(own.toSorted((a, b) => (direction === "asc" ? a - b : b - a)));
        }
      }),
      { numRuns: runs(500) },
    );
    expect(Math.min(...Object.values(counts)), JSON.stringify(counts)).toBeGreaterThan(runs(20));
  });

  test("from positions that nobody gave out begin no earlier than the window", async () => {
    const log = new Log(0);
    for (let time = 0; time < 9; time++) log.append(time);
    const read = async (direction: Direction, position: number) => {
      const merged = new Merged([log.source("0003", "0006", direction, 5)], direction, [position]);
      const told: string[] = [];
      for (let item = await merged.next(); item; item = await merged.next()) told.push(item.time);
      return told;
    };
    expect(await read("asc", 0)).toEqual(["0003", "0004", "0005"]);
    expect(await read("asc", 99)).toEqual([]);
    expect(await read("desc", 99)).toEqual(["0005", "0004", "0003"]);
    expect(await read("desc", 0)).toEqual([]);
  });
});
