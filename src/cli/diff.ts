/** `patchbay diff`: what two revisions of an account differ in, field by field. */

import { inReverse, Net } from "../account/log/net.ts";
import { CommandFailure } from "./failure.ts";
import { readRange } from "./log/numbers.ts";
import { changesBetween, newestRevision, requirePatchbay } from "./log/pages.ts";
import { tellChanges } from "./log/tell.ts";
import { asJson } from "./printable.ts";
import { type CommandProcess, type Environment, runCommand } from "./run.ts";
import type { Common } from "./terminal.ts";

/** Changes read without a word; who waits for more is told how far it is. */
const SILENT = 500;

export function diff(
  first: string,
  second: string | undefined,
  options: Common,
  env: Environment,
  terminal: CommandProcess,
): Promise<number> {
  return runCommand(options, env, terminal, async (session) => {
    const { api } = session;
    const [from, to] = readRange(first, second);
    await requirePatchbay(
      api,
      "patchbay diff",
      "Keep what patchbay export writes under version control: its own diff tells the same.",
    );
    const newest = await newestRevision(api);
    const [older, newer] = [Math.min(from, to), Math.max(from, to)];
    if (newer > newest)
      throw new CommandFailure(`There is no revision ${newer}: the newest is ${newest}.`, {
        advice: "patchbay history tells what there is.",
      });
    const records = await changesBetween(api, older, newer, (read) => {
      if (read % SILENT === 0) session.note(`${read} of ${newer - older} changes read …`);
    });
    const net = new Net();
    for (const record of records) net.take(record);
    const changes = from <= to ? net.changes() : inReverse(net.changes());
    if (options.json) {
      session.print(asJson({ success: true, from, to, objects: changes }));
    } else if (changes.length === 0) {
      session.note(`Nothing differs between ${from} and ${to}.`);
    } else {
      session.print(tellChanges(changes, session.colors));
    }
    return 0;
  });
}
