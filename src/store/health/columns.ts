/** Minutes and transitions as whole numbers: what there is millions of takes little room. */

import type { HeardTransition, Measured } from "../../account/health/known-edge.ts";
import type { HealthState } from "../../contract/health.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Names of columns of a minute, after the account's, the interconnect's and the edge's. */
export const MEASURED = ["sent", "lost", "least", "median", "p99", "jitter"] as const;

/** The hour of a time, since 1970. Minutes are kept by it, so that those of one time lie together. */
export function hourOf(time: number): number {
  return Math.floor(time / HOUR);
}

export function minuteOf(time: number): number {
  return Math.floor((time % HOUR) / MINUTE);
}

/** Round trips in whole microseconds; `null` where none came back. */
export function columnsOf({ sent, lost, latency, jitter }: Omit<Measured, "minute">): (number | null)[] {
  const micro = (milliseconds: number | null | undefined) =>
    milliseconds === null || milliseconds === undefined ? null : Math.round(milliseconds * 1000);
  return [sent, lost, micro(latency?.min), micro(latency?.median), micro(latency?.p99), micro(jitter)];
}

export function measuredOf(row: Readonly<Record<string, unknown>>): Measured {
  const number = (column: string) => Number(row[column]);
  const milli = (column: string) => number(column) / 1000;
  const isNull = (column: string) => row[column] === null;
  return {
    minute: number("hour") * HOUR + number("minute") * MINUTE,
    sent: number("sent"),
    lost: number("lost"),
    latency: isNull("least") ? null : { min: milli("least"), median: milli("median"), p99: milli("p99") },
    jitter: isNull("jitter") ? null : milli("jitter"),
  };
}

const STATES = ["healthy", "degraded", "down"] as const satisfies readonly HealthState[];

/** -1 where there is none. */
export function numberOfState(state: HealthState | null): number {
  return state === null ? -1 : STATES.indexOf(state);
}

export function transitionOf(row: Readonly<Record<string, unknown>>, interconnect: string): HeardTransition {
  return {
    interconnect,
    time: Number(row["time"]),
    from: STATES[Number(row["was"])] ?? null,
    to: STATES[Number(row["became"])] ?? "down",
    reason: String(row["reason"]),
  };
}
