/** The command `patchbay`. Each command loads only the rooms it needs. */

import { Command, CommanderError } from "commander";

export async function main(argv: readonly string[]): Promise<void> {
  const program = new Command("patchbay")
    .description("A self-hosted control plane for network interconnects")
    .exitOverride();
  program
    .command("serve")
    .description("serve the API")
    .option("--host <address>", "address to listen on [PATCHBAY_HOST] (default: 127.0.0.1)")
    .option("--port <number>", "port to listen on, 0 for a free one [PATCHBAY_PORT] (default: 8787)")
    .option("--data <directory>", "where data is kept [PATCHBAY_DATA] (default: ./data)")
    .option(
      "--seed <file>",
      "world to start an empty directory from [PATCHBAY_SEED] (default: the demonstration)",
    )
    .option("--sandbox", "allow reset; always so with the demonstration [PATCHBAY_SANDBOX]")
    .option(
      "--metrics-port <number>",
      "port of /metrics, /healthz and /readyz, or off [PATCHBAY_METRICS_PORT] (default: 8788)",
    )
    .option(
      "--rate-limit <number>",
      "requests of a credential in 300 seconds, or off [PATCHBAY_RATE_LIMIT] (default: 1200; off with the demonstration)",
    )
    .option(
      "--log-level <level>",
      "fatal, error, warn, info, debug or trace [PATCHBAY_LOG_LEVEL] (default: info)",
    )
    .action(async (options) => {
      const { serve } = await import("./server/serve.ts");
      process.exitCode = await serve(options, process.env, process);
    });
  try {
    await program.parseAsync(argv, { from: "user" });
  } catch (error) {
    // Commander has told what is wrong; help that was asked for is no error.
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode;
  }
}
