/** Probes on their way, what is due when, and how long an answer is waited for. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Outstanding } from "../../../src/edge/probe/outstanding.ts";
import { RoundTrips } from "../../../src/edge/probe/round-trips.ts";
import { Schedule } from "../../../src/edge/probe/schedule.ts";

describe("probes on their way", () => {
  test("are found by place and word, until they are closed", () => {
    const outstanding = new Outstanding<string>();
    const slot = outstanding.open("a", 10.5, 210.5);
    const word = outstanding.cookieOf(slot);
    expect([outstanding.find(slot, word), outstanding.sentAt(slot), outstanding.count]).toEqual([
      "a",
      10.5,
      1,
    ]);
    expect(outstanding.find(slot, word ^ 1)).toBeUndefined();
    expect(outstanding.find(slot + 100_000, word)).toBeUndefined();
    outstanding.close(slot);
    expect([outstanding.find(slot, word), outstanding.count]).toEqual([undefined, 0]);
  });

  test("expire at their deadline, not before", () => {
    const outstanding = new Outstanding<string>();
    outstanding.open("a", 0, 200.5);
    expect(outstanding.expire(200.4)).toEqual([]);
    expect(outstanding.nextDeadline()).toBe(200.5);
    expect(outstanding.expire(200.5)).toEqual([{ owner: "a", sentAt: 0, deadline: 200.5 }]);
    expect([outstanding.count, outstanding.nextDeadline()]).toEqual([0, Number.POSITIVE_INFINITY]);
  });

  test("agree with a list of them, whatever happens", () => {
    const step = fc.oneof(
      fc.record({ open: fc.integer({ min: 0, max: 2_000 }).map((half) => half / 2) }),
      fc.record({ wait: fc.integer({ min: 0, max: 6_000 }).map((half) => half / 2) }),
      fc.record({ close: fc.nat(20) }),
      fc.record({ forget: fc.nat(2) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 600 }), (steps) => {
        const outstanding = new Outstanding<number>();
        let list: { slot: number; owner: number; sentAt: number; deadline: number }[] = [];
        let [now, owners] = [1_000_000, 0];
        for (const one of steps) {
          if ("open" in one) {
            const [owner, deadline] = [owners++, now + one.open];
            list.push({ slot: outstanding.open(owner, now, deadline), owner, sentAt: now, deadline });
          } else if ("wait" in one) {
            now += one.wait;
            const lost = list.filter(({ deadline }) => deadline <= now);
            list = list.filter(({ deadline }) => deadline > now);
            const told = outstanding.expire(now).map(({ owner, deadline }) => [owner, deadline]);
            expect(told.map(([, deadline]) => deadline)).toEqual(
              lost.map(({ deadline }) => deadline).sort((a, b) => a - b),
            );
            expect(new Set(told.map(([owner]) => owner))).toEqual(new Set(lost.map(({ owner }) => owner)));
          } else if ("close" in one) {
            const [closed] = list.splice(one.close, 1);
            if (closed) outstanding.close(closed.slot);
          } else {
            const gone = list.filter(({ owner }) => owner % 3 === one.forget);
            list = list.filter(({ owner }) => owner % 3 !== one.forget);
            expect(outstanding.forget((owner) => owner % 3 === one.forget)).toBe(gone.length);
          }
          expect(outstanding.count).toBe(list.length);
          expect(outstanding.nextDeadline()).toBe(Math.min(...list.map(({ deadline }) => deadline)));
          for (const { slot, owner } of list)
            expect(outstanding.find(slot, outstanding.cookieOf(slot))).toBe(owner);
        }
      }),
      { numRuns: 50 },
    );
  });
});

test("what is due is taken in the order of its times, and nothing too early", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 100 })),
      fc.integer({ min: 0, max: 100 }),
      (times, now) => {
        const schedule = new Schedule<{ at: number }>();
        for (const at of times) schedule.add({ at });
        const taken: number[] = [];
        for (let due = schedule.take(now); due !== undefined; due = schedule.take(now)) taken.push(due.at);
        expect(taken).toEqual(times.filter((at) => at <= now).sort((a, b) => a - b));
        expect(schedule.next).toBe(Math.min(...times.filter((at) => at > now)));
      },
    ),
  );
});

describe("an answer is waited for", () => {
  const having = (...milliseconds: number[]) => {
    const roundTrips = new RoundTrips();
    for (const one of milliseconds) roundTrips.add(one);
    return roundTrips;
  };

  test("a second while no round trip is known, an extra probe's a tenth less", () => {
    expect([having().patience(false), having().patience(true)]).toEqual([1_000, 900]);
  });

  test("four times the median round trip", () => {
    expect(having(60, 90, 70).patience(false)).toBe(280);
    expect(having(60, 900, 70, 50, 80).patience(false)).toBe(280);
  });

  test("at least 200 ms, at most a second", () => {
    expect(having(0.1).patience(false)).toBe(200);
    expect(having(400).patience(false)).toBe(1_000);
    expect(having(400).patience(true)).toBe(900);
  });

  test("by the latest nine", () => {
    expect(having(...new Array(9).fill(200), ...new Array(4).fill(60)).patience(false)).toBe(800);
    expect(having(...new Array(9).fill(200), ...new Array(5).fill(60)).patience(false)).toBe(240);
  });
});
