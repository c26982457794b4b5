/** The commands about the log, the credentials and whole accounts. Each loads what it needs when it is called. */

import type { Command } from "commander";

/** Options that every command has. */
function common(command: Command): Command {
  return command
    .option("--profile <name>", "the server and account to speak to [PATCHBAY_PROFILE]")
    .option("--json", "tell the result, or the failure, as JSON")
    .option("-q, --quiet", "tell nothing but the result")
    .option("--no-color", "no colours [NO_COLOR]");
}

export function addLogCommands(program: Command): void {
  addReading(program);
}

function addReading(program: Command): void {
  common(program.command("history [name]"))
    .description("tell the changes of an account, or of one interconnect, newest first")
    .option("--limit <number>", "how many (default: 20)")
    .option("--before <revision>", "only those before a revision")
    .addHelpText(
      "after",
      `
Examples:
  patchbay history
  patchbay history pni_ord --limit 5
  patchbay history --before 120 --json`,
    )
    .action(async (name, options) => {
      const { history } = await import("./history.ts");
      process.exitCode = await history(name, options, process.env, process);
    });
  common(program.command("diff <from> [to]"))
    .description("tell what two revisions differ in, field by field; of one revision, what its change did")
    .addHelpText(
      "after",
      `
Examples:
  patchbay diff 41          what the change that made revision 41 did
  patchbay diff 38 41
  patchbay diff 41..38      the same, seen from 41`,
    )
    .action(async (from, to, options) => {
      const { diff } = await import("./diff.ts");
      process.exitCode = await diff(from, to, options, process.env, process);
    });
  common(program.command("blame <name>"))
    .description("tell of each field of an interconnect which change set it, when, and whose it was")
    .addHelpText(
      "after",
      `
Examples:
  patchbay blame pni_ord
  patchbay blame c4a7362d577a6c3019a474fd6f485821 --json`,
    )
    .action(async (name, options) => {
      const { blame } = await import("./blame.ts");
      process.exitCode = await blame(name, options, process.env, process);
    });
}
