import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

const evidence = "test/evidence-setup.ts";
// In a virtual machine packet tests alone run, which drive no operation of the contract, and loading it takes long there.
const gathers =
  existsSync(new URL(evidence, import.meta.url)) && process.env["PATCHBAY_LAB_DRIVER"] !== "kernel";

// Minutes of what happens by chance, and peers that not every machine has.
const isLong = Boolean(process.env["PATCHBAY_TEST_LONG"]);

/** Tests that measure time, as those of networks do against links: one after the other, when nothing else computes. */
const networks = [
  "test/edge/packets/**/*.test.ts",
  ...(isLong ? ["test/edge/long/**/*.test.ts"] : []),
  "test/edge/*-network.test.ts",
  "test/edge/in-a-virtual-machine.test.ts",
  "test/dashboard/ten-thousand.test.ts",
  "test/ten-thousand-seeded.test.ts",
];
/** Browsers use a whole machine: not beside the others, and two at a time. */
const pages = ["test/dashboard/**/*.test.ts"];
const everything = ["src/**/*.test.ts", "test/**/*.test.ts"];

export default defineConfig({
  test: {
    projects: [
      {
        extends: true,
        test: { name: "all", include: everything, exclude: [...networks, ...pages, "test/edge/long/**"] },
      },
      {
        extends: true,
        test: {
          name: "pages",
          include: pages,
          exclude: networks,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: { name: "networks", include: networks, maxWorkers: 1, sequence: { groupOrder: 2 } },
      },
    ],
    // Tests start servers, send them signals and take them down again: that takes processes, not threads. Each keeps
    // what it has loaded from one file to the next, so a test leaves the process as it found it.
    pool: "forks",
    isolate: false,
    // Vitest leaves a core to itself, which is half of a small machine; and some tests only wait, for a disk or a clock.
    maxWorkers: Math.max(2, availableParallelism()) + 1,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    globalSetup: gathers ? [evidence] : [],
  },
});
