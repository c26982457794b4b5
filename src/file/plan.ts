/** What a file would change of an account: the fewest fields, and what would put them back. */

import { formatAddress4, otherHost, type Prefix4, parsePrefix4 } from "../contract/addresses.ts";
import { didYouMean } from "../contract/similar.ts";
import { FIELDS, fieldOf, means, nested, type Value } from "./fields.ts";
import type { PlacedFields, Wanted } from "./reading.ts";
import type { Shown } from "./shown.ts";
import type { Told } from "./told.ts";

/** One field before and after. */
export interface FieldStep {
  readonly path: string;
  /** `undefined` where it is not shown. */
  readonly before: Value | undefined;
  readonly after: Value;
  /** Where it is asked for. Absent where the change follows from another, and is not sent. */
  readonly place?: string;
}

/** What changes of one interconnect. */
export interface Step {
  readonly id: string;
  /** Before the change. */
  readonly name: string;
  readonly place: string;
  readonly fields: readonly FieldStep[];
}

export interface Plan {
  readonly steps: readonly Step[];
  /** Interconnects of the account, and those that the plan speaks of. */
  readonly total: number;
  readonly named: number;
}

export type Planned =
  | { readonly ok: true; readonly plan: Plan }
  | { readonly ok: false; readonly problems: Told[] };

/** The plan, or what the file says of interconnects that are not there. */
export function planOf(wanted: readonly Wanted[], interconnects: readonly Shown[]): Planned {
  const find = finder(interconnects);
  const problems: Told[] = [];
  const steps: Step[] = [];
  const seen = new Map<string, Wanted>();
  for (const one of wanted) {
    const found = find(one);
    if (typeof found === "string") {
      problems.push({ message: found, place: one.id?.place ?? one.place });
      continue;
    }
    const before = seen.get(found.id);
    if (before) {
      const message = `${one.name} is the interconnect that ${before.name} is as well (${before.place})`;
      problems.push({ message, place: one.place });
      continue;
    }
    seen.set(found.id, one);
    problems.push(...wrongEnds(one, found));
    const fields = stepsOf(one, found);
    if (fields.length > 0) steps.push({ id: found.id, name: found.name, place: one.place, fields });
  }
  if (problems.length > 0) return { ok: false, problems };
  return { ok: true, plan: { steps, total: interconnects.length, named: wanted.length } };
}

/**
 * Finds an interconnect by its id, its name, or the new name that the file gives it: so that a file still fits once
 * it was applied.
 */
function finder(interconnects: readonly Shown[]): (wanted: Wanted) => Shown | string {
  const byId = new Map(interconnects.map((one) => [one.id, one]));
  const byName = new Map(interconnects.map((one) => [one.name, one]));
  const names = [...byName.keys()];
  return ({ name, id, fields }) => {
    const renamed = fields.get("name")?.value;
    if (id !== undefined) {
      const found = byId.get(id.value);
      if (!found) return `There is no interconnect with the id ${id.value}`;
      if (found.name === name || renamed !== undefined) return found;
      return `${id.value} is called ${found.name}, not ${name}: correct one of them, or give the new name as name`;
    }
    const found = byName.get(name) ?? (typeof renamed === "string" ? byName.get(renamed) : undefined);
    return found ?? unknownName(name, names);
  };
}

/** What to say of a name that is not there, with the nearest that is. */
export function unknownName(name: string, names: readonly string[]): string {
  const hint = names.length === 0 ? " The account has none." : didYouMean(name, names);
  return `There is no interconnect ${name}.${hint.startsWith(" Known:") && names.length > 10 ? "" : hint}`;
}

function stepsOf({ fields }: Wanted, shown: Shown): FieldStep[] {
  const steps = FIELDS.flatMap((field): FieldStep[] => {
    const wanted = fields.get(field.path);
    const before = shown.fields.get(field.path);
    if (!wanted || means(field, wanted.value, before) || derivedEnd(field.path, shown, fields) !== undefined)
      return [];
    return [{ path: field.path, before, after: wanted.value, place: wanted.place }];
  });
  return [...steps, ...following(steps, shown.fields)];
}

const ENDS: Readonly<Record<string, (link: Prefix4) => string>> = {
  "bgp.cloudflare_endpoint": ({ address }) => formatAddress4(address),
  "bgp.customer_endpoint": otherHost,
};

/**
 * In version 1.5 the endpoints are those of the interconnect's address. To say so changes nothing; to say something else
 * would never come true.
 */
function derivedEnd(path: string, { raw, fields }: Shown, wanted: PlacedFields): string | undefined {
  const end = ENDS[path];
  if (!end || raw["version"] !== "1.5") return undefined;
  const address = wanted.get("interface_address")?.value ?? fields.get("interface_address");
  const link = typeof address === "string" ? parsePrefix4(address) : undefined;
  return link && end(link);
}

function wrongEnds({ name, fields }: Wanted, shown: Shown): Told[] {
  return Object.keys(ENDS).flatMap((path) => {
    const wanted = fields.get(path);
    const derived = derivedEnd(path, shown, fields);
    if (!wanted || derived === undefined || wanted.value === derived) return [];
    const message = `${name}: ${path} follows from interface_address in version 1.5, and is ${derived}: leave it out`;
    return [{ message, place: wanted.place }];
  });
}

/** A check that is made unidirectional loses its source: the vendor clears it, and refuses one that is sent with it. */
function following(steps: readonly FieldStep[], before: ReadonlyMap<string, Value>): FieldStep[] {
  const turned = steps.some(
    ({ path, after }) => path === "health_check.direction" && after === "unidirectional",
  );
  const source = before.get("health_check.source");
  if (!turned || source === undefined || source === "") return [];
  if (steps.some(({ path }) => path === "health_check.source")) return [];
  return [{ path: "health_check.source", before: source, after: "" }];
}

/** An element of a bulk update, its target in the form that `x-magic-new-hc-target: true` wants. */
export type Update = Readonly<Record<string, unknown>> & { readonly id: string };

export function updateOf({ id, fields }: Step): Update {
  const turned = fields.some(
    ({ path, after }) => path === "health_check.direction" && after === "unidirectional",
  );
  // A source goes with the direction; one that is wanted all the same is for the server to refuse.
  const goes = ({ path, after }: FieldStep) => turned && path === "health_check.source" && after === "";
  const sent = fields.filter((field) => field.place !== undefined && !goes(field));
  const update = nested(sent.map(({ path, after }) => [path, after]));
  const check = Object(update["health_check"]);
  return typeof check.target === "string"
    ? { id, ...update, health_check: { ...check, target: { saved: check.target } } }
    : { id, ...update };
}

/**
 * The plan that puts everything back, and the fields for which there is none: an update cannot say that a number, or
 * an address without which there is no tunnel, is to be absent again.
 */
export function inverseOf(plan: Plan): { readonly plan: Plan; readonly lost: readonly string[] } {
  const lost: string[] = [];
  const steps = plan.steps.map((step): Step => {
    const renamed = step.fields.find(({ path }) => path === "name")?.after;
    const name = typeof renamed === "string" ? renamed : step.name;
    const fields = step.fields.flatMap(({ path, before, after }): FieldStep[] => {
      const back = before ?? fieldOf(path)?.absent;
      if (back !== undefined) return [{ path, before: after, after: back, place: step.place }];
      lost.push(`${path} of ${step.name}`);
      return [];
    });
    return { ...step, name, fields };
  });
  return { plan: { ...plan, steps: steps.filter(({ fields }) => fields.length > 0) }, lost };
}
