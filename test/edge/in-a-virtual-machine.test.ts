/**
 * Packet tests where the kernel has GRE: Debian's kernel in a virtual machine, with the kernel's driver.
 * What each test there brought is counted by `bin/test.js`.
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { needs } from "../harness/needs.ts";
import { isLong } from "../harness/runs.ts";
import { type Bootable, bootable, inVirtualMachine, NoMachine } from "../harness/virtual-machine.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** Milliseconds. */
const PATIENCE = 480_000;

/**
 * What differs most where the kernel itself carries tunnels. Emulated, all packet tests take five minutes of a processor, and
 * the host runs the same tests with the userspace driver: the long rounds run all of them here too.
 */
const FILES = isLong
  ? "test/edge/packets"
  : "test/edge/packets/tunnels.test.ts test/edge/packets/steering.test.ts";

let machine: Bootable | undefined;
let noMachine: string | undefined;
try {
  machine = await bootable();
} catch (error) {
  if (!(error instanceof NoMachine)) throw error;
  noMachine = error.message;
}

/** The parts of Vitest's JSON report that are looked at. */
interface Report {
  readonly numPassedTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message?: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

/** What went wrong, a line each. */
function failures({ testResults }: Report): string[] {
  return testResults.flatMap(({ name, status, message, assertionResults }) => {
    const failed = assertionResults.filter((one) => one.status === "failed");
    if (status === "failed" && failed.length === 0) return [`${name}: ${message}`];
    return failed.map(
      ({ fullName, failureMessages }) => `${name}: ${fullName}: ${failureMessages.join("\n")}`,
    );
  });
}

describe("in a virtual machine with Debian's kernel", needs(noMachine), () => {
  test("the packet tests pass with the kernel's driver", { timeout: PATIENCE + 10_000 }, async () => {
    if (machine === undefined) throw new TypeError("there is no machine");
    const vitest = join(ROOT, "node_modules/vitest/vitest.mjs");
    const script = `
      cd ${ROOT}
      export HOME=/root CI=1 NO_COLOR=1 PATCHBAY_LAB_DRIVER=kernel PATH=${process.env["PATH"]}:/usr/sbin:/sbin
      ip link set lo up
      ${process.execPath} ${vitest} run ${FILES} --pool=threads --maxWorkers=1 --no-isolate \\
        --reporter=verbose --reporter=json --outputFile.json=/tmp/report.json --testTimeout=120000
      code=$?
      cat /tmp/report.json > /dev/ttyS1
      exit $code
    `;
    const { code, result, printed } = await inVirtualMachine(machine, script, PATIENCE);
    if (code === undefined || result === "") throw new Error(`the machine brought nothing back:\n${printed}`);
    const report: Report = JSON.parse(result);
    const reports = process.env["PATCHBAY_GUEST_REPORTS"];
    if (reports !== undefined) {
      mkdirSync(reports, { recursive: true });
      writeFileSync(join(reports, "packets.json"), result);
    }
    expect(failures(report), printed).toEqual([]);
    expect(report.numPassedTests).toBeGreaterThan(0);
    expect(code).toBe(0);
  });
});
