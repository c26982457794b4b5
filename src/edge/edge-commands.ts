/** `patchbay edge …` and `patchbay lab …`, as they are typed. */

import type { Command } from "commander";
import type { EdgeHost } from "./sentences.ts";

const collect = (value: string, before: readonly string[] = []) => [...before, value];

function stateOption(command: Command): Command {
  return command
    .option("--config <file>", "settings of the edge as YAML; flags win over it")
    .option(
      "--state <directory>",
      "where the edge keeps what it knows and made [PATCHBAY_EDGE_STATE] (default: /var/lib/patchbay-edge)",
    );
}

export function addEdgeCommands(program: Command, process: EdgeHost): void {
  const edge = stateOption(
    program
      .command("edge")
      .description(
        "run the agent that makes an account's interconnects real on this machine, as root on Linux",
      ),
  )
    .option("--server <url>", "the server whose account is followed [PATCHBAY_SERVER]")
    .option("--account <id>", "the account; needed if the token opens several [PATCHBAY_ACCOUNT]")
    .option(
      "--token <token>",
      "its token, which other users of the machine can see so: rather [PATCHBAY_TOKEN]",
    )
    .option("--token-file <file>", "a file that holds the token")
    .option("--role <role>", "provider (the vendor's end) or customer")
    .option("--name <name>", "what the edge is called (default: the machine's name)")
    .option("--site <site>", "the data centre or place it is at (default: default)")
    .option(
      "--map <key=device>",
      "a slot, port or interconnect and its device, such as pni_ord=eth1",
      collect,
    )
    .option("--interconnect <name>", "carry this one only; may be given several times", collect)
    .option("--driver <driver>", "kernel, or userspace for labs on kernels without GRE (default: kernel)")
    .option(
      "--manage-sysctls",
      "set the few global settings of the kernel that are needed; clean sets them back",
    )
    .option(
      "--poll <seconds>",
      "ask a server that has no log again and again, as Cloudflare's own (default there: 30)",
    )
    .option("--metrics-port <number>", "serve Prometheus figures on this port of the loopback address")
    .option(
      "--log-level <level>",
      "fatal, error, warn, info, debug or trace [PATCHBAY_LOG_LEVEL] (default: info)",
    )
    .option("--once", "make it as the account is now, and end: what was made stays, and nobody watches it")
    .option("--dry-run", "say what would be done, with the commands, and do nothing")
    .addHelpText(
      "after",
      `
Examples:
  PATCHBAY_TOKEN=… patchbay edge --server https://patchbay.example.net --role provider --map pni_ord=eth1 --dry-run
  patchbay edge --config /etc/patchbay/edge.yaml`,
    )
    .action(async (options) => {
      const { edge } = await import("./run.ts");
      process.exitCode = await edge(options, process.env, process);
    });
  stateOption(edge.command("status").description("what the agent on this machine says of itself"))
    .option("--json", "as JSON")
    .action(async (_, command: Command) => {
      const { status } = await import("./run.ts");
      process.exitCode = await status(command.optsWithGlobals(), process.env, process);
    });
  stateOption(edge.command("watch").description("the same, again every second")).action(
    async (_, command: Command) => {
      const { watch } = await import("./run.ts");
      process.exitCode = await watch(command.optsWithGlobals(), process.env, process);
    },
  );
  stateOption(edge.command("clean").description("remove all that the agent made on this machine")).action(
    async (_, command: Command) => {
      const { clean } = await import("./run.ts");
      process.exitCode = await clean(command.optsWithGlobals(), process.env, process);
    },
  );
  addLabCommands(program, process);
}

function addLabCommands(program: Command, process: EdgeHost): void {
  const lab = program
    .command("lab")
    .description(
      "a network on this machine to try things on: server, edge, customers' routers, real packets",
    );
  lab
    .command("up")
    .description("make it, and say what to try")
    .option("--interconnects <number>", "how many customers' routers (default: 3)")
    .action(async (options) => {
      const { labUp } = await import("./lab/run.ts");
      process.exitCode = await labUp(options, process);
    });
  for (const [name, state, description] of [
    ["cut", "down", "cut the cable of an interconnect"],
    ["heal", "up", "mend it"],
  ] as const)
    lab
      .command(`${name} <interconnect>`)
      .description(description)
      .action(async (interconnect: string) => {
        const { labCable } = await import("./lab/run.ts");
        process.exitCode = await labCable(interconnect, state, process);
      });
  lab
    .command("down")
    .description("take it down, whatever became of it")
    .action(async () => {
      const { labDown } = await import("./lab/run.ts");
      process.exitCode = await labDown(process);
    });
}
