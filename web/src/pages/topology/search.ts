/** What the address of the topology says: which interconnects are shown, and which sites are folded. */

import { readOverviewSearch } from "../overview/search.ts";

export interface TopologySearch {
  /** Words that all must be found. */
  readonly q?: string;
  /** States, with commas between. */
  readonly state?: string;
  /** Sites, with commas between. */
  readonly folded?: string;
}

/** Takes what it knows of an address and drops the rest. */
export function readTopologySearch(search: Readonly<Record<string, unknown>>): TopologySearch {
  const { q, state } = readOverviewSearch(search);
  const { folded } = search;
  return {
    ...(q !== undefined && { q }),
    ...(state !== undefined && { state }),
    ...(typeof folded === "string" && folded !== "" && { folded }),
  };
}

export function foldedIn({ folded }: TopologySearch): ReadonlySet<string> {
  return new Set(folded?.split(","));
}
