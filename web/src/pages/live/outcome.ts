/** What became of a change, as the log tells it. */

import type { Actor, ChangeRecord } from "../../../../src/contract/log.ts";

export type Outcome =
  /** It never waited. */
  | { readonly what: "made" }
  | { readonly what: "waiting"; readonly confirmBy: string; readonly revertOn: string | undefined }
  | { readonly what: "confirmed"; readonly by: Actor; readonly time: string; readonly revision: number }
  | { readonly what: "undone"; readonly by: Actor; readonly time: string; readonly revision: number };

type Record_ = Pick<ChangeRecord, "revision" | "time" | "actor" | "objects" | "reverts">;

/** `after` is what came after it, oldest first. */
export function outcomeOf(change: Record_, after: readonly Record_[]): Outcome {
  let outcome = beginning(change);
  for (const record of after) {
    const { actor: by, time, revision } = record;
    if (record.reverts === change.revision) outcome = { what: "undone", by, time, revision };
    else if (outcome.what !== "waiting") continue;
    const pending = pendingIn(record);
    if (outcome.what !== "waiting" || !pending) continue;
    if (pending.action === "delete") outcome = { what: "confirmed", by, time, revision };
    else outcome = { ...outcome, confirmBy: textOf(pending, "confirm_by") ?? outcome.confirmBy };
  }
  return outcome;
}

function beginning(change: Record_): Outcome {
  const pending = pendingIn(change);
  const confirmBy = pending && textOf(pending, "confirm_by");
  return pending && confirmBy !== undefined
    ? { what: "waiting", confirmBy, revertOn: textOf(pending, "revert_on") }
    : { what: "made" };
}

type ObjectChange = ChangeRecord["objects"][number];

function pendingIn({ objects }: Record_): ObjectChange | undefined {
  return objects.find(({ kind }) => kind === "pending_change");
}

function textOf({ fields }: ObjectChange, path: string): string | undefined {
  const after = fields[path]?.after;
  return typeof after === "string" ? after : undefined;
}

/** `token everything`, or what Patchbay itself was doing. */
export function tellActor({ type, id, name }: Actor): string {
  if (type !== "system") return `${type} ${name}`;
  if (id === "health") return `health: ${name}`;
  return name;
}
