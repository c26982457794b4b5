/** The picture, a panel for each site: its interconnects, and the edges that watch them. All of it pure. */

import { otherHost, parsePrefix4 } from "../../../../src/contract/addresses.ts";
import type { AccountHealth, ShownState } from "../../../../src/contract/health.ts";
import type { Row } from "../overview/rows.ts";

/** What is shown where an interconnect has no site: no site is called so. */
export const NO_SITE = "–";

export type Edge = AccountHealth["edges"][number];
export type EdgeStanding = Edge["configuration"]["status"] | "silent";

export const standingOf = ({ stale, configuration }: Edge): EdgeStanding =>
  stale ? "silent" : configuration.status;

export const standingWords: Readonly<Record<EdgeStanding, string>> = {
  applied: "has made the account real",
  modified: "is behind the account",
  error: "could not make all of it",
  silent: "was not heard of lately, so that nothing it said counts",
};

export interface WatchingEdge {
  readonly name: string;
  readonly site: string;
  readonly role: "provider" | "customer";
  /** Of how many interconnects of the panel it tells. */
  readonly tells: number;
  /** How far it is with what the account says; silent if what it says is too old to count. */
  readonly standing: EdgeStanding;
}

export interface Panel {
  readonly site: string;
  readonly rows: readonly Row[];
  readonly counts: Readonly<Record<ShownState, number>>;
  readonly edges: readonly WatchingEdge[];
}

/** In the order of their names, what has no site last. Rows keep their order. */
export function panelsOf(rows: readonly Row[], health: AccountHealth | undefined): readonly Panel[] {
  const told = new Map(health?.interconnects.map((one) => [one.id, one]));
  const standings = new Map(health?.edges.map((edge) => [edge.edge, standingOf(edge)]));
  const bySite = new Map<string, Row[]>();
  for (const row of rows) {
    const site = row.site || NO_SITE;
    const there = bySite.get(site);
    if (there) there.push(row);
    else bySite.set(site, [row]);
  }
  const sites = [...bySite].sort(([one], [other]) => {
    if (one === NO_SITE || other === NO_SITE) return one === NO_SITE ? 1 : -1;
    return one < other ? -1 : 1;
  });
  return sites.map(([site, at]) => {
    const counts = { down: 0, degraded: 0, healthy: 0, unknown: 0 };
    const edges = new Map<string, WatchingEdge>();
    for (const { id } of at) {
      const one = told.get(id);
      counts[one?.state ?? "unknown"] += 1;
      for (const { edge: name, site: where, role } of one?.edges ?? []) {
        const tells = (edges.get(name)?.tells ?? 0) + 1;
        edges.set(name, { name, site: where, role, tells, standing: standings.get(name) ?? "silent" });
      }
    }
    return { site, rows: at, counts, edges: [...edges.values()].sort(byName) };
  });
}

function byName(one: WatchingEdge, other: WatchingEdge): number {
  return one.name < other.name ? -1 : 1;
}

/** The customer's end of an interface subnet, of which the API tells the provider's. */
export function customerEnd(interfaceAddress: string): string {
  const prefix = parsePrefix4(interfaceAddress);
  return prefix ? otherHost(prefix) : "";
}
