/** `npm test` and `npm run test:repeat`: what they say of packages, of skipped tests, and of runs. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, globSync } from "node:fs";
import { cp, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { announce, PACKAGES } from "../bin/test-packages.js";
import { judge } from "../bin/test-repeat.js";
import { countVitest, describe as total } from "../bin/test-report.js";
import { ROOT } from "./harness/command.ts";
import { needs } from "./harness/needs.ts";
import { temporaryDirectory } from "./harness/temporary.ts";

const machine = { isDebian: true, isRoot: true, forbidden: false };

describe("system packages", () => {
  const missing = PACKAGES.filter(({ name }) => name === "strace" || name === "chromium");

  test("are named with the tests that need them, and how to forbid it, before they are installed", () => {
    const { install, text } = announce(missing, machine);
    expect(install).toBe(true);
    expect(text.split("\n")).toEqual([
      "Installing system packages that tests need (to forbid it, set PATCHBAY_TEST_INSTALL=off):",
      "  strace             for test/sync-before-answer.test.ts, test/admin/order-of-syncs.test.ts",
      "  chromium           for test/dashboard/",
    ]);
  });

  test.each([
    [{ forbidden: true }, "PATCHBAY_TEST_INSTALL=off is set"],
    [{ isRoot: false }, "only root can install packages"],
    [{ isDebian: false }, "only packages of Debian are installed automatically"],
  ])("are not installed where %j", (changes, reason) => {
    const { install, text } = announce(missing, { ...machine, ...changes });
    expect(install).toBe(false);
    expect(text).toContain(`These packages are missing, and their tests are skipped (${reason}):\n  strace `);
  });

  test("name tests that exist", () => {
    for (const { tests } of PACKAGES)
      for (const pattern of tests.split(", "))
        expect(globSync(pattern.replace(/\/$/, "/*.test.ts"), { cwd: ROOT }), pattern).not.toEqual([]);
  });
});

test("skipped tests are counted by file and reason", () => {
  const skipped = (name: string, reason?: string) => ({
    fullName: name,
    status: "skipped",
    meta: reason === undefined ? {} : { skipped: reason },
  });
  const count = countVitest(
    {
      numPassedTests: 1,
      numFailedTests: 0,
      numPendingTests: 4,
      numTodoTests: 0,
      testResults: [
        {
          name: join(ROOT, "test/a.test.ts"),
          status: "passed",
          assertionResults: [
            { fullName: "passes", status: "passed" },
            skipped("one", "it takes root"),
            skipped("two", "it takes root"),
            skipped("three", "not installed: strace"),
            skipped("four"),
          ],
        },
      ],
    },
    0,
  );
  expect(count.notes).toEqual([
    "skipped: test/a.test.ts: 2 (it takes root)",
    "skipped: test/a.test.ts: 1 (not installed: strace)",
    "skipped: test/a.test.ts: 1 (not selected)",
  ]);
  expect(total(count)).toBe("1 passed, 0 failed, 4 skipped");
});

describe("of a repeated run is said", () => {
  test("its time and its counts", () => {
    const said = "  vitest  3 passed, 0 failed  (2.0 s)\n\n7 passed, 0 failed, 2 skipped\n";
    expect(judge({ said, code: 0, minutes: 9.98 })).toEqual({
      ok: true,
      lines: ["10.0 min, 7 passed, 0 failed, 2 skipped"],
    });
  });

  test("that it failed, and what", () => {
    const said =
      "    failed: test/a.test.ts: one\n    in a virtual machine: failed: test/b.test.ts: two\n\n7 passed, 2 failed\n";
    expect(judge({ said, code: 1, minutes: 2 })).toEqual({
      ok: false,
      lines: [
        "2.0 min, 7 passed, 2 failed, FAILED with exit code 1",
        "  failed: test/a.test.ts: one",
        "  in a virtual machine: failed: test/b.test.ts: two",
      ],
    });
  });

  test("that it was too slow", () => {
    expect(judge({ said: "7 passed, 0 failed\n", code: 0, minutes: 10.04 })).toEqual({
      ok: false,
      lines: ["10.0 min, 7 passed, 0 failed, TOO SLOW: longer than 10 minutes"],
    });
  });
});

/** Passes at first, fails then; says whether another process keeps a core busy beside it. */
const FAKE = `
import { existsSync, readFileSync, writeFileSync } from "node:fs";
const children = readFileSync("/proc/" + process.ppid + "/task/" + process.ppid + "/children", "utf8").trim().split(" ");
const isBusy = (pid) => readFileSync("/proc/" + pid + "/cmdline", "utf8").includes("setImmediate(turn)");
if (!children.some(isBusy)) console.log("failed: no load");
if (existsSync("ran")) {
  console.log("    failed: test/a.test.ts: one\\n\\n1 passed, 1 failed");
  process.exitCode = 1;
} else console.log("2 passed, 0 failed");
writeFileSync("ran", "");
`;

test(
  "npm run test:repeat runs all, beside a load that ends with it, and fails if one run fails",
  needs(process.platform === "linux" && existsSync("/proc/self/task") ? undefined : "it takes /proc"),
  async () => {
    const project = temporaryDirectory();
    await cp(join(ROOT, "bin"), join(project, "bin"), { recursive: true });
    await mkdir(join(project, "node_modules"));
    await writeFile(join(project, "package.json"), '{"type": "module"}');
    await writeFile(join(project, "bin/test.js"), FAKE);
    const child = spawn(process.execPath, [join(project, "bin/test-repeat.js"), "2"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (text) => {
      said += text;
    });
    const [code] = await once(child, "close");
    expect(
      said
        .replaceAll(/\d+\.\d min/g, "0.0 min")
        .split("\n")
        .slice(1),
    ).toEqual([
      "Run 1: 0.0 min, 2 passed, 0 failed",
      "Run 2: 0.0 min, 1 passed, 1 failed, FAILED with exit code 1",
      "  failed: test/a.test.ts: one",
      "1 of 2 runs passed within 10 minutes.",
      "",
    ]);
    expect(code).toBe(1);
  },
);
