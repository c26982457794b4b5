/** `patchbay diff`: what two revisions of an account differ in, field by field. */

import { Api } from "./api.ts";
import { CommandFailure } from "./failure.ts";
import { inReverse, netChanges } from "./log/net.ts";
import { readRange } from "./log/numbers.ts";
import { changesBetween, newestRevision, requirePatchbay } from "./log/pages.ts";
import { tellChanges } from "./log/tell.ts";
import { findProfile } from "./profile.ts";
import { type Environment, noteTo, run } from "./run.ts";
import { type Common, colorsFor, type Terminal } from "./terminal.ts";

/** Changes read without a word; who waits for more is told how far it is. */
const SILENT = 500;

export function diff(
  first: string,
  second: string | undefined,
  options: Common,
  env: Environment,
  terminal: Terminal,
): Promise<number> {
  return run(options, env, terminal, async () => {
    const [from, to] = readRange(first, second);
    const note = noteTo(options, terminal);
    const api = new Api(findProfile(options.profile, env), note);
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
      if (read % SILENT === 0) note(`${read} of ${newer - older} changes read …`);
    });
    const net = netChanges(records);
    const changes = from <= to ? net : inReverse(net);
    if (options.json) {
      terminal.stdout.write(`${JSON.stringify({ success: true, from, to, objects: changes })}\n`);
    } else if (changes.length === 0) {
      note(`Nothing differs between ${from} and ${to}.`);
    } else {
      terminal.stdout.write(`${tellChanges(changes, colorsFor(terminal.stdout, options, env))}\n`);
    }
    return 0;
  });
}
