import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { defaultExclude, defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

const evidence = "test/evidence-setup.ts";
// In a virtual machine packet tests alone run, which drive no operation of the contract, and loading it takes long there.
const gathers =
  existsSync(new URL(evidence, import.meta.url)) && process.env["PATCHBAY_LAB_DRIVER"] !== "kernel";

const isLong = Boolean(process.env["PATCHBAY_TEST_LONG"]);

/** What runs in a virtual machine takes minutes of waiting: it begins first, so that the others run beside it. */
class MachineFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isMachine = ({ moduleId }: TestSpecification) => moduleId.endsWith("/in-a-virtual-machine.test.ts");
    return [...sorted.filter(isMachine), ...sorted.filter((file) => !isMachine(file))];
  }
}

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    // Minutes of what happens by chance, and peers that not every machine has.
    exclude: [...defaultExclude, ...(isLong ? [] : ["test/**/long/**"])],
    // Tests start servers, send them signals and take them down again: that takes processes, not threads. Each keeps
    // what it has loaded from one file to the next, so a test leaves the process as it found it.
    pool: "forks",
    isolate: false,
    // Vitest leaves a core to itself, which is half of a small machine; and some tests only wait, for a disk or a clock.
    maxWorkers: Math.max(2, availableParallelism()) + 1,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    sequence: { sequencer: MachineFirst },
    globalSetup: gathers ? [evidence] : [],
  },
});
