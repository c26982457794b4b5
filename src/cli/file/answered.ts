/** What a server says that it made, against what was asked of it. */

import { fieldOf, means } from "../../file/fields.ts";
import type { Plan } from "../../file/plan.ts";
import { member } from "../../file/shown.ts";
import type { Told } from "../failure.ts";
import { readInterconnects } from "./account.ts";
import { valueWords } from "./words.ts";

/**
 * What the answer to an update of many shows otherwise than the plan has it. The vendor does not publish the body of that
 * call, so a server may take one, answer 200 and pass over what is in it. An answer that shows nothing tells nothing.
 */
export function otherwise({ steps }: Plan, result: unknown): Told[] {
  const modified = member(result, "modified_interconnects");
  if (!Array.isArray(modified)) return [];
  const known = modified.filter(
    (one) => typeof member(one, "id") === "string" && typeof member(one, "name") === "string",
  );
  const shown = new Map(readInterconnects(known).map((one) => [one.id, one]));
  return steps.flatMap(({ id, name, place, fields }): Told[] => {
    const one = shown.get(id);
    if (!one) return [{ place, message: `${name} is not among what the server says it modified` }];
    return fields.flatMap((step): Told[] => {
      const field = fieldOf(step.path);
      const is = one.fields.get(step.path);
      if (!field || field.secret || means(field, is, step.after)) return [];
      const message = `${name}: ${step.path} is ${valueWords(field, is)}, not ${valueWords(field, step.after)}`;
      return [{ place: step.place ?? place, message }];
    });
  });
}
