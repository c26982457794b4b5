/**
 * API tokens on the wire: what is shown of one, and what may be said to make or change one.
 *
 * What a schema cannot say (which rights there are, and who may give them) is in `account/directory/`.
 */

import Type, { type Static, type TSchema } from "typebox";
import { success } from "../envelope.ts";
import type { Operation } from "../operation.ts";
import { accepted } from "../permissions.ts";
import { page, pageQuery } from "./paging.ts";

const closed = { additionalProperties: false } as const;

const Id = Type.String({ minLength: 1, maxLength: 32 });
const DateTime = Type.String({ format: "date-time" });
/** A time, or nothing to have none. */
const Time = Type.String({ pattern: "^(\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d{1,6})?Z)?$" });
const Name = Type.String({ minLength: 1, maxLength: 120 });
const Effect = Type.Enum(["allow", "deny"]);
const Status = Type.Enum(["active", "disabled", "expired"]);

const Prefixes = Type.Array(Type.String({ maxLength: 64 }), { maxItems: 1_000 });
const Condition = Type.Object(
  {
    request_ip: Type.Optional(
      Type.Object({ in: Type.Optional(Prefixes), not_in: Type.Optional(Prefixes) }, closed),
    ),
  },
  closed,
);

/** A token as answered. */
const token = {
  id: Id,
  name: Name,
  status: Status,
  issued_on: Type.Optional(DateTime),
  modified_on: Type.Optional(DateTime),
  not_before: Type.Optional(DateTime),
  expires_on: Type.Optional(DateTime),
  condition: Type.Optional(Condition),
  policies: Type.Array(
    Type.Object(
      {
        id: Type.String(),
        effect: Effect,
        resources: Type.Record(Type.String(), Type.Literal("*")),
        permission_groups: Type.Array(Type.Object({ id: Type.String(), name: Type.String() }, closed)),
      },
      closed,
    ),
  ),
};
export const Token = Type.Object(token, closed);

/** A policy as sent. What is read-only in it may be sent back as it was read. */
const Policy = Type.Object(
  {
    id: Type.Optional(Id),
    effect: Effect,
    resources: Type.Record(Type.String(), Type.Unknown()),
    permission_groups: Type.Array(
      Type.Object({ id: Type.String({ maxLength: 64 }), name: Type.Optional(Type.String()) }, closed),
      { minItems: 1, maxItems: 100 },
    ),
  },
  closed,
);
export type Policy = Static<typeof Policy>;

const wanted = {
  name: Name,
  policies: Type.Array(Policy, { maxItems: 50 }),
  condition: Type.Optional(Condition),
  not_before: Type.Optional(Time),
  expires_on: Type.Optional(Time),
};

/** What a token is made of. */
export const NewToken = Type.Object(wanted, closed);

/** What an update says: the name and all policies, and what else is to change. */
export const TokenUpdate = Type.Object(
  {
    id: Type.Optional(Type.String()),
    ...wanted,
    status: Type.Optional(Status),
    issued_on: Type.Optional(Type.String()),
    modified_on: Type.Optional(Type.String()),
  },
  closed,
);
export type TokenUpdate = Static<typeof TokenUpdate>;

/** The answer to a token check. */
export const TokenStatusAnswer = success(
  Type.Object(
    {
      id: Type.String(),
      status: Status,
      not_before: Type.Optional(DateTime),
      expires_on: Type.Optional(DateTime),
    },
    closed,
  ),
);

/** A permission group as listed, with whether the asker could give it. */
const PermissionGroup = Type.Object(
  {
    id: Type.String(),
    name: Type.String(),
    scopes: Type.Array(Type.Enum(["com.cloudflare.api.account", "com.cloudflare.api.user"])),
    category: Type.Enum(["network_services", "account_and_billing", "other"]),
    is_selectable: Type.Boolean(),
  },
  closed,
);

/** What the list may be asked for: those of Patchbay's groups, and those that none of them has. */
export const SCOPES = [
  "com.cloudflare.api.account",
  "com.cloudflare.api.account.zone",
  "com.cloudflare.api.user",
  "com.cloudflare.edge.r2.bucket",
] as const;

interface Family {
  readonly path: string;
  readonly read: Operation["groups"];
  readonly write: Operation["groups"];
  readonly origin: Operation["origin"];
}

function operationsOf({ path, read, write, origin }: Family) {
  const reading = (
    suffix: string,
    summary: string,
    query: readonly string[],
    answer: TSchema,
  ): Operation => ({
    method: "GET",
    path: path + suffix,
    summary,
    groups: read,
    query,
    answer,
    origin,
  });
  const writing = (
    method: Operation["method"],
    suffix: string,
    summary: string,
    answer: TSchema,
    body?: TSchema,
  ): Operation => ({
    method,
    path: path + suffix,
    summary,
    groups: write,
    query: [],
    answer,
    ...(body ? { body } : {}),
    origin,
  });
  const created = success(Type.Object({ ...token, value: Type.String() }, closed));
  return {
    verify: { ...reading("/verify", "Verify token", [], TokenStatusAnswer), groups: [] },
    permissionGroups: reading(
      "/permission_groups",
      "List permission groups",
      ["name", "scope"],
      success(Type.Array(PermissionGroup)),
    ),
    list: reading("", "List tokens", [...pageQuery, "include_expired"], page(Token)),
    create: writing("POST", "", "Create token; the answer has its value, once", created, NewToken),
    get: reading("/:token_id", "Token details", [], success(Token)),
    update: writing("PUT", "/:token_id", "Update token", success(Token), TokenUpdate),
    remove: writing("DELETE", "/:token_id", "Delete token", success(Type.Object({ id: Id }, closed))),
    roll: writing(
      "PUT",
      "/:token_id/value",
      "Roll token; the answer has its new value, once",
      success(Type.String()),
    ),
  };
}

const users = operationsOf({
  path: "/client/v4/user/tokens",
  read: accepted.readUserTokens,
  write: accepted.writeUserTokens,
  origin: "vendor",
});
const accounts = operationsOf({
  path: "/client/v4/accounts/:account_id/tokens",
  read: accepted.readAccountTokens,
  write: accepted.writeAccountTokens,
  origin: "vendor",
});
const operators = operationsOf({
  path: "/patchbay/v1/tokens",
  read: accepted.administer,
  write: accepted.administer,
  origin: "patchbay",
});

/** What may be asked of the tokens of a user, of an account, and of those that are the operator's. */
export const tokenOperations = {
  verifyToken: users.verify,
  listUserPermissionGroups: users.permissionGroups,
  listUserTokens: users.list,
  createUserToken: users.create,
  getUserToken: users.get,
  updateUserToken: users.update,
  deleteUserToken: users.remove,
  rollUserToken: users.roll,
  verifyAccountToken: accounts.verify,
  listAccountPermissionGroups: accounts.permissionGroups,
  listAccountTokens: accounts.list,
  createAccountToken: accounts.create,
  getAccountToken: accounts.get,
  updateAccountToken: accounts.update,
  deleteAccountToken: accounts.remove,
  rollAccountToken: accounts.roll,
  listOperatorTokens: operators.list,
  createOperatorToken: operators.create,
  getOperatorToken: operators.get,
  updateOperatorToken: operators.update,
  deleteOperatorToken: operators.remove,
  rollOperatorToken: operators.roll,
} as const satisfies Record<string, Operation>;
