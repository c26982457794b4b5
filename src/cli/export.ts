/** `patchbay export`: the account as a file that `plan` finds unchanged. */

import { readList } from "./file/account.ts";
import { exportJson, exportYaml, SCHEMA_PATH } from "./file/write-file.ts";
import { rootOf } from "./profile.ts";
import { type CommandProcess, type Environment, runCommand } from "./run.ts";
import type { Common } from "./terminal.ts";

export function exportAccount(options: Common, env: Environment, process: CommandProcess): Promise<number> {
  return runCommand(options, env, process, async (session) => {
    const { api } = session;
    const interconnects = await readList(api);
    if (options.json) {
      session.print(exportJson(interconnects));
      return 0;
    }
    const { baseUrl: server, account } = api.profile;
    const schema = (await api.isPatchbay()) ? rootOf(api.profile) + SCHEMA_PATH : undefined;
    session.print(exportYaml(interconnects, { server, account }, schema));
    return 0;
  });
}
