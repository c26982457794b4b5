/** How many interconnects of an account are in which state, counted in slices and again only once something changed. */

import type { KnownEdge } from "../../account/health/known-edge.ts";
import { healthOf, isStale } from "../../account/health/standing.ts";
import { interconnectKind } from "../../account/interconnect.ts";
import type { State } from "../../account/state.ts";
import type { InterconnectHealth, ShownState } from "../../contract/health.ts";
import { isSliceSpent, nextSlice } from "../../store/time-slice.ts";

/** Interconnects of an account that are named in metrics. Each is a time series of its own for whoever collects them. */
export const MOST_NAMED = 1_000;
export const STATES = ["healthy", "degraded", "down", "unknown"] as const satisfies readonly ShownState[];

type Counts = Record<ShownState, number>;

export interface Tally {
  readonly states: Readonly<Counts>;
  /** The first that are degraded or down. */
  readonly unwell: readonly Pick<InterconnectHealth, "id" | "name" | "state">[];
  /** By edge: those that it reports, by the state that it reports. */
  readonly edges: ReadonlyMap<string, Readonly<Counts>>;
}

interface Kept {
  readonly basis: readonly unknown[];
  readonly tally: Tally;
}

export class Tallies {
  /** By account: they go with it. */
  readonly #kept = new WeakMap<object, Kept>();

  /** `account` is the object that lives as long as the account is in memory. */
  async of(account: object, state: State, edges: readonly KnownEdge[], now: number): Promise<Tally> {
    const basis = basisOf(state, edges, now);
    const kept = this.#kept.get(account);
    if (kept && isSame(kept.basis, basis)) return kept.tally;
    const tally = await count(state, edges, now);
    this.#kept.set(account, { basis, tally });
    return tally;
  }
}

/** All that a tally depends on. An edge that reports nothing new keeps what it watches. */
function basisOf(state: State, edges: readonly KnownEdge[], now: number): unknown[] {
  const own = [state.epoch, state.collectionRevision(interconnectKind.name)];
  return [
    ...own,
    ...edges.flatMap((edge) => [edge.edge, edge.site, edge.role, edge.watched, isStale(edge, now)]),
  ];
}

function isSame(one: readonly unknown[], other: readonly unknown[]): boolean {
  return one.length === other.length && one.every((value, index) => value === other[index]);
}

async function count(state: State, edges: readonly KnownEdge[], now: number): Promise<Tally> {
  const states = none();
  const unwell: InterconnectHealth[] = [];
  const byEdge = new Map(edges.map(({ edge }) => [edge, none()]));
  for (const entry of state.list(interconnectKind.name)) {
    const health = healthOf(entry, edges, now);
    states[health.state]++;
    const isUnwell = health.state === "degraded" || health.state === "down";
    if (isUnwell && unwell.length < MOST_NAMED) unwell.push(health);
    for (const one of health.edges) {
      const counts = byEdge.get(one.edge);
      if (counts) counts[one.state]++;
    }
    if (isSliceSpent()) await nextSlice();
  }
  return { states, unwell: unwell.map(({ id, name, state }) => ({ id, name, state })), edges: byEdge };
}

function none(): Counts {
  return { healthy: 0, degraded: 0, down: 0, unknown: 0 };
}
