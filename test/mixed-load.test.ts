/** The benchmarks' options, the verdict on a run of the mixed load, and in the long rounds a short run of it. */

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { growth, judgeRun, LEAST_SAMPLES, type Outcome, type Sample } from "../bench/mixed/verdict.ts";
import { parseOptions } from "../bench/options.ts";
import { ROOT } from "./harness/command.ts";
import { needs } from "./harness/needs.ts";
import { isLong } from "./harness/runs.ts";

const bench = (file: string, ...args: string[]) =>
  spawnSync(process.execPath, [join(ROOT, "bench", file), ...args], { encoding: "utf8", timeout: 150_000 });

describe("options of a benchmark", () => {
  const declared = { minutes: "60", profile: true } as const;

  test("are read, with their defaults", () => {
    expect({ ...parseOptions(declared, []) }).toEqual({ minutes: "60", profile: false });
    expect({ ...parseOptions(declared, ["--minutes", "0.2", "--profile"]) }).toEqual({
      minutes: "0.2",
      profile: true,
    });
  });

  test.each([
    [["--minute", "1"], "Unknown option '--minute'"],
    [["quick"], "Unexpected argument 'quick'"],
    [["--minutes"], "Option '--minutes <value>' argument missing"],
  ])("%j are refused with the options that there are", (args, sentence) => {
    expect(() => parseOptions(declared, args)).toThrow(
      `${sentence}. The options are --minutes <value> (default: 60), --profile.`,
    );
  });

  test("end `npm run bench` before it measures if they are unknown", () => {
    const { status, stderr, stdout } = bench("main.ts", "--fast");
    expect([status, stderr, stdout]).toEqual([1, "Unknown option '--fast'. The options are --quick.\n", ""]);
  });
});

describe("the verdict on a run", () => {
  const samples = (count: number, rss: (index: number) => number): Sample[] =>
    Array.from({ length: count }, (_, index) => ({
      rss: rss(index),
      heapAfterCollection: undefined,
      stall: 20,
    }));
  const flat: Outcome = {
    samples: samples(100, () => 400e6),
    serverErrors: 0,
    unanswered: 0,
    acknowledged: 1_000,
    lost: 0,
    expired: 10,
    notRolledBack: 0,
  };
  const missed = (outcome: Outcome) =>
    judgeRun(outcome)
      .filter(({ reached }) => reached === false)
      .map(({ text }) => text);

  test("passes if memory is flat, steps are short and nothing is lost", () => {
    expect(missed(flat)).toEqual([]);
  });

  test("ignores the first fifth in the growth of memory", () => {
    expect(growth([1, 1, 4, 4, 4, 4, 4, 4, 4, 4])).toBe(1);
    expect(growth([4, 4, 4, 4, 4, 4, 4, 4, 5, 5])).toBe(1.25);
  });

  test.each<[string, Partial<Outcome>]>([
    ["memory: ", { samples: samples(100, (index) => 400e6 + index * 2e6) }],
    [
      "longest step of the event loop: 51 ms",
      { samples: [...flat.samples, { ...flat.samples[0], stall: 51 } as Sample] },
    ],
    ["responses with a 5xx status: 1", { serverErrors: 1 }],
    ["acknowledged updates: 1000, not in the log exactly once: 1", { lost: 1 }],
    ["changes that ran out: 10, not rolled back exactly once: 1", { notRolledBack: 1 }],
  ])("misses %s", (start, changes) => {
    expect(missed({ ...flat, ...changes })).toEqual([expect.stringContaining(start)]);
  });

  test("does not judge the memory of a run that is too short", () => {
    const short = { ...flat, samples: samples(LEAST_SAMPLES - 1, (index) => index * 1e6) };
    expect(missed(short)).toEqual([]);
    expect(judgeRun(short)[0]?.text).toContain("not judged");
  });
});

test("a short run loses no acknowledged change and has no 5xx response", {
  ...needs(isLong ? undefined : "only in the long rounds (npm run test:long)"),
  timeout: 180_000,
}, () => {
  const { stdout, stderr } = bench("mixed-load.ts", "--minutes", "0.2");
  expect(stderr).toBe("");
  expect(stdout).toMatch(/^minute 0\.2 \| .*GET p50 .* connections \| \d+ records$/m);
  expect(stdout).toContain("ok     responses with a 5xx status: 0");
  expect(stdout).toMatch(/ok {5}acknowledged updates: [1-9]\d*, not in the log exactly once: 0/);
  expect(stdout).toMatch(/ok {5}changes that ran out: \d+, not rolled back exactly once: 0/);
});
