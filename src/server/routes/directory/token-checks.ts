/** The check that a token makes of itself, and the rights that a token may be given. */

import { EVERY_ACCOUNT, type Powers, powersOf } from "../../../account/directory/rights.ts";
import {
  ACCOUNT_RESOURCE,
  accountKind,
  isInForce,
  seesAccount,
  type TokenDoc,
  tokenStatus,
  USER_RESOURCE,
} from "../../../account/directory.ts";
import { SCOPES } from "../../../contract/directory/token.ts";
import { type Group, permissionGroups } from "../../../contract/permissions.ts";
import { askerOf, presentedToken } from "../../auth.ts";
import type { CredentialCall, Routes, ServerCall } from "../../call.ts";
import type { AppContext } from "../../context.ts";
import { type Answer, succeed, wrap } from "../../envelope.ts";
import { refuse } from "../../refusal.ts";

const said = {
  active: "This API Token is valid and active",
  disabled: "This API Token is disabled",
  expired: "This API Token has expired",
};

export function addTokenChecks(routes: Routes, { accounts }: AppContext): void {
  routes.credential("verifyToken", verify);
  routes.credential("verifyAccountToken", verify);

  function verify(call: CredentialCall): Answer {
    const { account } = call;
    const { actor, token } = presentedToken(call, accounts.directory.state, account);
    // The right comes before existence: to a token with no right in it, no account exists.
    if (account !== undefined && !isOf(token, account)) throw refuse("invalid_api_token");
    if (account !== undefined && !accounts.get(account)) throw refuse("not_routable", { path: call.path });
    const status = tokenStatus(token, call.now);
    const { not_before, expires_on } = token;
    const early = status === "active" && !isInForce(token, call.now);
    const message = early ? "This API Token is not yet valid" : said[status];
    const body = wrap(JSON.stringify({ id: actor.id, status, not_before, expires_on }), [
      { code: 10000, message, type: null },
    ]);
    return { status: 200, body };
  }
}

/** Is the token the account's own, or the operator's with a right in it? */
function isOf({ owner, policies }: TokenDoc, account: string): boolean {
  return owner !== undefined || seesAccount(policies, account);
}

const groups: readonly Group[] = Object.values(permissionGroups);

export function addPermissionGroups(routes: Routes, { accounts }: AppContext): void {
  routes.user("listUserPermissionGroups", (call) => {
    const ids = accounts.directory.state.list(accountKind.name).map(({ id }) => ACCOUNT_RESOURCE + id);
    const targets = {
      account: [...ids, EVERY_ACCOUNT],
      user: [USER_RESOURCE + call.user.id],
    };
    return list(call, groups, targets);
  });

  routes.account("listAccountPermissionGroups", (call) => {
    const targets = { account: [ACCOUNT_RESOURCE + call.account.state.id], user: [] };
    const own = groups.filter(({ scope }) => scope === "account");
    return list(call, own, targets);
  });

  /** `targets` are what a token could have the rights on, any of which suffices for one to be given. */
  function list(
    { query, principal }: ServerCall,
    all: readonly Group[],
    targets: Readonly<Record<Group["scope"], readonly string[]>>,
  ): Answer {
    const powers = powersOf(accounts.directory.state, askerOf(principal));
    const shown = all.filter(filterOf(query)).map((group) => ({
      id: group.id,
      name: group.name,
      scopes: [scopeNames[group.scope]],
      category: group.category,
      is_selectable: powers !== undefined && mayGive(powers, group, targets[group.scope]),
    }));
    return { status: 200, body: succeed(shown) };
  }
}

const scopeNames = { account: "com.cloudflare.api.account", user: "com.cloudflare.api.user" } as const;

function mayGive(powers: Powers, { id }: Group, targets: readonly string[]): boolean {
  return targets.some((target) => powers.permits(id, target));
}

function filterOf(query: Readonly<Record<string, string>>): (group: Group) => boolean {
  const { name, scope } = query;
  if (scope !== undefined && !SCOPES.some((known) => known === scope)) {
    const expected = `one of ${SCOPES.join(", ")}`;
    throw refuse("invalid_query", { name: "scope", given: JSON.stringify(scope), expected });
  }
  const wanted = name === undefined ? undefined : decoded(name);
  return (group) =>
    (wanted === undefined || group.name === wanted) &&
    (scope === undefined || scopeNames[group.scope] === scope);
}

/** The vendor wants the value URL-encoded, which clients do once more. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
