/** What a log says that there is: its records applied one after the other, by nothing but what they tell. */

import type { ChangeRecord } from "../../src/account/change.ts";

/** An object as plain JSON. */
export type Plain = Record<string, unknown>;

/** Objects of a state by `kind/id`, in the order they were made. */
export type Replay = Map<string, Plain>;

/** Carries the objects over a record. */
export function replay(objects: Replay, record: ChangeRecord): void {
  for (const { kind, id, action, fields } of record.objects) {
    const key = `${kind}/${id}`;
    if (action === "delete") {
      objects.delete(key);
      continue;
    }
    const object: Plain =
      action === "create" ? {} : structuredClone(objects.get(key) ?? missing(key, record));
    for (const [path, { after }] of Object.entries(fields)) put(object, path.split("."), after);
    if (action === "update" && "modified_on" in object) object["modified_on"] = record.time;
    objects.set(key, object);
  }
}

function missing(key: string, record: ChangeRecord): never {
  throw new Error(`The log changes ${key} at revision ${record.revision}, which it did not make.`);
}

function put(object: Plain, path: readonly string[], value: unknown): void {
  const [field, ...rest] = path;
  if (field === undefined) return;
  if (rest.length === 0) {
    if (value === undefined) delete object[field];
    else object[field] = value;
    return;
  }
  object[field] ??= {};
  const inner = object[field] as Plain;
  put(inner, rest, value);
  if (Object.keys(inner).length === 0) delete object[field];
}
