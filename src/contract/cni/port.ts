/**
 * The port on the wire, which the vendor's CNI API calls an interconnect: a slot that is taken, or a
 * partner's virtual port. It is named apart here because a Magic interconnect is something else: what
 * a CNI makes on a port.
 */

import Type, { type Static } from "typebox";
import type { Operation } from "../operation.ts";
import { accepted } from "../permissions.ts";
import { closed, GivenUuid, nullable, page, Speed, Uuid } from "./forms.ts";
import { Facility } from "./slot.ts";

/** The vendor's bandwidths. */
export const Bandwidth = Type.Enum([
  "50M",
  "100M",
  "200M",
  "300M",
  "400M",
  "500M",
  "1G",
  "2G",
  "5G",
  "10G",
  "20G",
  "50G",
]);

/** A pairing key of Google Cloud: a UUID, the region, and the zone or `any`. */
export const PairingKey = Type.String({
  pattern: "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}/[a-z][a-z0-9-]{1,40}/([0-9]|any)$",
});

const common = { name: Type.String(), account: Type.String(), virtual_port_reservation_id: Uuid };

const DirectPort = Type.Object(
  {
    ...common,
    ccr_device_name: Type.Optional(Type.String()),
    facility: Facility,
    site: Type.String(),
    slot_id: Uuid,
    speed: Type.String(),
    type: Type.Literal("direct"),
  },
  closed,
);

const PartnerPort = Type.Object(
  { ...common, region: Type.String(), speed: Bandwidth, type: Type.Literal("gcp_partner") },
  closed,
);

export const Port = Type.Union([DirectPort, PartnerPort]);
export type DirectPort = Static<typeof DirectPort>;
export type PartnerPort = Static<typeof PartnerPort>;

export const NewDirectPort = Type.Object(
  {
    account: Type.String(),
    slot_id: GivenUuid,
    speed: Type.Optional(nullable(Speed)),
    type: Type.Literal("direct"),
  },
  closed,
);
export type NewDirectPort = Static<typeof NewDirectPort>;

export const NewPartnerPort = Type.Object(
  {
    account: Type.String(),
    bandwidth: Bandwidth,
    pairing_key: PairingKey,
    type: Type.Literal("gcp_partner"),
  },
  closed,
);
export type NewPartnerPort = Static<typeof NewPartnerPort>;

/** A port as `/state` tells it. What is known of a direct one is that of its slot. */
export const ListedPort = Type.Object(
  {
    id: Type.String(),
    region: Type.Optional(Type.String()),
    slot_id: Type.Optional(Uuid),
    speed: Type.Optional(Bandwidth),
    type: Type.Enum(["direct", "gcp_partner"]),
    virtual_port_reservation_id: Uuid,
  },
  closed,
);
export type ListedPort = Static<typeof ListedPort>;

export const PortStatus = Type.Union([
  Type.Object({ state: Type.Enum(["Pending", "Healthy"]) }, closed),
  Type.Object({ reason: Type.Optional(Type.String()), state: Type.Enum(["Down", "Unhealthy"]) }, closed),
]);
export type PortStatus = Static<typeof PortStatus>;

const ports = "/client/v4/accounts/:account_id/cni/interconnects";

/** What may be asked of ports. */
export const portOperations = {
  listCniInterconnects: {
    method: "GET",
    path: ports,
    summary: "List CNI interconnects (ports)",
    groups: accepted.readMagic,
    query: ["site", "type", "cursor", "limit"],
    answer: page(Port),
    origin: "vendor",
  },
  createCniInterconnect: {
    method: "POST",
    path: ports,
    summary: "Take a slot, or a partner's virtual port",
    groups: accepted.writeMagic,
    query: [],
    answer: Port,
    body: Type.Union([NewDirectPort, NewPartnerPort]),
    origin: "vendor",
  },
  getCniInterconnect: {
    method: "GET",
    path: `${ports}/:icon`,
    summary: "CNI interconnect (port) details",
    groups: accepted.readMagic,
    query: [],
    answer: Port,
    origin: "vendor",
  },
  deleteCniInterconnect: {
    method: "DELETE",
    path: `${ports}/:icon`,
    summary: "Give back a CNI interconnect (port)",
    groups: accepted.writeMagic,
    query: [],
    answer: Type.Unknown(),
    empty: true,
    origin: "vendor",
  },
  getCniInterconnectStatus: {
    method: "GET",
    path: `${ports}/:icon/status`,
    summary: "Status of a CNI interconnect (port)",
    groups: accepted.readMagic,
    query: [],
    answer: PortStatus,
    origin: "vendor",
  },
  getCniInterconnectLoa: {
    method: "GET",
    path: `${ports}/:icon/loa`,
    summary: "Letter of authorization, for the cross-connect",
    groups: accepted.readMagic,
    query: ["name"],
    answer: Type.Unknown(),
    produces: "application/pdf",
    origin: "vendor",
  },
  getCniInterconnectLoaDefault: {
    method: "GET",
    path: `${ports}/:icon/loa/default`,
    summary: "The customer's name that the letter has unless another is asked for",
    groups: accepted.readMagic,
    query: [],
    answer: Type.Object({ name: Type.String() }, closed),
    origin: "vendor",
  },
} as const satisfies Record<string, Operation>;
