/** Users on the wire: as the vendor shows them to themselves, and as they are administered. */

import Type, { type Static } from "typebox";
import { success } from "../envelope.ts";
import type { Operation } from "../operation.ts";
import { accepted } from "../permissions.ts";
import { secret } from "../secret.ts";
import { AccountId } from "./account.ts";
import { page, pageQuery } from "./paging.ts";

const closed = { additionalProperties: false } as const;

export const UserId = Type.String({
  pattern: "^[0-9a-f]{32}$",
  description: "The user's identifier: 32 hexadecimal digits.",
  examples: ["7c5dae5552338874e5053f2534d2767a"],
});
const address = {
  description:
    "The e-mail address, which with the API key is the user's credential. No two users have the same.",
  examples: ["user@example.com"],
} as const;
const Email = Type.String({ minLength: 3, maxLength: 254, pattern: "^[^@\\s]+@[^@\\s]+$", ...address });

const says = {
  country: { description: "The country.", examples: ["Germany"] },
  first_name: { description: "The given name.", examples: ["Ada"] },
  last_name: { description: "The family name.", examples: ["Example"] },
  telephone: { description: "The telephone number.", examples: ["+49 30 5550100"] },
  zipcode: { description: "The postal code.", examples: ["10115"] },
} as const;

/** A text that `null` or `""` clears. */
const clearable = (maxLength: number, { description, examples }: (typeof says)[keyof typeof says]) =>
  Type.Optional(
    Type.Unsafe<string | null>({
      type: ["string", "null"],
      maxLength,
      description: `${description} \`null\` and \`""\` clear it.`,
      examples,
    }),
  );

/** What users may say of themselves. What is left out stays. */
export const Profile = Type.Object(
  {
    country: clearable(30, says.country),
    first_name: clearable(60, says.first_name),
    last_name: clearable(60, says.last_name),
    telephone: clearable(20, says.telephone),
    zipcode: clearable(20, says.zipcode),
  },
  { title: "Profile", description: "What is left out stays as it is.", ...closed },
);
export type Profile = Static<typeof Profile>;

const shown = (said: (typeof says)[keyof typeof says]) => Type.Union([Type.String(), Type.Null()], said);
const no = (description: string) => Type.Literal(false, { description });
const NOT_HERE = "Patchbay has none, and always says so.";

/** A user as the vendor shows one. */
export const User = Type.Object(
  {
    id: UserId,
    email: Type.String(address),
    first_name: shown(says.first_name),
    last_name: shown(says.last_name),
    telephone: shown(says.telephone),
    country: shown(says.country),
    zipcode: shown(says.zipcode),
    suspended: no("Patchbay suspends nobody."),
    two_factor_authentication_enabled: no("Patchbay asks nobody for a second factor."),
    two_factor_authentication_locked: no("Patchbay asks nobody for a second factor."),
    has_pro_zones: no(`Zones: ${NOT_HERE}`),
    has_business_zones: no(`Zones: ${NOT_HERE}`),
    has_enterprise_zones: no(`Zones: ${NOT_HERE}`),
    betas: Type.Array(Type.String(), { maxItems: 0, description: NOT_HERE }),
    organizations: Type.Array(Type.Unknown(), { maxItems: 0, description: NOT_HERE }),
  },
  { title: "User", ...closed },
);

export type User = Static<typeof User>;

const member = {
  email: Email,
  accounts: Type.Array(AccountId, {
    maxItems: 10_000,
    description:
      "The accounts that the user is a member of: with the API key, everything may be done in them.",
    examples: [["023e105f4ecef8ad9ca31a8372d0c353"]],
  }),
};

/** A user as administered. */
export const Member = Type.Object({ id: UserId, ...member }, { title: "Member", ...closed });

/** With the API key, which is shown this once. */
const MemberWithKey = Type.Object(
  {
    id: UserId,
    ...member,
    key: Type.String({
      ...secret,
      description: "The API key. It is shown this once.",
      examples: ["cfk_0000000000000000000000000000000000000000"],
    }),
  },
  { title: "MemberWithKey", ...closed },
);

/** What a user is made of. Without an `id` one is given. */
export const NewMember = Type.Object(
  { id: Type.Optional(UserId), ...member },
  { title: "NewMember", description: "Without an `id` one is given.", ...closed },
);

/** What an administrator may change. What is left out stays. */
export const MemberUpdate = Type.Object(
  {
    id: Type.Optional(Type.String({ description: "The identifier. Read-only.", readOnly: true })),
    email: Type.Optional(member.email),
    accounts: Type.Optional(member.accounts),
  },
  { title: "MemberUpdate", description: "What is left out stays as it is.", ...closed },
);

const users = "/patchbay/v1/users";

/** What may be asked of users. */
export const userOperations = {
  getUser: {
    method: "GET",
    path: "/client/v4/user",
    summary: "User details",
    description: "The user whose token or key it is asked with.",
    credentialOf: "user",
    conditional: true,
    groups: accepted.readUser,
    query: [],
    answer: success(User),
    origin: "vendor",
  },
  editUser: {
    method: "PATCH",
    path: "/client/v4/user",
    summary: "Edit user",
    description: "The user whose token or key it is asked with. What is left out stays.",
    credentialOf: "user",
    conditional: true,
    example: { first_name: "Ada", telephone: "+49 30 5550100" },
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
    parameters: {
      email: { schema: Type.String(), description: "Only the user of this address, in whatever case." },
    },
    groups: accepted.administer,
    query: [...pageQuery, "email"],
    answer: page(Member),
    origin: "patchbay",
  },
  createUser: {
    method: "POST",
    path: users,
    summary: "Make a user; the answer has the API key, once",
    example: { email: "new@example.com", accounts: ["023e105f4ecef8ad9ca31a8372d0c353"] },
    refusals: ["unknown_account", "identity_taken"],
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
    conditional: true,
    groups: accepted.administer,
    query: [],
    answer: success(Member),
    origin: "patchbay",
  },
  changeUser: {
    method: "PUT",
    path: `${users}/:user_id`,
    summary: "Change a user's e-mail address or accounts",
    description:
      "What is left out stays. The user's tokens lose their rights on accounts that the user is no longer a member of.",
    conditional: true,
    example: { accounts: ["023e105f4ecef8ad9ca31a8372d0c353"] },
    refusals: ["read_only_field", "unknown_account", "identity_taken"],
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
    conditional: true,
    groups: accepted.administer,
    query: [],
    answer: success(Type.Object({ id: UserId }, closed)),
    origin: "patchbay",
  },
  rollUserKey: {
    method: "PUT",
    path: `${users}/:user_id/key`,
    summary: "Give a user another API key; the answer has it, once",
    description: "The key before stops at once.",
    conditional: true,
    body: Type.Object({}, closed),
    bodyOptional: true,
    groups: accepted.administer,
    query: [],
    answer: success(MemberWithKey),
    origin: "patchbay",
  },
} as const satisfies Record<string, Operation>;
