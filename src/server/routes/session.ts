/** Signing in and out, and who is signed in. */

import type { FastifyInstance } from "fastify";
import {
  accountKind,
  accountOf,
  findToken,
  isMemberOfAll,
  permits,
  userKind,
  userOf,
} from "../../account/directory.ts";
import { Checker } from "../../contract/check.ts";
import { Problems } from "../../contract/errors.ts";
import { accepted } from "../../contract/permissions.ts";
import {
  type AccountRight,
  accountRights,
  MOST_ACCOUNTS_TOLD,
  NewSession,
  type Session,
} from "../../contract/session.ts";
import { hashSecret } from "../../store/secrets.ts";
import { type Principal, userIdOf } from "../auth.ts";
import type { Routes, ServerCall } from "../call.ts";
import type { AppContext } from "../context.ts";
import { demo } from "../demo.ts";
import { succeed } from "../envelope.ts";
import { hasDemoCredentials } from "../exposure.ts";
import { readBody, readNoBody } from "../read-request.ts";
import { Refusal, refuse } from "../refusal.ts";
import { cookieLine, csrfOf, sessionToken } from "../session.ts";
import { compare, isSeen } from "./directory/accounts.ts";

const checker = new Checker(NewSession, undefined, "Session");

export function addSessionRoutes(app: FastifyInstance, routes: Routes, context: AppContext): void {
  const { accounts, ingress, sandbox } = context;
  const isSecure = ({ request }: ServerCall) => ingress.baseOf(request.raw).startsWith("https:");

  routes.holder("getSession", ({ principal, asking }) => {
    const token = sessionToken(asking.headers);
    return { status: 200, body: succeed(tell(principal, token)) };
  });

  routes.holder("createSession", async (call) => {
    const problems = new Problems();
    const wanted = checker.read(await readBody(call.request), "", problems);
    if (!wanted) throw new Refusal(problems.list());
    const token = wanted.remember ? presented(call) : undefined;
    const headers = { "set-cookie": cookieLine(token, isSecure(call)) };
    return { status: 200, body: succeed(tell(call.principal, token)), headers };
  });

  routes.holder("deleteSession", async (call) => {
    await readNoBody(call.request, "signing out");
    return {
      status: 200,
      body: succeed(null),
      headers: { "set-cookie": cookieLine(undefined, isSecure(call)) },
    };
  });

  // For a page that has no credential yet: whether there is one that everybody knows.
  app.get("/patchbay/v1/sign-in", (request, reply) => {
    const known = findToken(accounts.directory.state, hashSecret(demo.token));
    const body = succeed({ demo: known ? { token: demo.token } : null, sandbox });
    routes.answer(request, reply, { status: 200, body });
  });

  function tell(principal: Principal, remembered: string | undefined): Session {
    const directory = accounts.directory.state;
    const { type, id, name } = principal.actor;
    const userId = userIdOf(principal);
    const user = userId === undefined ? undefined : directory.get(userKind.name, userId);
    const seen = directory.list(accountKind.name).filter((entry) => isSeen(principal, entry.id));
    const told = seen
      .map((entry) => ({ id: entry.id, name: accountOf(entry).name }))
      .sort((one, other) => compare(one.name, other.name) || compare(one.id, other.id))
      .slice(0, MOST_ACCOUNTS_TOLD);
    return {
      credential: { type: type === "token" ? "token" : "user", id, name },
      user: user ? { id: user.id, email: userOf(user).email } : null,
      expires_on: (principal.by === "token" ? principal.token.expires_on : undefined) ?? null,
      administers:
        principal.by === "token"
          ? permits(principal.token.policies, accepted.administer, undefined)
          : isMemberOfAll(directory, principal.user),
      accounts: told.map((account) => ({ ...account, may: rightsIn(principal, account.id) })),
      account_count: seen.length,
      sandbox,
      demo: hasDemoCredentials(directory),
      csrf: remembered === undefined ? null : csrfOf(remembered),
    };
  }
}

/** A user's key may do all that there is to do in the user's accounts. */
function rightsIn(principal: Principal, account: string): AccountRight[] {
  if (principal.by === "key") return [...accountRights];
  const { policies } = principal.token;
  return accountRights.filter((right) => permits(policies, accepted[right], account));
}

/** The token that a request was made with. Throws the refusal of one that was made with a key. */
function presented({ asking: { headers }, principal }: ServerCall): string {
  const token = headers.authorization?.split(/ +/)[1] ?? sessionToken(headers);
  if (principal.by === "key" || token === undefined) throw refuse("session_of_token");
  return token;
}
