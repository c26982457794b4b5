/** How long a change waits for its confirmation. */

import { CommandFailure } from "../failure.ts";

/** Seconds, as servers take them. */
const LEAST = 5;
const MOST = 86_400;
const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

/** Seconds of `30s`, `5m` or `2h`. Throws `CommandFailure`. */
export function readConfirmWithin(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const [, digits = "", unit = ""] = /^(\d{1,6})([smh])$/.exec(text) ?? [];
  const seconds = Number(digits) * (UNITS[unit] ?? 0);
  if (seconds >= LEAST && seconds <= MOST) return seconds;
  throw new CommandFailure(`--confirm-within takes 30s, 5m or 2h, from 5s to 24h, not ${text}.`);
}

/** `4:05`, `1:00:00`. */
export function remaining(milliseconds: number): string {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const tail = `:${String(rest).padStart(2, "0")}`;
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, "0")}${tail}` : `${minutes}${tail}`;
}
