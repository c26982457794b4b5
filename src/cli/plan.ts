/** `patchbay plan`: what a file would change, asked of the server and not done. */

import { guardsOf } from "../file/guards.ts";
import { type Plan, planOf } from "../file/plan.ts";
import type { Wanted } from "../file/reading.ts";
import { commandLine } from "./command-line.ts";
import { CommandFailure } from "./failure.ts";
import type { Binding } from "./file/account.ts";
import { readAccount } from "./file/account.ts";
import { dryRun } from "./file/dry-run.ts";
import { writePlanFile } from "./file/plan-file.ts";
import { type Destination, planJson, planMarkdown, planText } from "./file/show-plan.ts";
import { asJson } from "./printable.ts";
import { type CommandProcess, type Environment, runCommand, type Session } from "./run.ts";
import type { Common } from "./terminal.ts";

export interface PlanOptions extends Common {
  readonly file: string;
  /** Where to keep the plan. */
  readonly out?: string;
  readonly markdown?: boolean;
}

/** Something would change. */
const CHANGES = 2;

/** A plan, and what it was made on. */
export interface MadePlan {
  readonly plan: Plan;
  readonly binding: Binding;
  readonly etag: string | undefined;
}

export function plan(options: PlanOptions, env: Environment, process: CommandProcess): Promise<number> {
  return runCommand(options, env, process, async (session) => {
    const { readInterconnectsFile } = await import("./file/read-file.ts");
    const wanted = await readInterconnectsFile(options.file, session);
    const at = destinationOf(session);
    const made = await makePlan(session, wanted);
    const guards = guardsOf(made.plan);
    if (options.out !== undefined) {
      writePlanFile(options.out, { ...at, bound: made.binding, plan: made.plan }, new Date());
    }
    if (options.json) session.print(asJson(planJson(made.plan, guards, at)));
    else if (options.markdown) session.print(planMarkdown(made.plan, guards, at));
    else session.print(planText(made.plan, guards, session.colors));
    if (options.out !== undefined)
      session.note(`To do exactly this: ${commandLine(options, "apply", options.out)}`);
    return made.plan.steps.length > 0 ? CHANGES : 0;
  });
}

export function destinationOf({ api }: Session): Destination {
  return { server: api.profile.baseUrl, account: api.profile.account };
}

/** Throws with all that is wrong, by this command's judgement and by the server's. */
export async function makePlan({ api }: Session, wanted: readonly Wanted[]): Promise<MadePlan> {
  const { interconnects, binding, etag } = await readAccount(api);
  const planned = planOf(wanted, interconnects);
  if (!planned.ok) {
    throw new CommandFailure("What is wanted does not fit the account.", {
      problems: planned.problems,
      advice: "patchbay get lists the interconnects there are.",
    });
  }
  if (planned.plan.steps.length > 0) await dryRun(api, planned.plan);
  return { plan: planned.plan, binding, etag };
}
