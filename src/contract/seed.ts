/** A world to start from: accounts with their interconnects, users, tokens. */

import Type, { type Static } from "typebox";
import { Interconnect, UpdateWithText } from "./interconnect.ts";
import { NewStaticRoute } from "./static-route.ts";

const closed = { additionalProperties: false } as const;
const AccountId = Type.String({ pattern: "^[0-9a-f]{32}$" });
const ObjectId = Type.String({ pattern: "^[0-9a-f]{32}$" });
const DateTime = Type.String({ pattern: "^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d{1,6})?Z$" });
const Prefixes = Type.Array(Type.String({ maxLength: 64 }), { maxItems: 10_000 });

const { id: _id, created_on: _created, modified_on: _modified, ...updatable } = UpdateWithText.properties;

export const SeedInterconnect = Type.Object(
  {
    ...updatable,
    id: ObjectId,
    name: Type.String({ minLength: 1, maxLength: 255 }),
    version: Interconnect.properties.version,
    interface_address: Type.String(),
    created_on: Type.Optional(DateTime),
    modified_on: Type.Optional(DateTime),
    virtual_port_reservation_id: Type.Optional(ObjectId),
    /** The link under the interconnect: the provider's and the customer's end, each as a prefix. */
    link: Type.Optional(Type.Object({ p2p_ip: Type.String(), cust_ip: Type.String() }, closed)),
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

export const SeedAccount = Type.Object(
  {
    id: AccountId,
    name: Type.String({ minLength: 1, maxLength: 100 }),
    created_on: Type.Optional(DateTime),
    flags: Type.Optional(Type.Array(Type.String({ maxLength: 100 }), { maxItems: 100 })),
    authorized_prefixes: Type.Optional(Prefixes),
    virtual_subnet6: Type.Optional(Type.String({ maxLength: 64 })),
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
