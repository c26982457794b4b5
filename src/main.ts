/** The command `patchbay`. Each command loads only the rooms it needs. */

import { Command, CommanderError } from "commander";
import { addChangeCommands } from "./cli/change-commands.ts";
import { addLogCommands, addTokenCommands, undoing } from "./cli/log-commands.ts";
import type { CommandHost } from "./cli/run.ts";
import type { Output } from "./cli/terminal.ts";
import { addEdgeCommands } from "./edge/edge-commands.ts";
import type { EdgeHost } from "./edge/sentences.ts";
import type { Terminal as ServerTerminal } from "./server/serve.ts";

/** The parts of the process that commands use: environment, streams, signals and exit code. Tests pass their own. */
export type Host = CommandHost & EdgeHost & ServerTerminal & { umask(mask: number): unknown };

/** Runs one command to its end. `argv` is everything after the program's name. */
export async function main(argv: readonly string[], process: Host): Promise<void> {
  const { stdout, stderr } = process;
  const keepPrivate = keepPrivateIn(process);
  const program = new Command("patchbay")
    .description("A self-hosted control plane for network interconnects")
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      getOutHelpWidth: () => width(stdout),
      getErrHelpWidth: () => width(stderr),
    })
    .exitOverride();
  program
    .command("serve")
    .description("serve the API")
    .option("--host <address>", "address to listen on [PATCHBAY_HOST] (default: 127.0.0.1)")
    .option("--port <number>", "port to listen on, 0 for a free one [PATCHBAY_PORT] (default: 8787)")
    .option("--data <directory>", "where data is kept [PATCHBAY_DATA] (default: ./data)")
    .option(
      "--database <url>",
      "PostgreSQL database in place of a directory, postgres://…, which several servers may share [DATABASE_URL]",
    )
    .option(
      "--seed <file>",
      "world to start an empty directory from [PATCHBAY_SEED] (default: the demonstration)",
    )
    .option(
      "--sandbox",
      "allow reset, faults and the inspector; always so with the demonstration [PATCHBAY_SANDBOX]",
    )
    .option(
      "--metrics-port <number>",
      "port of /metrics, /healthz and /readyz, or off [PATCHBAY_METRICS_PORT] (default: 8788)",
    )
    .option(
      "--metrics-host <address>",
      "address of the metrics port [PATCHBAY_METRICS_HOST] (default: 127.0.0.1)",
    )
    .option(
      "--metrics-accounts",
      "name accounts, interconnects and edges in /metrics [PATCHBAY_METRICS_ACCOUNTS] (default: off)",
    )
    .option("--tls-cert <file>", "certificate chain in PEM, to speak TLS [PATCHBAY_TLS_CERT]")
    .option("--tls-key <file>", "the certificate's key in PEM [PATCHBAY_TLS_KEY]")
    .option(
      "--trust-proxy <addresses>",
      "proxies whose x-forwarded-for, -proto and -host count, with commas between [PATCHBAY_TRUST_PROXY] (default: none)",
    )
    .option(
      "--public-url <url>",
      "address that clients use, such as https://patchbay.example.net [PATCHBAY_PUBLIC_URL]",
    )
    .option(
      "--deterministic <seed>",
      "make ids, secrets and time a function of the seed and the requests, for tests; in memory unless --data is given [PATCHBAY_DETERMINISTIC]",
    )
    .option(
      "--rate-limit <number>",
      "requests of a credential in 300 seconds, or off [PATCHBAY_RATE_LIMIT] (default: 1200; off with the demonstration)",
    )
    .option(
      "--health-quorum <number>",
      "provider edges that must report an interconnect down to undo a change [PATCHBAY_HEALTH_QUORUM] (default: 1)",
    )
    .option(
      "--health-settle <seconds>",
      "how long all must be healthy for a change to be confirmed by itself [PATCHBAY_HEALTH_SETTLE] (default: 30)",
    )
    .option(
      "--drain-delay <seconds>",
      "after SIGTERM, how long to report not ready before closing the port [PATCHBAY_DRAIN_DELAY] (default: 5, or 0 on loopback)",
    )
    .option(
      "--log-level <level>",
      "fatal, error, warn, info, debug or trace [PATCHBAY_LOG_LEVEL] (default: info)",
    )
    .hook("preAction", keepPrivate)
    .action(async (options) => {
      const { serve } = await import("./server/serve.ts");
      process.exitCode = await serve(options, process.env, process);
    });
  addDataCommands(program, process);
  addChangeCommands(program, process);
  addLogCommands(program, process);
  addEdgeCommands(program, process);
  try {
    await program.parseAsync(argv, { from: "user" });
  } catch (error) {
    // Commander has told what is wrong; help that was asked for is no error.
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode;
  }
}

/** Only the owner can access the files that a command creates. */
const keepPrivateIn = (process: Host) => () => void process.umask(0o077);

/** Columns to wrap help to. Commander's own default if there is no terminal. */
const width = ({ isTTY, columns }: Output) => (isTTY ? columns : undefined) ?? 80;

/** Commands on a data directory or database, not on a server. */
function addDataCommands(program: Command, process: Host): void {
  const keepPrivate = keepPrivateIn(process);
  const add = (name: string, description: string) =>
    program
      .command(name)
      .description(description)
      .hook("preAction", keepPrivate)
      .option("--data <directory>", "where data is kept [PATCHBAY_DATA] (default: ./data)");

  const DATABASE = "PostgreSQL database in place of a directory [DATABASE_URL]";
  add("init", "make an empty data directory, or fill an empty database, with one administrator's token")
    .option("--database <url>", DATABASE)
    .option("--seed <file>", "world to fill it with (default: none)")
    .action(async (options) => {
      const { init } = await import("./admin/init.ts");
      process.exitCode = await init(options, process.env, process);
    });
  const token = add(
    "token",
    "make another administrator's token, while no server runs; with a subcommand, a server's API tokens",
  );
  addTokenCommands(token, process);
  token
    .option("--database <url>", DATABASE)
    .option("--name <name>", "what to call it (default: admin)")
    .action(async (options) => {
      const { token } = await import("./admin/token.ts");
      process.exitCode = await token(options, process.env, process);
    });
  add("migrate", "bring data up to date for this version, as the first start of its server does")
    .option("--database <url>", DATABASE)
    .action(async (options) => {
      const { migrate } = await import("./admin/migrate.ts");
      process.exitCode = await migrate(options, process.env, process);
    });
  add("backup", "copy the database into one file, while a server runs or not")
    .requiredOption("--to <file>", "the new file")
    .action(async (options) => {
      const { backup } = await import("./admin/backup.ts");
      process.exitCode = await backup(options, process.env, process);
    });
  // Two commands of one name: a revision is an account's, a backup a data directory's.
  undoing(
    add(
      "restore [revision]",
      "bring a server's account back to a revision; or, with --from, make an empty data directory from a backup",
    ),
  )
    .option("--from <file>", "the backup")
    .addHelpText(
      "after",
      `
Examples:
  patchbay restore 38 --dry-run
  patchbay restore 38 --reason "back to before the migration" --confirm-within 10m
  patchbay restore --from backup.db --data /var/lib/patchbay`,
    )
    .action(async (revision: string | undefined, options, command: Command) => {
      if (revision === undefined) {
        if (options.from === undefined)
          command.error("error: required option '--from <file>' not specified", { exitCode: 1 });
        const { restore } = await import("./admin/backup.ts");
        process.exitCode = await restore(options, process.env, process);
        return;
      }
      if (options.from !== undefined || options.data !== undefined)
        command.error("error: a revision is a server's, --from and --data are a data directory's: give one", {
          exitCode: 1,
        });
      const { restore } = await import("./cli/undo.ts");
      process.exitCode = await restore(revision, options, process.env, process);
    });
  add("dump", "write everything as lines of JSON, while a server runs or not")
    .option("--database <url>", DATABASE)
    .requiredOption("--to <file>", "the new file")
    .action(async (options) => {
      const { dump } = await import("./admin/dump.ts");
      process.exitCode = await dump(options, process.env, process);
    });
  add("load", "make an empty data directory, or fill an empty database, from a dump")
    .option("--database <url>", DATABASE)
    .requiredOption("--from <file>", "the dump")
    .option("--archive <file...>", "archives of what was pruned before the dump was made")
    .action(async (options) => {
      const { load } = await import("./admin/load.ts");
      process.exitCode = await load(options, process.env, process);
    });
  add("prune", "move old changes out of the log, while a server runs or not")
    .option("--database <url>", DATABASE)
    .requiredOption("--before <time>", "2026-01-31, 2026-01-31T12:00:00Z, or 90d for 90 days ago")
    .option("--archive <file>", "the new file they go to, which load reads")
    .option("--discard", "throw them away instead")
    .action(async (options) => {
      const { prune } = await import("./admin/prune.ts");
      process.exitCode = await prune(options, process.env, process);
    });
}
