/** What an interconnect's fields mean: the words of its schemas, for whoever tells them without the schemas. */

import { secret } from "./secret.ts";

/** What the fields mean, whether they are told or taken. */
export const says = {
  id: { description: "The identifier.", examples: ["c4a7362d577a6c3019a474fd6f485821"] },
  automatic_return_routing: {
    description:
      "Are answers routed back through the interconnect they came from? Needs the account flag `coupler_integration`.",
    examples: [true],
  },
  colo_name: { description: "The data centre it ends in. Read-only.", examples: ["pni_ord"], readOnly: true },
  created_on: {
    description: "When it was made. Read-only.",
    examples: ["2017-06-14T00:00:00Z"],
    readOnly: true,
  },
  description: { description: "Free text.", examples: ["Tunnel for Interconnect to ORD"] },
  gre: { description: 'The GRE tunnel of a version "1" interconnect. The other versions have none.' },
  gre_endpoint: {
    description: "The provider's end of the GRE tunnel, an IPv4 address.",
    examples: ["203.0.113.1"],
  },
  health_check: { description: "How it is told whether the interconnect works." },
  direction: {
    description: "`bidirectional`: the probe's answer takes the tunnel back; `unidirectional`: any way.",
    default: "unidirectional",
    examples: ["unidirectional"],
  },
  enabled: { description: "Are probes sent?", default: true, examples: [true] },
  rate: { description: "How often probes are sent.", default: "mid", examples: ["low"] },
  source: {
    description:
      'The address that probes of a bidirectional check are sent from. Version "1.5" alone, and required there; in RFC 1918, 169.254.240.0/20 or 198.41.199.224/27.',
  },
  type: { description: "The kind of ICMP message that is sent.", default: "reply", examples: ["request"] },
  effective: {
    description:
      "The address that probes are sent to. Read-only: for a bidirectional check it follows from `interface_address`.",
    examples: ["203.0.113.1"],
    readOnly: true,
  },
  saved: {
    description: 'The address that was asked for; `""` for the customer\'s end of the link.',
    examples: ["203.0.113.1"],
  },
  target: { description: 'The address that was asked for; `""` for the customer\'s end of the link.' },
  interface_address: {
    description:
      'The provider\'s own end of the interface, with its /31 or /30 (version "1.5": /31), in 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or 169.254.240.0/20; version "1.5" also in the account\'s authorised prefixes. Subnets of an account do not overlap.',
    examples: ["10.213.0.8/31"],
  },
  interface_address6: {
    description:
      "The provider's end in IPv6: the first address of a /127 in the /96 of the account's `virtual_subnet6`.",
    examples: ["2606:54c1:7:0:a9fe:12d2:1:200/127"],
  },
  modified_on: {
    description: "When a value changed last. Read-only.",
    readOnly: true,
    examples: ["2017-06-14T05:20:00Z"],
  },
  mtu: {
    description: 'The greatest packet, in bytes: 576 to 1476 (version "1") or to 1500 ("1.5" and "2").',
    default: 1476,
    examples: [1476],
  },
  name: { description: "Unique among the account's interconnects and tunnels.", examples: ["pni_ord"] },
  version: {
    description: "How it is carried: over GRE (`1`) or bare (`1.5`, `2`). Read-only.",
    readOnly: true,
    examples: ["1"],
  },
  virtual_port_reservation_id: {
    description: "The port reservation it runs over. Read-only.",
    readOnly: true,
  },
  bgp: { description: "The BGP session over the interconnect." },
  as_no: { description: "`customer_asn` by its old name." },
  bgp_provider_endpoint: {
    description:
      'The provider\'s address of the session. Version "1.5": follows from `interface_address`, read-only.',
  },
  customer_asn: { description: "The customer's autonomous system number; not 13335." },
  bgp_customer_endpoint: {
    description:
      'The customer\'s address of the session. Version "1.5": follows from `interface_address`, read-only.',
  },
  export_filter_id: { description: "The filter profile of what is announced." },
  extra_prefixes: { description: "Prefixes announced besides, in CIDR form without host bits." },
  import_filter_id: { description: "The filter profile of what is accepted." },
  md5_key: {
    ...secret,
    description:
      'The key of TCP MD5: printable ASCII but `"` and `?`. Masked in the change log and the state.',
  },
} as const;

/** A field's words. */
export interface Words {
  readonly description: string;
  readonly readOnly?: boolean;
  readonly "x-secret"?: true;
}

/** The words by the dotted path of what is told. */
export const fieldWords: Readonly<Record<string, Words>> = {
  ...says,
  "bgp.as_no": says.as_no,
  "bgp.cloudflare_endpoint": says.bgp_provider_endpoint,
  "bgp.customer_asn": says.customer_asn,
  "bgp.customer_endpoint": says.bgp_customer_endpoint,
  "bgp.export_filter_id": says.export_filter_id,
  "bgp.extra_prefixes": says.extra_prefixes,
  "bgp.import_filter_id": says.import_filter_id,
  "bgp.md5_key": says.md5_key,
  "gre.cloudflare_endpoint": says.gre_endpoint,
  "health_check.direction": says.direction,
  "health_check.enabled": says.enabled,
  "health_check.rate": says.rate,
  "health_check.source": says.source,
  "health_check.target": says.target,
  "health_check.target.effective": says.effective,
  "health_check.target.saved": says.saved,
  "health_check.type": says.type,
};
