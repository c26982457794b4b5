/** The state machine against a model that keeps every sample there ever was, and looks at all of them each time. */

import fc from "fast-check";
import { expect, test } from "vitest";
import type { HealthState } from "../../../src/contract/health.ts";
import { judge, newMemory, windowsOf } from "../../../src/edge/health/judge.ts";
import { penaltyOf } from "../../../src/edge/health/penalty.ts";
import { isLong } from "../../harness/runs.ts";

interface Sample {
  readonly time: number;
  readonly sent: number;
  readonly ok: boolean;
}

/** The rules as sentences over the list of samples. */
class Model {
  readonly #samples: Sample[] = [];
  readonly #scale: number;
  state: HealthState | undefined;
  #left = 0;

  constructor(scale: number) {
    this.#scale = scale;
  }

  take(time: number, sent: number, ok: boolean | undefined): void {
    if (ok !== undefined) this.#samples.push({ time, sent, ok });
    const next = this.#judge(time);
    if (next === this.state) return;
    if (this.state === undefined || this.state === "healthy") this.#left = time;
    this.state = next;
  }

  #judge(time: number): HealthState | undefined {
    const all = this.#samples;
    if (all.length === 0) return undefined;
    // Those in a row: without failures of what was sent before something that had been answered by then.
    const row = all.filter(
      (sample, at) => sample.ok || !all.slice(0, at).some((other) => other.ok && other.sent > sample.sent),
    );
    if (this.state === "down") {
      return row.length >= 3 && row.slice(-3).every(({ ok }) => ok) ? "degraded" : "down";
    }
    const three = row.slice(-3);
    if (three.length === 3 && three.every((sample) => !sample.ok && sample.time >= time - 1000))
      return "down";

    // Five minutes in three hundred parts, of which the oldest goes as a whole.
    const part = (at: number) => Math.floor(at / (1000 * this.#scale));
    const recent = all.filter((sample) => part(sample.time) > part(time) - 300);
    const failures = recent.filter(({ ok }) => !ok).length;
    const failing = failures >= 2 && failures / recent.length >= 0.001;
    if (this.state === "degraded") {
      const last = row.slice(-30);
      const recovered = last.length === 30 && last.every(({ ok }) => ok) && !failing;
      return recovered && time - this.#left >= 300_000 * this.#scale ? "healthy" : "degraded";
    }
    const answered = row.findLastIndex(({ ok }) => ok);
    const run = row.slice(answered + 1);
    const first = run[0];
    const mayBecomeDown = first !== undefined && run.length < 3 && first.time >= time - 1000;
    if (failing && !mayBecomeDown) return "degraded";
    if (this.state === "healthy") return "healthy";
    return row.at(-1)?.ok ? "healthy" : undefined;
  }
}

/** Runs of the same, as networks have them, at steps that matter to one rule or another. */
const runs = fc.array(
  fc.record({
    what: fc.constantFrom<(boolean | undefined)[]>(
      [true],
      [false],
      [undefined],
      [true, false],
      [false, true, true],
    ),
    times: fc.integer({ min: 1, max: 40 }),
    patience: fc.constantFrom(0, 200, 1000),
    apart: fc.oneof(
      fc.constantFrom(0, 1, 333, 334, 499, 500, 501, 999, 1000, 1001, 10_000, 60_000),
      fc.integer({ min: 0, max: 20_000 }),
    ),
  }),
  { maxLength: 30 },
);

test.each([1, 0.01])("it agrees with the model at every step, windows scaled by %d", (scale) => {
  fc.assert(
    fc.property(runs, (trace) => {
      const windows = windowsOf(scale);
      const memory = newMemory(windows);
      const model = new Model(scale);
      let time = 0;
      for (const { what, times, apart, patience } of trace) {
        for (let count = 0; count < times * what.length; count++) {
          time += apart;
          const ok = what[count % what.length];
          // Silence is known later than answers are.
          const sent = ok === false ? time - patience : time;
          const { transition } = judge(
            memory,
            ok === undefined ? { kind: "tick", time } : { kind: "sample", time, sent, ok },
            windows,
          );
          const before = model.state;
          model.take(time, sent, ok);
          expect(memory.state).toBe(model.state);
          expect(transition?.to).toBe(before === model.state ? undefined : model.state);
          // Never at once from down to healthy, and what routes pay is never that of another state.
          expect([transition?.from, transition?.to]).not.toEqual(["down", "healthy"]);
          const paid = penaltyOf(memory.state);
          expect(paid).toBe(memory.state === "down" ? 1_000_000 : memory.state === "degraded" ? 500_000 : 0);
        }
      }
    }),
    { numRuns: isLong ? 2_000 : 150 },
  );
});
