/** How long a change waits for its confirmation, in all commands that say so. */

import { CommandFailure } from "../failure.ts";

/** Seconds, as servers take them. */
const LEAST = 5;
const MOST = 86_400;
const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

/**
 * Seconds of `30s`, `5m` or `1h30m`. A bare number is refused: routers that know the same take it for minutes, servers
 * for seconds. Throws `CommandFailure`.
 */
export function readSeconds(what: string, text: string): number {
  const parts = [...text.matchAll(/(\d{1,6})([smh])/g)];
  const seconds = parts.reduce((sum, [, digits, unit = ""]) => sum + Number(digits) * (UNITS[unit] ?? 0), 0);
  const whole = parts.map(([part]) => part).join("") === text;
  if (whole && seconds >= LEAST && seconds <= MOST) return seconds;
  throw new CommandFailure(
    `${what} is a time such as 30s, 5m or 1h30m, from 5s to 24h, not ${JSON.stringify(text)}.`,
  );
}

export function readConfirmWithin(text: string | undefined): number | undefined {
  return text === undefined ? undefined : readSeconds("--confirm-within", text);
}

/** What undoes a change before its time. Throws `CommandFailure` for another word, and where nothing waits. */
export function readRevertOn(
  text: string | undefined,
  confirmWithin: string | undefined,
): "down" | "degraded" | undefined {
  if (text === undefined) return undefined;
  if (text !== "down" && text !== "degraded")
    throw new CommandFailure(`--revert-on is down or degraded, not ${JSON.stringify(text)}.`);
  if (confirmWithin !== undefined) return text;
  throw new CommandFailure(
    "--revert-on needs --confirm-within: the time for which the change waits at most.",
    {
      advice: `Give both, such as --confirm-within 5m --revert-on ${text}.`,
    },
  );
}

/** The headers that say how long a change waits, and what undoes it before. */
export function waitHeaders(
  seconds: number | undefined,
  revertOn: string | undefined,
): Readonly<Record<string, string>> {
  return {
    ...(seconds === undefined ? {} : { "x-patchbay-confirm-within": String(seconds) }),
    ...(revertOn === undefined ? {} : { "x-patchbay-revert-on": revertOn }),
  };
}

/** The code with which a server says that health decides nothing about a change. */
export const UNWATCHED = 990912;

/** `4:05`, `1:00:00`. */
export function remaining(milliseconds: number): string {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const tail = `:${String(rest).padStart(2, "0")}`;
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, "0")}${tail}` : `${minutes}${tail}`;
}
