/** Whom to probe, from where and how: pure, from what is followed and what the edge is told. */

import { otherHost, parseAddress4, parsePrefix4 } from "../../contract/addresses.ts";
import type { EdgeAccount, EdgeInterconnect } from "../account.ts";
import type { EdgeConfig } from "../config.ts";
import { deviceOf } from "../devices.ts";

export interface ProbeTarget {
  /** The interconnect, by its id. */
  readonly interconnect: string;
  /** Where probes leave. Their answers may come in anywhere. */
  readonly device: string;
  /** Inner addresses of the packet as it is sent, as text. */
  readonly source: string;
  readonly destination: string;
  /** The other end of the interface subnet, whose hardware address a probe is sent to where the device has such. */
  readonly neighbour: string;
  readonly type: "reply" | "request";
  /** Milliseconds. */
  readonly interval: number;
}

/** An interconnect that should be probed and cannot be. */
export interface Unwatched {
  readonly interconnect: string;
  readonly reason: string;
}

type TargetConfig = Pick<EdgeConfig, "role" | "rates" | "map" | "probeSource">;

/** The targets of an account. Interconnects without checks have none, nor have those that `unwatched` tells of. */
export function probeTargets(
  account: Pick<EdgeAccount, "interconnects">,
  config: TargetConfig,
): ProbeTarget[] {
  return account.interconnects.flatMap((interconnect) => {
    const target = targetOf(interconnect, config);
    return target === undefined || typeof target === "string" ? [] : [target];
  });
}

export function unwatched(account: Pick<EdgeAccount, "interconnects">, config: TargetConfig): Unwatched[] {
  return account.interconnects.flatMap((interconnect) => {
    const reason = targetOf(interconnect, config);
    return typeof reason === "string" ? [{ interconnect: interconnect.id, reason }] : [];
  });
}

/** The target, or why there can be none, or `undefined` where none is wanted. */
function targetOf(interconnect: EdgeInterconnect, config: TargetConfig): ProbeTarget | string | undefined {
  const { id, healthCheck } = interconnect;
  if (!healthCheck.enabled) return undefined;
  const device = deviceOf(interconnect, config);
  if (device === undefined) return "is not probed: no device is mapped to its port";
  const provider = hostOf(interconnect.interfaceAddress);
  const subnet = parsePrefix4(interconnect.interfaceAddress);
  if (provider === undefined || subnet === undefined)
    return "is not probed: it has no IPv4 interface address";
  const customer = otherHost(subnet);
  const interval = config.rates[healthCheck.rate];
  const base = { interconnect: id, device, interval };
  // The vendor routes no probe of a customer's back, so that its own style is always to ask.
  if (config.role === "customer")
    return { ...base, source: customer, destination: provider, neighbour: provider, type: "request" };
  const [near, far] =
    healthCheck.direction === "bidirectional"
      ? [healthCheck.source ?? provider, customer]
      : [publicSource(interconnect, config) ?? provider, healthCheck.target];
  if (parseAddress4(far) === undefined)
    return `is not probed: probes are IPv4, and its target is ${far === "" ? "not known" : far}`;
  if (parseAddress4(near) === undefined) return `is not probed: probes are IPv4, and their source is ${near}`;
  const { type } = healthCheck;
  const [source, destination] = type === "reply" ? [far, near] : [near, far];
  return { ...base, source, destination, neighbour: customer, type };
}

/** The provider's public address that the answers of unidirectional checks are routed to. */
function publicSource(
  { greEndpoint, link }: EdgeInterconnect,
  { probeSource }: TargetConfig,
): string | undefined {
  return probeSource ?? greEndpoint ?? (link && hostOf(link.provider));
}

function hostOf(prefix: string): string | undefined {
  return parsePrefix4(prefix) && prefix.slice(0, prefix.indexOf("/"));
}
