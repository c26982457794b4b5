// `npm test`: everything that is missing, then all that can say whether the project is sound. One step that fails
// does not keep the others from being seen. `--long` runs the long rounds; other arguments go to Vitest.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, isAbsolute, join, relative } from "node:path";
import { setUp } from "./bootstrap.js";
import { endLike, environment, ROOT, run, runCommand, toolFile } from "./program.js";

/**
 * What one step adds to the closing line, and what it has to say above it.
 * @typedef {{ passed: number, failed: number, skipped: number, notes: string[] }} Count
 */

/**
 * The parts of Vitest's JSON report that are counted.
 * @typedef {{
 *   numPassedTests: number, numFailedTests: number, numPendingTests: number, numTodoTests: number,
 *   testResults: { name: string, status: string, message?: string,
 *     assertionResults: { fullName: string, status: string }[] }[],
 * }} Report
 */

/**
 * Counts a run of Vitest. Whatever went wrong counts at least once, also where no single test is to blame.
 * @param {Report | undefined} report undefined if there is none
 * @param {number | null} code Vitest's exit code, null if a signal ended it
 * @returns {Count}
 */
function countVitest(report, code) {
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
 * Adds what ran in virtual machines, whose reports lie in a folder. That one came up at all is a test of its own.
 * @param {Count} count
 * @param {string} folder
 * @returns {Count}
 */
function countWithGuests(count, folder) {
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
function readReport(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
}

const SYSTEM_FOLDERS = ["/usr/sbin", "/sbin"];

/** What tests use beside Node, by Debian's packages, and the file that tells whether it is there. */
const PACKAGES = {
  strace: "strace",
  nftables: "nft",
  iproute2: "ip",
  "iputils-ping": "ping",
  conntrack: "conntrack",
  tcpdump: "tcpdump",
  tshark: "tshark",
  "python3-scapy": "/usr/lib/python3/dist-packages/scapy",
  "qemu-system-x86": "qemu-system-x86_64",
  cpio: "cpio",
  "busybox-static": "busybox",
  kmod: "depmod",
  chromium: "chromium",
};

/** What only the long rounds use: daemons, which not everybody wants on their machine. */
const LONG_PACKAGES = { bird2: "bird", "openvswitch-switch": "ovs-vswitchd" };

/**
 * One durability test watches the server's system calls, and the packet tests make networks, and a virtual machine.
 * What of that is missing is installed where nobody has to be asked (as root, with Debian's packages), unless
 * PATCHBAY_TEST_INSTALL=off; elsewhere the tests that need it say so and are skipped.
 * @param {boolean} long
 */
function installForTests(long) {
  const wanted = Object.entries({ ...PACKAGES, ...(long ? LONG_PACKAGES : {}) });
  const missing = wanted.filter(([, file]) => onPath(file) === undefined).map(([name]) => name);
  const apt = onPath("apt-get");
  if (missing.length === 0 || apt === undefined || !existsSync("/etc/debian_version")) return;
  if (process.getuid?.() !== 0 || process.env.PATCHBAY_TEST_INSTALL === "off") {
    console.error(`Not installed, so that some tests may be skipped: ${missing.join(", ")}`);
    return;
  }
  console.error(`Installing what tests use: ${missing.join(", ")} … (PATCHBAY_TEST_INSTALL=off forbids it)`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  for (const args of [["update"], ["install", "--yes", "--no-install-recommends", ...missing]]) {
    spawnSync(apt, ["--quiet", ...args], { env, stdio: "ignore", timeout: 300_000 });
  }
  const still = wanted.filter(([, file]) => onPath(file) === undefined).map(([name]) => name);
  if (still.length > 0) console.error(`Could not be installed: ${still.join(", ")}`);
}

/**
 * @param {string} tool of a package, or a file of this folder
 */
function programOf(tool) {
  return tool.endsWith(".js") ? join(ROOT, "bin", tool) : toolFile(tool);
}

/**
 * @param {string} program or a file
 */
function onPath(program) {
  if (isAbsolute(program)) return existsSync(program) ? program : undefined;
  const folders = [...(process.env.PATH ?? "").split(delimiter), ...SYSTEM_FOLDERS];
  return folders.map((folder) => join(folder, program)).find((file) => existsSync(file));
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

/**
 * @param {{ passed: number, failed: number, skipped: number }} count
 */
function describe({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}
