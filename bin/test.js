// `npm test`: everything that is missing, then all that can say whether the project is sound. One step that fails
// does not keep the others from being seen. `--long` runs the long rounds; other arguments go to Vitest.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setUp } from "./bootstrap.js";
import { endLike, environment, ROOT, run, runCommand, toolFile } from "./program.js";
import { installForTests, onPath, SYSTEM_FOLDERS } from "./test-packages.js";
import { countVitest, countWithGuests, describe, readReport } from "./test-report.js";

/** @typedef {import("./test-report.js").Count} Count */

/**
 * @param {string} tool of a package, or a file of this folder
 */
function programOf(tool) {
  return tool.endsWith(".js") ? join(ROOT, "bin", tool) : toolFile(tool);
}

await runCommand(async () => {
  const args = process.argv.slice(2);
  const toolchain = await setUp({ dev: true });
  installForTests(args.includes("--long"));
  const strace = onPath("strace");
  const reports = mkdtempSync(join(tmpdir(), "patchbay-test-"));
  const report = join(reports, "vitest.json");
  const guests = join(reports, "guests");
  const usual = environment(toolchain);
  const env = {
    ...usual,
    // What networks are made with stands where only root's PATH leads.
    PATH: [usual.PATH ?? "", ...SYSTEM_FOLDERS].join(delimiter),
    ...(args.includes("--long") ? { PATCHBAY_TEST_LONG: "1" } : {}),
    // Only a whole run may say what there is evidence for.
    ...(args.every((arg) => arg === "--long") ? { PATCHBAY_WHOLE_RUN: "1" } : {}),
    ...(strace === undefined ? {} : { PATCHBAY_STRACE: strace }),
    // Where a test puts the report of a run in a virtual machine.
    PATCHBAY_GUEST_REPORTS: guests,
  };
  const vitest = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const steps = [
    { name: "biome", does: "format, lint, walls", command: ["biome", "check", "--error-on-warnings", "."] },
    { name: "tsc", does: "types", command: ["tsc", "-p", "tsconfig.json"] },
    { name: "tsc web", does: "types of the dashboard", command: ["tsc", "-p", "web/tsconfig.json"] },
    { name: "web", does: "the dashboard's files", command: ["build-web.js"] },
    {
      name: "vitest",
      does: "tests",
      command: ["vitest", "run", ...vitest, ...args.filter((arg) => arg !== "--long")],
    },
  ];

  const total = { passed: 0, failed: 0, skipped: 0 };
  /** @type {string[]} */
  const summary = [];
  /** @type {import("./program.js").Ending | undefined} */
  let stopped;
  try {
    for (const { name, does, command } of steps) {
      const [tool = "", ...rest] = command;
      console.log(`\n▸ ${name} (${does})`);
      const began = performance.now();
      const ending = await run(toolchain.node, [programOf(tool), ...rest], { env, cwd: ROOT });
      if (ending.asked !== null) {
        stopped = { ...ending, signal: ending.asked };
        break;
      }
      const passed = ending.code === 0;
      /** @type {Count} */
      const count =
        name === "vitest"
          ? countWithGuests(countVitest(readReport(report), ending.code), guests)
          : { passed: passed ? 1 : 0, failed: passed ? 0 : 1, skipped: 0, notes: [] };
      total.passed += count.passed;
      total.failed += count.failed;
      total.skipped += count.skipped;
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      const result = name === "vitest" ? describe(count) : passed ? "passed" : "failed";
      summary.push(
        `  ${name.padEnd(7)} ${result}  (${seconds} s)`,
        ...count.notes.map((note) => `    ${note}`),
      );
    }
  } finally {
    rmSync(reports, { recursive: true, force: true });
  }
  // Not a result of anything, so none is claimed.
  if (stopped !== undefined) return endLike(stopped);
  console.log(`\n${summary.join("\n")}\n\n${describe(total)}`);
  if (total.failed > 0) process.exitCode = 1;
});
