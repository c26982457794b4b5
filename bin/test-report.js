// Counts what `npm test` ran, and names what failed and what was skipped.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { ROOT } from "./program.js";

/**
 * What one step adds to the closing line, and what it has to say above it.
 * @typedef {{ passed: number, failed: number, skipped: number, notes: string[] }} Count
 */

/**
 * The parts of Vitest's JSON report that are counted.
 * @typedef {{
 *   numPassedTests: number, numFailedTests: number, numPendingTests: number, numTodoTests: number,
 *   testResults: { name: string, status: string, message?: string,
 *     assertionResults: { fullName: string, status: string, meta?: { skipped?: string } }[] }[],
 * }} Report
 */

/**
 * Counts a run of Vitest. Whatever went wrong counts at least once, also where no single test is to blame.
 * @param {Report | undefined} report undefined if there is none
 * @param {number | null} code Vitest's exit code, null if a signal ended it
 * @returns {Count}
 */
export function countVitest(report, code) {
  if (report === undefined) {
    return {
      passed: 0,
      failed: 1,
      skipped: 0,
      notes: [`vitest ended with ${code ?? "a signal"} and no report`],
    };
  }
  const files = report.testResults.map((file) => ({ ...file, name: relative(ROOT, file.name) }));
  // A file that cannot be loaded has no tests that could fail.
  const broken = files.filter(
    (file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"),
  );
  const notes = [
    ...broken.map((file) => `failed: ${file.name}`),
    ...files.flatMap((file) =>
      file.assertionResults
        .filter((test) => test.status === "failed")
        .map((test) => `failed: ${file.name}: ${test.fullName}`),
    ),
    ...files.flatMap(skips),
  ];
  const count = {
    passed: report.numPassedTests,
    failed: report.numFailedTests + broken.length,
    skipped: report.numPendingTests + report.numTodoTests,
    notes,
  };
  if (count.failed === 0 && code !== 0) {
    return { ...count, failed: 1, notes: [`vitest ended with ${code ?? "a signal"}, see above`] };
  }
  if (count.failed === 0 && count.passed === 0) return { ...count, failed: 1, notes: ["no test passed"] };
  return count;
}

/**
 * What a file skipped: a line for each reason, with the number of tests.
 * @param {{ name: string, assertionResults: { status: string, meta?: { skipped?: string } }[] }} file
 */
function skips({ name, assertionResults }) {
  /** @type {Map<string, number>} */
  const reasons = new Map();
  for (const { status, meta } of assertionResults) {
    if (status === "passed" || status === "failed") continue;
    const reason = meta?.skipped ?? (status === "todo" ? "to do" : "not selected");
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  return [...reasons].map(([reason, count]) => `skipped: ${name}: ${count} (${reason})`);
}

/**
 * Adds what ran in virtual machines, whose reports lie in a folder. That one came up at all is a test of its own.
 * @param {Count} count
 * @param {string} folder
 * @returns {Count}
 */
export function countWithGuests(count, folder) {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return names.reduce((sum, name) => {
    const guest = countVitest(readReport(join(folder, name)), 0);
    const notes = guest.notes.map((note) => `in a virtual machine: ${note}`);
    return {
      passed: sum.passed + guest.passed,
      failed: sum.failed + guest.failed,
      skipped: sum.skipped + guest.skipped,
      notes: [...sum.notes, ...notes],
    };
  }, count);
}

/**
 * @param {string} file
 * @returns {Report | undefined}
 */
export function readReport(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
}

/**
 * @param {{ passed: number, failed: number, skipped: number }} count
 */
export function describe({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}
