/** A world to start from: accounts with their interconnects, users, tokens. */

import Type, { type Static } from "typebox";
import { BgpMode } from "./cni/cni.ts";
import { closed, GivenUuid, Whole32 } from "./cni/forms.ts";
import { NewDirectPort, NewPartnerPort } from "./cni/port.ts";
import { NewSlot } from "./cni/slot.ts";
import { Interconnect, UpdateWithText } from "./interconnect.ts";
import { NewStaticRoute } from "./static-route.ts";

const AccountId = Type.String({ pattern: "^[0-9a-f]{32}$" });
const ObjectId = Type.String({ pattern: "^[0-9a-f]{32}$" });
const DateTime = Type.String({ pattern: "^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d{1,6})?Z$" });
export const Prefixes = Type.Array(Type.String({ maxLength: 64 }), { maxItems: 10_000 });

const PoolPrefixes = Type.Array(Type.String({ maxLength: 64 }), { maxItems: 100 });

/** Where CNIs get their addresses from: those of the link, and those of the interface on it. */
export const Pools = Type.Object(
  { interface: Type.Optional(PoolPrefixes), link: Type.Optional(PoolPrefixes) },
  closed,
);

const { id: _id, created_on: _created, modified_on: _modified, ...updatable } = UpdateWithText.properties;

/** An interconnect with all that there may be to it, but for a CNI. */
export const GivenInterconnect = Type.Object(
  {
    ...updatable,
    id: ObjectId,
    name: Type.String({ minLength: 1, maxLength: 255 }),
    version: Interconnect.properties.version,
    interface_address: Type.String({ minLength: 1, maxLength: 64 }),
    created_on: Type.Optional(DateTime),
    modified_on: Type.Optional(DateTime),
    virtual_port_reservation_id: Type.Optional(ObjectId),
    /** The link under the interconnect: the provider's and the customer's end, each as a prefix. */
    link: Type.Optional(Type.Object({ p2p_ip: Type.String(), cust_ip: Type.String() }, closed)),
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

const SeedSlot = Type.Object({ ...NewSlot.properties, id: GivenUuid }, closed);

/** A port of either type: `slot_id` of a direct one, `pairing_key` and `bandwidth` of a partner's. */
export const SeedPort = Type.Object(
  {
    id: Type.String({ pattern: "^[a-z0-9][a-z0-9_-]{0,99}$" }),
    bandwidth: Type.Optional(NewPartnerPort.properties.bandwidth),
    pairing_key: Type.Optional(NewPartnerPort.properties.pairing_key),
    slot_id: Type.Optional(NewDirectPort.properties.slot_id),
    type: Type.Enum(["direct", "gcp_partner"]),
    virtual_port_reservation_id: GivenUuid,
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
    default_asn: Type.Optional(Whole32),
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
