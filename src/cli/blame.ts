/** `patchbay blame`: each field of an interconnect with the change that last set it. */

import { Blame } from "../account/log/blame.ts";
import { leavesOf } from "../account/log/leaves.ts";
import { printable } from "../contract/printable.ts";
import type { Api } from "./api.ts";
import { CommandFailure } from "./failure.ts";
import { findInterconnect } from "./log/find.ts";
import { changesBackwards, requirePatchbay } from "./log/pages.ts";
import type { ChangeRecord } from "./log/records.ts";
import { tableOf, tellActor, tellTime, tellValue } from "./log/tell.ts";
import { asJson } from "./printable.ts";
import { type CommandProcess, type Environment, runCommand } from "./run.ts";
import type { Common } from "./terminal.ts";

interface Line {
  readonly field: string;
  readonly value: unknown;
  /** Absent where the log begins later. */
  readonly revision?: number;
  readonly time?: string;
  readonly who?: string;
  readonly reason?: string;
}

export function blame(
  name: string,
  options: Common,
  env: Environment,
  terminal: CommandProcess,
): Promise<number> {
  return runCommand(options, env, terminal, async (session) => {
    const { api } = session;
    await requirePatchbay(
      api,
      "patchbay blame",
      "Keep what patchbay export writes under version control: git blame tells the same of its lines.",
    );
    const found = await findInterconnect(api, name);
    if (!found)
      throw new CommandFailure(`There is no interconnect ${name}.`, {
        advice: `patchbay history ${name} tells of one that was there before.`,
      });
    const { lines, since } = await blameFields(api, found.id, found.raw);
    if (options.json) {
      const { id } = found;
      session.print(asJson({ success: true, id, name: found.name, fields: lines }));
      return 0;
    }
    const rows = lines.map(({ field, value, revision, time, who, reason }) => [
      field,
      tellValue(value),
      revision === undefined ? `before ${since}` : String(revision),
      time === undefined ? "" : tellTime(time),
      printable(who ?? ""),
      printable(reason ?? ""),
    ]);
    const headings = ["FIELD", "VALUE", "REVISION", "TIME", "WHO", "REASON"];
    session.print(tableOf([headings, ...rows], session.colors));
    return 0;
  });
}

async function blameFields(api: Api, id: string, shown: Readonly<Record<string, unknown>>) {
  const found = new Blame<ChangeRecord>(id);
  let since = 0;
  for await (const record of changesBackwards(api)) {
    found.look(record);
    since = record.revision;
    if (found.complete) break;
  }
  const lines: Line[] = found.settings().map(([field, { value, record }]) => ({
    field,
    value,
    revision: record.revision,
    time: record.time,
    who: tellActor(record),
    ...(record.reason === undefined ? {} : { reason: record.reason }),
  }));
  if (found.complete) return { lines, since };
  // What was set before the log begins is only known from the interconnect itself.
  for (const [field, value] of leavesOf(shown)) if (!found.knows(field)) lines.push({ field, value });
  return { lines: lines.toSorted((one, other) => (one.field < other.field ? -1 : 1)), since };
}
