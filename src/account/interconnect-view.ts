/** The interconnect as the vendor shows it: `id` first, then the fields by name. */

import type { Interconnect } from "../contract/interconnect.ts";
import type { LinkBelow } from "../contract/log.ts";
import {
  type Bgp,
  customerEnd,
  derivesBgpEndpoints,
  effectiveTarget,
  hasGre,
  type InterconnectDoc,
  providerEnd,
} from "./interconnect.ts";

/** `x-magic-new-hc-target: true` asks for the object form. */
export type TargetForm = "text" | "object";

/**
 * What is shown, for `JSON.stringify`, which leaves out members that are `undefined`. Every view has the
 * same members in the same order, since that is what is encoded fastest.
 */
type View<T> = { readonly [Member in keyof T]-?: T[Member] | undefined };

function bgpView(doc: InterconnectDoc, bgp: Bgp): View<NonNullable<Interconnect["bgp"]>> {
  const derived = derivesBgpEndpoints(doc);
  return {
    as_no: bgp.customer_asn,
    cloudflare_endpoint: derived ? providerEnd(doc) : bgp.cloudflare_endpoint,
    customer_asn: bgp.customer_asn,
    customer_endpoint: derived ? customerEnd(doc) : bgp.customer_endpoint,
    export_filter_id: bgp.export_filter_id,
    extra_prefixes: bgp.extra_prefixes && [...bgp.extra_prefixes],
    import_filter_id: bgp.import_filter_id,
    md5_key: bgp.md5_key,
  };
}

function healthCheckView(doc: InterconnectDoc, form: TargetForm): View<Interconnect["health_check"]> {
  const { direction, enabled, rate, source, target, type } = doc.health_check;
  const shown = form === "text" ? target : { effective: effectiveTarget(doc), saved: target };
  return { direction, enabled, rate, source, target: shown, type };
}

export function interconnectView(id: string, doc: InterconnectDoc, form: TargetForm) {
  return {
    id,
    automatic_return_routing: doc.automatic_return_routing,
    bgp: doc.bgp && bgpView(doc, doc.bgp),
    colo_name: doc.colo_name,
    created_on: doc.created_on,
    description: doc.description,
    gre: hasGre(doc.version) ? doc.gre : undefined,
    health_check: healthCheckView(doc, form),
    interface_address: doc.interface_address,
    interface_address6: doc.interface_address6,
    modified_on: doc.modified_on,
    mtu: doc.mtu,
    name: doc.name,
    version: doc.version,
    virtual_port_reservation_id: doc.virtual_port_reservation_id,
  } satisfies View<Omit<Interconnect, "bgp" | "health_check">> & { bgp: unknown; health_check: unknown };
}

/** The link below an interconnect, which the vendor's view does not tell; nothing if there is none. */
export function linkView(id: string, { link }: InterconnectDoc): LinkBelow | undefined {
  return link && { interconnect: id, provider: link.p2p_ip, customer: link.cust_ip };
}
