/** The interconnect as the vendor shows it: `id` first, then the fields by name. */

import type { Interconnect } from "../contract/interconnect.ts";
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

type BgpView = NonNullable<Interconnect["bgp"]>;

function bgpView(doc: InterconnectDoc, bgp: Bgp): BgpView {
  const derived = derivesBgpEndpoints(doc)
    ? { cloudflare_endpoint: providerEnd(doc), customer_endpoint: customerEnd(doc) }
    : {};
  const asn = bgp.customer_asn === undefined ? {} : { as_no: bgp.customer_asn };
  const { extra_prefixes, ...rest } = bgp;
  return { ...asn, ...rest, ...derived, ...(extra_prefixes ? { extra_prefixes: [...extra_prefixes] } : {}) };
}

export function interconnectView(id: string, doc: InterconnectDoc, form: TargetForm): Interconnect {
  const check = doc.health_check;
  const view: Interconnect = {
    id,
    automatic_return_routing: doc.automatic_return_routing,
    ...(doc.bgp ? { bgp: bgpView(doc, doc.bgp) } : {}),
    ...(doc.colo_name === undefined ? {} : { colo_name: doc.colo_name }),
    created_on: doc.created_on,
    ...(doc.description === undefined ? {} : { description: doc.description }),
    ...(doc.gre && hasGre(doc.version) ? { gre: doc.gre } : {}),
    health_check: {
      direction: check.direction,
      enabled: check.enabled,
      rate: check.rate,
      ...(check.source === undefined ? {} : { source: check.source }),
      target: form === "text" ? check.target : { effective: effectiveTarget(doc), saved: check.target },
      type: check.type,
    },
    interface_address: doc.interface_address,
    ...(doc.interface_address6 === undefined ? {} : { interface_address6: doc.interface_address6 }),
    modified_on: doc.modified_on,
    mtu: doc.mtu,
    name: doc.name,
    version: doc.version,
    ...(doc.virtual_port_reservation_id === undefined
      ? {}
      : { virtual_port_reservation_id: doc.virtual_port_reservation_id }),
  };
  return view;
}
