/** The model's merge: an update laid over one interconnect, field by field. */

import { canonical, cidrOf, endsOf, isHost, isPrivate, membersOf, octetsOf } from "./model-addresses.ts";
import type { Say } from "./model-check.ts";

export interface ModelSettings {
  readonly flags: readonly string[];
  readonly authorized_prefixes: readonly string[];
  readonly virtual_subnet6?: string;
}

export interface HealthCheck {
  enabled: boolean;
  rate: string;
  type: string;
  direction: string;
  target: string;
  source?: string;
}

interface Bgp {
  customer_asn?: number;
  extra_prefixes?: string[];
  import_filter_id?: string;
  export_filter_id?: string;
  md5_key?: string;
  cloudflare_endpoint?: string;
  customer_endpoint?: string;
}

/** An interconnect, its fields named as the log names them. */
export interface Doc {
  name: string;
  colo_name?: string;
  description?: string;
  version: string;
  created_on: string;
  modified_on: string;
  interface_address: string;
  interface_address6?: string;
  mtu: number;
  automatic_return_routing: boolean;
  gre?: { cloudflare_endpoint: string };
  health_check: HealthCheck;
  bgp?: Bgp;
  virtual_port_reservation_id?: string;
  link?: { p2p_ip: string; cust_ip: string };
}

/** What is left of an update whose form has been checked. */
export type Update = Partial<Omit<Doc, "health_check" | "gre">> & {
  id?: string;
  gre?: { cloudflare_endpoint?: string };
  health_check?: Partial<Omit<HealthCheck, "target">> & { target?: string | { saved?: string } };
  bgp?: Bgp & { as_no?: number };
};

/** An update laid over an interconnect. What is wrong is told and left as it was. */
export function merge(
  id: string,
  stored: Doc,
  update: Update,
  settings: ModelSettings,
  at: string,
  say: Say,
): Doc {
  const doc = structuredClone(stored);
  for (const field of ["id", "colo_name", "version", "virtual_port_reservation_id"] as const) {
    const is = field === "id" ? id : stored[field];
    if (update[field] !== undefined && update[field] !== is) say(990021, `${at}/${field}`);
  }
  const { name, description, mtu, interface_address: address, interface_address6: address6 } = update;
  if (name !== undefined) {
    if (name === "" || name.includes("\n")) say(990023, `${at}/name`);
    else doc.name = name;
  }
  if (description !== undefined) doc.description = description;
  if (mtu !== undefined) {
    if (mtu < 576 || mtu > (stored.version === "1" ? 1476 : 1500)) say(990023, `${at}/mtu`);
    else doc.mtu = mtu;
  }
  if (address !== undefined) {
    const refusal = refuseAddress(address, stored.version, settings);
    if (refusal) say(refusal, `${at}/interface_address`);
    else doc.interface_address = address;
  }
  if (address6 === "") delete doc.interface_address6;
  else if (address6 !== undefined) {
    const refusal = refuseAddress6(address6, settings);
    if (refusal) say(refusal, `${at}/interface_address6`);
    else doc.interface_address6 = `${canonical(address6.replace("/127", ""))}/127`;
  }
  const routing = update.automatic_return_routing;
  if (routing && !settings.flags.includes("coupler_integration"))
    say(990034, `${at}/automatic_return_routing`);
  else if (routing !== undefined) doc.automatic_return_routing = routing;
  if (update.gre && stored.version !== "1") say(990030, `${at}/gre`);
  else if (update.gre?.cloudflare_endpoint !== undefined) {
    const endpoint = update.gre.cloudflare_endpoint;
    if (isHost(endpoint)) doc.gre = { cloudflare_endpoint: String(canonical(endpoint)) };
    else say(990023, `${at}/gre/cloudflare_endpoint`);
  }
  if (update.health_check) mergeCheck(doc, update.health_check, `${at}/health_check`, say);
  if (update.bgp) mergeBgp(stored, doc, update.bgp, `${at}/bgp`, say);
  return doc;
}

function refuseAddress(text: string, version: string, settings: ModelSettings): number | undefined {
  const [address = "", length = ""] = text.split("/");
  if (!octetsOf(address) || !cidrOf(text)) return 990023;
  if (length !== "31" && (length !== "30" || version === "1.5")) return 990023;
  if (length === "30" && !membersOf(text).slice(1, 3).includes(address)) return 990023;
  const authorized = version === "1.5" ? settings.authorized_prefixes : [];
  if (isPrivate(address) || authorized.some((prefix) => holds(prefix, text))) return undefined;
  return 990029;
}

function refuseAddress6(text: string, settings: ModelSettings): number | undefined {
  const cidr = cidrOf(text);
  if (cidr?.length !== 127 || cidr.bits.length !== 128 || cidr.bits.endsWith("1")) return 990023;
  const { virtual_subnet6: virtual } = settings;
  if (virtual === undefined) return 990023;
  if (cidrOf(virtual)?.bits.slice(0, 96) !== cidr.bits.slice(0, 96)) return 990029;
  return cidrOf(virtual)?.bits.slice(0, 127) === cidr.bits.slice(0, 127) ? 990023 : undefined;
}

function holds(outer: string, inner: string): boolean {
  const [one, other] = [cidrOf(outer), cidrOf(inner)];
  return (
    one !== undefined &&
    other !== undefined &&
    one.bits.slice(0, one.length) === other.bits.slice(0, one.length)
  );
}

function mergeCheck(doc: Doc, update: NonNullable<Update["health_check"]>, at: string, say: Say): void {
  const check = doc.health_check;
  const { target: given, source, ...plain } = update;
  Object.assign(check, plain);
  const target = typeof given === "object" ? given.saved : given;
  if (target === "") check.target = "";
  else if (target !== undefined) {
    if (isHost(target)) check.target = String(canonical(target));
    else say(990023, typeof given === "object" ? `${at}/target/saved` : `${at}/target`);
  }
  if (doc.version !== "1.5") {
    if (source !== undefined) say(990031, `${at}/source`);
  } else if (check.direction === "unidirectional") {
    if (source !== undefined && source !== "") say(990033, `${at}/source`);
    delete check.source;
  } else if (source === "" || (source === undefined && check.source === undefined)) {
    if (source === "" || update.direction !== undefined) say(990032, at);
  } else if (source !== undefined) {
    const ends = source.split(".");
    const vendor = source.startsWith("198.41.199.") && Number(ends[3]) >= 224;
    if (!octetsOf(source) || !isHost(source)) say(990023, `${at}/source`);
    else if (!isPrivate(source) && !vendor) say(990029, `${at}/source`);
    else check.source = source;
  }
}

function mergeBgp(stored: Doc, doc: Doc, update: NonNullable<Update["bgp"]>, at: string, say: Say): void {
  const bgp = doc.bgp ?? {};
  mergeAsn(bgp, update, at, say);
  if (update.extra_prefixes) {
    const wrong = update.extra_prefixes.map((text, n) => (isNetwork(text) ? -1 : n)).filter((n) => n >= 0);
    for (const n of wrong) say(990023, `${at}/extra_prefixes/${n}`);
    if (update.extra_prefixes.length === 0) delete bgp.extra_prefixes;
    else if (wrong.length === 0) {
      bgp.extra_prefixes = update.extra_prefixes.map((text) =>
        text.replace(/^[^/]*/, (part) => canonical(part) ?? ""),
      );
    }
  }
  for (const field of ["import_filter_id", "export_filter_id", "md5_key"] as const) {
    const value = update[field];
    if (value === "") delete bgp[field];
    else if (field === "md5_key" && value !== undefined && /[^ -~]|["?]/.test(value))
      say(990023, `${at}/md5_key`);
    else if (value !== undefined) bgp[field] = value;
  }
  for (const field of ["cloudflare_endpoint", "customer_endpoint"] as const) {
    const value = update[field];
    if (value === undefined) continue;
    if (doc.version === "1.5") {
      const ends = [stored, doc].map(({ interface_address }) => endsOf(interface_address));
      const derived = ends.map(({ own, other }) => (field === "cloudflare_endpoint" ? own : other));
      if (!derived.includes(value)) say(990021, `${at}/${field}`);
    } else if (value === "") delete bgp[field];
    else if (octetsOf(value) && isHost(value)) bgp[field] = value;
    else say(990023, `${at}/${field}`);
  }
  if (Object.keys(bgp).length > 0) doc.bgp = bgp;
  else delete doc.bgp;
}

function isNetwork(text: string): boolean {
  const cidr = cidrOf(text);
  return cidr !== undefined && !cidr.bits.slice(cidr.length).includes("1");
}

/** `as_no` is `customer_asn` by its old name, which is heard only where the new one is not used. */
function mergeAsn(bgp: Bgp, update: { as_no?: number; customer_asn?: number }, at: string, say: Say): void {
  const stored = bgp.customer_asn;
  const { as_no, customer_asn } = update;
  const values = new Set([as_no, customer_asn, stored].filter((value) => value !== undefined));
  if (as_no !== undefined && customer_asn !== undefined && as_no !== customer_asn) {
    // One of the two must be what is there already.
    if (values.size > (stored === undefined ? 1 : 2)) {
      say(990023, `${at}/as_no`);
      return;
    }
  }
  const value = customer_asn ?? as_no;
  if (value === 13335) say(990023, customer_asn === undefined ? `${at}/as_no` : `${at}/customer_asn`);
  else if (value !== undefined) bgp.customer_asn = value;
}
