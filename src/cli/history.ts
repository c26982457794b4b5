/** `patchbay history`: what happened to an account, or to one interconnect, newest first. */

import { printable } from "../contract/printable.ts";
import type { Api } from "./api.ts";
import { CommandFailure } from "./failure.ts";
import { findInterconnect, isChangeOf } from "./log/find.ts";
import { readCount } from "./log/numbers.ts";
import { changesBackwards, requirePatchbay } from "./log/pages.ts";
import type { ChangeRecord } from "./log/records.ts";
import { tableOf, tellActor, tellTime, tellWhat } from "./log/tell.ts";
import { asJson } from "./printable.ts";
import { type CommandProcess, type Environment, runCommand } from "./run.ts";
import type { Common } from "./terminal.ts";

export interface HistoryOptions extends Common {
  readonly limit?: string;
  readonly before?: string;
}

/** How many changes are told unless asked. */
const USUAL = "20";

export function history(
  name: string | undefined,
  options: HistoryOptions,
  env: Environment,
  terminal: CommandProcess,
): Promise<number> {
  return runCommand(options, env, terminal, async (session) => {
    const { api } = session;
    const limit = readCount("--limit", options.limit ?? USUAL);
    const before = options.before === undefined ? undefined : readCount("--before", options.before);
    await requirePatchbay(
      api,
      "patchbay history",
      "Cloudflare's audit log (Manage Account, Audit Log) tells who did what; patchbay export under version control tells what it was.",
    );
    const { records, more } = await collect(api, name, limit, before);
    if (name !== undefined && records.length === 0 && before === undefined) {
      throw new CommandFailure(`There is no ${name}, and the log tells of none.`, {
        advice: "patchbay history tells the changes of the whole account.",
      });
    }
    const next = more ? records.at(-1)?.revision : undefined;
    if (options.json) {
      const told = { success: true, changes: records, ...(next === undefined ? {} : { before: next }) };
      session.print(asJson(told));
      return 0;
    }
    const rows = records.map((record) => [
      String(record.revision),
      tellTime(record.time),
      printable(tellActor(record)),
      printable(record.reason ?? ""),
      // The longest comes last, so that it wraps alone.
      printable(tellWhat(record)),
    ]);
    const headings = ["REVISION", "TIME", "WHO", "REASON", "WHAT"];
    session.print(tableOf([headings, ...rows], session.colors));
    if (next !== undefined) {
      session.note(`There is more: patchbay history ${name === undefined ? "" : `${name} `}--before ${next}`);
    }
    return 0;
  });
}

/** So many changes, and whether there are more. */
async function collect(api: Api, name: string | undefined, limit: number, before: number | undefined) {
  const id = name === undefined ? undefined : (await findInterconnect(api, name))?.id;
  const records: ChangeRecord[] = [];
  // One more than is told, to know whether there is one.
  for await (const record of changesBackwards(api, before, name === undefined ? limit + 1 : undefined)) {
    const objects =
      name === undefined ? record.objects : record.objects.filter((one) => isChangeOf(one, name, id));
    if (name !== undefined && objects.length === 0) continue;
    if (records.length === limit) return { records, more: true };
    records.push({ ...record, objects });
  }
  return { records, more: false };
}
