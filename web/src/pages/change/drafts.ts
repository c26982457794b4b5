/** What is typed, before anybody has judged it: by interconnect, by field. Only what is another value than before. */

import { type Field, fieldOf, means, type Value } from "../../../../src/file/fields.ts";
import { type Plan, type Planned, planOf } from "../../../../src/file/plan.ts";
import type { Placed, Wanted } from "../../../../src/file/reading.ts";
import type { Shown } from "../../../../src/file/shown.ts";
import type { Basis } from "./basis.ts";

export type Draft = ReadonlyMap<string, Value>;
export type Drafts = ReadonlyMap<string, Draft>;

export const noDrafts: Drafts = new Map();
export const noPlan: Plan = { steps: [], total: 0, named: 0 };

/** Sets a field of several interconnects; a value that is there already is no draft. */
export function draft(drafts: Drafts, of: readonly Shown[], path: string, value: Value): Drafts {
  const field = fieldOf(path);
  if (!field) return drafts;
  const after = new Map(drafts);
  for (const shown of of) {
    const fields = new Map(after.get(shown.id));
    if (isAsBefore(field, value, shown.fields.get(path))) fields.delete(path);
    else fields.set(path, value);
    if (fields.size === 0) after.delete(shown.id);
    else after.set(shown.id, fields);
  }
  return after;
}

/** A number that is not there is typed as nothing. */
function isAsBefore(field: Field, value: Value, before: Value | undefined): boolean {
  return (value === "" && before === undefined) || means(field, value, before);
}

/** Takes a field of an interconnect back to what it is. */
export function undraft(drafts: Drafts, id: string, path: string): Drafts {
  const fields = new Map(drafts.get(id));
  fields.delete(path);
  const after = new Map(drafts);
  if (fields.size === 0) after.delete(id);
  else after.set(id, fields);
  return after;
}

/** The value as it is typed, or else as it is. */
export function typedValue(drafts: Drafts, shown: Shown, path: string): Value | undefined {
  return drafts.get(shown.id)?.get(path) ?? shown.fields.get(path) ?? fieldOf(path)?.absent;
}

/** The plan that the drafts make, in the account's order. Of an interconnect that is gone there is none any more. */
export function planOfDrafts(drafts: Drafts, { interconnects }: Pick<Basis, "interconnects">): Planned {
  const wanted = interconnects.flatMap(({ id, name }): Wanted[] => {
    const fields = drafts.get(id);
    if (!fields) return [];
    const placed = [...fields].map(([path, value]): [string, Placed] => [path, { value, place: path }]);
    return [{ name, place: id, id: { value: id, place: id }, fields: new Map(placed) }];
  });
  return planOf(wanted, interconnects);
}

export function countFields({ steps }: Plan): number {
  return steps.reduce((sum, { fields }) => sum + fields.length, 0);
}
