// `npm run test:repeat -- N`: the complete `npm test`, N times, while another process keeps one core busy. A run that
// fails, or that takes longer than its limit, fails all of it.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { ROOT, run, runCommand, SetupFailure } from "./program.js";

/** Minutes that one run may take. */
const LIMIT = 10;
/** Keeps one core busy until its input ends, which it does also when this process is killed. */
const LOAD =
  "process.stdin.on('end', () => process.exit()).resume(); (function turn() { const end = Date.now() + 50; while (Date.now() < end); setImmediate(turn); })()";

/**
 * What the end of the output of `npm test` says.
 * @param {string} said
 * @returns {{ counts: string | undefined, failed: string[] }}
 */
export function readOutput(said) {
  const lines = said.split("\n").map((line) => line.trim());
  return {
    counts: lines.findLast((line) => /^\d+ passed, \d+ failed(, \d+ skipped)?$/.test(line)),
    failed: lines.filter(
      (line) => line.startsWith("failed: ") || line.startsWith("in a virtual machine: failed: "),
    ),
  };
}

/**
 * What is said of one run.
 * @param {{ said: string, code: number | null, minutes: number }} run
 * @returns {{ ok: boolean, lines: string[] }}
 */
export function judge({ said, code, minutes }) {
  const { counts, failed } = readOutput(said);
  const problems = [
    ...(code === 0 ? [] : [`FAILED with exit code ${code}`]),
    ...(minutes <= LIMIT ? [] : [`TOO SLOW: longer than ${LIMIT} minutes`]),
  ];
  const result = `${minutes.toFixed(1)} min, ${counts ?? "no counts"}`;
  return {
    ok: problems.length === 0,
    lines: [[result, ...problems].join(", "), ...failed.map((line) => `  ${line}`)],
  };
}

if (process.argv[1] === join(ROOT, "bin", "test-repeat.js")) {
  await runCommand(async () => {
    const [words = "", ...more] = process.argv.slice(2);
    const count = Number(words);
    if (!Number.isInteger(count) || count < 1 || more.length > 0)
      throw new SetupFailure("Give the number of runs: npm run test:repeat -- 10");
    console.log(
      `${count} runs of npm test, while another process keeps one core busy. Each must pass within ${LIMIT} minutes.`,
    );
    const load = spawn(process.execPath, ["-e", LOAD], { stdio: ["pipe", "ignore", "inherit"] });
    let green = 0;
    try {
      for (let number = 1; number <= count; number++) {
        const began = performance.now();
        const ending = await run(process.execPath, [join(ROOT, "bin", "test.js")], {
          cwd: ROOT,
          listen: true,
        });
        if (ending.asked !== null) break;
        if (load.exitCode !== null) throw new SetupFailure("The process that keeps a core busy ended.");
        const { ok, lines } = judge({ ...ending, minutes: (performance.now() - began) / 60_000 });
        if (ok) green += 1;
        console.log(`Run ${number}: ${lines.join("\n")}`);
      }
    } finally {
      load.kill();
    }
    console.log(`${green} of ${count} runs passed within ${LIMIT} minutes.`);
    if (green < count) process.exitCode = 1;
  });
}
