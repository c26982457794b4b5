/** `patchbay apply`: makes the change that a file or a saved plan says, in one call. */

import { CommandFailure } from "./failure.ts";
import { readAccount } from "./file/account.ts";
import { type ApplyOptions, applyPlan, judgeOptions, type ReadyPlan } from "./file/apply-plan.ts";
import { dryRun } from "./file/dry-run.ts";
import { judgeDestination, readPlanFile, rebound } from "./file/plan-file.ts";
import { destinationOf, makePlan } from "./plan.ts";
import { type CommandProcess, type Environment, runCommand, type Session } from "./run.ts";

export interface ApplyFileOptions extends ApplyOptions {
  readonly file?: string;
}

export function apply(
  planFile: string | undefined,
  options: ApplyFileOptions,
  env: Environment,
  process: CommandProcess,
): Promise<number> {
  return runCommand(options, env, process, async (session) => {
    judgeOptions(options);
    return applyPlan(session, await readyPlan(session, planFile, options.file), options);
  });
}

async function readyPlan(
  session: Session,
  planFile: string | undefined,
  file: string | undefined,
): Promise<ReadyPlan> {
  const at = destinationOf(session);
  if (planFile !== undefined && file === undefined) {
    const saved = await readPlanFile(planFile, session);
    judgeDestination(planFile, saved, at);
    const account = await readAccount(session.api);
    const plan = rebound(planFile, saved, account);
    if (plan.steps.length > 0) await dryRun(session.api, plan);
    const again =
      "values" in saved.bound ? `patchbay apply ${planFile}` : "patchbay get, and then plan again";
    return { plan, binding: account.binding, etag: account.etag, at, again };
  }
  if (file === undefined || planFile !== undefined) {
    throw new CommandFailure("Say what to apply: a file of interconnects, or a saved plan, not both.", {
      advice: "patchbay apply -f interconnects.yaml, or patchbay apply change.plan",
    });
  }
  const { readInterconnectsFile } = await import("./file/read-file.ts");
  const made = await makePlan(session, await readInterconnectsFile(file, session));
  return { ...made, at, again: `patchbay plan -f ${file}` };
}
