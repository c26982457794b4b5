import { expect, test } from "vitest";
import { StallMonitor } from "../../test/harness/stall-monitor.ts";
import { freshSlice, isSliceSpent, nextSlice, pause, runInSlices } from "./time-slice.ts";

function* work(milliseconds: number) {
  const end = performance.now() + milliseconds;
  let units = 0;
  while (performance.now() < end) {
    units++;
    yield;
  }
  return units;
}

test("many long tasks at once never hold the event loop for longer than a slice", async () => {
  using monitor = StallMonitor.start();
  const units = await Promise.all(Array.from({ length: 10 }, () => runInSlices(work(60))));
  expect(units.every((count) => count > 0)).toBe(true);
  expect(monitor.longest).toBeLessThan(40);
});

test("a short task is not paused", async () => {
  let turns = 0;
  const immediate = setImmediate(() => turns++);
  await pause();
  expect(turns).toBe(0);
  clearImmediate(immediate);
});

test("tasks take turns in the order in which they asked", async () => {
  const order: string[] = [];
  const task = async (name: string) => {
    for (let round = 0; round < 2; round++) {
      await nextSlice();
      order.push(name);
    }
  };
  await Promise.all([task("a"), task("b")]);
  expect(order).toEqual(["a", "b", "a", "b"]);
});

test("an error of the work is the caller's", async () => {
  const failing = (function* (): Generator<undefined, never> {
    yield;
    throw new Error("no");
  })();
  await expect(runInSlices(failing)).rejects.toThrow("no");
});

test("many short tasks share a slice, and a long one still gets its turns", async () => {
  const short = async () => {
    await nextSlice();
    for (const end = performance.now() + 0.1; performance.now() < end; );
  };
  let isOver = false;
  const crowd = (async () => {
    while (!isOver) await Promise.all(Array.from({ length: 200 }, short));
  })();
  let turns = 0;
  const count = () => {
    turns++;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  await runInSlices(work(60));
  isOver = true;
  await crowd;
  // One at a time, each would take a turn of the event loop: over a thousand.
  expect(turns).toBeLessThan(100);
});

test("tasks that all start waiting before one of them works share slices, too", async () => {
  using monitor = StallMonitor.start();
  await Promise.all(
    Array.from({ length: 500 }, async () => {
      await nextSlice();
      for (const end = performance.now() + 0.3; performance.now() < end; );
    }),
  );
  expect(monitor.longest).toBeLessThan(40);
});

test("a task can wait for the beginning of a slice", async () => {
  const spent = async (ask: () => Promise<void>) => {
    await ask();
    return isSliceSpent();
  };
  const busy = (async () => {
    await nextSlice();
    for (const end = performance.now() + 9; performance.now() < end; );
    return "busy";
  })();
  const [, began] = await Promise.all([busy, spent(freshSlice)]);
  expect(began).toBe(false);
});
