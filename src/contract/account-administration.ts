/** What an administrator may do to an account: its settings, and interconnects that no CNI makes. */

import Type, { type Static } from "typebox";
import { success } from "./envelope.ts";
import { Interconnect } from "./interconnect.ts";
import type { Operation } from "./operation.ts";
import { accepted } from "./permissions.ts";
import { GivenInterconnect, Pools, Prefixes } from "./seed.ts";

const closed = { additionalProperties: false } as const;

/** What an account may do and has. */
export const AccountSettings = Type.Object(
  {
    authorized_prefixes: Type.Array(Type.String()),
    flags: Type.Array(Type.String()),
    pools: Type.Object({ interface: Type.Array(Type.String()), link: Type.Array(Type.String()) }, closed),
    virtual_subnet6: Type.Optional(Type.String()),
  },
  closed,
);
export type AccountSettings = Static<typeof AccountSettings>;

/** What is left out stays; a list replaces the list that was; `""` clears `virtual_subnet6`. */
export const AccountSettingsUpdate = Type.Object(
  {
    authorized_prefixes: Type.Optional(Prefixes),
    flags: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 100 }), { maxItems: 100 })),
    pools: Type.Optional(Pools),
    virtual_subnet6: Type.Optional(Type.String({ maxLength: 64 })),
  },
  closed,
);
export type AccountSettingsUpdate = Static<typeof AccountSettingsUpdate>;

/** An interconnect as a seed has it, of a version that no CNI makes. */
export const NewInterconnect = Type.Object(
  {
    ...GivenInterconnect.properties,
    id: Type.Optional(GivenInterconnect.properties.id),
    version: Type.Enum(["1", "1.5"]),
  },
  closed,
);

const own = "/patchbay/v1/accounts/:account_id";

export const accountAdministrationOperations = {
  getAccountSettings: {
    method: "GET",
    path: `${own}/settings`,
    summary: "Flags, authorised prefixes, IPv6 space and address pools",
    groups: accepted.administer,
    query: [],
    answer: success(AccountSettings),
    origin: "patchbay",
  },
  updateAccountSettings: {
    method: "PUT",
    path: `${own}/settings`,
    summary: "Update the settings",
    groups: accepted.administer,
    query: [],
    answer: success(AccountSettings),
    body: AccountSettingsUpdate,
    origin: "patchbay",
  },
  createInterconnect: {
    method: "POST",
    path: `${own}/interconnects`,
    summary: "Make a version 1 or 1.5 interconnect",
    groups: accepted.administer,
    query: [],
    answer: success(Interconnect),
    body: NewInterconnect,
    origin: "patchbay",
  },
  deleteInterconnect: {
    method: "DELETE",
    path: `${own}/interconnects/:cf_interconnect_id`,
    summary: "Remove an interconnect that no CNI made",
    groups: accepted.administer,
    query: [],
    answer: success(Interconnect),
    origin: "patchbay",
  },
} as const satisfies Record<string, Operation>;
