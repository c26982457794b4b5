/** The log in words. */

import { PENDING, type ToldField, type ToldObject } from "../../../src/account/log/net.ts";
import type { Actor, ChangeRecord } from "../../../src/contract/log.ts";

/** `pni_ord`, or what it is called by if it has no name. */
export const nameOf = ({ name, id }: ToldObject): string => name ?? id;

/** `updateInterconnects` as `update interconnects`. */
export function tellOperation(operation: string): string {
  return operation.replace(/[A-Z]+/g, (capital) => ` ${capital.toLowerCase()}`);
}

/** As it is filtered by and shown. */
export function tellActor({ type, id, name }: Actor): string {
  return type === "system" ? "Patchbay" : name || id;
}

/** A value as it stands in a line. */
export function tellValue(value: unknown): string {
  if (value === undefined) return "none";
  if (value === "") return "(empty)";
  if (Array.isArray(value) && value.every((one) => typeof one !== "object")) return value.join(", ");
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** All but what the log keeps for itself. */
export function settingsIn<T extends ToldObject>(objects: readonly T[]): readonly T[] {
  return objects.filter(({ kind }) => kind !== PENDING);
}

/** What a change did, in one line. */
export function tellWhat(record: ChangeRecord): string {
  const objects = settingsIn(record.objects);
  const { reverts, restores, operation, actor } = record;
  if (actor.type === "system" && actor.id === "health")
    return reverts === undefined ? `Confirmed by health: ${actor.name}` : `Undid change ${reverts}`;
  if (operation === "confirmChange") return `Confirmed change ${waited(record) ?? ""}`.trim();
  if (operation === "extendChange") return "Gave the change that waits more time";
  const told = objects.length === 0 ? "nothing of a network" : tellObjects(objects);
  if (operation === "seed") return `From the start: ${told}`;
  if (reverts !== undefined) return `Undid change ${reverts}: ${told}`;
  if (restores !== undefined) return `Back to revision ${restores}: ${told}`;
  return told;
}

/** The revision whose wait a change ended. */
export function waited({ objects }: Pick<ChangeRecord, "objects">): number | undefined {
  const before = objects.find(({ kind }) => kind === PENDING)?.fields["revision"]?.before;
  return typeof before === "number" ? before : undefined;
}

const past = { create: "created", delete: "deleted", update: "updated" } as const;

function tellObjects(objects: readonly ToldObject[]): string {
  const [first, ...more] = objects;
  if (!first) return "";
  if (more.length > 0) {
    const fields = new Set(
      objects.flatMap(({ action, fields: changed }) => (action === "update" ? Object.keys(changed) : [])),
    );
    return fields.size === 0 ? tellCounts(objects) : `${tellCounts(objects)}: ${some([...fields])}`;
  }
  if (first.action !== "update") return `${nameOf(first)} ${past[first.action]}`;
  return `${nameOf(first)}: ${tellFields(first.fields)}`;
}

/** `3 interconnects, 1 route created`: the kinds and how many of each. */
export function tellCounts(objects: readonly ToldObject[]): string {
  const counts = new Map<string, { kind: string; action: ToldObject["action"]; count: number }>();
  for (const { kind, action } of objects) {
    const key = `${kind} ${action}`;
    const known = counts.get(key) ?? { kind, action, count: 0 };
    counts.set(key, { ...known, count: known.count + 1 });
  }
  return [...counts.values()]
    .map(({ kind, action, count }) => {
      const number = count.toLocaleString("en");
      // The settings of an account are one object.
      const told = kind.endsWith("s")
        ? tellKind(kind)
        : `${number} ${tellKind(kind)}${count === 1 ? "" : "s"}`;
      return action === "update" ? told : `${told} ${past[action]}`;
    })
    .join(", ");
}

export const tellKind = (kind: string): string => kind.replaceAll("_", " ");

/** The longest two values that a line shows, in characters. */
const SHORT = 60;

function tellFields(fields: Readonly<Record<string, ToldField>>): string {
  const entries = Object.entries(fields);
  return some(
    entries.map(([path, { before, after }]) => {
      const both = `${tellValue(before)} → ${tellValue(after)}`;
      return entries.length <= 2 && both.length <= SHORT ? `${path} ${both}` : path;
    }),
  );
}

function some(words: readonly string[]): string {
  if (words.length <= 4) return words.join(", ");
  return `${words.slice(0, 3).join(", ")} and ${words.length - 3} more`;
}
