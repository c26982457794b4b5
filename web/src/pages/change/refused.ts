/** What the server refused of a plan, for as long as the plan still asks for the same. */

import type { Plan, Step } from "../../../../src/file/plan.ts";
import type { Trouble } from "./judge.ts";

export interface Refused {
  readonly plan: Plan;
  readonly troubles: readonly Trouble[];
}

/** With what is found here; what both tell is told once. */
export function withRefused(
  found: readonly Trouble[],
  refused: Refused | undefined,
  plan: Plan,
): readonly Trouble[] {
  const standing = refused?.troubles.filter((trouble) => stands(trouble, refused.plan, plan)) ?? [];
  const isTold = (trouble: Trouble) =>
    found.some(({ code, id, path }) => code === trouble.code && id === trouble.id && path === trouble.path);
  return [...found, ...standing.filter((trouble) => !isTold(trouble))];
}

function stands({ id, path }: Trouble, before: Plan, now: Plan): boolean {
  if (id === undefined) return same(before.steps, now.steps);
  const [was, is] = [before, now].map(({ steps }) => steps.find((step) => step.id === id));
  if (!was || !is) return false;
  return path === undefined ? same(was.fields, is.fields) : same(valueIn(was, path), valueIn(is, path));
}

const valueIn = ({ fields }: Step, path: string) => fields.find((field) => field.path === path)?.after;
const same = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);
