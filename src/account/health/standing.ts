/**
 * What is known of an interconnect by what its edges tell: the worst that a provider edge says, of those that
 * were heard of lately. What nobody tells, or nobody lately, is unknown and never healthy.
 */

import {
  type AccountHealth,
  type InterconnectHealth,
  type ShownEdge,
  type ShownMinute,
  type ShownState,
  STALE_AFTER,
} from "../../contract/health.ts";
import { interconnectOf } from "../interconnect.ts";
import type { Entry, State } from "../state.ts";
import type { KnownEdge, Measured } from "./known-edge.ts";

/** The worse, the higher. */
const SEVERITY: Readonly<Record<Exclude<ShownState, "unknown">, number>> = {
  healthy: 0,
  degraded: 1,
  down: 2,
};

export function isAtOrBelow(state: keyof typeof SEVERITY, threshold: keyof typeof SEVERITY): boolean {
  return SEVERITY[state] >= SEVERITY[threshold];
}

/** Does what an edge said count no more? `now` in milliseconds since 1970, by the server's clock. */
export function isStale({ seen }: Pick<KnownEdge, "seen">, now: number): boolean {
  return now - seen > STALE_AFTER * 1000;
}

export function silenceOf({ edge, seen }: Pick<KnownEdge, "edge" | "seen">, now: number): string {
  return `edge ${edge} has not reported for ${Math.floor((now - seen) / 1000)} s`;
}

export function showTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

/** Health of an account, but for its interconnects. */
export function accountHealth(
  state: State,
  edges: readonly KnownEdge[],
  now: number,
): Omit<AccountHealth, "interconnects"> {
  return {
    time: showTime(now),
    epoch: state.epoch,
    revision: state.durable,
    edges: edges.map((edge) => showEdge(edge, state, now)),
  };
}

function showEdge(known: KnownEdge, { epoch, durable }: State, now: number): ShownEdge {
  const { edge, site, role, driver, version, seen, configuration } = known;
  // Whatever it is told to be, it is of an account that has moved on.
  const isBehind = configuration.epoch !== epoch || configuration.revision < durable;
  return {
    edge,
    site,
    role,
    driver,
    version,
    seen_on: showTime(seen),
    stale: isStale(known, now),
    configuration: isBehind ? { ...configuration, status: "modified" } : configuration,
  };
}

/** Health of one interconnect. */
export function healthOf(entry: Entry, edges: readonly KnownEdge[], now: number): InterconnectHealth {
  const { name, health_check } = interconnectOf(entry);
  const watching = edges.filter(({ watched }) => {
    const told = watched.get(entry.id);
    return told?.current !== undefined || told?.minute !== undefined;
  });
  const of = { id: entry.id, name };
  const shown = watching.map((edge) => atEdge(edge, entry.id, now));
  if (!health_check.enabled)
    return { ...of, state: "unknown", since: null, reason: "health checks are off", edges: shown };
  let worst: (typeof shown)[number] | undefined;
  for (const one of shown) {
    if (one.role !== "provider" || one.state === "unknown") continue;
    if (!worst || worst.state === "unknown" || SEVERITY[one.state] > SEVERITY[worst.state]) worst = one;
  }
  if (worst) {
    const { state, since, reason } = worst;
    return { ...of, state, since, reason, edges: shown };
  }
  return { ...of, state: "unknown", since: null, reason: whyUnknown(watching, now), edges: shown };
}

function whyUnknown(watching: readonly KnownEdge[], now: number): string {
  const [last] = watching
    .filter(({ role }) => role === "provider")
    .toSorted((one, other) => other.seen - one.seen);
  if (!last || !isStale(last, now)) return "no provider edge reports it";
  return silenceOf(last, now);
}

function atEdge(known: KnownEdge, interconnect: string, now: number): InterconnectHealth["edges"][number] {
  const { edge, site, role, watched } = known;
  const told = watched.get(interconnect);
  const minute = told?.minute;
  const of = { edge, site, role, last_minute: minute ? showMeasured(minute) : null };
  const current = told?.current;
  if (isStale(known, now))
    return { ...of, state: "unknown", since: current?.since ?? null, reason: silenceOf(known, now) };
  if (!current) return { ...of, state: "unknown", since: null, reason: "it does not tell the state" };
  const { edge: at, site: where, role: as, last_minute } = of;
  const { state, since, reason } = current;
  return { edge: at, site: where, role: as, state, since, reason, last_minute };
}

/** A minute as it is shown, without the edge. */
export function showMeasured({ minute, sent, lost, latency, jitter }: Measured): Omit<ShownMinute, "edge"> {
  return { minute: showTime(minute), sent, lost, latency, jitter };
}
