/**
 * API tokens on the wire: what is shown of one, and what may be said to make or change one.
 *
 * What a schema cannot say (which rights there are, and who may give them) is in `account/directory/`.
 */

import Type, { type Static } from "typebox";
import { secret } from "../secret.ts";

const closed = { additionalProperties: false } as const;

export const TokenId = Type.String({
  minLength: 1,
  maxLength: 32,
  description: "The identifier. Read-only.",
  examples: ["ed17574386854bf78a67040be0a770b0"],
});
const says = {
  issued_on: {
    description: "When it was made. Read-only.",
    examples: ["2026-01-02T03:04:05.678901Z"],
    readOnly: true,
  },
  modified_on: {
    readOnly: true,
    description: "When it was changed last. Read-only.",
    examples: ["2026-01-02T03:04:05.678901Z"],
  },
  not_before: {
    description: 'From when on it is honoured; `""` for at once.',
    examples: ["2026-02-01T00:00:00Z"],
  },
  expires_on: {
    description: 'Until when it is honoured; `""` for ever.',
    examples: ["2036-01-01T00:00:00Z"],
  },
} as const;
const time = (said: (typeof says)[keyof typeof says]) => Type.String({ format: "date-time", ...said });
/** A time, or nothing to have none. */
const given = (said: (typeof says)[keyof typeof says]) =>
  Type.String({ pattern: "^(\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d{1,6})?Z)?$", ...said });
const Name = Type.String({
  minLength: 1,
  maxLength: 120,
  description: "What it is called. Several tokens may have the same name.",
  examples: ["readonly token"],
});
const Effect = Type.Enum(["allow", "deny"], {
  description: "What is denied stays so, whatever else allows it.",
  examples: ["allow"],
});
const Status = Type.Enum(["active", "disabled", "expired"], {
  description: "`expired` follows from `expires_on` and cannot be set.",
  examples: ["active"],
});

const prefixes = (description: string, example: string) =>
  Type.Optional(
    Type.Array(Type.String({ maxLength: 64 }), { maxItems: 1_000, description, examples: [[example]] }),
  );
const Condition = Type.Object(
  {
    request_ip: Type.Optional(
      Type.Object(
        {
          in: prefixes("Only from these: addresses, or prefixes in CIDR form.", "203.0.113.0/24"),
          not_in: prefixes("Not from these.", "203.0.113.7/32"),
        },
        { description: "The addresses that it is honoured from.", ...closed },
      ),
    ),
  },
  { description: "Where it is honoured: everywhere unless said. An empty one clears it.", ...closed },
);

const RESOURCES =
  "What the groups are on: `com.cloudflare.api.account.{id}`, `com.cloudflare.api.account.*` for all accounts, or `com.cloudflare.api.user.{id}`, each with the value `*`.";
const resources = [{ "com.cloudflare.api.account.023e105f4ecef8ad9ca31a8372d0c353": "*" }];
const group = {
  id: {
    description: "A permission group, as their list tells it.",
    examples: ["17fc856c4ebe49d4bb70f8e4744398cf"],
  },
  name: { description: "The group's name. Read-only.", examples: ["Magic WAN Read"] },
} as const;
const policies = { description: "What it may do. Without any, it may do nothing but check itself." } as const;
const PolicyId = {
  description: "The policy's identifier. Read-only.",
  examples: ["f267e341f3dd4697bd3b9f71dd96247f"],
};

/** A token as answered. */
const token = {
  id: TokenId,
  name: Name,
  status: Status,
  issued_on: Type.Optional(time(says.issued_on)),
  modified_on: Type.Optional(time(says.modified_on)),
  not_before: Type.Optional(time(says.not_before)),
  expires_on: Type.Optional(time(says.expires_on)),
  condition: Type.Optional(Condition),
  policies: Type.Array(
    Type.Object(
      {
        id: Type.String(PolicyId),
        effect: Effect,
        resources: Type.Record(Type.String(), Type.Literal("*"), {
          description: RESOURCES,
          examples: resources,
        }),
        permission_groups: Type.Array(
          Type.Object({ id: Type.String(group.id), name: Type.String(group.name) }, closed),
        ),
      },
      closed,
    ),
    policies,
  ),
};
export const Token = Type.Object(token, { title: "Token", ...closed });

/** What it takes to use one. */
export const TokenSecret = Type.String({
  ...secret,
  description: "The secret, which is what `Authorization: Bearer` takes. It is shown this once.",
  examples: ["cfut_0000000000000000000000000000000000000000"],
});
export const TokenWithValue = Type.Object(
  { ...token, value: TokenSecret },
  { title: "TokenWithValue", ...closed },
);

/** A policy as sent. What is read-only in it may be sent back as it was read. */
const Policy = Type.Object(
  {
    id: Type.Optional(Type.String({ minLength: 1, maxLength: 32, description: PolicyId.description })),
    effect: Effect,
    resources: Type.Record(Type.String(), Type.Unknown(), {
      description: RESOURCES,
      examples: resources,
    }),
    permission_groups: Type.Array(
      Type.Object(
        {
          id: Type.String({ maxLength: 64, ...group.id }),
          name: Type.Optional(Type.String({ description: group.name.description })),
        },
        closed,
      ),
      { minItems: 1, maxItems: 100 },
    ),
  },
  closed,
);
export type Policy = Static<typeof Policy>;

const wanted = {
  name: Name,
  policies: Type.Array(Policy, { maxItems: 50, ...policies }),
  condition: Type.Optional(Condition),
  not_before: Type.Optional(given(says.not_before)),
  expires_on: Type.Optional(given(says.expires_on)),
};

/** What a token is made of. */
export const NewToken = Type.Object(wanted, { title: "NewToken", ...closed });

/** What an update says: the name and all policies, and what else is to change. */
export const TokenUpdate = Type.Object(
  {
    id: Type.Optional(Type.String({ description: "The identifier. Read-only.", readOnly: true })),
    ...wanted,
    status: Type.Optional(Status),
    issued_on: Type.Optional(Type.String(says.issued_on)),
    modified_on: Type.Optional(Type.String(says.modified_on)),
  },
  {
    title: "TokenUpdate",
    description: "The name, all policies, and what else is to change: that stays if it is left out.",
    ...closed,
  },
);
export type TokenUpdate = Static<typeof TokenUpdate>;

/** The answer to a token check. */
export const TokenStatus = Type.Object(
  {
    id: Type.String({
      description: "The token's identifier.",
      examples: ["ed17574386854bf78a67040be0a770b0"],
    }),
    status: Type.Enum(["active", "disabled", "expired"], {
      description: "`active` also before `not_before`; the message tells.",
      examples: ["active"],
    }),
    not_before: Type.Optional(time(says.not_before)),
    expires_on: Type.Optional(time(says.expires_on)),
  },
  { title: "TokenStatus", ...closed },
);

/** A permission group as listed, with whether the asker could give it. */
export const PermissionGroup = Type.Object(
  {
    id: Type.String(group.id),
    name: Type.String({ description: "The group's name.", examples: ["Magic WAN Read"] }),
    scopes: Type.Array(Type.Enum(["com.cloudflare.api.account", "com.cloudflare.api.user"]), {
      description: "What its rights are on.",
      examples: [["com.cloudflare.api.account"]],
    }),
    category: Type.Enum(["network_services", "account_and_billing", "other"], {
      description: "The vendor's product category.",
    }),
    is_selectable: Type.Boolean({ description: "Could who asks give it to a token?", examples: [true] }),
  },
  { title: "PermissionGroup", ...closed },
);

/** What the list may be asked for: those of Patchbay's groups, and those that none of them has. */
export const SCOPES = [
  "com.cloudflare.api.account",
  "com.cloudflare.api.account.zone",
  "com.cloudflare.api.user",
  "com.cloudflare.edge.r2.bucket",
] as const;
