/** The commands about the log, the credentials and whole accounts. Each loads what it needs when it is called. */

import type { Command } from "commander";
import type { CommandHost } from "./run.ts";

/** Options of every command. */
function spoken(command: Command): Command {
  return command
    .option("--json", "print JSON, failures too")
    .option("--quiet", "print results alone")
    .option("--no-color", "print without colours [NO_COLOR]");
}

/** Options of every command that speaks to one server. */
function common(command: Command): Command {
  return spoken(
    command.option("--profile <name>", "server and account, from patchbay login [PATCHBAY_PROFILE]"),
  );
}

export function addLogCommands(program: Command, process: CommandHost): void {
  addCredentials(program, process);
  addReading(program, process);
  addUndoing(program, process);
  addCopying(program, process);
}

function addCredentials(program: Command, process: CommandHost): void {
  common(program.command("login"))
    .description("keep a server, an account and a token under a name, once they are known to work")
    .option("--base-url <url>", "such as http://127.0.0.1:8787/client/v4 (default: Cloudflare's own)")
    .option("--account <id>", "the account: 32 hexadecimal digits")
    .option("--token-stdin", "read the token from stdin; else it is asked for, and not shown")
    .addHelpText(
      "after",
      `
They are kept in $XDG_CONFIG_HOME/patchbay/profiles.json, which its owner alone may read.

Examples:
  patchbay login
  patchbay login --profile lab --base-url http://127.0.0.1:8787
  patchbay login --profile production --account $ACCOUNT --token-stdin < token.txt`,
    )
    .action(async (options) => {
      const { login } = await import("./login.ts");
      process.exitCode = await login(options, process.env, process);
    });
  common(program.command("logout"))
    .description("forget a profile")
    .addHelpText("after", "\nExample:\n  patchbay logout --profile lab")
    .action(async (options) => {
      const { logout } = await import("./login.ts");
      process.exitCode = await logout(options, process.env, process);
    });
  common(program.command("profiles"))
    .description("tell the profiles there are, without their tokens")
    .addHelpText("after", "\nExample:\n  patchbay profiles --json")
    .action(async (options) => {
      const { profiles } = await import("./login.ts");
      process.exitCode = await profiles(options, process.env, process);
    });
  common(program.command("doctor"))
    .description("tell what is wrong between here and the server, and what to do; changes nothing")
    .addHelpText(
      "after",
      `
Looks at the address, TLS, the clock, the token, the account and the token's permissions. Ends with 0 if all is well.

Examples:
  patchbay doctor
  patchbay doctor --profile production --json`,
    )
    .action(async (options) => {
      const { doctor } = await import("./doctor.ts");
      process.exitCode = await doctor(options, process.env, process);
    });
}

/** Adds to `patchbay token`, which by itself makes an administrator's token in a data directory. */
export function addTokenCommands(token: Command, process: CommandHost): void {
  const owned = (command: Command) =>
    common(command).option("--of-account", "the account's own tokens, not those of the user who asks");
  owned(token.command("list"))
    .description("tell the API tokens there are, and what each may do")
    .addHelpText("after", "\nExamples:\n  patchbay token list\n  patchbay token list --of-account --json")
    .action(async (_, command: Command) => {
      const { listTokens } = await import("./token.ts");
      process.exitCode = await listTokens(command.optsWithGlobals(), process.env, process);
    });
  owned(token.command("create <token-name>"))
    .description("make an API token for the account of the profile; its value alone goes to stdout")
    .option("--group <group...>", "what it may do: names of permission groups")
    .option("--edge", "what an edge needs, and nothing else: the group Patchbay Edge")
    .option("--expires <time>", "2027-01-31, or 2027-01-31T12:00:00Z (UTC)")
    .addHelpText(
      "after",
      `
Examples:
  patchbay token create pipeline --group "Magic WAN Write" --expires 2027-01-31
  patchbay token create reader --group "Magic WAN Read" "Patchbay Read" > token.txt
  patchbay token create ord-1 --edge > edge.token`,
    )
    .action(async (name: string, _, command: Command) => {
      const { createToken } = await import("./token.ts");
      process.exitCode = await createToken(name, command.optsWithGlobals(), process.env, process);
    });
  owned(token.command("roll <id>"))
    .description("give a token another value; the one it has stops at once")
    .option("--yes", "do not ask")
    .addHelpText("after", "\nExample:\n  patchbay token roll 2f8a… --yes > token.txt")
    .action(async (id: string, _, command: Command) => {
      const { rollToken } = await import("./token.ts");
      process.exitCode = await rollToken(id, command.optsWithGlobals(), process.env, process);
    });
  owned(token.command("delete <id>"))
    .description("delete a token; it stops at once")
    .option("--yes", "do not ask")
    .addHelpText("after", "\nExample:\n  patchbay token delete 2f8a…")
    .action(async (id: string, _, command: Command) => {
      const { deleteToken } = await import("./token.ts");
      process.exitCode = await deleteToken(id, command.optsWithGlobals(), process.env, process);
    });
}

function addReading(program: Command, process: CommandHost): void {
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

/** Options of the commands that bring back what was. */
export function undoing(command: Command): Command {
  return common(command)
    .option("--dry-run", "show what would be done, and do nothing")
    .option("-y, --yes", "do not ask")
    .option("--reason <text>", "why, kept with the change")
    .option("--confirm-within <time>", "undo it again unless it is confirmed in that time, such as 5m")
    .option(
      "--revert-on <state>",
      "with --confirm-within: undo it at once if what it touches is reported down, or degraded",
    );
}

function addUndoing(program: Command, process: CommandHost): void {
  common(program.command("confirm [revision]"))
    .description("keep the change that waits to be confirmed")
    .option("--reason <text>", "why, kept with the change")
    .addHelpText("after", "\nExamples:\n  patchbay confirm\n  patchbay confirm 42")
    .action(async (revision, options) => {
      const { confirm } = await import("./confirm.ts");
      process.exitCode = await confirm(revision, options, process.env, process);
    });
  common(program.command("extend <time>"))
    .description("give the change that waits more time to be confirmed, from now on")
    .option("--revision <number>", "the change (default: the one that waits)")
    .option("--reason <text>", "why, kept with the change")
    .addHelpText("after", "\nExamples:\n  patchbay extend 10m\n  patchbay extend 90s --revision 42")
    .action(async (time, options) => {
      const { extend } = await import("./confirm.ts");
      process.exitCode = await extend(time, options, process.env, process);
    });
  undoing(program.command("revert <revision>"))
    .description("undo one change, where no later change touched the same fields")
    .addHelpText(
      "after",
      `
Examples:
  patchbay revert 42 --dry-run
  patchbay revert 42 --reason "broke the monitoring"
  patchbay revert 42 --yes --confirm-within 5m`,
    )
    .action(async (revision, options) => {
      const { revert } = await import("./undo.ts");
      process.exitCode = await revert(revision, options, process.env, process);
    });
}

function addCopying(program: Command, process: CommandHost): void {
  spoken(program.command("clone"))
    .description(
      "copy an account into a file to try changes on, with the same ids; reads it and changes nothing",
    )
    .requiredOption("--from-profile <name>", "the account to copy: Cloudflare's own, or a Patchbay's")
    .requiredOption("--to <file>", "the new file, for patchbay serve --seed")
    .option("--as-profile <name>", "keep a profile for the copy, served at http://127.0.0.1:8787")
    .option("--with-keys", "copy the keys of BGP sessions too, which are left out otherwise")
    .addHelpText(
      "after",
      `
Copies interconnects, and the static routes over them.

Examples:
  patchbay clone --from-profile production --to copy.yaml --as-profile copy
  patchbay serve --seed copy.yaml --data copy.data --sandbox`,
    )
    .action(async (options) => {
      const { clone } = await import("./clone.ts");
      process.exitCode = await clone(options, process.env, process);
    });
  spoken(program.command("drift"))
    .description("compare the interconnects of two servers, or two accounts, by id and field by field")
    .requiredOption("--from-profile <name>", "the one")
    .requiredOption("--to-profile <name>", "the other")
    .option("--ignore <field...>", "fields that may differ, such as bgp.md5_key")
    .addHelpText(
      "after",
      `
Examples:
  patchbay drift --from-profile production --to-profile copy
  patchbay drift --from-profile production --to-profile copy --ignore bgp.md5_key description

Ends with 0 if nothing differs, 2 if something does, 1 if it cannot be told.`,
    )
    .action(async (options) => {
      const { drift } = await import("./drift.ts");
      process.exitCode = await drift(options, process.env, process);
    });
}
