/** A world to start from: accounts with their interconnects, users, tokens. */

import Type, { type Static } from "typebox";
import { BgpMode } from "./cni/cni.ts";
import { closed, GivenUuid, Whole32 } from "./cni/forms.ts";
import { NewDirectPort, NewPartnerPort } from "./cni/port.ts";
import { NewSlot } from "./cni/slot.ts";
import { Interconnect, UpdateWithText } from "./interconnect.ts";
import { says as interconnectSays } from "./interconnect-words.ts";
import { NewStaticRoute } from "./static-route.ts";

const objectId = { pattern: "^[0-9a-f]{32}$" } as const;
const dateTime = { pattern: "^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d{1,6})?Z$" } as const;

const AccountId = Type.String(objectId);
const ObjectId = Type.String(objectId);
const DateTime = Type.String(dateTime);
export const Prefix = Type.String({ maxLength: 64 });
const Prefixes = Type.Array(Prefix, { maxItems: 10_000 });

/** What the pools mean, whether they are told or taken. */
export const poolsSay = {
  pools: { description: "Where CNIs get their addresses from, the lowest free one first." },
  interface: {
    description:
      "Of the `interface_address`: IPv4 prefixes of /8 to /31, in the ranges that interconnects may have it in.",
    examples: [["10.213.1.0/24"]],
  },
  link: {
    description: "Of the link, `p2p_ip` and `cust_ip`: IPv4 prefixes of /8 to /31.",
    examples: [["192.0.2.128/25"]],
  },
} as const;

/** Where CNIs get their addresses from: those of the link, and those of the interface on it. */
export const Pools = Type.Object(
  {
    interface: Type.Optional(Type.Array(Prefix, { maxItems: 100, ...poolsSay.interface })),
    link: Type.Optional(Type.Array(Prefix, { maxItems: 100, ...poolsSay.link })),
  },
  { ...poolsSay.pools, ...closed },
);

const { id: _id, created_on: _created, modified_on: _modified, ...updatable } = UpdateWithText.properties;

/** An interconnect with all that there may be to it, but for a CNI. */
export const GivenInterconnect = Type.Object(
  {
    ...updatable,
    id: Type.String({ ...objectId, ...interconnectSays.id }),
    colo_name: Type.Optional(
      Type.String({ description: "The data centre it ends in.", examples: ["pni_ord"] }),
    ),
    name: Type.String({ minLength: 1, maxLength: 255, ...interconnectSays.name }),
    version: Interconnect.properties.version,
    interface_address: Type.String({ minLength: 1, maxLength: 64, ...interconnectSays.interface_address }),
    created_on: Type.Optional(
      Type.String({ ...dateTime, description: "When it was made: now, unless said." }),
    ),
    modified_on: Type.Optional(
      Type.String({ ...dateTime, description: "When a value changed last: when it was made, unless said." }),
    ),
    virtual_port_reservation_id: Type.Optional(
      Type.String({ ...objectId, description: "The port reservation it runs over." }),
    ),
    link: Type.Optional(
      Type.Object(
        {
          p2p_ip: Type.String({ description: "The provider's end.", examples: ["198.51.100.0/31"] }),
          cust_ip: Type.String({ description: "The customer's end.", examples: ["198.51.100.1/31"] }),
        },
        {
          description: "The link under the interconnect: its two ends, each with the prefix of the subnet.",
          ...closed,
        },
      ),
    ),
  },
  closed,
);
export type GivenInterconnect = Static<typeof GivenInterconnect>;

const SeedInterconnect = Type.Object(
  {
    ...GivenInterconnect.properties,
    /** The port that the interconnect was made on, where it came from a CNI. */
    cni: Type.Optional(Type.Object({ bgp_mode: Type.Optional(BgpMode), port: Type.String() }, closed)),
  },
  closed,
);
export type SeedInterconnect = Static<typeof SeedInterconnect>;

const SeedStaticRoute = Type.Object(
  {
    ...NewStaticRoute.properties,
    id: ObjectId,
    created_on: Type.Optional(DateTime),
    modified_on: Type.Optional(DateTime),
  },
  closed,
);

const SeedSlot = Type.Object({ ...NewSlot.properties, id: GivenUuid() }, closed);

/** A port of either type: `slot_id` of a direct one, `pairing_key` and `bandwidth` of a partner's. */
export const SeedPort = Type.Object(
  {
    id: Type.String({ pattern: "^[a-z0-9][a-z0-9_-]{0,99}$" }),
    bandwidth: Type.Optional(NewPartnerPort.properties.bandwidth),
    pairing_key: Type.Optional(NewPartnerPort.properties.pairing_key),
    slot_id: Type.Optional(NewDirectPort.properties.slot_id),
    type: Type.Enum(["direct", "gcp_partner"]),
    virtual_port_reservation_id: GivenUuid(),
  },
  closed,
);
export type SeedPort = Static<typeof SeedPort>;

export const SeedAccount = Type.Object(
  {
    id: AccountId,
    name: Type.String({ minLength: 1, maxLength: 100 }),
    created_on: Type.Optional(DateTime),
    flags: Type.Optional(Type.Array(Type.String({ maxLength: 100 }), { maxItems: 100 })),
    authorized_prefixes: Type.Optional(Prefixes),
    virtual_subnet6: Type.Optional(Type.String({ maxLength: 64 })),
    pools: Type.Optional(Pools),
    default_asn: Type.Optional(Whole32()),
    slots: Type.Optional(Type.Array(SeedSlot, { maxItems: 100_000 })),
    ports: Type.Optional(Type.Array(SeedPort, { maxItems: 100_000 })),
    interconnects: Type.Optional(Type.Array(SeedInterconnect, { maxItems: 100_000 })),
    routes: Type.Optional(Type.Array(SeedStaticRoute, { maxItems: 100_000 })),
  },
  closed,
);
export type SeedAccount = Static<typeof SeedAccount>;

const SeedUser = Type.Object(
  {
    id: ObjectId,
    email: Type.String({ minLength: 3, maxLength: 254, pattern: "^[^@\\s]+@[^@\\s]+$" }),
    key: Type.String({ pattern: "^([0-9a-f]{32,45}|cfk_[0-9A-Za-z_-]{40,80})$" }),
    accounts: Type.Array(AccountId),
  },
  closed,
);

const SeedPolicy = Type.Object(
  {
    effect: Type.Enum(["allow", "deny"]),
    /** Account identifiers, or `*` for all. */
    accounts: Type.Optional(Type.Array(Type.Union([AccountId, Type.Literal("*")]), { minItems: 1 })),
    /** Users, for rights on users. */
    users: Type.Optional(Type.Array(ObjectId, { minItems: 1 })),
    /** Permission groups by name or id. */
    permission_groups: Type.Array(Type.String(), { minItems: 1 }),
  },
  closed,
);

export const SeedToken = Type.Object(
  {
    id: ObjectId,
    name: Type.String({ minLength: 1, maxLength: 120 }),
    value: Type.String({ pattern: "^([0-9A-Za-z_-]{40}|cf[ua]t_[0-9A-Za-z_-]{40,80})$" }),
    /** Whose the token is, if it is not the operator's. */
    user: Type.Optional(ObjectId),
    account: Type.Optional(AccountId),
    status: Type.Optional(Type.Enum(["active", "disabled"])),
    not_before: Type.Optional(DateTime),
    expires_on: Type.Optional(DateTime),
    condition: Type.Optional(
      Type.Object(
        {
          request_ip: Type.Optional(
            Type.Object({ in: Type.Optional(Prefixes), not_in: Type.Optional(Prefixes) }, closed),
          ),
        },
        closed,
      ),
    ),
    policies: Type.Array(SeedPolicy),
  },
  closed,
);
export type SeedToken = Static<typeof SeedToken>;

export const Seed = Type.Object(
  {
    /** None where all are made later, by somebody who has a token for all. */
    accounts: Type.Array(SeedAccount),
    users: Type.Optional(Type.Array(SeedUser)),
    tokens: Type.Optional(Type.Array(SeedToken)),
  },
  closed,
);
export type Seed = Static<typeof Seed>;
