import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryDirectory } from "../../../test/harness/temporary.ts";
import { type Item, Spool } from "./spool.ts";

const minute = (number: number): Item => ({
  kind: "minute",
  value: {
    interconnect: "a",
    minute: `2026-01-01T00:${String(number % 60).padStart(2, "0")}:00.000Z`,
    sent: number,
    lost: 0,
    latency: null,
    jitter: null,
  },
});
const transition = (number: number): Item => ({
  kind: "transition",
  value: { interconnect: "a", time: "2026-01-01T00:00:00.000Z", from: null, to: "down", reason: `${number}` },
});
const complaints: string[] = [];
const open = (directory: string, most?: number) =>
  new Spool(directory, (sentence) => complaints.push(sentence), most);
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);

describe("what waits to be reported", () => {
  test("is there again after a restart, in its order, without what was taken", () => {
    const directory = temporaryDirectory();
    const spool = open(directory);
    spool.add([minute(1), transition(2)]);
    spool.add([minute(3)]);
    expect(open(directory).next(10)).toEqual([minute(1), transition(2), minute(3)]);
    spool.taken(spool.next(3));
    expect(open(directory).size).toBe(0);
  });

  test("may be told twice after a crash, but never not at all", () => {
    const directory = temporaryDirectory();
    const spool = open(directory);
    spool.add(range(0, 3000).map(minute));
    spool.taken(spool.next(10));
    const left = open(directory).next(5000);
    expect(left.slice(-2990)).toEqual(range(10, 3000).map(minute));
  });

  test("survives a line that was not finished", () => {
    const directory = temporaryDirectory();
    open(directory).add([minute(1)]);
    appendFileSync(join(directory, "spool.jsonl"), '{"kind":"minute","va');
    expect(open(directory).next(10)).toEqual([minute(1)]);
  });

  test("is bounded: the oldest minutes go first, transitions stay as long as they can", () => {
    const directory = temporaryDirectory();
    const spool = open(directory, 100);
    spool.add(range(0, 20).map(transition));
    spool.add(range(20, 110).map(minute));
    expect(spool.size).toBe(90);
    expect(spool.dropped).toBe(20);
    expect(spool.next(20)).toEqual(range(0, 20).map(transition));
    expect(spool.next(1000).at(-1)).toEqual(minute(109));
    spool.add(range(200, 320).map(transition));
    expect(spool.size).toBe(90);
    expect(spool.next(1000).every(({ kind }) => kind === "transition")).toBe(true);
    expect(open(directory, 100).size).toBe(90);
  });

  test("keeps its place when items go while a report is on its way", () => {
    const spool = open(temporaryDirectory(), 100);
    spool.add(range(0, 60).map(minute));
    const underWay = spool.next(10);
    spool.add(range(60, 120).map(minute));
    spool.taken(underWay);
    expect(spool.next(1000)).toEqual(range(30, 120).map(minute));
  });

  test("stays in memory when the disk takes nothing, and says so once", () => {
    complaints.length = 0;
    const blocked = new Spool("/proc/self/fdinfo", (sentence) => complaints.push(sentence));
    blocked.add([minute(1)]);
    blocked.add([minute(2)]);
    expect(blocked.next(10)).toEqual([minute(1), minute(2)]);
    expect(complaints).toHaveLength(1);
  });
});
