/**
 * The port on the wire, which the vendor's CNI API calls an interconnect: a slot that is taken, or a
 * partner's virtual port. It is named apart here because a Magic interconnect is something else: what
 * a CNI makes on a port.
 */

import Type, { type Static } from "typebox";
import type { Operation } from "../operation.ts";
import { type Parameter, portName } from "../parameters.ts";
import { accepted } from "../permissions.ts";
import { secret } from "../secret.ts";
import { Account, closed, GivenUuid, nullable, page, paging, Speed, Uuid } from "./forms.ts";
import { Facility, SlotInfo } from "./slot.ts";

/** The vendor's bandwidths. */
export const Bandwidth = Type.Enum(
  ["50M", "100M", "200M", "300M", "400M", "500M", "1G", "2G", "5G", "10G", "20G", "50G"],
  { description: "Bits a second, as the partner sells them.", examples: ["1G"] },
);

/** A pairing key of Google Cloud: a UUID, the region, and the zone or `any`. */
export const PairingKey = Type.String({
  ...secret,
  pattern: "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}/[a-z][a-z0-9-]{1,40}/([0-9]|any)$",
  description:
    "The pairing key as Google Cloud shows it, `UUID/REGION/ZONE`. Kept as a hash, told to nobody.",
  examples: ["0b9c8d7e-6f50-4a3b-9c2d-1e0f9a8b7c6d/us-central1/any"],
});

const reservation = Uuid({
  description:
    "The reservation that the port is. The interconnects on it carry its digits as `virtual_port_reservation_id`.",
  examples: ["c1d7e5a2-4b98-4f06-8c31-2e5f7a9b0d14"],
});
const region = Type.String({
  description: "The partner's region, from the pairing key.",
  examples: ["us-central1"],
});

const common = {
  name: Type.String({ description: "Names the port in paths and in CNIs.", examples: ["sin-c1d7e5a24b98"] }),
  account: Account,
  virtual_port_reservation_id: reservation,
};

const slotId = Uuid({
  description: "The slot that is taken.",
  examples: ["9d4b6c1e-2f83-4a70-9e15-c7b8a6d5e4f3"],
});

const types = {
  direct: { description: "A slot of the edge, reached by a cross-connect." },
  gcp_partner: { description: "A virtual port of Google Cloud's." },
} as const;

const DirectPort = Type.Object(
  {
    ...common,
    ccr_device_name: Type.Optional(Type.String({ description: "The device that the port is on." })),
    facility: Facility,
    site: Type.String({ description: "The data centre, by its short name.", examples: ["SIN"] }),
    slot_id: slotId,
    speed: SlotInfo.properties.speed,
    type: Type.Literal("direct", types.direct),
  },
  {
    title: "DirectPort",
    description: "A slot that is taken.",
    examples: [
      {
        name: "sin-c1d7e5a24b98",
        account: "023e105f4ecef8ad9ca31a8372d0c353",
        virtual_port_reservation_id: "c1d7e5a2-4b98-4f06-8c31-2e5f7a9b0d14",
        ccr_device_name: "ccr01.sin",
        facility: {
          address: ["2 Example Avenue", "Singapore 408600"],
          name: "Demonstration Singapore",
        },
        site: "SIN",
        slot_id: "9d4b6c1e-2f83-4a70-9e15-c7b8a6d5e4f3",
        speed: "10G",
        type: "direct",
      },
    ],
    ...closed,
  },
);

const PartnerPort = Type.Object(
  { ...common, region, speed: Bandwidth, type: Type.Literal("gcp_partner", types.gcp_partner) },
  { title: "PartnerPort", description: "A virtual port of Google Cloud's.", ...closed },
);

export const Port = Type.Union([DirectPort, PartnerPort]);
export type DirectPort = Static<typeof DirectPort>;
export type PartnerPort = Static<typeof PartnerPort>;

export const NewDirectPort = Type.Object(
  {
    account: Account,
    slot_id: GivenUuid({
      description: "A free slot, which is taken.",
      examples: ["182bd5e5-6e1a-4fe4-a799-aa6d9a6ab26e"],
    }),
    speed: Type.Optional(nullable(Speed({ description: "If it is said, the slot's own." }))),
    type: Type.Literal("direct", types.direct),
  },
  { title: "NewDirectPort", ...closed },
);
export type NewDirectPort = Static<typeof NewDirectPort>;

export const NewPartnerPort = Type.Object(
  {
    account: Account,
    bandwidth: Bandwidth,
    pairing_key: PairingKey,
    type: Type.Literal("gcp_partner", types.gcp_partner),
  },
  { title: "NewPartnerPort", ...closed },
);
export type NewPartnerPort = Static<typeof NewPartnerPort>;

/** A port as `/state` tells it. What is known of a direct one is that of its slot. */
export const ListedPort = Type.Object(
  {
    id: Type.String({ description: "The port's name.", examples: ["sin-c1d7e5a24b98"] }),
    region: Type.Optional(Type.String({ description: "Of a partner's port: the region." })),
    slot_id: Type.Optional(slotId),
    speed: Type.Optional(
      Type.Enum([...Bandwidth.enum], { description: "Of a partner's port: bits a second." }),
    ),
    type: Type.Enum(["direct", "gcp_partner"], {
      description: "A slot that is taken, or a virtual port of Google Cloud's.",
      examples: ["direct"],
    }),
    virtual_port_reservation_id: reservation,
  },
  { title: "ListedPort", description: "A port (CNI interconnect) in short.", ...closed },
);
export type ListedPort = Static<typeof ListedPort>;

export const PortStatus = Type.Union(
  [
    Type.Object({ state: Type.Enum(["Pending", "Healthy"], { examples: ["Pending"] }) }, closed),
    Type.Object(
      {
        reason: Type.Optional(Type.String({ description: "What is known of the cause." })),
        state: Type.Enum(["Down", "Unhealthy"]),
      },
      closed,
    ),
  ],
  { title: "PortStatus", description: "Does the port work? `Pending` until its edge has told." },
);
export type PortStatus = Static<typeof PortStatus>;

const ports = "/client/v4/accounts/:account_id/cni/interconnects";

/** Where the names mean something else than elsewhere, they are told here. */
const listed: Readonly<Record<string, Parameter>> = {
  ...paging,
  type: {
    schema: Type.String(),
    description: "Only ports of this type, `direct` or `gcp_partner`.",
    mayBeEmpty: true,
  },
};
const letter: Readonly<Record<string, Parameter>> = {
  name: {
    schema: Type.String({ maxLength: 200 }),
    description:
      "The customer's name in the letter: one line of 1 to 200 characters of Western European letters; the account's own unless said.",
    mayBeEmpty: true,
  },
};
/** One without CNIs. */
const unused: Readonly<Record<string, Parameter>> = {
  icon: portName("gcp-us-central1-6b0c2f4e8d17"),
};

/** What may be asked of ports. */
export const portOperations = {
  listCniInterconnects: {
    method: "GET",
    path: ports,
    summary: "List CNI interconnects (ports)",
    groups: accepted.readMagic,
    query: ["site", "type", "cursor", "limit"],
    parameters: listed,
    conditional: true,
    answer: page(Port),
    origin: "vendor",
  },
  createCniInterconnect: {
    method: "POST",
    path: ports,
    summary: "Take a slot, or a partner's virtual port",
    description:
      "Answered without an envelope. A direct port takes a free slot; a partner's is made with the pairing key that Google Cloud shows.",
    groups: accepted.writeMagic,
    query: [],
    conditional: true,
    confirmable: true,
    answer: Port,
    body: Type.Union([NewDirectPort, NewPartnerPort]),
    refusals: ["too_many_objects", "unknown_slot", "slot_occupied", "pairing_key_used"],
    origin: "vendor",
  },
  getCniInterconnect: {
    method: "GET",
    path: `${ports}/:icon`,
    summary: "CNI interconnect (port) details",
    groups: accepted.readMagic,
    query: [],
    conditional: true,
    answer: Port,
    origin: "vendor",
  },
  deleteCniInterconnect: {
    method: "DELETE",
    path: `${ports}/:icon`,
    summary: "Give back a CNI interconnect (port)",
    description: "Its slot is free again. Nothing is deleted with it: its CNIs have to be deleted before.",
    groups: accepted.writeMagic,
    query: [],
    parameters: unused,
    conditional: true,
    refusals: ["port_in_use"],
    confirmable: true,
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
    description: "A PDF of one page, of a port on a slot. A partner's virtual port has none.",
    groups: accepted.readMagic,
    query: ["name"],
    parameters: letter,
    refusals: ["no_letter", "unprintable"],
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
    refusals: ["no_letter"],
    answer: Type.Object(
      { name: Type.String({ description: "The account's name.", examples: ["Demonstration"] }) },
      closed,
    ),
    origin: "vendor",
  },
} as const satisfies Record<string, Operation>;
