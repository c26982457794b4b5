/** Sessions: who a credential is and what it may, and a cookie that stands for a token in a browser. */

import Type, { type Static } from "typebox";
import { AccountId } from "./directory/account.ts";
import { success } from "./envelope.ts";
import type { Operation } from "./operation.ts";
import type { accepted } from "./permissions.ts";
import { secret } from "./secret.ts";

const closed = { additionalProperties: false } as const;

/** The most accounts that a session tells. */
export const MOST_ACCOUNTS_TOLD = 1_000;

export const SESSION_COOKIE = "patchbay_session";
export const CSRF_HEADER = "x-patchbay-csrf";

/** What may be done in an account, by the names of `accepted`. */
export const accountRights = [
  "readMagic",
  "writeMagic",
  "undo",
  "readLog",
  "readHealth",
  "reportHealth",
  "readAudit",
  "administer",
  "readAccount",
  "writeAccount",
  "readAccountTokens",
  "writeAccountTokens",
] as const satisfies readonly (keyof typeof accepted)[];
export type AccountRight = (typeof accountRights)[number];

export const NewSession = Type.Object(
  {
    remember: Type.Boolean({
      description:
        "With `true` the answer sets a cookie that stands for the token until the browser is closed. With `false` it takes away one that was set before.",
      examples: [true],
    }),
  },
  { title: "NewSession", ...closed },
);

const AccountOfSession = Type.Object(
  {
    id: AccountId,
    name: Type.String({ examples: ["Demonstration"] }),
    may: Type.Array(Type.Enum([...accountRights]), {
      description:
        "What the credential may do in the account. Each is what an operation of that kind takes: `writeMagic` is to change interconnects, routes and CNIs.",
      examples: [["readMagic", "writeMagic", "undo"]],
    }),
  },
  { title: "AccountOfSession", ...closed },
);

export const Session = Type.Object(
  {
    credential: Type.Object(
      {
        type: Type.Enum(["token", "user"]),
        id: Type.String({ description: "Of the token, or of the user whose key it is.", examples: ["…"] }),
        name: Type.String({
          description: "The token's name, or the user's address.",
          examples: ["everything"],
        }),
      },
      { description: "Whom the log names for what is done with it.", ...closed },
    ),
    user: Type.Union([Type.Object({ id: Type.String(), email: Type.String() }, closed), Type.Null()], {
      description: "The user that the credential is of, if it is of one.",
    }),
    expires_on: Type.Union([Type.String({ format: "date-time" }), Type.Null()], {
      description: "When the token expires, if it does.",
    }),
    administers: Type.Boolean({
      description: "Is it an administrator's of all accounts? Resets and faults of a sandbox take that.",
    }),
    accounts: Type.Array(AccountOfSession, {
      description: `The accounts in which it may do anything, by name: the first ${MOST_ACCOUNTS_TOLD}.`,
    }),
    account_count: Type.Integer({ minimum: 0, description: "How many there are.", examples: [1] }),
    sandbox: Type.Boolean({ description: "Was the server started as a sandbox?" }),
    demo: Type.Boolean({ description: "Do the demonstration's credentials open it?" }),
    csrf: Type.Union(
      [Type.String({ ...secret, examples: ["V0cBw0yTd4cS0p4tZ5VQeQ2Zb8xYv1mJrWl3u6n9kKg"] }), Type.Null()],
      {
        description: `What requests by the cookie that may change something carry in \`${CSRF_HEADER}\`. None without a cookie.`,
      },
    ),
  },
  { title: "Session", ...closed },
);
export type Session = Static<typeof Session>;

const path = "/patchbay/v1/session";
const session = success(Session);

/** What may be asked of sessions. */
export const sessionOperations = {
  createSession: {
    method: "POST",
    path,
    summary: "Sign in: who a credential is, and a cookie that stands for it if wished",
    description: `The credential is the request's own, in its headers as always. The cookie \`${SESSION_COOKIE}\` holds the token, can be read by no script, and is sent to this server alone. It counts like the token itself wherever no other credential is sent; then requests other than \`GET\` carry \`csrf\` of this answer in \`${CSRF_HEADER}\`. It is over when the token is.`,
    groups: [],
    query: [],
    volatile: true,
    answer: session,
    body: NewSession,
    refusals: ["session_of_token"],
    origin: "patchbay",
  },
  getSession: {
    method: "GET",
    path,
    summary: "Who a credential is, and what it may do in which account",
    groups: [],
    query: [],
    answer: session,
    origin: "patchbay",
  },
  deleteSession: {
    method: "DELETE",
    path,
    summary: "Sign out: take the cookie away",
    description: "The token stays as it is.",
    groups: [],
    query: [],
    volatile: true,
    answer: success(Type.Null()),
    body: Type.Object({}, closed),
    bodyOptional: true,
    origin: "patchbay",
  },
} as const satisfies Record<string, Operation>;
