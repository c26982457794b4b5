/** The way of an interconnect from the provider's slot to the customer: what it runs over, and who has which address. */

import {
  formatAddress4,
  formatAddress6,
  otherHost,
  parsePrefix4,
  parsePrefix6,
} from "../../../../src/contract/addresses.ts";
import type { Below, Interconnect } from "../../api/account.ts";

/** One address of each side. */
export interface Ends {
  readonly provider: string;
  readonly customer: string | undefined;
}

/** What the interconnect is plugged into, line by line. */
export interface Socket {
  readonly title: "Slot" | "Partner's port" | "Port";
  readonly name: string;
  readonly facts: readonly (readonly [label: string, value: string])[];
}

export interface Check {
  readonly enabled: boolean;
  readonly source: string;
  readonly target: string;
  /** Whose the target is, if it is an end of the way. */
  readonly targetIs: string | undefined;
  readonly returns: "the same way" | "any way";
  readonly packet: "echo request" | "echo reply";
  readonly rate: string;
}

export interface Way {
  /** May the token read what interconnects run over? */
  readonly isTold: boolean;
  /** From the building to the port, outside first. None where nothing is told of it. */
  readonly sockets: readonly Socket[];
  /** The CNI's identifier, where there is one. */
  readonly cni: { readonly id: string; readonly mode: string | undefined } | undefined;
  readonly link: Ends | undefined;
  readonly gre: Ends | undefined;
  readonly interface4: Ends;
  readonly interface6: Ends | undefined;
  readonly check: Check;
}

/** `below` is none where the token may not read what interconnects run over. */
export function wayOf(interconnect: Interconnect, below: Below | undefined): Way {
  const cni = below?.cnis.find(({ id }) => id.replaceAll("-", "") === interconnect.id);
  const told = below?.links.find((one) => one.interconnect === interconnect.id);
  const link = told && { provider: told.provider, customer: told.customer };
  const gre = interconnect.gre?.cloudflare_endpoint;
  const interface4 = ends4(interconnect.interface_address);
  const way = {
    isTold: below !== undefined,
    sockets: cni ? socketsOf(cni.interconnect, below) : reservedPort(interconnect, below),
    cni: cni && { id: cni.id, mode: cni.bgp_mode?.replaceAll("_", " ") },
    link,
    gre:
      gre === undefined || gre === "" ? undefined : { provider: gre, customer: link && host(link.customer) },
    interface4,
    interface6: ends6(interconnect.interface_address6),
  };
  return { ...way, check: checkOf(interconnect, way) };
}

function socketsOf(name: string, below: Below | undefined): readonly Socket[] {
  const port = below?.ports.find(({ id }) => id === name);
  if (!port) return [{ title: "Port", name, facts: [] }];
  const slot = below?.slots.find(({ id }) => id === port.slot_id);
  const reservation = ["Reservation", port.virtual_port_reservation_id] as const;
  if (port.type === "gcp_partner") {
    const facts = [["Google Cloud", port.region], ["Speed", port.speed], reservation] as const;
    return [{ title: "Partner's port", name, facts: known(facts) }];
  }
  const facts = [
    ["Site", slot?.site],
    ["Speed", slot?.speed],
    ["Device", slot?.ccr_device_name],
  ] as const;
  return [
    ...(slot ? [{ title: "Slot", name: slot.facility.name, facts: known(facts) } as const] : []),
    { title: "Port", name, facts: [reservation] },
  ];
}

/** Without a CNI, a port may still be known by its reservation. */
function reservedPort(
  { virtual_port_reservation_id: reserved }: Interconnect,
  below: Below | undefined,
): readonly Socket[] {
  if (reserved === undefined) return [];
  const port = below?.ports.find((one) => one.virtual_port_reservation_id.replaceAll("-", "") === reserved);
  if (port) return socketsOf(port.id, below);
  return [{ title: "Port", name: "Reserved", facts: [["Reservation", reserved]] }];
}

type Fact = readonly [label: string, value: string];

function known(facts: readonly (readonly [string, string | undefined])[]): readonly Fact[] {
  return facts.flatMap(([label, value]): Fact[] => (value === undefined ? [] : [[label, value]]));
}

function ends4(prefix: string): Ends {
  const parsed = parsePrefix4(prefix);
  if (!parsed) return { provider: prefix, customer: undefined };
  return {
    provider: `${formatAddress4(parsed.address)}/${parsed.length}`,
    customer: `${otherHost(parsed)}/${parsed.length}`,
  };
}

/** The provider has the first address of the /127. */
function ends6(prefix: string | undefined): Ends | undefined {
  if (prefix === undefined || prefix === "") return undefined;
  const parsed = parsePrefix6(prefix);
  if (!parsed) return { provider: prefix, customer: undefined };
  const { address, length } = parsed;
  return {
    provider: `${formatAddress6(address)}/${length}`,
    customer: `${formatAddress6(address ^ 1n)}/${length}`,
  };
}

/** Where edges send probes from unless they are told otherwise, and where to (docs/edge.md). */
function checkOf(
  { health_check: check }: Interconnect,
  { link, gre, interface4 }: Pick<Way, "link" | "gre" | "interface4">,
): Check {
  const { target } = check;
  const to = typeof target === "string" ? target : target.effective;
  const isBack = check.direction === "bidirectional";
  const near = host(interface4.provider);
  const source = isBack ? (check.source ?? near) : (gre?.provider ?? (link && host(link.provider)) ?? near);
  const whose = [
    ["the customer's interface", interface4.customer],
    ["the customer's end of the link", link?.customer],
    ["the provider's interface", interface4.provider],
    ["the provider's end of the tunnel", gre?.provider],
    ["the provider's end of the link", link?.provider],
  ] as const;
  return {
    enabled: check.enabled,
    source,
    target: to,
    targetIs: whose.find(([, address]) => address !== undefined && host(address) === to)?.[0],
    returns: isBack ? "the same way" : "any way",
    packet: check.type === "request" ? "echo request" : "echo reply",
    rate: check.rate,
  };
}

/** An address without its prefix length. */
function host(prefix: string): string {
  return prefix.split("/", 1)[0] ?? prefix;
}
