import { describe, expect, test } from "vitest";
import { forwardClock, StoreClock } from "./clock.ts";

const START = Date.UTC(2026, 2, 1, 12);
const HOUR = 3_600_000;

/** The two time sources of a process, set by the test. */
function sources() {
  const at = { wall: START, monotonic: 500.25 };
  return {
    at,
    pass: (milliseconds: number) => {
      at.wall += milliseconds;
      at.monotonic += milliseconds;
    },
    clock: forwardClock(
      () => Math.floor(at.wall),
      () => at.monotonic,
    ),
  };
}

describe("the system's clock", () => {
  test("is the wall clock, with microseconds", () => {
    const { clock, pass } = sources();
    expect([clock.now(), clock.timestamp()]).toEqual([START, "2026-03-01T12:00:00.000000Z"]);
    pass(1_234.5);
    expect([clock.now(), clock.timestamp()]).toEqual([START + 1_234, "2026-03-01T12:00:01.234500Z"]);
  });

  test("continues without the step when the wall clock is set back", () => {
    const { at, clock, pass } = sources();
    clock.now();
    at.wall -= HOUR;
    expect(clock.now()).toBe(START);
    pass(6_000);
    expect([clock.now(), clock.timestamp()]).toEqual([START + 6_000, "2026-03-01T12:00:06.000000Z"]);
  });

  test("follows the wall clock when that is set forward, and again when that has caught up", () => {
    const { at, clock, pass } = sources();
    clock.now();
    at.wall -= HOUR;
    pass(1_000);
    at.wall += HOUR;
    expect(clock.now()).toBe(START + 1_000);
    at.wall += HOUR;
    expect(clock.now()).toBe(START + HOUR + 1_000);
  });

  test("never runs backwards, however the wall clock is set", () => {
    const { at, clock, pass } = sources();
    let [now, timestamp] = [clock.now(), clock.timestamp()];
    for (let step = 0; step < 500; step++) {
      pass((step * 7919) % 13);
      at.wall += ((step * 104_729) % 2_001) - 1_000;
      const [later, text] = [clock.now(), clock.timestamp()];
      expect(later).toBeGreaterThanOrEqual(now);
      expect(text >= timestamp).toBe(true);
      expect(later).toBeGreaterThanOrEqual(Math.floor(at.wall));
      [now, timestamp] = [later, text];
    }
  });
});

describe("the clock of a shared store", () => {
  function storeClock() {
    const at = { monotonic: 100 };
    return { at, clock: new StoreClock(() => at.monotonic) };
  }

  test("uses the fastest response of a minute, and corrects small differences after it", () => {
    const { at, clock } = storeClock();
    clock.observe(START);
    clock.observe(START - 400);
    expect(clock.now()).toBe(START);
    at.monotonic += 60_000;
    clock.observe(START + 60_000 - 400);
    expect(clock.now()).toBe(START + 60_000 - 400);
  });

  test("continues without the step when the store's clock is set back", () => {
    const { at, clock } = storeClock();
    clock.observe(START);
    for (let minute = 1; minute <= 3; minute++) {
      at.monotonic += 60_000;
      clock.observe(START + minute * 60_000 - HOUR);
      expect(clock.now()).toBe(START + minute * 60_000);
    }
    clock.observe(START + 3 * 60_000 + 5);
    expect(clock.timestamp()).toBe("2026-03-01T12:03:00.005000Z");
  });
});
