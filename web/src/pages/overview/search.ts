/** What the overview's address says: which interconnects are shown, in which order. */

import type { ShownState } from "../../../../src/contract/health.ts";

export const columns = ["name", "state", "site", "address", "mtu", "latency", "loss", "changed"] as const;
export type Column = (typeof columns)[number];

export const states = ["down", "degraded", "healthy", "unknown"] as const satisfies readonly ShownState[];

export interface OverviewSearch {
  /** Words that all must be found. */
  readonly q?: string;
  /** States, with commas between. */
  readonly state?: string;
  readonly site?: string;
  /** A column, with `-` before it the other way round. */
  readonly sort?: string;
}

/** Takes what it knows of an address and drops the rest. */
export function readOverviewSearch(search: Readonly<Record<string, unknown>>): OverviewSearch {
  const { q, state, site, sort } = search;
  const shown = typeof state === "string" ? statesIn(state) : [];
  return {
    ...(typeof q === "string" && q !== "" && { q }),
    ...(shown.length > 0 && { state: shown.join(",") }),
    ...(typeof site === "string" && site !== "" && { site }),
    ...(typeof sort === "string" && orderIn(sort) && { sort }),
  };
}

export function statesIn(text: string | undefined): readonly ShownState[] {
  const told = text?.split(",") ?? [];
  return states.filter((state) => told.includes(state));
}

export interface Order {
  readonly column: Column;
  readonly descending: boolean;
}

export function orderIn(text: string): Order | undefined {
  const descending = text.startsWith("-");
  const column = columns.find((one) => one === text.slice(descending ? 1 : 0));
  return column && { column, descending };
}
