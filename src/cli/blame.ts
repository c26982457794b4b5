/** `patchbay blame`: each field of an interconnect with the change that last set it. */

import { Api } from "./api.ts";
import { CommandFailure } from "./failure.ts";
import { leavesOf } from "./log/fields.ts";
import { findInterconnect } from "./log/find.ts";
import { Blame } from "./log/net.ts";
import { changesBackwards, requirePatchbay } from "./log/pages.ts";
import { columns, tellActor, tellText, tellTime, tellValue } from "./log/tell.ts";
import { findProfile } from "./profile.ts";
import { type Environment, noteTo, run } from "./run.ts";
import { type Common, colorsFor, type Terminal } from "./terminal.ts";

interface Line {
  readonly field: string;
  readonly value: unknown;
  /** Absent where the log begins later. */
  readonly revision?: number;
  readonly time?: string;
  readonly who?: string;
  readonly reason?: string;
}

export function blame(name: string, options: Common, env: Environment, terminal: Terminal): Promise<number> {
  return run(options, env, terminal, async () => {
    const note = noteTo(options, terminal);
    const api = new Api(findProfile(options.profile, env), note);
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
    const { lines, since } = await blameFields(api, found.id, found.shown);
    if (options.json) {
      const { id } = found;
      terminal.stdout.write(`${JSON.stringify({ success: true, id, name: found.name, fields: lines })}\n`);
      return 0;
    }
    const rows = lines.map(({ field, value, revision, time, who, reason }) => [
      field,
      tellValue(value),
      revision === undefined ? `before ${since}` : String(revision),
      time === undefined ? "" : tellTime(time),
      tellText(who ?? ""),
      tellText(reason ?? ""),
    ]);
    const headings = ["FIELD", "VALUE", "REVISION", "TIME", "WHO", "REASON"];
    terminal.stdout.write(`${columns([headings, ...rows], colorsFor(terminal.stdout, options, env))}\n`);
    return 0;
  });
}

async function blameFields(api: Api, id: string, shown: Readonly<Record<string, unknown>>) {
  const found = new Blame(id);
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
