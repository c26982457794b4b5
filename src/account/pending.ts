/**
 * The change that waits to be confirmed. It is one object of the account, made by the change itself: so it
 * becomes durable with it, and whoever removes it first, by confirming or by undoing, has decided.
 */

import { type Problem, problem } from "../contract/errors.ts";
import type { Actor } from "../contract/log.ts";
import type { Entry, Kind, Slot, State } from "./state.ts";

export type PendingDoc = {
  /** Of the change that waits. */
  readonly revision: number;
  /** RFC 3339, UTC. At this time the change is undone, unless it was confirmed before. */
  readonly confirm_by: string;
  readonly actor: Actor;
  readonly reason?: string;
  /** It is undone as well once what it touched is reported so. */
  readonly revert_on?: RevertOn;
};

export type RevertOn = "down" | "degraded";

/** There is at most one, under this identifier. */
export const PENDING_ID = "pending_change";

export const pendingKind: Kind = {
  name: "pending_change",
  claims: {},
  conflict: () => ({ name: "invalid_seed", values: { detail: "An account has one pending change." } }),
  stamped: false,
  nameOf: () => undefined,
  masked: [],
};

/** The document of the entry. Only this kind's rules write it, so its form is known. */
export function pendingDocOf(entry: Entry): PendingDoc {
  return entry.doc as PendingDoc;
}

function documentOf(entry: Entry | undefined): PendingDoc | undefined {
  return entry && pendingDocOf(entry);
}

/** The slot in which it stands, or would. */
export function pendingSlot(state: State): Slot {
  return state.slotFor(pendingKind.name, PENDING_ID);
}

/** What waits, for decisions. */
export function pendingOf(state: State): PendingDoc | undefined {
  return documentOf(state.newest(pendingKind.name, PENDING_ID)?.entry);
}

/** What waits, as it is durable. */
export function durablePending(state: State): PendingDoc | undefined {
  return documentOf(state.get(pendingKind.name, PENDING_ID));
}

/** What waits, as `/state` tells it. */
export function pendingView({ revision, confirm_by, actor, reason, revert_on }: PendingDoc) {
  return { revision, confirm_by, actor, reason, revert_on };
}

/** Has its time come? Both times in UTC, to the millisecond at least. */
export function isDue({ confirm_by }: PendingDoc, time: string): boolean {
  return Date.parse(confirm_by) <= Date.parse(time);
}

/** Why another change has to wait. */
export function refusalOf({ revision, confirm_by, actor, reason }: PendingDoc, time: string): Problem {
  const seconds = Math.max(0, Math.ceil((Date.parse(confirm_by) - Date.parse(time)) / 1000));
  return problem("change_pending", {
    revision,
    who: `${actor.type} ${actor.name}`,
    until: confirm_by,
    seconds,
    why: reason === undefined ? "" : ` (${reason})`,
  });
}
