/** `patchbay drift`: what two servers, or two accounts, differ in, field by field. */

import { FIELDS, means } from "../file/fields.ts";
import type { Shown } from "../file/shown.ts";
import { CommandFailure } from "./failure.ts";
import { listPath, readInterconnects, TARGETS_AS_OBJECTS } from "./file/account.ts";
import { type FieldChange, MASK, type ObjectChange } from "./log/records.ts";
import { tellChanges } from "./log/tell.ts";
import { asJson, count } from "./printable.ts";
import { findProfile } from "./profile.ts";
import { type CommandProcess, type Environment, runCommand } from "./run.ts";
import type { Common } from "./terminal.ts";

export interface DriftOptions extends Common {
  readonly fromProfile: string;
  readonly toProfile: string;
  readonly ignore?: readonly string[];
}

/** As `plan` ends where something would change. */
const DRIFT = 2;

/** Told by the server, and never written. */
const TOLD = ["version", "colo_name", "virtual_port_reservation_id"];

export function drift(options: DriftOptions, env: Environment, terminal: CommandProcess): Promise<number> {
  return runCommand(options, env, terminal, async (session) => {
    const ignored = new Set(options.ignore ?? []);
    const known = [...FIELDS.map(({ path }) => path), ...TOLD];
    for (const path of ignored) {
      if (!known.includes(path))
        throw new CommandFailure(`There is no field ${path} to ignore.`, {
          advice: `Fields: ${known.join(", ")}.`,
        });
    }
    const read = async (name: string) => {
      const api = session.apiOf(findProfile(name, env));
      const { result } = await api.call("GET", listPath(api), { headers: TARGETS_AS_OBJECTS });
      return readInterconnects(Object(result).interconnects);
    };
    const { fromProfile: from, toProfile: to } = options;
    const [one, other] = await Promise.all([read(from), read(to)]);
    const objects = differences(one, other, ignored);
    if (options.json) session.print(asJson({ success: true, from, to, objects }));
    else if (objects.length === 0)
      session.note(`${from} and ${to} do not differ: ${count(one.length, "interconnect")}.`);
    else {
      session.note(`From ${from} to ${to}:`);
      session.print(tellChanges(objects, session.colors));
      session.note(`${count(objects.length, "interconnect")} differ${objects.length === 1 ? "s" : ""}.`);
    }
    return objects.length === 0 ? 0 : DRIFT;
  });
}

/** By id, in the order of the first; what only the second has comes last. */
export function differences(
  from: readonly Shown[],
  to: readonly Shown[],
  ignored: ReadonlySet<string> = new Set(),
): readonly ObjectChange[] {
  const there = new Map(to.map((shown) => [shown.id, shown]));
  const here = new Set(from.map(({ id }) => id));
  const found = from.flatMap((one): ObjectChange[] => {
    const other = there.get(one.id);
    const { id, name } = one;
    if (!other) return [{ kind: "interconnect", id, name, action: "delete", fields: {} }];
    const fields = fieldsBetween(one, other, ignored);
    if (Object.keys(fields).length === 0) return [];
    return [{ kind: "interconnect", id, name, action: "update", fields }];
  });
  const added = to.filter(({ id }) => !here.has(id));
  return [
    ...found,
    ...added.map(
      ({ id, name }): ObjectChange => ({ kind: "interconnect", id, name, action: "create", fields: {} }),
    ),
  ];
}

function fieldsBetween(one: Shown, other: Shown, ignored: ReadonlySet<string>) {
  const fields: Record<string, FieldChange> = {};
  for (const field of FIELDS) {
    const before = one.fields.get(field.path);
    const after = other.fields.get(field.path);
    if (ignored.has(field.path) || means(field, before, after)) continue;
    const show = (value: unknown) => (field.secret && value !== undefined ? MASK : value);
    fields[field.path] = sides(show(before), show(after));
  }
  for (const path of TOLD) {
    const before = one.raw[path];
    const after = other.raw[path];
    if (!ignored.has(path) && before !== after) fields[path] = sides(before, after);
  }
  return fields;
}

function sides(before: unknown, after: unknown): FieldChange {
  return { ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) };
}
