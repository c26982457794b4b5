/** Accounts on the wire: as the vendor shows them to their members, and as they are administered. */

import Type, { type Static } from "typebox";
import { success } from "../envelope.ts";
import type { Operation } from "../operation.ts";
import { accepted } from "../permissions.ts";
import { page, pageQuery } from "./paging.ts";

const closed = { additionalProperties: false } as const;

export const AccountId = Type.String({ pattern: "^[0-9a-f]{32}$" });
/** A name without control characters, which begins and ends with something to see. */
const Name = Type.String({ minLength: 1, maxLength: 100 });
const AccountType = Type.Enum(["standard", "enterprise"]);
const DateTime = Type.String({ format: "date-time" });

/** An account as the vendor shows it. */
export const Account = Type.Object(
  {
    id: AccountId,
    name: Name,
    type: AccountType,
    settings: Type.Object(
      { abuse_contact_email: Type.Optional(Type.String()), enforce_twofactor: Type.Literal(false) },
      closed,
    ),
    created_on: Type.Optional(DateTime),
  },
  closed,
);

/** What a member may change of an account. What is left out stays. */
export const AccountUpdate = Type.Object(
  {
    id: Type.Optional(Type.String()),
    name: Type.Optional(Name),
    type: Type.Optional(AccountType),
    settings: Type.Optional(
      Type.Object(
        {
          abuse_contact_email: Type.Optional(
            Type.String({ maxLength: 254, pattern: "^([^@\\s]+@[^@\\s]+)?$" }),
          ),
          enforce_twofactor: Type.Optional(Type.Boolean()),
        },
        closed,
      ),
    ),
    managed_by: Type.Optional(Type.Object({}, closed)),
    created_on: Type.Optional(Type.String()),
  },
  closed,
);
export type AccountUpdate = Static<typeof AccountUpdate>;

/** What an account is made of. Without an `id` one is given. */
export const NewAccount = Type.Object(
  { id: Type.Optional(AccountId), name: Name, type: Type.Optional(AccountType) },
  closed,
);

const accounts = "/client/v4/accounts";
const administered = "/patchbay/v1/accounts";

/** What may be asked of accounts. */
export const accountOperations = {
  listAccounts: {
    method: "GET",
    path: accounts,
    summary: "List accounts",
    groups: [],
    query: [...pageQuery, "name"],
    answer: page(Account),
    origin: "vendor",
  },
  getAccount: {
    method: "GET",
    path: `${accounts}/:account_id`,
    summary: "Account details",
    groups: accepted.readAccount,
    query: [],
    answer: success(Account),
    origin: "vendor",
  },
  updateAccount: {
    method: "PUT",
    path: `${accounts}/:account_id`,
    summary: "Update account",
    groups: accepted.writeAccount,
    query: [],
    answer: success(Account),
    body: AccountUpdate,
    origin: "vendor",
  },
  listAllAccounts: {
    method: "GET",
    path: administered,
    summary: "List all accounts there are",
    groups: accepted.administer,
    query: [...pageQuery, "name"],
    answer: page(Account),
    origin: "patchbay",
  },
  createAccount: {
    method: "POST",
    path: administered,
    summary: "Make an account, with nothing in it",
    groups: accepted.administer,
    query: [],
    answer: success(Account),
    body: NewAccount,
    origin: "patchbay",
  },
  showAccount: {
    method: "GET",
    path: `${administered}/:account_id`,
    summary: "One account, for its administrators",
    groups: accepted.administer,
    query: [],
    answer: success(Account),
    origin: "patchbay",
  },
  changeAccount: {
    method: "PUT",
    path: `${administered}/:account_id`,
    summary: "Change an account's name, type and settings",
    groups: accepted.administer,
    query: [],
    answer: success(Account),
    body: AccountUpdate,
    origin: "patchbay",
  },
} as const satisfies Record<string, Operation>;
