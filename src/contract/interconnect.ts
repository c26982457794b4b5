/**
 * The interconnect on the wire: what is shown, and what an update may say.
 *
 * The schemas here are the published ones and the ones that check. What a schema cannot say (ranges
 * by version, uniqueness, what the account may do) is in `account/interconnect.ts`.
 */

import Type, { type Static } from "typebox";
import { success } from "./envelope.ts";
import type { Operation } from "./operation.ts";
import { accepted } from "./permissions.ts";

/** The most elements that one bulk update takes. */
export const MOST_ELEMENTS = 10_000;

const identifier = { minLength: 1, maxLength: 32 } as const;

export const Identifier = Type.String(identifier);

const closed = { additionalProperties: false } as const;

/** What the fields mean, whether they are told or taken. */
export const says = {
  id: { description: "The identifier.", examples: ["c4a7362d577a6c3019a474fd6f485821"] },
  automatic_return_routing: {
    description:
      "Are answers routed back through the interconnect they came from? Needs the account flag `coupler_integration`.",
    examples: [true],
  },
  colo_name: { description: "The data centre it ends in. Read-only.", examples: ["pni_ord"], readOnly: true },
  created_on: {
    description: "When it was made. Read-only.",
    examples: ["2017-06-14T00:00:00Z"],
    readOnly: true,
  },
  description: { description: "Free text.", examples: ["Tunnel for Interconnect to ORD"] },
  gre: { description: 'The GRE tunnel of a version "1" interconnect. The other versions have none.' },
  gre_endpoint: {
    description: "The provider's end of the GRE tunnel, an IPv4 address.",
    examples: ["203.0.113.1"],
  },
  health_check: { description: "How it is told whether the interconnect works." },
  direction: {
    description: "`bidirectional`: the probe's answer takes the tunnel back; `unidirectional`: any way.",
    default: "unidirectional",
    examples: ["unidirectional"],
  },
  enabled: { description: "Are probes sent?", default: true, examples: [true] },
  rate: { description: "How often probes are sent.", default: "mid", examples: ["low"] },
  source: {
    description:
      'The address that probes of a bidirectional check are sent from. Version "1.5" alone, and required there; in RFC 1918, 169.254.240.0/20 or 198.41.199.224/27.',
  },
  type: { description: "The kind of ICMP message that is sent.", default: "reply", examples: ["request"] },
  effective: {
    description:
      "The address that probes are sent to. Read-only: for a bidirectional check it follows from `interface_address`.",
    examples: ["203.0.113.1"],
    readOnly: true,
  },
  saved: {
    description: 'The address that was asked for; `""` for the customer\'s end of the link.',
    examples: ["203.0.113.1"],
  },
  target: { description: 'The address that was asked for; `""` for the customer\'s end of the link.' },
  interface_address: {
    description:
      'The provider\'s own end of the interface, with its /31 or /30 (version "1.5": /31), in 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or 169.254.240.0/20; version "1.5" also in the account\'s authorised prefixes. Subnets of an account do not overlap.',
    examples: ["10.213.0.8/31"],
  },
  interface_address6: {
    description:
      "The provider's end in IPv6: the first address of a /127 in the /96 of the account's `virtual_subnet6`.",
    examples: ["2606:54c1:7:0:a9fe:12d2:1:200/127"],
  },
  modified_on: {
    description: "When a value changed last. Read-only.",
    readOnly: true,
    examples: ["2017-06-14T05:20:00Z"],
  },
  mtu: {
    description: 'The greatest packet, in bytes: 576 to 1476 (version "1") or to 1500 ("1.5" and "2").',
    default: 1476,
    examples: [1476],
  },
  name: { description: "Unique among the account's interconnects and tunnels.", examples: ["pni_ord"] },
  version: {
    description: "How it is carried: over GRE (`1`) or bare (`1.5`, `2`). Read-only.",
    readOnly: true,
    examples: ["1"],
  },
  virtual_port_reservation_id: {
    description: "The port reservation it runs over. Read-only.",
    readOnly: true,
  },
} as const;

const Text = (most: number, about: object = {}) => Type.String({ maxLength: most, ...about });
const asNumber = { minimum: 0, maximum: 2147483647 } as const;

const Rate = Type.Enum(["low", "mid", "high"], says.rate);
const CheckType = Type.Enum(["reply", "request"], says.type);
const Direction = Type.Enum(["unidirectional", "bidirectional"], says.direction);

export const TargetObject = Type.Object(
  { effective: Type.Optional(Text(64, says.effective)), saved: Type.Optional(Text(64, says.saved)) },
  closed,
);
const TargetText = Text(64, says.target);

const bgp = {
  as_no: Type.Optional(
    Type.Integer({ ...asNumber, deprecated: true, description: "`customer_asn` by its old name." }),
  ),
  cloudflare_endpoint: Type.Optional(
    Text(64, {
      deprecated: true,
      description:
        'The provider\'s address of the session. Version "1.5": follows from `interface_address`, read-only.',
    }),
  ),
  customer_asn: Type.Optional(
    Type.Integer({ ...asNumber, description: "The customer's autonomous system number; not 13335." }),
  ),
  customer_endpoint: Type.Optional(
    Text(64, {
      deprecated: true,
      description:
        'The customer\'s address of the session. Version "1.5": follows from `interface_address`, read-only.',
    }),
  ),
  export_filter_id: Type.Optional(Text(32, { description: "The filter profile of what is announced." })),
  extra_prefixes: Type.Optional(
    Type.Array(Text(64), {
      maxItems: 1000,
      description: "Prefixes announced besides, in CIDR form without host bits.",
    }),
  ),
  import_filter_id: Type.Optional(Text(32, { description: "The filter profile of what is accepted." })),
  md5_key: Type.Optional(
    Text(80, {
      description:
        'The key of TCP MD5: printable ASCII but `"` and `?`. Masked in the change log and the state.',
    }),
  ),
};

const Bgp = Type.Object(bgp, {
  title: "Bgp",
  description: "The BGP session over the interconnect.",
  ...closed,
});

/** An interconnect as answered. `target` is a text or an object by `x-magic-new-hc-target`. */
export const Interconnect = Type.Object(
  {
    id: Type.String({ ...identifier, ...says.id }),
    automatic_return_routing: Type.Boolean(says.automatic_return_routing),
    bgp: Type.Optional(Bgp),
    colo_name: Type.Optional(Type.String(says.colo_name)),
    created_on: Type.String({ format: "date-time", ...says.created_on }),
    description: Type.Optional(Type.String(says.description)),
    gre: Type.Optional(
      Type.Object(
        { cloudflare_endpoint: Type.Optional(Type.String(says.gre_endpoint)) },
        { ...says.gre, ...closed },
      ),
    ),
    health_check: Type.Object(
      {
        direction: Direction,
        enabled: Type.Boolean(says.enabled),
        rate: Rate,
        source: Type.Optional(Type.String(says.source)),
        target: Type.Union(
          [
            Type.Object({ effective: Type.String(says.effective), saved: Type.String(says.saved) }, closed),
            Type.String(says.target),
          ],
          {
            description: "A text, or with `x-magic-new-hc-target: true` an object.",
            examples: ["203.0.113.1"],
          },
        ),
        type: CheckType,
      },
      { ...says.health_check, ...closed },
    ),
    interface_address: Type.String(says.interface_address),
    interface_address6: Type.Optional(Type.String(says.interface_address6)),
    modified_on: Type.String({ format: "date-time", ...says.modified_on }),
    mtu: Type.Integer({ minimum: 576, maximum: 1500, ...says.mtu }),
    name: Type.String(says.name),
    version: Type.Enum(["1", "1.5", "2"], says.version),
    virtual_port_reservation_id: Type.Optional(
      Type.String({ ...identifier, ...says.virtual_port_reservation_id }),
    ),
  },
  { title: "Interconnect", ...closed },
);
export type Interconnect = Static<typeof Interconnect>;

function update<Target extends typeof TargetText | typeof TargetObject>(target: Target, title: string) {
  return Type.Object(
    {
      id: Type.Optional(Type.String({ ...identifier, ...says.id })),
      automatic_return_routing: Type.Optional(Type.Boolean(says.automatic_return_routing)),
      bgp: Type.Optional(Bgp),
      colo_name: Type.Optional(Type.String(says.colo_name)),
      created_on: Type.Optional(Type.String(says.created_on)),
      description: Type.Optional(Text(1024, says.description)),
      gre: Type.Optional(
        Type.Object(
          { cloudflare_endpoint: Type.Optional(Text(64, says.gre_endpoint)) },
          { ...says.gre, ...closed },
        ),
      ),
      health_check: Type.Optional(
        Type.Object(
          {
            direction: Type.Optional(Direction),
            enabled: Type.Optional(Type.Boolean(says.enabled)),
            rate: Type.Optional(Rate),
            source: Type.Optional(Text(64, says.source)),
            target: Type.Optional(target),
            type: Type.Optional(CheckType),
          },
          { ...says.health_check, ...closed },
        ),
      ),
      interface_address: Type.Optional(Text(64, says.interface_address)),
      interface_address6: Type.Optional(Text(64, says.interface_address6)),
      modified_on: Type.Optional(Type.String(says.modified_on)),
      mtu: Type.Optional(Type.Integer(says.mtu)),
      name: Type.Optional(Text(255, says.name)),
      version: Type.Optional(Type.String(says.version)),
      virtual_port_reservation_id: Type.Optional(Type.String(says.virtual_port_reservation_id)),
    },
    { title, description: "What is left out stays as it is.", ...closed },
  );
}

/** What an update may say, with the target as a text (`x-magic-new-hc-target` absent or false). */
export const UpdateWithText = update(TargetText, "InterconnectUpdate");
/** What an update may say, with the target as an object (`x-magic-new-hc-target: true`). */
export const UpdateWithObject = update(TargetObject, "InterconnectUpdateWithTargetObject");

/** An update with either form of target, its schema passed. */
export type InterconnectUpdate = Static<typeof UpdateWithText> | Static<typeof UpdateWithObject>;

const EitherUpdate = Type.Union([UpdateWithText, UpdateWithObject]);

/** The body of a bulk update; a bare list and a bare element mean the same. */
export const BulkUpdate = Type.Union([
  Type.Object(
    {
      interconnects: Type.Optional(Type.Array(EitherUpdate, { maxItems: MOST_ELEMENTS })),
    },
    closed,
  ),
  Type.Array(EitherUpdate, { maxItems: MOST_ELEMENTS }),
  UpdateWithText,
  UpdateWithObject,
]);

export const ListAnswer = success(Type.Object({ interconnects: Type.Array(Interconnect) }, closed));
export const OneAnswer = success(Type.Object({ interconnect: Interconnect }, closed));
export const UpdatedAnswer = success(
  Type.Object({ modified: Type.Boolean(), modified_interconnect: Interconnect }, closed),
);
export const BulkUpdatedAnswer = success(
  Type.Object({ modified: Type.Boolean(), modified_interconnects: Type.Array(Interconnect) }, closed),
);

/** What an update may be refused for besides its form. */
const rules = [
  "read_only_field",
  "name_taken",
  "address_overlap",
  "address_out_of_range",
  "gre_not_configurable",
  "source_not_supported",
  "source_required",
  "source_not_allowed",
  "return_routing_not_enabled",
  "target_form",
] as const;

const targetHeader = ["x-magic-new-hc-target"] as const;

const interconnects = "/client/v4/accounts/:account_id/magic/cf_interconnects";

/** What may be asked of interconnects. */
export const interconnectOperations = {
  listInterconnects: {
    method: "GET",
    path: interconnects,
    summary: "List interconnects",
    groups: accepted.readMagic,
    query: [],
    headers: targetHeader,
    conditional: true,
    answer: ListAnswer,
    origin: "vendor",
  },
  updateInterconnects: {
    method: "PUT",
    path: interconnects,
    summary: "Update multiple interconnects",
    description:
      "All or nothing: if one element is refused, none is changed, and every problem of every element is told. The set is judged as it would be afterwards, so that two interconnects may swap names or addresses in one request. A bare list, and a bare element with an `id`, mean the same as `{interconnects: […]}`; `{}` changes nothing.",
    groups: accepted.writeMagic,
    query: ["validate_only"],
    headers: targetHeader,
    conditional: true,
    confirmable: true,
    answer: BulkUpdatedAnswer,
    body: BulkUpdate,
    example: {
      interconnects: [
        { id: "c4a7362d577a6c3019a474fd6f485821", mtu: 1400 },
        { id: "5d41402abc4b2a76b9719d911017c592", health_check: { rate: "high" } },
      ],
    },
    refusals: ["too_many_elements", "repeated_element", "unknown_interconnect", ...rules],
    origin: "vendor",
  },
  getInterconnect: {
    method: "GET",
    path: `${interconnects}/:cf_interconnect_id`,
    summary: "List interconnect details",
    groups: accepted.readMagic,
    query: [],
    headers: targetHeader,
    conditional: true,
    answer: OneAnswer,
    origin: "vendor",
  },
  updateInterconnect: {
    method: "PUT",
    path: `${interconnects}/:cf_interconnect_id`,
    summary: "Update interconnect",
    groups: accepted.writeMagic,
    query: ["validate_only"],
    headers: targetHeader,
    conditional: true,
    confirmable: true,
    answer: UpdatedAnswer,
    body: EitherUpdate,
    example: { description: "Tunnel for Interconnect to ORD", mtu: 1400 },
    refusals: rules,
    origin: "vendor",
  },
} as const satisfies Record<string, Operation>;
