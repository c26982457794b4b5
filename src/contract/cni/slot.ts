/** The slot on the wire: a port of the edge that is free or taken. The vendor shows it, administrators make it. */

import Type, { type Static } from "typebox";
import { success } from "../envelope.ts";
import type { Operation } from "../operation.ts";
import { accepted } from "../permissions.ts";
import { Account, closed, GivenUuid, Line, nullable, page, paging, Site, Speed, Uuid } from "./forms.ts";

/** What the fields mean, whether they are told or taken. */
const says = {
  id: { description: "The identifier, a UUID.", examples: ["182bd5e5-6e1a-4fe4-a799-aa6d9a6ab26e"] },
  address: {
    description: "The postal address, line by line: 1 to 6 of them.",
    examples: [["350 Example Street", "Chicago, IL 60616", "USA"]],
  },
  ccr_device_name: { description: "The device that the port is on: one line of 1 to 100 characters." },
  facility: { description: "The building that the port is in." },
  name: {
    description: "The building's name: one line of 1 to 100 characters.",
    examples: ["Demonstration Chicago"],
  },
  occupied: { description: "Has a port taken it?" },
  port: { description: "The port (CNI interconnect) that has taken it, by name. Read-only.", readOnly: true },
  site: {
    description: "The data centre, by its short name: a word of 1 to 32 letters, digits, `_` and `-`.",
    examples: ["ORD"],
  },
  speed: {
    description: "Bits a second: 1 to 4 digits with `M`, `G` or `T`.",
    examples: ["10G"],
  },
  version: {
    description:
      "The version of the interconnects that CNIs make on it from now on: over GRE (`1`) or bare (`1.5`, `2`).",
    examples: ["2"],
  },
} as const;

const address = Type.Array(Line(), { minItems: 1, maxItems: 6, ...says.address });

export const Facility = Type.Object(
  { address, name: Line(says.name) },
  { title: "Facility", ...says.facility, ...closed },
);

/** A slot as the vendor shows it. */
export const SlotInfo = Type.Object(
  {
    id: Uuid(says.id),
    account: Account,
    ccr_device_name: Type.Optional(Type.String(says.ccr_device_name)),
    facility: Facility,
    occupied: Type.Boolean({ ...says.occupied, examples: [false] }),
    site: Type.String(says.site),
    speed: Type.String(says.speed),
  },
  { title: "Slot", description: "A port of the edge, free or taken.", ...closed },
);
export type SlotInfo = Static<typeof SlotInfo>;

const Version = Type.Enum(["1", "1.5", "2"], says.version);

/** A slot as its administrator sees it: with the version of what is made on it, and the port that has it. */
export const AdministeredSlot = Type.Object(
  { ...SlotInfo.properties, port: Type.Optional(Type.String(says.port)), version: Version },
  {
    title: "AdministeredSlot",
    description: "A slot as its administrator sees it.",
    ...closed,
  },
);
export type AdministeredSlot = Static<typeof AdministeredSlot>;

/** What a slot is made of. */
export const NewSlot = Type.Object(
  {
    id: Type.Optional(GivenUuid({ description: "The identifier, a UUID: a random one unless said." })),
    ccr_device_name: Type.Optional(nullable(Line(says.ccr_device_name))),
    facility: Facility,
    site: Site(says.site),
    speed: Speed(says.speed),
    version: Type.Optional(Type.Enum([...Version.enum], { ...says.version, default: "2" })),
  },
  { title: "NewSlot", ...closed },
);
export type NewSlot = Static<typeof NewSlot>;

/** What an update may say: what is left out stays, `null` clears. What is read-only must be as it is. */
export const SlotUpdate = Type.Object(
  {
    id: Type.Optional(Type.String({ description: "The identifier. Read-only.", readOnly: true })),
    account: Type.Optional(Type.String({ description: "The account. Read-only.", readOnly: true })),
    ccr_device_name: Type.Optional(
      nullable(
        Line({
          description: "The device that the port is on: one line of 1 to 100 characters; `null` clears it.",
        }),
      ),
    ),
    facility: Type.Optional(
      Type.Object(
        { address: Type.Optional(address), name: Type.Optional(Line(says.name)) },
        { ...says.facility, ...closed },
      ),
    ),
    occupied: Type.Optional(Type.Boolean({ description: "Has a port taken it? Read-only.", readOnly: true })),
    port: Type.Optional(Type.String(says.port)),
    site: Type.Optional(Site(says.site)),
    speed: Type.Optional(Speed(says.speed)),
    version: Type.Optional(Version),
  },
  { title: "SlotUpdate", description: "What is left out stays as it is.", ...closed },
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
    parameters: paging,
    conditional: true,
    answer: page(SlotInfo),
    origin: "vendor",
  },
  getCniSlot: {
    method: "GET",
    path: `${vendor}/:slot`,
    summary: "Slot details",
    groups: accepted.readMagic,
    query: [],
    conditional: true,
    answer: SlotInfo,
    origin: "vendor",
  },
  listSlots: {
    method: "GET",
    path: own,
    summary: "List slots, as their administrator sees them",
    groups: accepted.administer,
    query: [],
    conditional: true,
    answer: success(Type.Array(AdministeredSlot)),
    origin: "patchbay",
  },
  createSlot: {
    method: "POST",
    path: own,
    summary: "Make a slot",
    groups: accepted.administer,
    query: [],
    conditional: true,
    confirmable: true,
    answer: success(AdministeredSlot),
    body: NewSlot,
    example: {
      site: "FRA",
      speed: "10G",
      facility: { name: "Demonstration Frankfurt", address: ["Beispielweg 3", "60314 Frankfurt", "Germany"] },
    },
    refusals: ["too_many_objects", "id_taken"],
    origin: "patchbay",
  },
  getSlot: {
    method: "GET",
    path: `${own}/:slot`,
    summary: "One slot, as its administrator sees it",
    groups: accepted.administer,
    query: [],
    conditional: true,
    answer: success(AdministeredSlot),
    origin: "patchbay",
  },
  updateSlot: {
    method: "PUT",
    path: `${own}/:slot`,
    summary: "Update a slot",
    description: "Whether it is taken or not. What was made on it keeps its version.",
    groups: accepted.administer,
    query: [],
    conditional: true,
    confirmable: true,
    answer: success(AdministeredSlot),
    body: SlotUpdate,
    example: { speed: "100G", ccr_device_name: "ccr02.ord" },
    refusals: ["read_only_field"],
    origin: "patchbay",
  },
  deleteSlot: {
    method: "DELETE",
    path: `${own}/:slot`,
    summary: "Remove a free slot",
    groups: accepted.administer,
    query: [],
    conditional: true,
    refusals: ["slot_occupied"],
    confirmable: true,
    answer: success(AdministeredSlot),
    origin: "patchbay",
  },
} as const satisfies Record<string, Operation>;
