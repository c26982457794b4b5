/**
 * An update laid over an interconnect: what is omitted stays, at every depth; `""` clears.
 *
 * Values sent back as they are stored are not judged again, so that what was read can be sent.
 */

import { show } from "../contract/check.ts";
import type { Problems } from "../contract/errors.ts";
import type { InterconnectUpdate } from "../contract/interconnect.ts";
import {
  type Bgp,
  customerEnd,
  derivesBgpEndpoints,
  type HealthCheck,
  hasGre,
  type InterconnectDoc,
  providerEnd,
} from "./interconnect.ts";
import {
  judgeAsn,
  judgeExtraPrefixes,
  judgeHost,
  judgeHost4,
  judgeInterfaceAddress,
  judgeInterfaceAddress6,
  judgeMd5Key,
  judgeMtu,
  judgeName,
  judgeSource,
} from "./interconnect-rules.ts";
import type { SettingsDoc } from "./settings.ts";

/** What a merge is judged by. */
export interface Judgement {
  readonly settings: SettingsDoc;
  readonly problems: Problems;
  /** JSON pointer of the update. */
  readonly pointer: string;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type HealthCheckUpdate = NonNullable<InterconnectUpdate["health_check"]>;
type BgpUpdate = NonNullable<InterconnectUpdate["bgp"]>;

export function mergeInterconnect(
  id: string,
  stored: InterconnectDoc,
  update: InterconnectUpdate,
  by: Judgement,
): InterconnectDoc {
  const { settings, problems, pointer } = by;
  const doc: Mutable<InterconnectDoc> = { ...stored };
  refuseReadOnly(id, stored, update, by);
  const { name, description, mtu, interface_address, interface_address6, automatic_return_routing } = update;
  if (name !== undefined && name !== stored.name && judgeName(name, `${pointer}/name`, problems))
    doc.name = name;
  if (description !== undefined) doc.description = description;
  if (mtu !== undefined && mtu !== stored.mtu && judgeMtu(mtu, stored.version, `${pointer}/mtu`, problems))
    doc.mtu = mtu;
  if (interface_address !== undefined && interface_address !== stored.interface_address) {
    const at = `${pointer}/interface_address`;
    if (judgeInterfaceAddress(interface_address, stored.version, settings, at, problems)) {
      doc.interface_address = interface_address;
    }
  }
  if (interface_address6 === "") delete doc.interface_address6;
  else if (interface_address6 !== undefined && interface_address6 !== stored.interface_address6) {
    const address6 = judgeInterfaceAddress6(
      interface_address6,
      settings,
      `${pointer}/interface_address6`,
      problems,
    );
    if (address6 !== undefined) doc.interface_address6 = address6;
  }
  if (
    automatic_return_routing !== undefined &&
    automatic_return_routing !== stored.automatic_return_routing
  ) {
    if (automatic_return_routing && !settings.flags.includes("coupler_integration")) {
      problems.add("return_routing_not_enabled", {}, `${pointer}/automatic_return_routing`);
    } else doc.automatic_return_routing = automatic_return_routing;
  }
  if (update.gre) mergeGre(doc, update.gre, by);
  if (update.health_check) doc.health_check = mergeHealthCheck(stored, update.health_check, by);
  if (update.bgp) mergeBgp(stored, doc, update.bgp, by);
  return doc;
}

/** `created_on`, `modified_on` and `target.effective` are ignored; the others must be as stored. */
function refuseReadOnly(
  id: string,
  stored: InterconnectDoc,
  update: InterconnectUpdate,
  by: Judgement,
): void {
  const refuse = (field: string, is: string | undefined) =>
    by.problems.add(
      "read_only_field",
      () => ({ field, stored: is === undefined ? "not set" : show(is) }),
      `${by.pointer}/${field}`,
    );
  if (update.id !== undefined && update.id !== id) refuse("id", id);
  if (update.colo_name !== undefined && update.colo_name !== stored.colo_name)
    refuse("colo_name", stored.colo_name);
  if (update.version !== undefined && update.version !== stored.version) refuse("version", stored.version);
  const reservation = update.virtual_port_reservation_id;
  if (reservation !== undefined && reservation !== stored.virtual_port_reservation_id) {
    refuse("virtual_port_reservation_id", stored.virtual_port_reservation_id);
  }
}

function mergeGre(
  doc: Mutable<InterconnectDoc>,
  update: NonNullable<InterconnectUpdate["gre"]>,
  by: Judgement,
): void {
  if (!hasGre(doc.version)) {
    by.problems.add("gre_not_configurable", { version: doc.version }, `${by.pointer}/gre`);
    return;
  }
  const { cloudflare_endpoint } = update;
  if (cloudflare_endpoint === undefined || cloudflare_endpoint === doc.gre?.cloudflare_endpoint) return;
  const at = `${by.pointer}/gre/cloudflare_endpoint`;
  const endpoint = judgeHost("gre.cloudflare_endpoint", cloudflare_endpoint, at, by.problems);
  if (endpoint !== undefined) doc.gre = { cloudflare_endpoint: endpoint };
}

function mergeHealthCheck(stored: InterconnectDoc, update: HealthCheckUpdate, by: Judgement): HealthCheck {
  const pointer = `${by.pointer}/health_check`;
  const before = stored.health_check;
  const check: Mutable<HealthCheck> = { ...before };
  if (update.enabled !== undefined) check.enabled = update.enabled;
  if (update.rate !== undefined) check.rate = update.rate;
  if (update.type !== undefined) check.type = update.type;
  if (update.direction !== undefined) check.direction = update.direction;
  const target = typeof update.target === "object" ? update.target.saved : update.target;
  if (target === "") check.target = "";
  else if (target !== undefined && target !== before.target) {
    const at = typeof update.target === "object" ? `${pointer}/target/saved` : `${pointer}/target`;
    check.target = judgeHost("health_check.target", target, at, by.problems) ?? before.target;
  }
  mergeSource(stored, update, check, by);
  return check;
}

/** `source`: version 1.5 only; there required when bidirectional, refused and cleared when not. */
function mergeSource(
  stored: InterconnectDoc,
  update: HealthCheckUpdate,
  check: Mutable<HealthCheck>,
  by: Judgement,
): void {
  const { version, health_check } = stored;
  const pointer = `${by.pointer}/health_check`;
  const at = `${pointer}/source`;
  if (version !== "1.5") {
    if (update.source !== undefined) by.problems.add("source_not_supported", { version }, at);
    return;
  }
  if (check.direction === "unidirectional") {
    if (update.source) by.problems.add("source_not_allowed", {}, at);
    delete check.source;
    return;
  }
  if (update.source === "") delete check.source;
  else if (update.source !== undefined && update.source !== health_check.source) {
    check.source = judgeSource(update.source, at, by.problems) ?? update.source;
  }
  const asked = update.direction !== undefined || update.source !== undefined;
  if (asked && check.source === undefined) by.problems.add("source_required", {}, pointer);
}

/** An object of which nothing is left goes with its last member: the log cannot tell it from none. */
function mergeBgp(
  stored: InterconnectDoc,
  doc: Mutable<InterconnectDoc>,
  update: BgpUpdate,
  by: Judgement,
): void {
  const pointer = `${by.pointer}/bgp`;
  const before = doc.bgp ?? {};
  const bgp: Mutable<Bgp> = { ...before };
  const { extra_prefixes, md5_key } = update;
  mergeAsn(bgp, update, { ...by, pointer });
  if (extra_prefixes?.length === 0) delete bgp.extra_prefixes;
  else if (extra_prefixes) {
    const prefixes = judgeExtraPrefixes(extra_prefixes, `${pointer}/extra_prefixes`, by.problems);
    if (prefixes) bgp.extra_prefixes = prefixes;
  }
  for (const field of ["import_filter_id", "export_filter_id"] as const) {
    if (update[field] === "") delete bgp[field];
    else if (update[field] !== undefined) bgp[field] = update[field];
  }
  if (md5_key === "") delete bgp.md5_key;
  else if (md5_key !== undefined && judgeMd5Key(md5_key, `${pointer}/md5_key`, by.problems))
    bgp.md5_key = md5_key;
  for (const field of ["cloudflare_endpoint", "customer_endpoint"] as const)
    mergeEndpoint(stored, doc, bgp, update, field, by);
  if (Object.keys(bgp).length > 0) doc.bgp = bgp;
  else delete doc.bgp;
}

/**
 * `as_no` is the old name of `customer_asn`, which counts where both are sent: what was read, with the
 * new name changed, means the same when it is sent a second time.
 */
function mergeAsn(bgp: Mutable<Bgp>, update: BgpUpdate, by: Judgement): void {
  const { as_no, customer_asn } = update;
  const stored = bgp.customer_asn;
  const both = as_no !== undefined && customer_asn !== undefined && as_no !== customer_asn;
  if (both && as_no !== stored && customer_asn !== stored) {
    const expected = "the same as customer_asn, whose old name it is";
    by.problems.add("invalid_value", { field: "bgp.as_no", given: as_no, expected }, `${by.pointer}/as_no`);
    return;
  }
  const field = customer_asn === undefined ? "as_no" : "customer_asn";
  const asn = update[field];
  if (asn === undefined || asn === stored) return;
  if (judgeAsn(`bgp.${field}`, asn, `${by.pointer}/${field}`, by.problems)) bgp.customer_asn = asn;
}

/** Derived endpoints are read-only: those that were read are ignored, also when the address moves. */
function mergeEndpoint(
  stored: InterconnectDoc,
  doc: InterconnectDoc,
  bgp: Mutable<Bgp>,
  update: BgpUpdate,
  field: "cloudflare_endpoint" | "customer_endpoint",
  by: Judgement,
): void {
  const given = update[field];
  if (given === undefined || given === bgp[field]) return;
  const pointer = `${by.pointer}/bgp/${field}`;
  if (derivesBgpEndpoints(doc)) {
    const end = field === "cloudflare_endpoint" ? providerEnd : customerEnd;
    const derived = end(doc);
    if (given !== derived && given !== end(stored)) {
      by.problems.add("read_only_field", { field: `bgp.${field}`, stored: show(derived) }, pointer);
    }
  } else if (given === "") delete bgp[field];
  else {
    const host = judgeHost4(`bgp.${field}`, given, pointer, by.problems);
    if (host !== undefined) bgp[field] = host;
  }
}
