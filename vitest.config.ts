import { existsSync } from "node:fs";
import { defineConfig } from "vitest/config";

const evidence = "test/evidence-setup.ts";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    // Tests start servers, send them signals and take them down again: a process of their own keeps them apart.
    pool: "forks",
    testTimeout: 60_000,
    hookTimeout: 60_000,
    globalSetup: existsSync(new URL(evidence, import.meta.url)) ? [evidence] : [],
  },
});
