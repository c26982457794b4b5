/** Sessions: who a credential is and what it may, and a cookie that stands for a token in a browser. */

import Type, { type Static } from "typebox";
import { AccountId } from "./directory/account.ts";
import { success } from "./envelope.ts";
import { MAX_SESSIONS_PER_TOKEN, SESSION_DAYS } from "./limits.ts";
import type { Operation } from "./operation.ts";
import type { accepted } from "./permissions.ts";
import { secret } from "./secret.ts";

const closed = { additionalProperties: false } as const;

/** The most accounts that a session tells. */
export const MOST_ACCOUNTS_TOLD = 1_000;

/**
 * The name of the session cookie at a server that clients reach by this base address. Cookies ignore ports, so the port
 * is in the name: two servers on one host do not overwrite each other's sessions. Under TLS, `__Host-` keeps the other
 * ports and subdomains from setting the cookie.
 */
export function sessionCookie(base: string): { readonly name: string; readonly secure: boolean } {
  if (!URL.canParse(base)) return { name: "patchbay_session", secure: false };
  const { protocol, port } = new URL(base);
  const secure = protocol === "https:";
  return { name: `${secure ? "__Host-" : ""}patchbay_session_${port || (secure ? 443 : 80)}`, secure };
}

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
        "With `true` the server starts a session of the token and sets its cookie. With `false` it starts none. Either way it ends the session whose cookie the request carries.",
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
    summary: "Sign in: return who a credential is, and start a session on request",
    description: `The request carries the credential in its headers. The cookie \`patchbay_session_PORT\` (under TLS \`__Host-patchbay_session_PORT\`) holds a random value that the server issued, never the token. Scripts cannot read it. A request with the cookie and no other credential has the rights of the token; requests other than \`GET\` must also carry \`csrf\` of this answer in \`${CSRF_HEADER}\`. The session ends at sign-out, after ${SESSION_DAYS} days, when the token expires, or when the token is rolled, disabled or deleted. A token has at most ${MAX_SESSIONS_PER_TOKEN} sessions; one more ends the oldest.`,
    groups: [],
    query: [],
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
    summary: "Sign out: end the session at every server and delete the cookie",
    description:
      "The token stays valid. `Clear-Site-Data` asks the browser to delete what it cached of this server.",
    groups: [],
    query: [],
    answer: success(Type.Null()),
    body: Type.Object({}, closed),
    bodyOptional: true,
    origin: "patchbay",
  },
} as const satisfies Record<string, Operation>;
