/** An account as the vendor's API tells it, as the seed of a local world with the same ids. */

import {
  contains,
  formatAddress6,
  formatPrefix,
  network,
  otherHost,
  parseAddress4,
  parsePrefix4,
  parsePrefix6,
} from "../../contract/addresses.ts";
import { FIELDS, nested } from "../../file/fields.ts";
import type { Shown } from "../../file/shown.ts";

type Members = Readonly<Record<string, unknown>>;

export interface SeedAccount {
  readonly id: string;
  readonly name: string;
  readonly flags?: readonly string[];
  readonly authorized_prefixes?: readonly string[];
  readonly virtual_subnet6?: string;
  readonly interconnects: readonly Members[];
  readonly routes: readonly Members[];
}

export interface Copied {
  readonly account: SeedAccount;
  /** Names of interconnects whose BGP key was left out. */
  readonly withoutKey: readonly string[];
}

export function seedAccount(
  id: string,
  name: string,
  interconnects: readonly Shown[],
  routes: readonly Members[],
  keys: boolean,
): Copied {
  const withoutKey = keys
    ? []
    : interconnects.filter(({ fields }) => fields.get("bgp.md5_key")).map((one) => one.name);
  const authorized = authorizedPrefixes(interconnects);
  const virtual = virtualSubnet(interconnects);
  const returns = interconnects.some(({ fields }) => fields.get("automatic_return_routing") === true);
  const account = {
    id,
    name,
    ...(returns ? { flags: ["coupler_integration"] } : {}),
    ...(authorized.length > 0 ? { authorized_prefixes: authorized } : {}),
    ...(virtual === undefined ? {} : { virtual_subnet6: virtual }),
    interconnects: interconnects.map((one) => seedInterconnect(one, keys)),
    routes: routes.map(seedRoute),
  };
  return { account, withoutKey };
}

/** Older answers tell no version: one with GRE is "1", one with a port reservation "2". */
function versionOf({ raw }: Shown): string {
  if (typeof raw["version"] === "string") return raw["version"];
  if (raw["gre"] !== undefined) return "1";
  return raw["virtual_port_reservation_id"] === undefined ? "1.5" : "2";
}

function seedInterconnect(shown: Shown, keys: boolean): Members {
  const { id, raw, fields } = shown;
  const version = versionOf(shown);
  const kept = FIELDS.flatMap(({ path, absent, secret }) => {
    const value = fields.get(path);
    if (value === undefined || value === absent || (secret && !keys)) return [];
    // Of version "1.5" they follow from the interface's address.
    if (version === "1.5" && /^bgp\.\w+_endpoint$/.test(path)) return [];
    return path === "name" ? [] : [[path, value] as const];
  });
  const link = linkOf(shown);
  return {
    id,
    name: shown.name,
    version,
    ...texts(raw, ["colo_name", "virtual_port_reservation_id"]),
    ...times(raw),
    ...nested(kept),
    ...(link ? { link } : {}),
  };
}

/**
 * A health check without a target of its own probes the customer's end of the link, so that is where the vendor tells
 * it. Links are /31.
 */
function linkOf({ raw, fields }: Shown): Members | undefined {
  const { target } = Object(raw["health_check"]);
  const { effective, saved } = Object(target);
  if (saved !== "" || typeof effective !== "string") return undefined;
  if ((fields.get("health_check.direction") ?? "unidirectional") !== "unidirectional") return undefined;
  const address = parseAddress4(effective);
  const inside = parsePrefix4(String(fields.get("interface_address") ?? ""));
  if (address === undefined || (inside && otherHost(inside) === effective)) return undefined;
  const other = otherHost({ family: 4, address, length: 31 });
  return { p2p_ip: `${other}/31`, cust_ip: `${effective}/31` };
}

function seedRoute(route: Members): Members {
  const { id, prefix, nexthop, priority, weight, scope } = route;
  const kept = { id, ...times(route), prefix, nexthop, priority, ...texts(route, ["description"]) };
  return { ...kept, ...(weight ? { weight } : {}), ...(scope ? { scope } : {}) };
}

function texts(from: Members, names: readonly string[]): Members {
  return Object.fromEntries(
    names.flatMap((name) =>
      typeof from[name] === "string" && from[name] !== "" ? [[name, from[name]]] : [],
    ),
  );
}

/** In UTC; a seed keeps microseconds. */
function times(from: Members): Members {
  return Object.fromEntries(
    ["created_on", "modified_on"].flatMap((name) => {
      const text = from[name];
      const time = typeof text === "string" ? Date.parse(text) : Number.NaN;
      if (typeof text !== "string" || Number.isNaN(time)) return [];
      const exact = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,6})?\d*Z$/.exec(text);
      return [[name, exact ? `${exact[1]}${exact[2] ?? ""}Z` : new Date(time).toISOString()]];
    }),
  );
}

const PRIVATE = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.240.0/20"];

/** Only an account's authorised prefixes admit an interface address of version "1.5" that is not private. */
function authorizedPrefixes(interconnects: readonly Shown[]): string[] {
  const ranges = PRIVATE.flatMap((text) => parsePrefix4(text) ?? []);
  const found = interconnects.flatMap((shown) => {
    const prefix = parsePrefix4(String(shown.fields.get("interface_address") ?? ""));
    if (!prefix || versionOf(shown) !== "1.5" || ranges.some((range) => contains(range, prefix))) return [];
    return [formatPrefix(network(prefix))];
  });
  return [...new Set(found)];
}

/** The API does not tell it: the first /127 of the space that the interface addresses are in and that none of them has. */
function virtualSubnet(interconnects: readonly Shown[]): string | undefined {
  const taken = interconnects.flatMap(
    ({ fields }) => parsePrefix6(String(fields.get("interface_address6") ?? "")) ?? [],
  );
  const [first] = taken;
  if (!first) return undefined;
  let base = (first.address >> 32n) << 32n;
  while (taken.some(({ address }) => address >> 1n === base >> 1n)) base += 2n;
  return `${formatAddress6(base)}/127`;
}
