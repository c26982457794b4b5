/** `patchbay lint`: a file judged without a server. */

import { CommandFailure } from "./failure.ts";
import { judge } from "./file/judge.ts";
import { readInterconnectsFile } from "./file/read-file.ts";
import { count } from "./printable.ts";
import { type CommandProcess, type Environment, runCommand } from "./run.ts";
import type { Common } from "./terminal.ts";

export interface LintOptions extends Common {
  readonly file: string;
}

export function lint(options: LintOptions, env: Environment, process: CommandProcess): Promise<number> {
  return runCommand(options, env, process, async (session) => {
    const wanted = await readInterconnectsFile(options.file, session);
    const problems = judge(wanted);
    if (problems.length > 0) {
      throw new CommandFailure(`${options.file}: ${count(problems.length, "problem")}.`, {
        problems,
        advice: "Correct it there.",
      });
    }
    if (options.json) session.print(JSON.stringify({ success: true, interconnects: wanted.length }));
    else session.print(`${options.file}: ${count(wanted.length, "interconnect")}, nothing wrong.`);
    session.note(
      "What only the account knows, such as versions and names that others have, plan asks the server.",
    );
    return 0;
  });
}
