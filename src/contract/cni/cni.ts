/** The CNI on the wire: the other view of a Magic interconnect that was made on a port. */

import Type, { type Static } from "typebox";
import type { Operation } from "../operation.ts";
import { accepted } from "../permissions.ts";
import { closed, nullable, page, Uuid, Whole32 } from "./forms.ts";

const Prefixes = Type.Array(Type.String({ maxLength: 64 }), { maxItems: 1000 });

/** The vendor's words for how a CNI's BGP session reaches the Magic network. */
export const BgpMode = Type.Enum(["dynamic_route_exchange", "advertise_only"]);

const bgp = { customer_asn: Whole32, extra_prefixes: Prefixes };

const Magic = Type.Object({ conduit_name: Type.String(), description: Type.String(), mtu: Whole32 }, closed);

export const Cni = Type.Object(
  {
    id: Uuid,
    account: Type.String(),
    bgp: Type.Optional(Type.Object({ ...bgp, md5_key: Type.Optional(Type.String()) }, closed)),
    bgp_mode: Type.Optional(BgpMode),
    cust_ip: Type.String(),
    interconnect: Type.String(),
    magic: Magic,
    p2p_ip: Type.String(),
  },
  closed,
);
export type Cni = Static<typeof Cni>;

const GivenBgp = Type.Object(
  { ...bgp, md5_key: Type.Optional(nullable(Type.String({ maxLength: 80 }))) },
  closed,
);
const GivenMagic = Type.Object(
  {
    conduit_name: Type.String({ maxLength: 255 }),
    description: Type.String({ maxLength: 1024 }),
    mtu: Whole32,
  },
  closed,
);

export const NewCni = Type.Object(
  {
    account: Type.String(),
    bgp: Type.Optional(GivenBgp),
    interconnect: Type.String(),
    magic: GivenMagic,
  },
  closed,
);
export type NewCni = Static<typeof NewCni>;

/** An update says the whole CNI. */
export const CniUpdate = Type.Object(
  {
    id: Type.String(),
    account: Type.String(),
    bgp: Type.Optional(GivenBgp),
    bgp_mode: Type.Optional(BgpMode),
    cust_ip: Type.String(),
    interconnect: Type.String(),
    magic: GivenMagic,
    p2p_ip: Type.String(),
  },
  closed,
);
export type CniUpdate = Static<typeof CniUpdate>;

export const CniSettings = Type.Object({ default_asn: Whole32 }, closed);
/** What is left out stays; `null` goes back to none. */
export const CniSettingsUpdate = Type.Object({ default_asn: Type.Optional(nullable(Whole32)) }, closed);

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
    answer: page(Cni),
    origin: "vendor",
  },
  createCni: {
    method: "POST",
    path: cnis,
    summary: "Make a CNI, and with it a Magic interconnect",
    groups: accepted.writeMagic,
    query: [],
    answer: Cni,
    body: NewCni,
    origin: "vendor",
  },
  getCni: {
    method: "GET",
    path: `${cnis}/:cni`,
    summary: "CNI details",
    groups: accepted.readMagic,
    query: [],
    answer: Cni,
    origin: "vendor",
  },
  updateCni: {
    method: "PUT",
    path: `${cnis}/:cni`,
    summary: "Update CNI",
    groups: accepted.writeMagic,
    query: [],
    answer: Cni,
    body: CniUpdate,
    origin: "vendor",
  },
  deleteCni: {
    method: "DELETE",
    path: `${cnis}/:cni`,
    summary: "Unmake a CNI, and its Magic interconnect",
    groups: accepted.writeMagic,
    query: [],
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
    answer: CniSettings,
    origin: "vendor",
  },
  updateCniSettings: {
    method: "PUT",
    path: `${base}/settings`,
    summary: "Update CNI settings",
    groups: accepted.writeMagic,
    query: [],
    answer: CniSettings,
    body: CniSettingsUpdate,
    origin: "vendor",
  },
} as const satisfies Record<string, Operation>;
