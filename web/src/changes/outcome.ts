/** What became of changes, as later ones tell it. */

import { PENDING } from "../../../src/account/log/net.ts";
import type { Actor, ChangeRecord } from "../../../src/contract/log.ts";
import { waited } from "./words.ts";

/** What a change says of another, or of its own wait. */
export interface Mark {
  readonly revision: number;
  readonly time: string;
  readonly actor: Actor;
  readonly reverts: number | undefined;
  readonly wait: "begins" | "goes on" | "ends" | undefined;
  /** The revision whose wait ends. */
  readonly waited: number | undefined;
  readonly confirmBy: string | undefined;
  readonly revertOn: string | undefined;
}

interface End {
  readonly what: "confirmed" | "undone";
  readonly actor: Actor;
  readonly time: string;
  readonly revision: number;
}

export type Outcome =
  | { readonly what: "waiting"; readonly confirmBy: string; readonly revertOn: string | undefined }
  | End;

const waits = { create: "begins", update: "goes on", delete: "ends" } as const;

export function markOf(record: ChangeRecord): Mark | undefined {
  const { revision, time, actor, reverts } = record;
  const pending = record.objects.find(({ kind }) => kind === PENDING);
  if (!pending && reverts === undefined) return undefined;
  const text = (path: string) => {
    const after = pending?.fields[path]?.after;
    return typeof after === "string" ? after : undefined;
  };
  return {
    revision,
    time,
    actor,
    reverts,
    wait: pending && waits[pending.action],
    waited: waited(record),
    confirmBy: text("confirm_by"),
    revertOn: text("revert_on"),
  };
}

/** By revision. Of changes of which nothing is said, there is none. */
export function outcomesOf(marks: Iterable<Mark>): ReadonlyMap<number, Outcome> {
  const outcomes = new Map<number, Outcome>();
  let waiting: number | undefined;
  for (const mark of [...marks].sort((one, other) => one.revision - other.revision)) {
    const { revision, time, actor, reverts, wait, confirmBy, revertOn } = mark;
    if (reverts !== undefined) outcomes.set(reverts, { what: "undone", actor, time, revision });
    if (wait === "begins" && confirmBy !== undefined) {
      waiting = revision;
      outcomes.set(revision, { what: "waiting", confirmBy, revertOn });
    } else if (wait === "goes on" && waiting !== undefined && confirmBy !== undefined) {
      const known = outcomes.get(waiting);
      if (known?.what === "waiting") outcomes.set(waiting, { ...known, confirmBy });
    } else if (wait === "ends") {
      const ended = mark.waited ?? waiting;
      if (ended !== undefined && ended !== reverts)
        outcomes.set(ended, { what: "confirmed", actor, time, revision });
      waiting = undefined;
    }
  }
  dropUndoneUndos(outcomes);
  return outcomes;
}

/** A change whose undo was undone is in force again. The newest undo counts first. */
function dropUndoneUndos(outcomes: Map<number, Outcome>): void {
  for (const [revision] of [...outcomes].sort(([one], [other]) => other - one)) {
    const outcome = outcomes.get(revision);
    if (outcome?.what === "undone" && outcomes.get(outcome.revision)?.what === "undone")
      outcomes.delete(revision);
  }
}

/** By whom or what, and why, in words. */
export function tellEnd({ what, actor }: End): string {
  if (actor.type !== "system") return `${what} by ${actor.name || actor.id}`;
  if (actor.id === "deadline") return "undone: not confirmed in time";
  return `${what} by ${actor.id}: ${actor.name}`;
}
