/** What may be asked of API tokens: the same of those of a user, of an account, and of the operator. */

import Type from "typebox";
import { success } from "../envelope.ts";
import type { Operation } from "../operation.ts";
import type { Parameter } from "../parameters.ts";
import { accepted } from "../permissions.ts";
import { page, pageQuery } from "./paging.ts";
import {
  NewToken,
  PermissionGroup,
  SCOPES,
  Token,
  TokenId,
  TokenSecret,
  TokenStatus,
  TokenUpdate,
  TokenWithValue,
} from "./token.ts";

const closed = { additionalProperties: false } as const;

const groupFilters: Readonly<Record<string, Parameter>> = {
  name: { schema: Type.String(), description: "Only the group of exactly this name." },
  scope: {
    schema: Type.Enum([...SCOPES]),
    description: "Only groups whose rights are on this. Of two of the vendor's, Patchbay has none.",
  },
};

/** What the body of a token may be refused for besides its form, and what it may ask more of than the asker has. */
const rules = [
  "read_only_field",
  "unknown_group",
  "wrong_scope",
  "unknown_account",
  "foreign_resource",
  "right_not_held",
  "outlives_asker",
  "wider_addresses",
] as const;

interface Family {
  readonly path: string;
  readonly read: Operation["groups"];
  readonly write: Operation["groups"];
  readonly credentialOf?: "user";
  /** A token that the demonstration knows, not the one that it is used with. */
  readonly example: string;
  readonly origin: Operation["origin"];
}

function operationsOf({ path, read, write, credentialOf, example, origin }: Family) {
  const tokenId: Parameter = {
    schema: Type.String({ pattern: "^[0-9a-f]{32}$" }),
    description: "The token's `id`, as the list of tokens tells it.",
    example,
    refusals: ["token_not_found"],
  };
  const common = { query: [], ...(credentialOf ? { credentialOf } : {}), origin } as const;
  const one = { parameters: { token_id: tokenId } };
  const bearer: Operation["example"] = {
    name: "readonly token",
    policies: [
      {
        effect: "allow",
        resources: { "com.cloudflare.api.account.023e105f4ecef8ad9ca31a8372d0c353": "*" },
        permission_groups: [{ id: "17fc856c4ebe49d4bb70f8e4744398cf" }],
      },
    ],
  };
  return {
    permissionGroups: {
      ...common,
      method: "GET",
      path: `${path}/permission_groups`,
      summary: "List permission groups",
      groups: read,
      query: ["name", "scope"],
      parameters: groupFilters,
      answer: success(Type.Array(PermissionGroup)),
    },
    list: {
      ...common,
      method: "GET",
      path,
      summary: "List tokens",
      groups: read,
      query: [...pageQuery, "include_expired"],
      answer: page(Token),
    },
    create: {
      ...common,
      method: "POST",
      path,
      summary: "Create token; the answer has its value, once",
      description:
        "It can be given no more than who asks may do: no other right, for no longer, from nowhere else.",
      groups: write,
      body: NewToken,
      example: bearer,
      refusals: rules,
      answer: success(TokenWithValue),
    },
    get: {
      ...common,
      ...one,
      method: "GET",
      path: `${path}/:token_id`,
      summary: "Token details",
      groups: read,
      answer: success(Token),
    },
    update: {
      ...common,
      ...one,
      method: "PUT",
      path: `${path}/:token_id`,
      summary: "Update token",
      description: "The name and all policies have to be sent; what else is left out stays.",
      groups: write,
      conditional: true,
      body: TokenUpdate,
      example: bearer,
      refusals: [...rules, "stronger_token"],
      answer: success(Token),
    },
    remove: {
      ...common,
      ...one,
      method: "DELETE",
      path: `${path}/:token_id`,
      summary: "Delete token",
      groups: write,
      conditional: true,
      answer: success(Type.Object({ id: TokenId }, closed)),
    },
    roll: {
      ...common,
      ...one,
      method: "PUT",
      path: `${path}/:token_id/value`,
      summary: "Roll token; the answer has its new value, once",
      description: "The value before stops at once.",
      groups: write,
      conditional: true,
      body: Type.Object({}, closed),
      bodyOptional: true,
      refusals: ["stronger_token"],
      answer: success(TokenSecret),
    },
  } as const satisfies Record<string, Operation>;
}

const users = operationsOf({
  path: "/client/v4/user/tokens",
  read: accepted.readUserTokens,
  write: accepted.writeUserTokens,
  credentialOf: "user",
  example: "1000000000000000000000000000000e",
  origin: "vendor",
});
const accounts = operationsOf({
  path: "/client/v4/accounts/:account_id/tokens",
  read: accepted.readAccountTokens,
  write: accepted.writeAccountTokens,
  example: "1000000000000000000000000000000f",
  origin: "vendor",
});
const operators = operationsOf({
  path: "/patchbay/v1/tokens",
  read: accepted.administer,
  write: accepted.administer,
  example: "10000000000000000000000000000001",
  origin: "patchbay",
});

const verify = {
  method: "GET",
  summary: "Verify token",
  groups: [],
  query: [],
  judgesCredential: true,
  refusals: ["invalid_api_token"],
  answer: success(TokenStatus),
  origin: "vendor",
} as const;
const VERIFIES = "Tells the status of the token that is presented, also of one that is no longer in force.";

/** What may be asked of the tokens of a user, of an account, and of those that are the operator's. */
export const tokenOperations = {
  verifyToken: {
    ...verify,
    path: "/client/v4/user/tokens/verify",
    description: `${VERIFIES} A token of an account is verified there.`,
  },
  listUserPermissionGroups: users.permissionGroups,
  listUserTokens: users.list,
  createUserToken: users.create,
  getUserToken: users.get,
  updateUserToken: users.update,
  deleteUserToken: users.remove,
  rollUserToken: users.roll,
  verifyAccountToken: {
    ...verify,
    path: "/client/v4/accounts/:account_id/tokens/verify",
    description: VERIFIES,
    credentialOf: "account",
  },
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
