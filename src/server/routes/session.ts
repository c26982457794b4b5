/** Signing in and out, and who is signed in. */

import type { FastifyInstance } from "fastify";
import { beginSession, endSession, type SessionKey } from "../../account/directory/session.ts";
import {
  accountKind,
  accountOf,
  findSession,
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
import { cookieLine, cookieValue, csrfOf } from "../session.ts";
import { circumstances, granted } from "../writing.ts";
import { compare, isSeen } from "./directory/accounts.ts";

const checker = new Checker(NewSession, undefined, "Session");

export function addSessionRoutes(app: FastifyInstance, routes: Routes, context: AppContext): void {
  const { accounts, clock, ingress, newSecret, sandbox } = context;

  routes.holder("getSession", ({ principal, asking }) => {
    return { status: 200, body: succeed(tell(principal, asking.session)) };
  });

  routes.holder("createSession", async (call) => {
    const problems = new Problems();
    const wanted = checker.read(await readBody(call.request), "", problems);
    if (!wanted) throw new Refusal(problems.list());
    const session = wanted.remember ? await begin(call) : await end(call, "createSession");
    const headers = { "set-cookie": cookieLine(session, ingress.baseOf(call.request.raw)) };
    return { status: 200, body: succeed(tell(call.principal, session)), headers };
  });

  routes.holder("deleteSession", async (call) => {
    await readNoBody(call.request, "signing out");
    const session = await end(call, "deleteSession");
    const headers = {
      "set-cookie": cookieLine(session, ingress.baseOf(call.request.raw)),
      // Of what an earlier version let the browser cache.
      "clear-site-data": '"cache"',
    };
    return { status: 200, body: succeed(null), headers };
  });

  /** Starts a session of the token of a call, and returns the value of the cookie. */
  async function begin(call: ServerCall): Promise<string> {
    const { principal } = call;
    if (principal.by === "key") throw refuse("session_of_token");
    const value = newSecret("pbs_");
    const session = { token: principal.actor.id, hash: hashSecret(value) };
    const command = beginSession(session, carried(call), circumstances(call, clock));
    granted(await accounts.directory.submit(command));
    return value;
  }

  /** Ends the session whose cookie the request carries, if there is one. */
  async function end(call: ServerCall, operation: "createSession" | "deleteSession"): Promise<undefined> {
    const session = carried(call);
    if (!session) return;
    granted(await accounts.directory.submit(endSession(operation, session, circumstances(call, clock))));
  }

  function carried({ request }: ServerCall): SessionKey | undefined {
    const value = cookieValue(request.raw, ingress);
    if (value === undefined) return undefined;
    const hash = hashSecret(value);
    const found = findSession(accounts.directory.state, hash);
    return found && { token: found.token.id, hash };
  }

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
