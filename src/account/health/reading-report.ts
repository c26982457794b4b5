/** From a report on the wire to what of it is kept. */

import { show } from "../../contract/check.ts";
import type { Problems } from "../../contract/errors.ts";
import { HEALTH_KEPT_DAYS, type HealthReport } from "../../contract/health.ts";
import type { Heard } from "./known-edge.ts";

const MINUTE = 60_000;
const KEPT = HEALTH_KEPT_DAYS * 24 * 60 * MINUTE;
/** How far ahead of the server's an edge's clock may be, in milliseconds. */
const AHEAD = 5 * MINUTE;

export interface Reading {
  readonly heard: Heard;
  /** Interconnects that it tells of and the account does not have. */
  readonly strange: readonly string[];
  /** Minutes and transitions that are of a time of which nothing is kept. */
  readonly untimely: number;
}

/** Reads a report that its schema admits; `has` tells which interconnects there are. Adds what is no time. */
export function readReport(
  report: HealthReport,
  has: (interconnect: string) => boolean,
  now: number,
  problems: Problems,
): Reading {
  const strange = new Set<string>();
  let untimely = 0;
  const isKnown = ({ interconnect }: { readonly interconnect: string }) => {
    if (has(interconnect)) return true;
    strange.add(interconnect);
    return false;
  };
  const isTimely = (time: number) => {
    if (time > now - KEPT && time < now + AHEAD) return true;
    untimely++;
    return false;
  };
  const read = (text: string, field: string, pointer: string) => {
    const time = Date.parse(text);
    if (Number.isNaN(time))
      problems.add("invalid_value", { field, given: show(text), expected: "a time of RFC 3339" }, pointer);
    return time;
  };
  const { states, transitions, minutes, ...about } = report;
  for (const [index, { since }] of (states ?? []).entries())
    read(since, "states.since", `/states/${index}/since`);
  const timed = {
    transitions: transitions.map((one, index) => ({
      ...one,
      time: read(one.time, "transitions.time", `/transitions/${index}/time`),
    })),
    minutes: minutes.map((one, index) => {
      const time = read(one.minute, "minutes.minute", `/minutes/${index}/minute`);
      return { ...one, minute: time - (time % MINUTE) };
    }),
  };
  if (problems.found) return { heard: { ...about, transitions: [], minutes: [] }, strange: [], untimely: 0 };
  const heard: Heard = {
    ...about,
    ...(states ? { states: states.filter(isKnown) } : {}),
    transitions: timed.transitions.filter((one) => isKnown(one) && isTimely(one.time)),
    minutes: timed.minutes.filter((one) => isKnown(one) && isTimely(one.minute)),
  };
  return { heard, strange: [...strange], untimely };
}
