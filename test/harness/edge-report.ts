/** Reports as an edge sends them, and what comes of them. */

import type { HealthReport, HealthState, Minute, Transition } from "../../src/contract/health.ts";
import { ORD, OWN, type Reply, type TestServer } from "./server.ts";

export const EDGE_TOKEN = "demo-patchbay-edge-token-000000000000000";

export const HEALTH = `${OWN}/health`;

/** A report of a provider edge that has nothing to say, but for what is said. */
export function reportOf(said: Partial<HealthReport> = {}): HealthReport {
  return {
    edge: "ord-1",
    site: "ord",
    role: "provider",
    driver: "kernel",
    version: "0.1.0",
    configuration: { status: "applied", epoch: "none", revision: 0, problems: [] },
    transitions: [],
    minutes: [],
    ports: [],
    ...said,
  };
}

export function currentOf(
  state: HealthState,
  since: string,
  interconnect: string = ORD,
): NonNullable<HealthReport["states"]>[number] {
  return { interconnect, state, since, reason: `it is ${state}` };
}

export function transitionOf(
  to: HealthState,
  time: string,
  { from = null, interconnect = ORD }: Partial<Transition> = {},
): Transition {
  return { interconnect, time, from, to, reason: `it became ${to}` };
}

export function minuteOf(minute: string, said: Partial<Minute> = {}): Minute {
  const latency = { min: 0.42, median: 0.51, p99: 1.9 };
  return { interconnect: ORD, minute, sent: 6, lost: 1, latency, jitter: 0.08, ...said };
}

/** Sends a report as the edge does. */
export function report(
  server: Pick<TestServer, "ask">,
  said: Partial<HealthReport> = {},
  token: string = EDGE_TOKEN,
): Promise<Reply> {
  return server.ask("POST", `${HEALTH}/reports`, { body: reportOf(said), token });
}
