/** The account's static routes as routes of this machine, and those that lead to the other end of tunnels. */

import { contains, formatPrefix, network, parseHost, parsePrefix } from "../../contract/addresses.ts";
import type { HealthState } from "../../contract/health.ts";
import type { EdgeAccount, EdgeInterconnect, EdgeRoute } from "../account.ts";
import type { EdgeConfig, Role } from "../config.ts";
import { mappedDevice } from "../devices.ts";
import { penaltyOf } from "../health/penalty.ts";
import type { NextHop, Realised, Route } from "./desired.ts";
import { linkEnds } from "./ends.ts";

/** The kernel's table where nothing else is said. */
export const MAIN_TABLE = 254;
const HIGHEST_METRIC = 0xffff_ffff;

/**
 * Routes whose next hop is the customer's end of an interconnect, where their scope counts. The priority is the metric,
 * so that the lowest wins; those of equal prefix and priority share the traffic by their weights.
 */
export function staticRoutes(
  account: EdgeAccount,
  config: EdgeConfig,
  interconnects: ReadonlyMap<string, Realised>,
  states: ReadonlyMap<string, HealthState>,
): Route[] {
  const byEnd = new Map<string, Realised>();
  for (const interconnect of interconnects.values()) {
    byEnd.set(interconnect.ends.theirs, interconnect);
    if (interconnect.ends6) byEnd.set(interconnect.ends6.theirs, interconnect);
  }
  const routes = new Map<string, Route>();
  for (const route of account.routes) {
    const over = byEnd.get(route.nexthop);
    const prefix = parsePrefix(route.prefix);
    if (!over || !prefix || !counts(route, config)) continue;
    const metric = Math.min(route.priority + penaltyOf(states.get(over.id)), HIGHEST_METRIC);
    const hop = { via: route.nexthop, device: over.device, weight: route.weight ?? 1 };
    add(routes, {
      family: prefix.family,
      table: MAIN_TABLE,
      prefix: formatPrefix(network(prefix)),
      // A metric of 0 would be the kernel's default of 1024 in IPv6.
      metric: prefix.family === 6 ? Math.max(metric, 1) : metric,
      hops: [hop],
      interconnects: [over.id],
    });
  }
  return [...routes.values()];
}

function counts({ colos, regions }: EdgeRoute, { site, region }: EdgeConfig): boolean {
  if (colos.length === 0 && regions.length === 0) return true;
  return colos.includes(site) || (region !== undefined && regions.includes(region));
}

/**
 * As the customer: the provider's end of each tunnel is reached over the link below it, where that is a port of this
 * machine. Links to one endpoint share it, each tunnel keeping to one of them.
 */
export function endpointRoutes(
  interconnects: readonly EdgeInterconnect[],
  config: EdgeConfig,
  role: Role,
): Route[] {
  const routes = new Map<string, Route>();
  for (const interconnect of interconnects) {
    const device = mappedDevice(interconnect, config);
    const ends = linkEnds(interconnect, role);
    const host = parseHost(interconnect.greEndpoint ?? "");
    const link = parsePrefix(interconnect.link?.provider ?? "");
    if (role !== "customer" || device === undefined || !ends || !host) continue;
    if (link && contains(link, host)) continue;
    add(routes, {
      family: host.family,
      table: MAIN_TABLE,
      prefix: formatPrefix(host),
      metric: host.family === 6 ? 1 : 0,
      hops: [{ via: ends.theirs, device, weight: 1 }],
      interconnects: [interconnect.id],
    });
  }
  return [...routes.values()];
}

/** Next hops of one route: `ip` reads at most 512 words of a line, and more ways than these share nothing out better. */
export const MOST_HOPS = 64;

/** One more way for the same prefix and metric is one more next hop. */
function add(routes: Map<string, Route>, route: Route): void {
  const key = routeKey(route);
  const other = routes.get(key);
  if (!other) {
    routes.set(key, route);
    return;
  }
  const hops =
    other.hops.length >= MOST_HOPS
      ? other.hops
      : [...other.hops, ...route.hops.filter((hop) => !other.hops.some((known) => sameHop(known, hop)))];
  routes.set(key, { ...other, hops, interconnects: [...other.interconnects, ...route.interconnects] });
}

/** What the kernel tells one route from another by. */
export function routeKey({ table, prefix, metric }: Pick<Route, "table" | "prefix" | "metric">): string {
  return `${table} ${prefix} ${metric}`;
}

function sameHop(one: NextHop, other: NextHop): boolean {
  return one.via === other.via && one.device === other.device;
}
