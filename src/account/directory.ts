/**
 * The directory: users, tokens and the list of accounts. It spans accounts, and is a state like
 * theirs, with its own log and revision.
 */

import { contains, parseHost, parseRange } from "../contract/addresses.ts";
import { type PermissionGroup, permissionGroups } from "../contract/permissions.ts";
import { concernedAccounts } from "./audit/concern.ts";
import { isMemberOfEach, type Membership } from "./directory/membership.ts";
import type { Doc, Entry, Kind, State } from "./state.ts";

/** The directory's identifier among the states. No account can have it: theirs are 32 hex digits. */
export const DIRECTORY_ID = "directory";

export type AccountDoc = {
  readonly name: string;
  readonly created_on: string;
  /** Enterprise unless said. */
  readonly type?: "standard" | "enterprise";
  readonly abuse_contact_email?: string;
};

export type UserDoc = {
  readonly email: string;
  /** SHA-256 of the API key, in hex. */
  readonly key_hash: string;
  /** Accounts the user is a member of, with every right in each. */
  readonly accounts?: Membership;
  readonly country?: string;
  readonly first_name?: string;
  readonly last_name?: string;
  readonly telephone?: string;
  readonly zipcode?: string;
};

/** Whose a token is. What it may do is for its policies to say; without an owner it is the operator's. */
export type Owner = { readonly user: string } | { readonly account: string };

export type PolicyDoc = {
  /** Told to the token's owner. Policies of tokens that an older Patchbay stored have none. */
  readonly id?: string;
  readonly effect: "allow" | "deny";
  /** `com.cloudflare.api.account.<id or *>` or `com.cloudflare.api.user.<id>` to `*`. */
  readonly resources: { readonly [resource: string]: string };
  readonly permission_groups: readonly { readonly id: string; readonly name: string }[];
};

export type TokenDoc = {
  readonly name: string;
  /** SHA-256 of the token, in hex. */
  readonly hash: string;
  readonly owner?: Owner;
  readonly status: "active" | "disabled";
  readonly issued_on?: string;
  readonly modified_on?: string;
  readonly not_before?: string;
  readonly expires_on?: string;
  readonly condition?: {
    readonly request_ip?: { readonly in?: readonly string[]; readonly not_in?: readonly string[] };
  };
  readonly policies: readonly PolicyDoc[];
};

/** A session of a token in a browser. */
export type SessionDoc = {
  /** SHA-256 of the cookie's value, in hex. */
  readonly hash: string;
  /** RFC 3339, UTC. */
  readonly expires_on: string;
};

const conflict: Kind["conflict"] = (field, _wanted, holder) => ({
  name: "identity_taken",
  values: { field, holder },
});

function directoryKind(name: string, label: string, claims: Kind["claims"], masked: readonly string[]): Kind {
  const concerns = concernedAccounts(name);
  return { name, claims, conflict, stamped: false, masked, nameOf: (doc) => String(doc[label]), concerns };
}

export const accountKind = directoryKind("account", "name", {}, []);
export const userKind = directoryKind(
  "user",
  "email",
  { email: (doc) => [emailClaim(String(doc["email"]))] },
  ["key_hash"],
);
export const tokenKind: Kind = {
  ...directoryKind("token", "name", { hash: (doc) => [tokenClaim(String(doc["hash"]))] }, ["hash"]),
  stamped: true,
};

/** All sessions of one token: one object, which has the token's identifier. */
export const sessionsKind: Kind = {
  ...directoryKind(
    "sessions",
    "name",
    { sessions: (doc) => sessionsIn(doc).map(({ hash }) => sessionClaim(hash)) },
    ["sessions"],
  ),
  nameOf: () => undefined,
};

export const directoryKinds: readonly Kind[] = [accountKind, userKind, tokenKind, sessionsKind];

const emailClaim = (email: string) => `email:${email.toLowerCase()}`;
const tokenClaim = (hash: string) => `token:${hash}`;
const sessionClaim = (hash: string) => `session:${hash}`;

export interface Found<D> {
  readonly id: string;
  readonly doc: D;
}

/** The token with this hash. */
export function findToken(directory: State, hash: string): Found<TokenDoc> | undefined {
  return found<TokenDoc>(directory, tokenKind, tokenClaim(hash));
}

/** The token of the session with this hash, and the session. */
export function findSession(
  directory: State,
  hash: string,
): { readonly token: Found<TokenDoc>; readonly session: SessionDoc } | undefined {
  const entry = directory.durableHolder(sessionsKind, sessionClaim(hash));
  const session = entry && sessionsIn(entry.doc).find((one) => one.hash === hash);
  const token = entry && directory.get(tokenKind.name, entry.id);
  return session && token && { token: { id: token.id, doc: tokenOf(token) }, session };
}

/** The user with this e-mail address. */
export function findUser(directory: State, email: string): Found<UserDoc> | undefined {
  return found<UserDoc>(directory, userKind, emailClaim(email));
}

function found<D>(directory: State, kind: Kind, claim: string): Found<D> | undefined {
  const entry = directory.durableHolder(kind, claim);
  return entry && { id: entry.id, doc: entry.doc as D };
}

// Only its kind's rules write an object's document, so its form is known.

export function accountOf({ doc }: Entry): AccountDoc {
  return doc as AccountDoc;
}

export function userOf({ doc }: Entry): UserDoc {
  return doc as UserDoc;
}

export function tokenOf({ doc }: Entry): TokenDoc {
  return doc as TokenDoc;
}

/**
 * Is the user a member of every account there is? What concerns all of them takes that. Where there is
 * no account yet, nobody is.
 */
export function isMemberOfAll(directory: State, user: UserDoc): boolean {
  const ids = directory.ids(accountKind.name);
  return ids.length > 0 && isMemberOfEach(user.accounts, ids);
}

/** The sessions of an object of `sessionsKind`, the oldest first. */
export function sessionsIn(doc: Doc): readonly SessionDoc[] {
  return (doc["sessions"] ?? []) as readonly SessionDoc[];
}

export type TokenStatus = "active" | "disabled" | "expired";

/** The status as the vendor tells it. `now` in milliseconds. */
export function tokenStatus(token: TokenDoc, now: number): TokenStatus {
  if (token.status === "disabled") return "disabled";
  return token.expires_on !== undefined && Date.parse(token.expires_on) <= now ? "expired" : "active";
}

/** Is the token to be honoured at this time? */
export function isInForce(token: TokenDoc, now: number): boolean {
  if (tokenStatus(token, now) !== "active") return false;
  return token.not_before === undefined || Date.parse(token.not_before) <= now;
}

/** Does the token's condition admit requests from this address? */
export function admits(token: TokenDoc, address: string): boolean {
  const condition = token.condition?.request_ip;
  if (!condition) return true;
  const host = parseHost(address);
  if (!host) return false;
  const within = (texts: readonly string[]) =>
    texts.some((text) => {
      const prefix = parseRange(text);
      return prefix !== undefined && contains(prefix, host);
    });
  if (condition.in && !within(condition.in)) return false;
  return !condition.not_in || !within(condition.not_in);
}

export const ACCOUNT_RESOURCE = "com.cloudflare.api.account.";
export const ALL_ACCOUNTS = `${ACCOUNT_RESOURCE}*`;
export const USER_RESOURCE = "com.cloudflare.api.user.";

/**
 * Do the policies give one of the groups, for an account or (without one) for all? A policy that
 * denies wins over any that allows.
 */
export function permits(
  policies: readonly PolicyDoc[],
  groups: readonly PermissionGroup[],
  account: string | undefined,
): boolean {
  return permitsWhere(policies, groups, (policy) => covers(policy, account));
}

/** Do the policies give one of the groups, for a user? */
export function permitsOnUser(
  policies: readonly PolicyDoc[],
  groups: readonly PermissionGroup[],
  user: string,
): boolean {
  return permitsWhere(policies, groups, ({ resources }) => Object.hasOwn(resources, USER_RESOURCE + user));
}

/** Is the account one that the policies give any right in? */
export function seesAccount(policies: readonly PolicyDoc[], account: string): boolean {
  return permits(policies, allGroups, account);
}

const allGroups = Object.keys(permissionGroups) as PermissionGroup[];

function permitsWhere(
  policies: readonly PolicyDoc[],
  groups: readonly PermissionGroup[],
  isMeant: (policy: PolicyDoc) => boolean,
): boolean {
  return groups.some((group) => {
    const { id } = permissionGroups[group];
    let allowed = false;
    for (const policy of policies) {
      if (!policy.permission_groups.some((given) => given.id === id) || !isMeant(policy)) continue;
      if (policy.effect === "deny") return false;
      allowed = true;
    }
    return allowed;
  });
}

function covers(policy: PolicyDoc, account: string | undefined): boolean {
  const { resources } = policy;
  if (Object.hasOwn(resources, ALL_ACCOUNTS)) return true;
  if (account !== undefined) return Object.hasOwn(resources, ACCOUNT_RESOURCE + account);
  // What concerns all accounts is denied by a denial anywhere, and allowed only by a rule for all.
  return policy.effect === "deny";
}
