/** The CNI on the wire: the other view of a Magic interconnect that was made on a port. */

import Type, { type Static } from "typebox";
import type { Operation } from "../operation.ts";
import { accepted } from "../permissions.ts";
import { secret } from "../secret.ts";
import { Account, closed, nullable, page, paging, Uuid, Whole32 } from "./forms.ts";

/** What the fields mean, whether they are told or taken. */
const says = {
  id: {
    description: "The identifier: the digits of its Magic interconnect's `id`, as a UUID.",
    examples: ["5d41402a-bc4b-2a76-b971-9d911017c592"],
  },
  bgp: { description: "The BGP session over the link. Without it, there is none." },
  bgp_mode: {
    description:
      "`dynamic_route_exchange`: routes are exchanged with the Magic network; `advertise_only`: prefixes are only announced.",
  },
  customer_asn: {
    description: "The customer's autonomous system number; not 13335.",
    examples: [65010],
  },
  extra_prefixes: {
    description: "Prefixes announced to the customer besides, IPv4 in CIDR form without host bits.",
    examples: [["192.0.2.0/24"]],
  },
  md5_key: {
    ...secret,
    description:
      'The key of TCP MD5: 1 to 80 printable ASCII characters but `"` and `?`. Masked in the change log and the state.',
  },
  cust_ip: {
    description:
      "The customer's end of the link, with its prefix length. Taken from the account's link pool; read-only.",
    examples: ["192.0.2.5/31"],
  },
  p2p_ip: {
    description:
      "The provider's end of the link, with its prefix length. Taken from the account's link pool; read-only.",
    examples: ["192.0.2.4/31"],
  },
  interconnect: {
    description: "The port (CNI interconnect) that it is on, by name.",
    examples: ["sin-c1d7e5a24b98"],
  },
  magic: { description: "What is also the Magic interconnect's." },
  conduit_name: {
    description: "The Magic interconnect's name, unique among the account's interconnects and tunnels.",
    examples: ["pni_sin"],
  },
  description: { description: "Free text.", examples: ["Port without GRE in SIN"] },
  mtu: {
    description: 'The greatest packet, in bytes: 576 to 1476 (version "1") or to 1500 ("1.5" and "2").',
    examples: [1500],
  },
} as const;

/** The vendor's words for how a CNI's BGP session reaches the Magic network. */
export const BgpMode = Type.Enum(["dynamic_route_exchange", "advertise_only"], says.bgp_mode);

const bgp = {
  customer_asn: Whole32(says.customer_asn),
  extra_prefixes: Type.Array(Type.String({ maxLength: 64 }), { maxItems: 1000, ...says.extra_prefixes }),
};

const Magic = Type.Object(
  {
    conduit_name: Type.String(says.conduit_name),
    description: Type.String(says.description),
    mtu: Whole32(says.mtu),
  },
  { ...says.magic, ...closed },
);

export const Cni = Type.Object(
  {
    id: Uuid(says.id),
    account: Account,
    bgp: Type.Optional(
      Type.Object({ ...bgp, md5_key: Type.Optional(Type.String(says.md5_key)) }, { ...says.bgp, ...closed }),
    ),
    bgp_mode: Type.Optional(BgpMode),
    cust_ip: Type.String(says.cust_ip),
    interconnect: Type.String(says.interconnect),
    magic: Magic,
    p2p_ip: Type.String(says.p2p_ip),
  },
  {
    title: "Cni",
    description: "A CNI: the other view of a Magic interconnect that is on a port.",
    ...closed,
  },
);
export type Cni = Static<typeof Cni>;

const GivenBgp = Type.Object(
  { ...bgp, md5_key: Type.Optional(nullable(Type.String({ maxLength: 80, ...says.md5_key }))) },
  { ...says.bgp, ...closed },
);
const GivenMagic = Type.Object(
  {
    conduit_name: Type.String({ maxLength: 255, ...says.conduit_name }),
    description: Type.String({ maxLength: 1024, ...says.description }),
    mtu: Whole32(says.mtu),
  },
  { ...says.magic, ...closed },
);

export const NewCni = Type.Object(
  {
    account: Account,
    bgp: Type.Optional(GivenBgp),
    interconnect: Type.String(says.interconnect),
    magic: GivenMagic,
  },
  { title: "NewCni", ...closed },
);
export type NewCni = Static<typeof NewCni>;

/** An update says the whole CNI. */
export const CniUpdate = Type.Object(
  {
    id: Type.String({ ...says.id, description: `${says.id.description} Read-only.` }),
    account: Account,
    bgp: Type.Optional(GivenBgp),
    bgp_mode: Type.Optional(BgpMode),
    cust_ip: Type.String(says.cust_ip),
    interconnect: Type.String({
      ...says.interconnect,
      description: `${says.interconnect.description} Read-only.`,
    }),
    magic: GivenMagic,
    p2p_ip: Type.String(says.p2p_ip),
  },
  {
    title: "CniUpdate",
    description: "The whole CNI as it is to be: a session or a mode that is left out goes.",
    ...closed,
  },
);
export type CniUpdate = Static<typeof CniUpdate>;

const defaultAsn = "The autonomous system number that the account's members mean for new sessions";

export const CniSettings = Type.Object(
  { default_asn: Whole32({ description: `${defaultAsn}; 0 is none.`, examples: [65000] }) },
  { title: "CniSettings", ...closed },
);
/** What is left out stays; `null` goes back to none. */
export const CniSettingsUpdate = Type.Object(
  {
    default_asn: Type.Optional(
      nullable(Whole32({ description: `${defaultAsn}; 0 and \`null\` are none.`, examples: [65020] })),
    ),
  },
  { title: "CniSettingsUpdate", description: "What is left out stays as it is.", ...closed },
);

const base = "/client/v4/accounts/:account_id/cni";
const cnis = `${base}/cnis`;

/** What may be asked of CNIs and of their settings. */
export const cniOperations = {
  listCnis: {
    method: "GET",
    path: cnis,
    summary: "List CNIs",
    groups: accepted.readMagic,
    query: ["slot", "tunnel_id", "cursor", "limit"],
    parameters: paging,
    conditional: true,
    answer: page(Cni),
    origin: "vendor",
  },
  createCni: {
    method: "POST",
    path: cnis,
    summary: "Make a CNI, and with it a Magic interconnect",
    description:
      "The addresses of the link and of the interface are the lowest free ones of the account's pools. The Magic interconnect has the version of the port's slot; over a partner's port, it has version 2.",
    groups: accepted.writeMagic,
    query: [],
    conditional: true,
    confirmable: true,
    answer: Cni,
    body: NewCni,
    example: {
      account: "023e105f4ecef8ad9ca31a8372d0c353",
      interconnect: "gcp-us-central1-6b0c2f4e8d17",
      magic: { conduit_name: "pni_gcp", description: "To Google Cloud", mtu: 1500 },
      bgp: { customer_asn: 65020, extra_prefixes: [] },
    },
    refusals: ["too_many_objects", "cni_name_taken", "unknown_port", "pool_missing", "pool_exhausted"],
    origin: "vendor",
  },
  getCni: {
    method: "GET",
    path: `${cnis}/:cni`,
    summary: "CNI details",
    groups: accepted.readMagic,
    query: [],
    conditional: true,
    answer: Cni,
    origin: "vendor",
  },
  updateCni: {
    method: "PUT",
    path: `${cnis}/:cni`,
    summary: "Update CNI",
    groups: accepted.writeMagic,
    query: [],
    conditional: true,
    confirmable: true,
    answer: Cni,
    body: CniUpdate,
    example: {
      id: "5d41402a-bc4b-2a76-b971-9d911017c592",
      account: "023e105f4ecef8ad9ca31a8372d0c353",
      interconnect: "sin-c1d7e5a24b98",
      p2p_ip: "192.0.2.4/31",
      cust_ip: "192.0.2.5/31",
      magic: { conduit_name: "pni_sin", description: "Port without GRE in SIN", mtu: 1400 },
      bgp: { customer_asn: 65010, extra_prefixes: ["192.0.2.0/24"] },
    },
    refusals: ["read_only_field", "name_taken"],
    origin: "vendor",
  },
  deleteCni: {
    method: "DELETE",
    path: `${cnis}/:cni`,
    summary: "Unmake a CNI, and its Magic interconnect",
    description: "Its addresses are free again. Static routes over it have to be deleted before.",
    groups: accepted.writeMagic,
    query: [],
    conditional: true,
    refusals: ["interconnect_in_use"],
    confirmable: true,
    answer: Type.Unknown(),
    empty: true,
    origin: "vendor",
  },
  getCniSettings: {
    method: "GET",
    path: `${base}/settings`,
    summary: "CNI settings",
    groups: accepted.readMagic,
    query: [],
    conditional: true,
    answer: CniSettings,
    origin: "vendor",
  },
  updateCniSettings: {
    method: "PUT",
    path: `${base}/settings`,
    summary: "Update CNI settings",
    groups: accepted.writeMagic,
    query: [],
    conditional: true,
    confirmable: true,
    answer: CniSettings,
    body: CniSettingsUpdate,
    origin: "vendor",
  },
} as const satisfies Record<string, Operation>;
