/** The interconnect as it is kept, what it claims, and how it is shown. */

import {
  formatAddress4,
  otherHost,
  parseAddress4,
  parseAddress6,
  parsePrefix4,
  parsePrefix6,
} from "../contract/addresses.ts";
import type { Doc, Entry, Kind } from "./state.ts";

export type Version = "1" | "1.5" | "2";

export type HealthCheck = {
  readonly enabled: boolean;
  readonly rate: "low" | "mid" | "high";
  readonly type: "reply" | "request";
  readonly direction: "unidirectional" | "bidirectional";
  /** The saved target; `""` where the default is meant. */
  readonly target: string;
  readonly source?: string;
};

export type Bgp = {
  readonly customer_asn?: number;
  readonly extra_prefixes?: readonly string[];
  readonly import_filter_id?: string;
  readonly export_filter_id?: string;
  readonly md5_key?: string;
  readonly cloudflare_endpoint?: string;
  readonly customer_endpoint?: string;
};

/** An interconnect in store and log. Its identifier is the slot's. */
export type InterconnectDoc = {
  readonly name: string;
  readonly colo_name?: string;
  readonly description?: string;
  readonly version: Version;
  readonly created_on: string;
  readonly modified_on: string;
  /** The provider's own end, as given, with its prefix length. */
  readonly interface_address: string;
  readonly interface_address6?: string;
  /** Bytes. */
  readonly mtu: number;
  readonly automatic_return_routing: boolean;
  readonly gre?: { readonly cloudflare_endpoint: string };
  readonly health_check: HealthCheck;
  readonly bgp?: Bgp;
  readonly virtual_port_reservation_id?: string;
  /** The link under it, which the CNI owns: both ends as prefixes. */
  readonly link?: Link;
  /** What it is besides as a CNI, if it came from one: the port it was made on. */
  readonly cni?: CniPart;
};

/** The provider's end and the customer's end of a link, each as a prefix. */
export type Link = { readonly p2p_ip: string; readonly cust_ip: string };

export type CniPart = {
  readonly port: string;
  readonly bgp_mode?: "dynamic_route_exchange" | "advertise_only";
};

/** The /31 halves that an IPv4 subnet covers: subnets of 30 or 31 bits overlap if they share one. */
function halves(form: string, subnet: string): readonly string[] {
  const prefix = parsePrefix4(subnet);
  if (!prefix) return [];
  const half = Math.floor(prefix.address / 2);
  if (prefix.length === 31) return [`${form}:${half}`];
  const even = half - (half % 2);
  return [`${form}:${even}`, `${form}:${even + 1}`];
}

/** Forms of the claims of an IPv4 interface subnet and of a link's subnet, of which each /31 is one. */
export const INTERFACE_CLAIM = "subnet4";
export const LINK_CLAIM = "link4";

/** The claim of the /127 that an IPv6 address is of. */
function half6(address: bigint): string {
  return `subnet6:${address >> 1n}`;
}

function subnet6(doc: Doc): readonly string[] {
  const prefix = parsePrefix6(String(doc["interface_address6"] ?? ""));
  return prefix ? [half6(prefix.address)] : [];
}

/** The claim of whichever tunnel has this address in its interface subnet. */
export function subnetClaimOf(address: string): string {
  const four = parseAddress4(address);
  if (four !== undefined) return `${INTERFACE_CLAIM}:${Math.floor(four / 2)}`;
  return half6(parseAddress6(address) ?? 0n);
}

/**
 * Names are unique among all tunnels of an account, and so are interface subnets: a kind of tunnel
 * added later claims keys of the same form, and is judged against interconnects with no more said.
 */
export const tunnelClaims: Kind["claims"] = {
  name: (doc) => [`tunnel-name:${String(doc["name"])}`],
  interface_address: (doc) => halves(INTERFACE_CLAIM, String(doc["interface_address"])),
  interface_address6: subnet6,
};

export const tunnelConflict: Kind["conflict"] = (field, wanted, holder) =>
  field === "name"
    ? { name: "name_taken", values: { name: String(wanted["name"]), holder } }
    : { name: "address_overlap", values: { prefix: String(wanted[field]), holder } };

function linkOf(doc: Doc): string {
  return (doc as InterconnectDoc).link?.p2p_ip ?? "";
}

export const interconnectKind: Kind = {
  name: "interconnect",
  claims: { ...tunnelClaims, link: (doc) => halves(LINK_CLAIM, linkOf(doc)) },
  conflict: (field, wanted, holder) =>
    field === "link"
      ? { name: "address_overlap", values: { prefix: linkOf(wanted), holder } }
      : tunnelConflict(field, wanted, holder),
  stamped: true,
  nameOf: (doc) => String(doc["name"]),
  masked: ["bgp.md5_key"],
  // The port by its kind's name: it is made of interconnects' parts, and not the other way round.
  references: (doc) => {
    const { cni } = doc as InterconnectDoc;
    return cni ? [{ kind: "port", id: cni.port }] : [];
  },
};

/** The document of an interconnect's entry. Only this kind's rules write it, so its form is known. */
export function interconnectOf(entry: Entry): InterconnectDoc {
  return entry.doc as InterconnectDoc;
}

/** Where health checks of an interconnect are sent (see "effective target" in docs/compatibility.md). */
export function effectiveTarget(doc: InterconnectDoc): string {
  const { direction, target } = doc.health_check;
  if (direction === "bidirectional") return customerEnd(doc);
  if (target !== "") return target;
  return doc.link ? doc.link.cust_ip.slice(0, doc.link.cust_ip.indexOf("/")) : customerEnd(doc);
}

/** The customer's host of the interface subnet. */
export function customerEnd(doc: InterconnectDoc): string {
  const prefix = parsePrefix4(doc.interface_address);
  return prefix ? otherHost(prefix) : "";
}

/** The provider's host of the interface subnet. */
export function providerEnd(doc: InterconnectDoc): string {
  const prefix = parsePrefix4(doc.interface_address);
  return prefix ? formatAddress4(prefix.address) : "";
}

/** BGP endpoints of a version 1.5 interconnect are not stored: they are its interface addresses. */
export function derivesBgpEndpoints(doc: InterconnectDoc): boolean {
  return doc.version === "1.5";
}

/** Does the version run over a GRE tunnel of its own? */
export function hasGre(version: Version): boolean {
  return version === "1";
}
