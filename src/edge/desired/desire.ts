/** An account's settings, an edge's configuration and what is seen of health: the kernel as it should be. */

import { parseHost } from "../../contract/addresses.ts";
import type { HealthState } from "../../contract/health.ts";
import type { EdgeAccount, EdgeInterconnect } from "../account.ts";
import type { EdgeConfig } from "../config.ts";
import { deviceOf, mappedDevice } from "../devices.ts";
import type { TunnelSpec } from "../drivers/driver.ts";
import { birdText } from "./bird.ts";
import type { Desired, DesiredAddress, EdgeProblem, Realised } from "./desired.ts";
import { interfaceEnds, interfaceEnds6, linkEnds, tunnelEnds } from "./ends.ts";
import { type Numbers, zoneOf } from "./numbers.ts";
import { returnRoutes, returnRules } from "./return-routing.ts";
import { endpointRoutes, staticRoutes } from "./static-routes.ts";
import { sysctls } from "./sysctls.ts";

/** Of the outer packet: an interconnect has no setting of it, and this is the vendor's default for tunnels. */
const TUNNEL_TTL = 64;
/** Bytes below which no link carries IPv6 (RFC 8200 section 5): the kernel takes it off the device. */
const LEAST_MTU6 = 1280;

export interface Wanted {
  readonly account: EdgeAccount;
  readonly config: EdgeConfig;
  readonly states: ReadonlyMap<string, HealthState>;
  readonly numbers: Numbers;
  /** Interconnects that cannot be made on this machine, with the reason: nothing of them is wanted. */
  readonly without: ReadonlyMap<string, string>;
}

export function desire({ account, config, states, numbers, without }: Wanted): Desired {
  const problems: EdgeProblem[] = [...without].map(([interconnect, reason]) => ({ interconnect, reason }));
  const realised = new Map<string, Realised>();
  const tunnels = new Map<string, TunnelSpec>();
  const taken = new Map<string, string>();
  const settings = account.interconnects
    .filter(({ id }) => !without.has(id))
    .toSorted((one, other) => (one.id < other.id ? -1 : 1));
  const made: EdgeInterconnect[] = [];
  const addresses: DesiredAddress[] = [];
  for (const interconnect of settings) {
    const { id, name } = interconnect;
    const found = remembered(interconnect, config, numbers);
    if (typeof found === "string") {
      problems.push({ interconnect: id, reason: found });
      continue;
    }
    const claimed = found.claims.find(({ key }) => taken.has(key));
    if (claimed) {
      problems.push({
        interconnect: id,
        reason: `Interconnect ${taken.get(claimed.key)} has ${claimed.what}.`,
      });
      continue;
    }
    for (const { key } of found.claims) taken.set(key, name);
    if (interconnect.interfaceAddress6 !== undefined && !found.realised.ends6)
      problems.push({
        interconnect: id,
        reason: `IPv6 needs an MTU of ${LEAST_MTU6} bytes, it has ${interconnect.mtu}: only IPv4 is carried.`,
      });
    made.push(interconnect);
    realised.set(id, found.realised);
    addresses.push(...found.addresses);
    if (found.tunnel) tunnels.set(found.tunnel.device, found.tunnel);
  }
  const all = [...realised.values()];
  const routes = [
    ...endpointRoutes(made, config, config.role),
    ...(config.role === "provider" ? staticRoutes(account, config, realised, states) : []),
    ...all.flatMap(returnRoutes),
  ];
  const bird = config.bird && birdText(made, realised, config);
  problems.push(...(bird?.problems ?? []));
  return {
    interconnects: realised,
    tunnels,
    portMtus: new Map(
      all.filter(({ bare }) => bare).map(({ device, mtu, name }) => [device, { mtu, name }] as const),
    ),
    addresses,
    routes,
    rules: all.flatMap(returnRules),
    bird: bird?.text,
    sysctls: sysctls(all, routes, config.role),
    problems,
  };
}

interface Claim {
  readonly key: string;
  /** What is said of it where another has it. */
  readonly what: string;
}

interface Found {
  readonly realised: Realised;
  readonly tunnel: TunnelSpec | undefined;
  readonly addresses: readonly DesiredAddress[];
  /** What no other interconnect may have. */
  readonly claims: readonly Claim[];
}

interface Remembered {
  readonly number: number | undefined;
  readonly zone: number | undefined;
  readonly found: Found | string;
}

/** An interconnect that stays is the same object: of a thousand, one is thought through again. */
const memory = new WeakMap<EdgeConfig, WeakMap<EdgeInterconnect, Remembered>>();

function remembered(interconnect: EdgeInterconnect, config: EdgeConfig, numbers: Numbers): Found | string {
  const number = numbers.given[interconnect.id];
  const zone = zoneOf(interconnect, config, numbers);
  const known = memory.get(config) ?? new WeakMap<EdgeInterconnect, Remembered>();
  memory.set(config, known);
  const before = known.get(interconnect);
  if (before && before.number === number && before.zone === zone) return before.found;
  const found = realise(interconnect, config, number, zone);
  known.set(interconnect, { number, zone, found });
  return found;
}

/** An interconnect as it is to be, or why it cannot be. `number` and `zone`: those of its flows, if it has any. */
function realise(
  interconnect: EdgeInterconnect,
  config: EdgeConfig,
  number: number | undefined,
  zone: number | undefined,
): Found | string {
  const { id, name, version, mtu, returnRouting } = interconnect;
  const { role } = config;
  const device = deviceOf(interconnect, config);
  if (device === undefined) {
    const { slot, port } = interconnect;
    const names = [name, port, slot].filter((key) => key !== undefined).join(", ");
    return `No port of this machine is mapped for it, and its version carries no GRE: map one of ${names}.`;
  }
  const ends = interfaceEnds(interconnect, role);
  if (!ends) return `Its interface address ${interconnect.interfaceAddress} is none.`;
  const ends6 = mtu < LEAST_MTU6 ? undefined : interfaceEnds6(interconnect, role);
  const bare = version !== "1";
  const returns = role === "provider" && returnRouting;
  const { target } = interconnect.healthCheck;
  const realised: Realised = {
    id,
    name,
    device,
    bare,
    mtu,
    ends,
    ends6,
    returning: !returns || number === undefined || zone === undefined ? undefined : { number, zone },
    reflects: parseHost(target) ? [target] : [],
  };
  const addresses = addressesOf(interconnect, realised, config);
  if (bare)
    return {
      realised,
      tunnel: undefined,
      addresses,
      claims: [{ key: `port ${device}`, what: `the port ${device}` }],
    };
  const outer = tunnelEnds(interconnect, role);
  if (!outer)
    return interconnect.greEndpoint === undefined
      ? "It has no GRE endpoint (gre.cloudflare_endpoint)."
      : "Its tunnel has no other end: the link below it has no addresses.";
  const tunnel = { device, alias: name, ...outer, ttl: TUNNEL_TTL, mtu, interconnect: id };
  return {
    realised,
    tunnel,
    addresses,
    claims: [
      { key: `tunnel ${outer.local} ${outer.remote}`, what: "the ends of its tunnel" },
      {
        key: `device ${device}`,
        what: `the device ${device}, which is called by the first 12 digits of its id as this one's`,
      },
    ],
  };
}

function addressesOf(interconnect: EdgeInterconnect, made: Realised, config: EdgeConfig): DesiredAddress[] {
  const { role } = config;
  const found: DesiredAddress[] = [];
  const add = (device: string, address: string, anywhere = false) =>
    found.push({ device, address, interconnect: interconnect.id, anywhere });
  const port = made.bare ? undefined : mappedDevice(interconnect, config);
  const link = linkEnds(interconnect, role);
  const endpoint = parseHost(interconnect.greEndpoint ?? "");
  if (port !== undefined && link) add(port, `${link.ours}/${link.length}`);
  if (port !== undefined && endpoint && role === "provider")
    add("lo", `${interconnect.greEndpoint}/${endpoint.family === 6 ? 128 : 32}`, true);
  const own = interfaceEnds(interconnect, role);
  if (own) add(made.device, `${own.ours}/${own.length}`);
  const own6 = made.ends6 && interfaceEnds6(interconnect, role);
  if (own6) add(made.device, `${own6.ours}/${own6.length}`);
  return found;
}
