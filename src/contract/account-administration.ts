/** What an administrator may do to an account: its settings, and interconnects that no CNI makes. */

import Type, { type Static } from "typebox";
import { success } from "./envelope.ts";
import { Interconnect } from "./interconnect.ts";
import type { Operation } from "./operation.ts";
import { interconnectId, type Parameter } from "./parameters.ts";
import { accepted } from "./permissions.ts";
import { GivenInterconnect, Pools, Prefix, poolsSay } from "./seed.ts";

const closed = { additionalProperties: false } as const;

/** What the settings mean, whether they are told or taken. */
const says = {
  authorized_prefixes: {
    description:
      'Prefixes in which version "1.5" interconnects may have their interface, besides the private ranges.',
    examples: [["198.51.100.0/24"]],
  },
  flags: {
    description:
      "What the account may do, by name. `coupler_integration` permits `automatic_return_routing`; others are kept, and mean nothing.",
    examples: [["coupler_integration"]],
  },
  virtual_subnet6: {
    description:
      "An IPv6 prefix. Interconnects have their `interface_address6` in the /96 around it; without it, none has one.",
    examples: ["2606:54c1:7:0:a9fe:12d2::/127"],
  },
} as const;

/** What an account may do and has. */
export const AccountSettings = Type.Object(
  {
    authorized_prefixes: Type.Array(Type.String(), says.authorized_prefixes),
    flags: Type.Array(Type.String(), says.flags),
    pools: Type.Object(
      {
        interface: Type.Array(Type.String(), poolsSay.interface),
        link: Type.Array(Type.String(), poolsSay.link),
      },
      { ...poolsSay.pools, ...closed },
    ),
    virtual_subnet6: Type.Optional(Type.String(says.virtual_subnet6)),
  },
  { title: "AccountSettings", description: "What an account may do, and what it has.", ...closed },
);
export type AccountSettings = Static<typeof AccountSettings>;

/** What is left out stays; a list replaces the list that was; `""` clears `virtual_subnet6`. */
export const AccountSettingsUpdate = Type.Object(
  {
    authorized_prefixes: Type.Optional(Type.Array(Prefix, { maxItems: 10_000, ...says.authorized_prefixes })),
    flags: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 100 }), { maxItems: 100, ...says.flags }),
    ),
    pools: Type.Optional(Pools),
    virtual_subnet6: Type.Optional(
      Type.String({
        ...says.virtual_subnet6,
        maxLength: 64,
        description: `${says.virtual_subnet6.description} \`""\` clears it.`,
      }),
    ),
  },
  {
    title: "AccountSettingsUpdate",
    description: "What is left out stays as it is; a list replaces the list that was.",
    ...closed,
  },
);
export type AccountSettingsUpdate = Static<typeof AccountSettingsUpdate>;

/** An interconnect as a seed has it, of a version that no CNI makes. */
export const NewInterconnect = Type.Object(
  {
    ...GivenInterconnect.properties,
    id: Type.Optional(GivenInterconnect.properties.id),
    version: Type.Enum(["1", "1.5"], {
      description:
        "How it is carried: over GRE (`1`) or bare (`1.5`). Those of version 2 are made by CNIs alone.",
    }),
  },
  {
    title: "NewInterconnect",
    description: "What is left out has its usual value; an `id` that is left out is a random one.",
    ...closed,
  },
);

/** One that no CNI made, and over which no route leads. */
const removable: Readonly<Record<string, Parameter>> = {
  cf_interconnect_id: interconnectId("023e105f4ecef8ad9ca31a8372d0c353"),
};

const own = "/patchbay/v1/accounts/:account_id";

export const accountAdministrationOperations = {
  getAccountSettings: {
    method: "GET",
    path: `${own}/settings`,
    summary: "Flags, authorised prefixes, IPv6 space and address pools",
    groups: accepted.administer,
    query: [],
    conditional: true,
    answer: success(AccountSettings),
    origin: "patchbay",
  },
  updateAccountSettings: {
    method: "PUT",
    path: `${own}/settings`,
    summary: "Update the settings",
    description: "Nothing that the account's interconnects need is taken away.",
    groups: accepted.administer,
    query: [],
    conditional: true,
    confirmable: true,
    answer: success(AccountSettings),
    body: AccountSettingsUpdate,
    example: { pools: { link: ["192.0.2.128/25", "203.0.113.128/25"] } },
    refusals: ["address_overlap", "address_out_of_range", "setting_in_use"],
    origin: "patchbay",
  },
  createInterconnect: {
    method: "POST",
    path: `${own}/interconnects`,
    summary: "Make a version 1 or 1.5 interconnect",
    description: "Answered as an update answers, with the target as a text.",
    groups: accepted.administer,
    query: [],
    conditional: true,
    confirmable: true,
    answer: success(Interconnect),
    body: NewInterconnect,
    example: {
      name: "pni_fra",
      version: "1",
      description: "Tunnel for Interconnect to FRA",
      interface_address: "10.213.0.16/31",
      gre: { cloudflare_endpoint: "203.0.113.2" },
    },
    refusals: [
      "too_many_objects",
      "id_taken",
      "read_only_field",
      "name_taken",
      "address_overlap",
      "address_out_of_range",
      "gre_not_configurable",
      "source_not_supported",
      "source_required",
      "source_not_allowed",
      "return_routing_not_enabled",
    ],
    origin: "patchbay",
  },
  deleteInterconnect: {
    method: "DELETE",
    path: `${own}/interconnects/:cf_interconnect_id`,
    summary: "Remove an interconnect that no CNI made",
    groups: accepted.administer,
    query: [],
    parameters: removable,
    conditional: true,
    confirmable: true,
    answer: success(Interconnect),
    refusals: ["made_by_cni", "interconnect_in_use"],
    origin: "patchbay",
  },
} as const satisfies Record<string, Operation>;
