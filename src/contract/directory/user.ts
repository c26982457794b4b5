/** Users on the wire: as the vendor shows them to themselves, and as they are administered. */

import Type, { type Static } from "typebox";
import { success } from "../envelope.ts";
import type { Operation } from "../operation.ts";
import { accepted } from "../permissions.ts";
import { AccountId } from "./account.ts";
import { page, pageQuery } from "./paging.ts";

const closed = { additionalProperties: false } as const;

export const UserId = Type.String({ pattern: "^[0-9a-f]{32}$" });
const Email = Type.String({ minLength: 3, maxLength: 254, pattern: "^[^@\\s]+@[^@\\s]+$" });

/** A text that `null` or `""` clears. */
const clearable = (maxLength: number) =>
  Type.Optional(Type.Unsafe<string | null>({ type: ["string", "null"], maxLength }));

/** What users may say of themselves. What is left out stays. */
export const Profile = Type.Object(
  {
    country: clearable(30),
    first_name: clearable(60),
    last_name: clearable(60),
    telephone: clearable(20),
    zipcode: clearable(20),
  },
  closed,
);
export type Profile = Static<typeof Profile>;

const Shown = Type.Union([Type.String(), Type.Null()]);

/** A user as the vendor shows one. */
export const User = Type.Object(
  {
    id: UserId,
    email: Type.String(),
    first_name: Shown,
    last_name: Shown,
    telephone: Shown,
    country: Shown,
    zipcode: Shown,
    suspended: Type.Literal(false),
    two_factor_authentication_enabled: Type.Literal(false),
    two_factor_authentication_locked: Type.Literal(false),
    has_pro_zones: Type.Literal(false),
    has_business_zones: Type.Literal(false),
    has_enterprise_zones: Type.Literal(false),
    betas: Type.Array(Type.String(), { maxItems: 0 }),
    organizations: Type.Array(Type.Unknown(), { maxItems: 0 }),
  },
  closed,
);

export type User = Static<typeof User>;

const member = { email: Email, accounts: Type.Array(AccountId, { maxItems: 10_000 }) };

/** A user as administered. */
export const Member = Type.Object({ id: UserId, ...member }, closed);

/** With the API key, which is shown this once. */
const MemberWithKey = Type.Object({ id: UserId, ...member, key: Type.String() }, closed);

/** What a user is made of. Without an `id` one is given. */
export const NewMember = Type.Object({ id: Type.Optional(UserId), ...member }, closed);

/** What an administrator may change. What is left out stays. */
export const MemberUpdate = Type.Object(
  {
    id: Type.Optional(Type.String()),
    email: Type.Optional(member.email),
    accounts: Type.Optional(member.accounts),
  },
  closed,
);

const users = "/patchbay/v1/users";

/** What may be asked of users. */
export const userOperations = {
  getUser: {
    method: "GET",
    path: "/client/v4/user",
    summary: "User details",
    groups: accepted.readUser,
    query: [],
    answer: success(User),
    origin: "vendor",
  },
  editUser: {
    method: "PATCH",
    path: "/client/v4/user",
    summary: "Edit user",
    groups: accepted.writeUser,
    query: [],
    answer: success(User),
    body: Profile,
    origin: "vendor",
  },
  listUsers: {
    method: "GET",
    path: users,
    summary: "List users",
    groups: accepted.administer,
    query: [...pageQuery, "email"],
    answer: page(Member),
    origin: "patchbay",
  },
  createUser: {
    method: "POST",
    path: users,
    summary: "Make a user; the answer has the API key, once",
    groups: accepted.administer,
    query: [],
    answer: success(MemberWithKey),
    body: NewMember,
    origin: "patchbay",
  },
  showUser: {
    method: "GET",
    path: `${users}/:user_id`,
    summary: "One user",
    groups: accepted.administer,
    query: [],
    answer: success(Member),
    origin: "patchbay",
  },
  changeUser: {
    method: "PUT",
    path: `${users}/:user_id`,
    summary: "Change a user's e-mail address or accounts",
    groups: accepted.administer,
    query: [],
    answer: success(Member),
    body: MemberUpdate,
    origin: "patchbay",
  },
  deleteUser: {
    method: "DELETE",
    path: `${users}/:user_id`,
    summary: "Delete a user, and all the user's tokens",
    groups: accepted.administer,
    query: [],
    answer: success(Type.Object({ id: UserId }, closed)),
    origin: "patchbay",
  },
  rollUserKey: {
    method: "PUT",
    path: `${users}/:user_id/key`,
    summary: "Give a user another API key; the answer has it, once",
    groups: accepted.administer,
    query: [],
    answer: success(MemberWithKey),
    origin: "patchbay",
  },
} as const satisfies Record<string, Operation>;
