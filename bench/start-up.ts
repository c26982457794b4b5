/** How long the command takes to say something, against a Node that does nothing. Run alone, it prints that. */

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { median } from "./load.ts";
import type { Row } from "./row.ts";

const BIN = join(import.meta.dirname, "..", "bin", "patchbay.js");
const ROUNDS = 21;
/** Milliseconds that the command may take. */
const GOAL = 150;

function started(args: readonly string[]): number {
  const start = performance.now();
  const { status } = spawnSync(process.execPath, args, { stdio: "ignore" });
  if (status !== 0) throw new Error(`node ${args.join(" ")} ended with ${status}.`);
  return performance.now() - start;
}

/** The row of `npm run bench`. */
export function startUpRow(): Row {
  const ours: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    bare.push(started(["-e", "0"]));
    ours.push(started([BIN, "get", "--help"]));
  }
  const ratios = ours.map((time, round) => time / (bare[round] ?? Number.NaN)).sort((a, b) => a - b);
  const spread = `${ratios[0]?.toFixed(2)} to ${ratios.at(-1)?.toFixed(2)}`;
  return {
    what: "start of a command, `patchbay get --help`",
    ours: `${median(ours).toFixed(0)} ms`,
    against: `node -e 0, ${median(bare).toFixed(0)} ms`,
    ratio: `${median(ratios).toFixed(2)} (${spread})`,
    goal: `under ${GOAL} ms`,
    reached: median(ours) < GOAL,
  };
}

if (import.meta.main) {
  const { ours, against, ratio } = startUpRow();
  console.log(`start of a command: ${ours}, ${against}: ${ratio}`);
}
