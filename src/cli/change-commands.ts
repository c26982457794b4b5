/** The commands that read and change interconnects at a server. */

import type { Command } from "commander";
import type { CommandHost } from "./run.ts";

export function addChangeCommands(program: Command, process: CommandHost): void {
  const add = (usage: string, description: string) =>
    program
      .command(usage)
      .description(description)
      .option("--profile <name>", "server and account, from patchbay login [PATCHBAY_PROFILE]")
      .option("--json", "print JSON, failures too")
      .option("--quiet", "print results alone")
      .option("--no-color", "print without colours [NO_COLOR]");
  const examples = (lines: readonly string[]) =>
    `\nExamples:\n${lines.map((line) => `  ${line}`).join("\n")}\n`;

  add("get [names...]", "show interconnects")
    .option("--wide", "show more of each")
    .option("--yaml", "print YAML")
    .option("--watch", "show them again whenever they change")
    .addHelpText(
      "after",
      examples([
        "patchbay get",
        "patchbay get pni_ord pni_ams --wide",
        "patchbay get --json | jq -r '.interconnects[].name'",
        "patchbay get --watch",
      ]),
    )
    .action(async (names, options) => {
      const { get } = await import("./get.ts");
      process.exitCode = await get(names, options, process.env, process);
    });

  add("export", "write the account as a file that plan finds unchanged")
    .addHelpText(
      "after",
      examples(["patchbay export > interconnects.yaml", "patchbay export --json > interconnects.json"]),
    )
    .action(async (options) => {
      const { exportAccount } = await import("./export.ts");
      process.exitCode = await exportAccount(options, process.env, process);
    });

  add("plan", "show what a file would change, and change nothing")
    .requiredOption("-f, --file <file>", "file of interconnects, YAML or JSON; - for standard input")
    .option("--out <plan>", "keep the plan in a file, for patchbay apply")
    .option("--markdown", "print Markdown, for a pull request")
    .addHelpText(
      "after",
      `${examples([
        "patchbay plan -f interconnects.yaml",
        "patchbay plan -f interconnects.yaml --out change.plan && patchbay apply change.plan",
        "patchbay plan -f interconnects.yaml --markdown > comment.md",
      ])}\nEnds with 0 if nothing would change, 2 if something would, 1 if it cannot be told.\n`,
    )
    .action(async (options) => {
      const { plan } = await import("./plan.ts");
      process.exitCode = await plan(options, process.env, process);
    });

  const addChanging = (usage: string, description: string) =>
    add(usage, description)
      .option("--yes", "do not ask")
      .option("--force", "do it also where a guard stands: many changed, or addresses")
      .option("--reason <text>", "why, kept with the change by a Patchbay")
      .option("--confirm-within <time>", "undo it unless it is confirmed in time: 30s, 5m, 2h")
      .option(
        "--revert-on <state>",
        "with --confirm-within: undo it at once if what it touches is reported down, or degraded",
      )
      .option("--undo <plan>", "keep the inverse in a file, for patchbay apply");

  addChanging("apply [plan]", "change what a file or a saved plan says, in one call")
    .option("-f, --file <file>", "file of interconnects, YAML or JSON; - for standard input")
    .addHelpText(
      "after",
      examples([
        "patchbay apply -f interconnects.yaml",
        "patchbay apply -f interconnects.yaml --confirm-within 5m --reason 'MTU for the new provider'",
        "patchbay apply -f interconnects.yaml --confirm-within 10m --revert-on down",
        "patchbay plan -f interconnects.yaml --out change.plan; patchbay apply change.plan --yes",
      ]),
    )
    .action(async (plan, options) => {
      const { apply } = await import("./apply.ts");
      process.exitCode = await apply(plan, options, process.env, process);
    });

  addChanging("set <name> <field=value...>", "change one interconnect")
    .addHelpText(
      "after",
      examples([
        "patchbay set pni_ord mtu=1400 health_check.rate=high",
        "patchbay set pni_ord description= --yes",
        "patchbay set pni_sin bgp.extra_prefixes=10.0.0.0/8,10.1.0.0/16 --confirm-within 5m",
      ]),
    )
    .action(async (name, assignments, options) => {
      const { set } = await import("./set.ts");
      process.exitCode = await set(name, assignments, options, process.env, process);
    });

  program
    .command("lint")
    .description("judge a file without a server")
    .requiredOption("-f, --file <file>", "file of interconnects, YAML or JSON; - for standard input")
    .option("--json", "print JSON, failures too")
    .option("--quiet", "print results alone")
    .option("--no-color", "print without colours [NO_COLOR]")
    .addHelpText("after", examples(["patchbay lint -f interconnects.yaml"]))
    .action(async (options) => {
      const { lint } = await import("./lint.ts");
      process.exitCode = await lint(options, process.env, process);
    });
}
