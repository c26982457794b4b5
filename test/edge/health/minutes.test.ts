/** Summaries of minutes. */

import { describe, expect, test } from "vitest";
import { Minutes } from "../../../src/edge/health/minutes.ts";

const START = Date.UTC(2026, 0, 2, 3, 4);

describe("a minute", () => {
  test("tells what was sent in it, what was lost, and how long answers took", () => {
    const minutes = new Minutes("ic");
    [1, 3, 2, undefined, 6].forEach((roundTrip, second) => {
      minutes.add(START + second * 1000, roundTrip);
    });
    const [minute] = minutes.take(START + 61_500);
    expect(minute).toEqual({
      interconnect: "ic",
      minute: "2026-01-02T03:04:00.000Z",
      sent: 5,
      lost: 1,
      latency: { min: 1, median: 2, p99: 6 },
      // |3 − 1|, |2 − 3| and |6 − 2|: a lost probe is no round trip.
      jitter: 2.333,
    });
    expect(minutes.isEmpty).toBe(true);
  });

  test("without an answer has no latency and no jitter", () => {
    const minutes = new Minutes("ic");
    minutes.add(START, undefined);
    expect(minutes.take(START + 61_500)).toEqual([
      {
        interconnect: "ic",
        minute: "2026-01-02T03:04:00.000Z",
        sent: 1,
        lost: 1,
        latency: null,
        jitter: null,
      },
    ]);
  });

  test("waits a second and a half for what was sent at its end, and then comes once", () => {
    const minutes = new Minutes("ic");
    minutes.add(START, 1);
    expect(minutes.take(START + 61_499)).toEqual([]);
    minutes.add(START + 59_999, undefined);
    minutes.add(START + 60_100, 1);
    expect(minutes.take(START + 61_500)).toMatchObject([{ sent: 2, lost: 1 }]);
    expect(minutes.take(START + 61_500)).toEqual([]);
    expect(minutes.take(START + 121_500)).toMatchObject([{ minute: "2026-01-02T03:05:00.000Z", sent: 1 }]);
  });

  test("in which nothing was sent is not told of", () => {
    const minutes = new Minutes("ic");
    minutes.add(START, 1);
    minutes.add(START + 5 * 60_000, 1);
    expect(minutes.take(START + 5 * 60_000)).toHaveLength(1);
  });

  test("ahead of a clock that was set back is over", () => {
    const minutes = new Minutes("ic");
    minutes.add(START + 3_600_000, 1);
    minutes.add(START, 1);
    expect(minutes.take(START + 1)).toMatchObject([{ minute: "2026-01-02T04:04:00.000Z" }]);
  });

  test("of very many probes is summed up of a part of them, and counts all", () => {
    const minutes = new Minutes("ic");
    for (let count = 0; count < 50_000; count++) minutes.add(START, 1 + (count % 1_000) / 1_000);
    const [minute] = minutes.take(START + 61_500);
    expect(minute).toMatchObject({ sent: 50_000, lost: 0 });
    expect(minute?.latency?.min).toBe(1);
    expect(minute?.latency?.median).toBeCloseTo(1.5, 1);
    expect(minute?.latency?.p99).toBeCloseTo(1.99, 1);
  });
});
