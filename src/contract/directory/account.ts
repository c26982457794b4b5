/** Accounts on the wire: as the vendor shows them to their members, and as they are administered. */

import Type, { type Static } from "typebox";
import { success } from "../envelope.ts";
import type { Operation } from "../operation.ts";
import type { Parameter } from "../parameters.ts";
import { accepted } from "../permissions.ts";
import { page, pageQuery } from "./paging.ts";

const closed = { additionalProperties: false } as const;

export const AccountId = Type.String({
  pattern: "^[0-9a-f]{32}$",
  description: "The account's identifier: 32 hexadecimal digits.",
  examples: ["023e105f4ecef8ad9ca31a8372d0c353"],
});
/** A name without control characters, which begins and ends with something to see. */
const Name = Type.String({
  minLength: 1,
  maxLength: 100,
  description: "What it is called. Several accounts may have the same name.",
  examples: ["Demonstration"],
});
const AccountType = Type.Enum(["standard", "enterprise"], {
  description: "The vendor's kinds of account, which Patchbay treats alike: `enterprise` unless said.",
  examples: ["enterprise"],
});
const created = {
  description: "When it was made. Read-only.",
  examples: ["2017-06-14T00:00:00Z"],
  readOnly: true,
} as const;
const contact = {
  description: 'Whom to write to about abuse. `""` is nobody.',
  examples: ["abuse@example.com"],
} as const;
const SECOND_FACTOR = "Patchbay asks nobody for a second factor, so it can only be `false`.";

/** An account as the vendor shows it. */
export const Account = Type.Object(
  {
    id: AccountId,
    name: Name,
    type: AccountType,
    settings: Type.Object(
      {
        abuse_contact_email: Type.Optional(Type.String(contact)),
        enforce_twofactor: Type.Literal(false, { description: SECOND_FACTOR }),
      },
      closed,
    ),
    created_on: Type.Optional(Type.String({ format: "date-time", ...created })),
  },
  { title: "Account", ...closed },
);

/** What a member may change of an account. What is left out stays. */
export const AccountUpdate = Type.Object(
  {
    id: Type.Optional(Type.String({ description: "The identifier. Read-only.", readOnly: true })),
    name: Type.Optional(Name),
    type: Type.Optional(AccountType),
    settings: Type.Optional(
      Type.Object(
        {
          abuse_contact_email: Type.Optional(
            Type.String({ maxLength: 254, pattern: "^([^@\\s]+@[^@\\s]+)?$", ...contact }),
          ),
          enforce_twofactor: Type.Optional(Type.Boolean({ description: SECOND_FACTOR })),
        },
        closed,
      ),
    ),
    managed_by: Type.Optional(
      Type.Object(
        {},
        { description: "The vendor's word for a parent account. There is none here.", ...closed },
      ),
    ),
    created_on: Type.Optional(Type.String(created)),
  },
  { title: "AccountUpdate", description: "What is left out stays as it is.", ...closed },
);
export type AccountUpdate = Static<typeof AccountUpdate>;

/** What an account is made of. Without an `id` one is given. */
export const NewAccount = Type.Object(
  { id: Type.Optional(AccountId), name: Name, type: Type.Optional(AccountType) },
  { title: "NewAccount", description: "Without an `id` one is given.", ...closed },
);

/** Where `name` is a filter of accounts. */
const named: Readonly<Record<string, Parameter>> = {
  name: { schema: Type.String(), description: "Only accounts of exactly this name." },
};

const accounts = "/client/v4/accounts";
const administered = "/patchbay/v1/accounts";

/** What may be asked of accounts. */
export const accountOperations = {
  listAccounts: {
    method: "GET",
    path: accounts,
    summary: "List accounts",
    description:
      "Those in which the token has any right, or of which the key's user is a member, by name. A token that belongs to an account is refused, as the vendor does.",
    parameters: named,
    refusals: ["no_account_list"],
    groups: [],
    query: [...pageQuery, "name"],
    answer: page(Account),
    origin: "vendor",
  },
  getAccount: {
    method: "GET",
    path: `${accounts}/:account_id`,
    summary: "Account details",
    conditional: true,
    groups: accepted.readAccount,
    query: [],
    answer: success(Account),
    origin: "vendor",
  },
  updateAccount: {
    method: "PUT",
    path: `${accounts}/:account_id`,
    summary: "Update account",
    description: "What is left out stays.",
    conditional: true,
    example: { name: "Demonstration", settings: { abuse_contact_email: "abuse@example.com" } },
    refusals: ["read_only_field"],
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
    description: "All that this server has, by name.",
    parameters: named,
    groups: accepted.administer,
    query: [...pageQuery, "name"],
    answer: page(Account),
    origin: "patchbay",
  },
  createAccount: {
    method: "POST",
    path: administered,
    summary: "Make an account, with nothing in it",
    description:
      "Who makes it by a user's token or key becomes its first member. Its pools, flags and slots are set by `updateAccountSettings` and `createSlot`.",
    example: { name: "Customer One" },
    refusals: ["account_exists"],
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
    conditional: true,
    groups: accepted.administer,
    query: [],
    answer: success(Account),
    origin: "patchbay",
  },
  changeAccount: {
    method: "PUT",
    path: `${administered}/:account_id`,
    summary: "Change an account's name, type and settings",
    description: "What is left out stays.",
    conditional: true,
    example: { name: "Demonstration, renamed" },
    refusals: ["read_only_field"],
    groups: accepted.administer,
    query: [],
    answer: success(Account),
    body: AccountUpdate,
    origin: "patchbay",
  },
} as const satisfies Record<string, Operation>;
