/** The slot on the wire: a port of the edge that is free or taken. The vendor shows it, administrators make it. */

import Type, { type Static } from "typebox";
import { success } from "../envelope.ts";
import { Interconnect } from "../interconnect.ts";
import type { Operation } from "../operation.ts";
import { accepted } from "../permissions.ts";
import { closed, GivenUuid, Line, nullable, page, Site, Speed, Uuid } from "./forms.ts";

export const Facility = Type.Object(
  { address: Type.Array(Line, { minItems: 1, maxItems: 6 }), name: Line },
  closed,
);

/** A slot as the vendor shows it. */
export const SlotInfo = Type.Object(
  {
    id: Uuid,
    account: Type.String(),
    ccr_device_name: Type.Optional(Type.String()),
    facility: Facility,
    occupied: Type.Boolean(),
    site: Type.String(),
    speed: Type.String(),
  },
  closed,
);
export type SlotInfo = Static<typeof SlotInfo>;

const Version = Interconnect.properties.version;

/** A slot as its administrator sees it: with the version of what is made on it, and the port that has it. */
export const AdministeredSlot = Type.Object(
  { ...SlotInfo.properties, port: Type.Optional(Type.String()), version: Version },
  closed,
);
export type AdministeredSlot = Static<typeof AdministeredSlot>;

/** What a slot is made of. */
export const NewSlot = Type.Object(
  {
    id: Type.Optional(GivenUuid),
    ccr_device_name: Type.Optional(nullable(Line)),
    facility: Facility,
    site: Site,
    speed: Speed,
    version: Type.Optional(Version),
  },
  closed,
);
export type NewSlot = Static<typeof NewSlot>;

/** What an update may say: what is left out stays, `null` clears. What is read-only must be as it is. */
export const SlotUpdate = Type.Object(
  {
    id: Type.Optional(Type.String()),
    account: Type.Optional(Type.String()),
    ccr_device_name: Type.Optional(nullable(Line)),
    facility: Type.Optional(
      Type.Object({ address: Type.Optional(Facility.properties.address), name: Type.Optional(Line) }, closed),
    ),
    occupied: Type.Optional(Type.Boolean()),
    port: Type.Optional(Type.String()),
    site: Type.Optional(Site),
    speed: Type.Optional(Speed),
    version: Type.Optional(Version),
  },
  closed,
);
export type SlotUpdate = Static<typeof SlotUpdate>;

const vendor = "/client/v4/accounts/:account_id/cni/slots";
const own = "/patchbay/v1/accounts/:account_id/slots";

/** What may be asked of slots, by customers and by administrators. */
export const slotOperations = {
  listCniSlots: {
    method: "GET",
    path: vendor,
    summary: "List slots",
    groups: accepted.readMagic,
    query: ["address_contains", "site", "speed", "occupied", "cursor", "limit"],
    answer: page(SlotInfo),
    origin: "vendor",
  },
  getCniSlot: {
    method: "GET",
    path: `${vendor}/:slot`,
    summary: "Slot details",
    groups: accepted.readMagic,
    query: [],
    answer: SlotInfo,
    origin: "vendor",
  },
  listSlots: {
    method: "GET",
    path: own,
    summary: "List slots, as their administrator sees them",
    groups: accepted.administer,
    query: [],
    answer: success(Type.Array(AdministeredSlot)),
    origin: "patchbay",
  },
  createSlot: {
    method: "POST",
    path: own,
    summary: "Make a slot",
    groups: accepted.administer,
    query: [],
    answer: success(AdministeredSlot),
    body: NewSlot,
    origin: "patchbay",
  },
  getSlot: {
    method: "GET",
    path: `${own}/:slot`,
    summary: "One slot, as its administrator sees it",
    groups: accepted.administer,
    query: [],
    answer: success(AdministeredSlot),
    origin: "patchbay",
  },
  updateSlot: {
    method: "PUT",
    path: `${own}/:slot`,
    summary: "Update a slot",
    groups: accepted.administer,
    query: [],
    answer: success(AdministeredSlot),
    body: SlotUpdate,
    origin: "patchbay",
  },
  deleteSlot: {
    method: "DELETE",
    path: `${own}/:slot`,
    summary: "Remove a free slot",
    groups: accepted.administer,
    query: [],
    answer: success(AdministeredSlot),
    origin: "patchbay",
  },
} as const satisfies Record<string, Operation>;
