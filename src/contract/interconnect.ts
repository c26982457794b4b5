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

export const Identifier = Type.String({ minLength: 1, maxLength: 32 });

const Text = (most: number, least = 0) => Type.String({ minLength: least, maxLength: most });
const closed = { additionalProperties: false } as const;

const Rate = Type.Enum(["low", "mid", "high"]);
const CheckType = Type.Enum(["reply", "request"]);
const Direction = Type.Enum(["unidirectional", "bidirectional"]);

export const TargetObject = Type.Object(
  { effective: Type.Optional(Text(64)), saved: Type.Optional(Text(64)) },
  closed,
);
const TargetText = Text(64);

const bgp = {
  as_no: Type.Optional(Type.Integer({ minimum: 0, maximum: 2147483647, deprecated: true })),
  cloudflare_endpoint: Type.Optional(Type.String({ maxLength: 64, deprecated: true })),
  customer_asn: Type.Optional(Type.Integer({ minimum: 0, maximum: 2147483647 })),
  customer_endpoint: Type.Optional(Type.String({ maxLength: 64, deprecated: true })),
  export_filter_id: Type.Optional(Text(32)),
  extra_prefixes: Type.Optional(Type.Array(Text(64), { maxItems: 1000 })),
  import_filter_id: Type.Optional(Text(32)),
  md5_key: Type.Optional(Text(80)),
};

/** An interconnect as answered. `target` is a text or an object by `x-magic-new-hc-target`. */
export const Interconnect = Type.Object(
  {
    id: Identifier,
    automatic_return_routing: Type.Boolean(),
    bgp: Type.Optional(Type.Object(bgp, closed)),
    colo_name: Type.Optional(Type.String()),
    created_on: Type.String({ format: "date-time" }),
    description: Type.Optional(Type.String()),
    gre: Type.Optional(Type.Object({ cloudflare_endpoint: Type.Optional(Type.String()) }, closed)),
    health_check: Type.Object(
      {
        direction: Direction,
        enabled: Type.Boolean(),
        rate: Rate,
        source: Type.Optional(Type.String()),
        target: Type.Union([
          Type.Object({ effective: Type.String(), saved: Type.String() }, closed),
          Type.String(),
        ]),
        type: CheckType,
      },
      closed,
    ),
    interface_address: Type.String(),
    interface_address6: Type.Optional(Type.String()),
    modified_on: Type.String({ format: "date-time" }),
    mtu: Type.Integer({ minimum: 576, maximum: 1500 }),
    name: Type.String(),
    version: Type.Enum(["1", "1.5", "2"]),
    virtual_port_reservation_id: Type.Optional(Identifier),
  },
  closed,
);
export type Interconnect = Static<typeof Interconnect>;

function update<Target extends typeof TargetText | typeof TargetObject>(target: Target) {
  return Type.Object(
    {
      id: Type.Optional(Identifier),
      automatic_return_routing: Type.Optional(Type.Boolean()),
      bgp: Type.Optional(Type.Object(bgp, closed)),
      colo_name: Type.Optional(Type.String()),
      created_on: Type.Optional(Type.String()),
      description: Type.Optional(Text(1024)),
      gre: Type.Optional(Type.Object({ cloudflare_endpoint: Type.Optional(Text(64)) }, closed)),
      health_check: Type.Optional(
        Type.Object(
          {
            direction: Type.Optional(Direction),
            enabled: Type.Optional(Type.Boolean()),
            rate: Type.Optional(Rate),
            source: Type.Optional(Text(64)),
            target: Type.Optional(target),
            type: Type.Optional(CheckType),
          },
          closed,
        ),
      ),
      interface_address: Type.Optional(Text(64)),
      interface_address6: Type.Optional(Text(64)),
      modified_on: Type.Optional(Type.String()),
      mtu: Type.Optional(Type.Integer()),
      name: Type.Optional(Text(255)),
      version: Type.Optional(Type.String()),
      virtual_port_reservation_id: Type.Optional(Type.String()),
    },
    closed,
  );
}

/** What an update may say, with the target as a text (`x-magic-new-hc-target` absent or false). */
export const UpdateWithText = update(TargetText);
/** What an update may say, with the target as an object (`x-magic-new-hc-target: true`). */
export const UpdateWithObject = update(TargetObject);

/** An update with either form of target, its schema passed. */
export type InterconnectUpdate = Static<typeof UpdateWithText> | Static<typeof UpdateWithObject>;

/** The body of a bulk update; a bare list and a bare element mean the same. */
export const BulkUpdate = Type.Union([
  Type.Object(
    {
      interconnects: Type.Optional(
        Type.Array(Type.Union([UpdateWithText, UpdateWithObject]), { maxItems: MOST_ELEMENTS }),
      ),
    },
    closed,
  ),
  Type.Array(Type.Union([UpdateWithText, UpdateWithObject]), { maxItems: MOST_ELEMENTS }),
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

const interconnects = "/client/v4/accounts/:account_id/magic/cf_interconnects";

/** What may be asked of interconnects. */
export const interconnectOperations = {
  listInterconnects: {
    method: "GET",
    path: interconnects,
    summary: "List interconnects",
    groups: accepted.readMagic,
    query: [],
    answer: ListAnswer,
    origin: "vendor",
  },
  updateInterconnects: {
    method: "PUT",
    path: interconnects,
    summary: "Update multiple interconnects",
    groups: accepted.writeMagic,
    query: ["validate_only"],
    answer: BulkUpdatedAnswer,
    body: BulkUpdate,
    origin: "vendor",
  },
  getInterconnect: {
    method: "GET",
    path: `${interconnects}/:cf_interconnect_id`,
    summary: "List interconnect details",
    groups: accepted.readMagic,
    query: [],
    answer: OneAnswer,
    origin: "vendor",
  },
  updateInterconnect: {
    method: "PUT",
    path: `${interconnects}/:cf_interconnect_id`,
    summary: "Update interconnect",
    groups: accepted.writeMagic,
    query: ["validate_only"],
    answer: UpdatedAnswer,
    body: UpdateWithObject,
    origin: "vendor",
  },
} as const satisfies Record<string, Operation>;
