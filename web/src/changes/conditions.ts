/** Why a change is made, until when it is to be confirmed, and what takes it back before: as typed, and as the API wants it. */

import { CONFIRM_BOUNDS } from "../../../src/contract/parameters.ts";

export type RevertOn = "down" | "degraded";

export interface Conditions {
  /** Empty: none. */
  readonly reason: string;
  /** Seconds; without them it is made for good. */
  readonly confirmWithin: number | undefined;
  readonly revertOn: RevertOn | undefined;
}

/** As it is being typed. */
export interface ConditionsDraft {
  readonly reason: string;
  /** Empty: it is made for good. */
  readonly minutes: string;
  readonly revertOn: RevertOn | "";
  /** What is wrong with the minutes. */
  readonly problem?: string | undefined;
}

export const hasTimer = ({ minutes }: ConditionsDraft): boolean => minutes.trim() !== "";

/** A sentence if the minutes are none. */
export function readConditions({ reason, minutes, revertOn }: ConditionsDraft): Conditions | string {
  const confirmWithin = readMinutes(minutes);
  if (typeof confirmWithin === "string") return confirmWithin;
  return { reason: reason.trim(), confirmWithin, revertOn: revertOn === "" ? undefined : revertOn };
}

/** Seconds; `undefined` if it is empty, a sentence if it is none. */
function readMinutes(text: string): number | string | undefined {
  if (text.trim() === "") return undefined;
  const seconds = Math.round(Number(text.replace(",", ".")) * 60);
  const { least, most } = CONFIRM_BOUNDS;
  if (seconds >= least && seconds <= most) return seconds;
  return `It is a number of minutes, at most ${most / 60}. Leave it empty to change without a timer.`;
}

/** The headers of a change that tell them. */
export function conditionHeaders({ reason, confirmWithin, revertOn }: Conditions): Record<string, string> {
  return {
    ...(reason !== "" && { "x-patchbay-reason": inBytes(reason) }),
    ...(confirmWithin !== undefined && { "x-patchbay-confirm-within": String(confirmWithin) }),
    ...(confirmWithin !== undefined && revertOn && { "x-patchbay-revert-on": revertOn }),
  };
}

/** A header of a browser holds bytes alone: each byte of UTF-8 as a character. */
function inBytes(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join("");
}
