/** Sends a plan: to be judged, or to be done. What the server says of an element is told where it was written. */

import { type Plan, type Step, updateOf } from "../../file/plan.ts";
import type { Api, Ask, Reply } from "../api.ts";
import { ServerRefusal } from "../api.ts";
import type { Told } from "../failure.ts";
import { listPath, TARGETS_AS_OBJECTS } from "./account.ts";

/** Throws `ServerRefusal` with all that the server finds. */
export function dryRun(api: Api, plan: Plan): Promise<Reply> {
  return sendPlan(api, plan, { query: "?validate_only=true" });
}

export interface Sending extends Pick<Ask, "headers" | "before" | "paused"> {
  readonly query?: string;
}

export async function sendPlan(
  api: Api,
  plan: Plan,
  { query = "", headers = {}, ...asked }: Sending,
): Promise<Reply> {
  const body = { interconnects: plan.steps.map(updateOf) };
  try {
    return await api.call("PUT", listPath(api) + query, {
      ...asked,
      headers: { ...TARGETS_AS_OBJECTS, ...headers },
      body,
    });
  } catch (error) {
    if (!(error instanceof ServerRefusal)) throw error;
    const problems = error.problems.map((problem) => placed(problem, plan.steps));
    const { status, message, retryAfter, advice = adviceOf(error, problems) } = error;
    throw new ServerRefusal(status, message, problems, { advice, retryAfter });
  }
}

function adviceOf(error: ServerRefusal, problems: readonly Told[]): string | undefined {
  if (problems.some(({ place }) => place !== undefined))
    return "Nothing was changed. Correct it there, then plan again.";
  if (error.status === 401 || error.status === 403)
    return "patchbay doctor tells which permission the token lacks.";
  return undefined;
}

/** `/interconnects/3/mtu` is a field of the plan's fourth step, which knows its place. */
function placed(problem: Told, steps: readonly Step[]): Told {
  const found = /^\/interconnects\/(\d+)(?:\/(.*))?$/.exec(problem.pointer ?? "");
  const step = found && steps[Number(found[1])];
  if (!step) return problem;
  const path = (found[2] ?? "").split("/").join(".");
  const field = step.fields.find((one) => path === one.path || path.startsWith(`${one.path}.`));
  return { ...problem, message: `${step.name}: ${problem.message}`, place: field?.place ?? step.place };
}
