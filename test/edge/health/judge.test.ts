/** The vendor's state machine, by written traces: each rule, and the moment on either side of its boundary. */

import { describe, expect, test } from "vitest";
import type { HealthState } from "../../../src/contract/health.ts";
import { judge, newMemory, type Windows, windowsOf } from "../../../src/edge/health/judge.ts";
import { penaltyOf } from "../../../src/edge/health/penalty.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** An interconnect that is told of samples: `said` has what followed from each. */
class Trace {
  readonly #windows: Windows;
  readonly #memory;
  time = 0;
  readonly said: string[] = [];
  extra = 0;

  constructor(scale = 1) {
    this.#windows = windowsOf(scale);
    this.#memory = newMemory(this.#windows);
  }

  get state(): HealthState | undefined {
    return this.#memory.state;
  }

  /** `.` answered, `x` failed, `-` nothing but time; `apart` milliseconds from one to the next, the first after them too. */
  probes(pattern: string, apart: number, why?: string): this {
    for (const mark of pattern) {
      this.time += apart;
      const event =
        mark === "-"
          ? ({ kind: "tick", time: this.time } as const)
          : ({ kind: "sample", time: this.time, sent: this.time, ok: mark === ".", why } as const);
      const { transition, extraProbes } = judge(this.#memory, event, this.#windows);
      this.extra += extraProbes;
      if (transition)
        this.said.push(`${transition.from ?? "nothing"} → ${transition.to}: ${transition.reason}`);
    }
    return this;
  }

  /** What was said since the last time. */
  heard(): string[] {
    return this.said.splice(0);
  }
}

/** Healthy, and with enough answered probes behind it. */
function healthy(scale = 1): Trace {
  const trace = new Trace(scale).probes(".".repeat(40), SECOND);
  trace.heard();
  return trace;
}

/** Down for a moment, at which it was healthy before. */
function down(): Trace {
  const trace = healthy().probes("x", SECOND).probes("xx", 10);
  trace.heard();
  trace.extra = 0;
  return trace;
}

describe("a fresh interconnect", () => {
  test("has no state until something is known, however long that takes", () => {
    expect(new Trace().probes("---", MINUTE).state).toBeUndefined();
  });

  test("is healthy with the first answer", () => {
    expect(new Trace().probes(".", 1).heard()).toEqual(["nothing → healthy: a probe was answered"]);
  });

  test("has no state after one failure, and asks for two more probes", () => {
    const trace = new Trace().probes("x", 1);
    expect([trace.state, trace.extra]).toEqual([undefined, 2]);
  });

  test("is down after three failures within a second", () => {
    expect(new Trace().probes("xxx", 100).heard()).toEqual([
      "nothing → down: 3 probes in a row without an answer",
    ]);
  });

  test("is degraded if two of the first three failed", () => {
    expect(new Trace().probes("xx.", 100).heard()).toEqual([
      "nothing → degraded: 2 of 3 probes in 5 minutes failed",
    ]);
  });
});

describe("down", () => {
  test("at once when three failures in a row became known within a second", () => {
    expect(healthy().probes("x", SECOND).probes("xx", 500).heard()).toEqual([
      "healthy → down: 3 probes in a row without an answer",
    ]);
  });

  test("not when they took a millisecond longer: that is degraded", () => {
    expect(healthy().probes("x", SECOND).probes("x", 500).probes("x", 501).heard()).toEqual([
      "healthy → degraded: 3 of 43 probes in 5 minutes failed",
    ]);
  });

  test("an answer before them does not matter, one among them does", () => {
    expect(healthy().probes("x.xx", 100).state).toBe("healthy");
    expect(healthy().probes("x.xxx", 100).state).toBe("down");
  });

  test("not after three failures that are further apart", () => {
    expect(healthy().probes("xxx", MINUTE).state).toBe("degraded");
  });

  test("from degraded as from healthy", () => {
    const trace = healthy().probes("x.x.", SECOND);
    trace.heard();
    expect(trace.probes("x", SECOND).probes("xx", 200).heard()).toEqual([
      "degraded → down: 3 probes in a row without an answer",
    ]);
  });

  test("its reason tells why nothing could be sent", () => {
    expect(healthy().probes("xxx", 500, "there is no device pb-1").heard()).toEqual([
      "healthy → down: 3 probes in a row without an answer: there is no device pb-1",
    ]);
  });
});

describe("degraded", () => {
  test("after a second failure within 5 minutes", () => {
    const trace = healthy().probes("x..", 100);
    expect(trace.state).toBe("healthy");
    expect(trace.probes("x.", SECOND).heard()).toEqual([
      "healthy → degraded: 2 of 45 probes in 5 minutes failed",
    ]);
  });

  test("the second failure waits for the two extra probes, and their answers make it degraded", () => {
    const trace = healthy().probes("x..", 100).probes("x", SECOND);
    expect(trace.state).toBe("healthy");
    expect(trace.probes(".", 10).state).toBe("degraded");
  });

  test("it waits no longer than the second in which it could be down", () => {
    const trace = healthy().probes("x..", 100).probes("x", SECOND);
    expect(trace.probes("-", SECOND).state).toBe("healthy");
    expect(trace.probes("-", 1).state).toBe("degraded");
  });

  test("not when the first failure is 5 minutes back", () => {
    const trace = new Trace().probes(".", 500).probes("x", SECOND);
    trace.probes(".".repeat(299), SECOND).probes("x.", SECOND);
    expect([trace.time, trace.state]).toEqual([302_500, "healthy"]);
  });

  test("when it is a second less than that", () => {
    const trace = new Trace().probes(".", 500).probes("x", SECOND);
    trace.probes(".".repeat(298), SECOND).probes("x.", SECOND / 2);
    expect(trace.state).toBe("degraded");
  });

  test.each([
    [1_997, "degraded"],
    [1_998, "degraded"],
    [1_999, "healthy"],
  ])("two failures beside %i answers: %s, since a tenth of a percent is the least", (answers, state) => {
    const trace = new Trace().probes(".".repeat(answers - 2), 100).probes("x.x.", 2 * SECOND);
    expect(trace.state).toBe(state);
  });
});

describe("extra probes", () => {
  test("two at the first failure, none at the failures of those", () => {
    expect(healthy().probes("xx", 200).extra).toBe(2);
  });

  test("two again at a failure more than a second later", () => {
    expect(healthy().probes("xx.", 200).probes("x", 1_000).extra).toBe(4);
  });

  test("two at the first answer of one that is down, none at the next", () => {
    const trace = down();
    expect(trace.probes("x", SECOND).extra).toBe(0);
    expect(trace.probes("..", 10).extra).toBe(2);
  });

  test("two again if one of them failed", () => {
    expect(down().probes(".x.", 10).extra).toBe(4);
  });

  test("none while all is well", () => {
    expect(healthy().extra).toBe(0);
  });
});

describe("recovery", () => {
  test("from down to degraded, never to healthy, by three answers in a row", () => {
    const trace = down().probes("x", 20 * MINUTE);
    expect(trace.probes("..", SECOND).heard()).toEqual([]);
    expect(trace.probes(".", SECOND).heard()).toEqual(["down → degraded: 3 probes in a row were answered"]);
  });

  test("a failure among the three starts them anew", () => {
    expect(down().probes("..x..", SECOND).state).toBe("down");
  });

  test("to healthy when 5 minutes have passed, the last 30 probes were answered and the failures are 5 minutes back", () => {
    const trace = down().probes("...", 10);
    trace.heard();
    trace.probes(".".repeat(299), SECOND);
    expect(trace.state).toBe("degraded");
    expect(trace.probes("..", SECOND).heard()).toEqual([
      "degraded → healthy: the last 30 probes were answered",
    ]);
  });

  test("time in down counts for the 5 minutes", () => {
    const trace = down()
      .probes("x", 2 * MINUTE)
      .probes("x...", 10);
    // Since it left healthy: 2 minutes down, then 5 without a failure.
    trace.probes(".".repeat(29), 10 * SECOND);
    expect(trace.state).toBe("degraded");
    expect(trace.probes(".", 10 * SECOND).state).toBe("healthy");
  });

  test("at a probe a minute the 30 probes are what takes long", () => {
    const trace = down().probes("...", 10);
    trace.probes(".".repeat(26), MINUTE);
    expect(trace.state).toBe("degraded");
    expect(trace.probes(".", MINUTE).state).toBe("healthy");
  });

  test("time alone ends it too, when all the rest is given", () => {
    const trace = down().probes(".".repeat(40), 10);
    expect(trace.probes("-", 299 * SECOND).state).toBe("degraded");
    expect(trace.probes("--", SECOND).state).toBe("healthy");
  });

  test("a lost probe keeps it degraded until 30 more were answered and 5 minutes passed", () => {
    const trace = healthy()
      .probes("x.x.", 2 * SECOND)
      .probes("x", 4 * MINUTE);
    trace.probes(".".repeat(29), 9 * SECOND);
    expect(trace.state).toBe("degraded");
    expect(trace.probes(".", 39 * SECOND).state).toBe("healthy");
  });
});

test("windows of minutes are scaled, that of a second is not", () => {
  const trace = healthy(0.01).probes("x", SECOND).probes("xx", 500);
  expect(trace.heard()).toEqual(["healthy → down: 3 probes in a row without an answer"]);
  trace.probes(".".repeat(40), 10).probes("-", 3_030);
  expect(trace.heard().map((line) => line.split(":")[0])).toEqual(["down → degraded", "degraded → healthy"]);
  trace.probes("x.x.", 300);
  expect(trace.heard()).toEqual([
    expect.stringMatching(/^healthy → degraded: 2 of \d+ probes in 3 seconds failed$/),
  ]);
});

test("what comes late counts as of the newest time", () => {
  const windows = windowsOf(1);
  const memory = newMemory(windows);
  judge(memory, { kind: "sample", time: 5_000, sent: 5_000, ok: true }, windows);
  expect(judge(memory, { kind: "sample", time: 4_000, sent: 5_000, ok: false }, windows).extraProbes).toBe(2);
  expect(memory.newest).toBe(5_000);
});

test("silence of what was sent before an answered probe counts, but not as a failure in a row", () => {
  const windows = windowsOf(1);
  const memory = newMemory(windows);
  judge(memory, { kind: "sample", time: 5_000, sent: 4_999, ok: true }, windows);
  for (const sent of [4_800, 4_850, 4_900]) {
    const { extraProbes } = judge(memory, { kind: "sample", time: sent + 200, sent, ok: false }, windows);
    expect(extraProbes).toBe(0);
  }
  expect(memory.state).toBe("degraded");
});

test("penalties are the vendor's", () => {
  expect([undefined, "healthy", "degraded", "down"].map((state) => penaltyOf(state as HealthState))).toEqual([
    0, 0, 500_000, 1_000_000,
  ]);
});
