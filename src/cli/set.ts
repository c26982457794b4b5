/** `patchbay set`: one interconnect from the shell, with the plan and the questions of `apply`. */

import { type Form, fieldOf, hasForm } from "../file/fields.ts";
import { notWritable } from "../file/not-writable.ts";
import type { Wanted } from "../file/reading.ts";
import { commandLine } from "./command-line.ts";
import { CommandFailure, type Told } from "./failure.ts";
import { type ApplyOptions, applyPlan, judgeOptions } from "./file/apply-plan.ts";
import { destinationOf, makePlan } from "./plan.ts";
import { type CommandProcess, type Environment, runCommand } from "./run.ts";

export function set(
  name: string,
  assignments: readonly string[],
  options: ApplyOptions,
  env: Environment,
  process: CommandProcess,
): Promise<number> {
  return runCommand(options, env, process, async (session) => {
    judgeOptions(options);
    const made = await makePlan(session, [wantedOf(name, assignments)]);
    const again = commandLine(options, "get", name, "--json");
    return applyPlan(session, { ...made, at: destinationOf(session), again }, options);
  });
}

/** Throws with all that is wrong with the assignments. */
export function wantedOf(name: string, assignments: readonly string[]): Wanted {
  const fields = new Map<string, { value: NonNullable<ReturnType<typeof valueIn>>; place: string }>();
  const problems: Told[] = [];
  for (const assignment of assignments) {
    const equals = assignment.indexOf("=");
    const path = assignment.slice(0, equals);
    const field = fieldOf(path);
    const value = field && valueIn(field.form, assignment.slice(equals + 1));
    if (equals < 1) problems.push({ place: assignment, message: "field=value is wanted" });
    else if (!field) problems.push({ place: assignment, message: notWritable(path) });
    else if (value === undefined)
      problems.push({ place: assignment, message: `${path} must be a ${field.form}` });
    else if (fields.has(path)) problems.push({ place: assignment, message: `${path} is set twice` });
    // A key is not repeated where something is wrong with it.
    else fields.set(path, { value, place: field.secret ? path : assignment });
  }
  if (problems.length === 0) return { name, place: name, fields };
  throw new CommandFailure("Not all of it can be set.", {
    problems,
    advice: "patchbay set pni_ord mtu=1400 health_check.rate=high bgp.extra_prefixes=10.0.0.0/8,10.1.0.0/16",
  });
}

/** A value as a shell gives it. A list has commas between; nothing clears. */
function valueIn(form: Form, text: string) {
  switch (form) {
    case "text":
      return text;
    case "whole number": {
      const number = /^-?\d+$/.test(text) ? Number(text) : undefined;
      return hasForm(form, number) ? number : undefined;
    }
    case "true or false":
      return text === "true" ? true : text === "false" ? false : undefined;
    case "list of texts":
      return text === "" ? [] : text.split(",").map((item) => item.trim());
  }
}
