/** The log of changes as a Patchbay tells it, read with care: it may be an older or a newer one. */

import { CommandFailure } from "../failure.ts";

export interface FieldChange {
  readonly before?: unknown;
  readonly after?: unknown;
}

export interface ObjectChange {
  readonly kind: string;
  readonly id: string;
  readonly name?: string;
  readonly action: "create" | "update" | "delete";
  /** By dotted path. */
  readonly fields: Readonly<Record<string, FieldChange>>;
}

export interface ChangeRecord {
  readonly revision: number;
  readonly time: string;
  readonly actor: { readonly type: string; readonly id: string; readonly name: string };
  readonly operation: string;
  readonly reason?: string;
  /** The revision that this change undid. */
  readonly reverts?: number;
  /** The revision whose values this change brought back. */
  readonly restores?: number;
  readonly objects: readonly ObjectChange[];
}

export { MASK, PENDING } from "../../account/log/net.ts";

export function readRecords(result: unknown): readonly ChangeRecord[] {
  if (!Array.isArray(result)) throw unreadable();
  return result.map(readRecord);
}

export function readRecord(value: unknown): ChangeRecord {
  const { revision, time, actor, operation, objects, reason, reverts, restores } = Object(value);
  if (typeof revision !== "number" || typeof time !== "string" || !Array.isArray(objects)) throw unreadable();
  const { type, id, name } = Object(actor);
  return {
    revision,
    time,
    actor: { type: String(type ?? ""), id: String(id ?? ""), name: String(name ?? "") },
    operation: String(operation ?? ""),
    objects: objects.map(readObject),
    ...(typeof reason === "string" ? { reason } : {}),
    ...(typeof reverts === "number" ? { reverts } : {}),
    ...(typeof restores === "number" ? { restores } : {}),
  };
}

function readObject(value: unknown): ObjectChange {
  const { kind, id, name, action, fields } = Object(value);
  if (action !== "create" && action !== "update" && action !== "delete") throw unreadable();
  const read: Record<string, FieldChange> = {};
  for (const [path, change] of Object.entries<unknown>(Object(fields))) {
    const sides: Record<string, unknown> = Object(change);
    read[path] = {
      ...("before" in sides ? { before: sides["before"] } : {}),
      ...("after" in sides ? { after: sides["after"] } : {}),
    };
  }
  const told = { kind: String(kind ?? ""), id: String(id ?? ""), action, fields: read };
  return typeof name === "string" ? { ...told, name } : told;
}

function unreadable(): CommandFailure {
  return new CommandFailure("The server's log holds something that is no change.", {
    advice: "It may be of a newer release: use a patchbay of the same one.",
  });
}
