/**
 * Nobody makes a token stronger than their own: what somebody may do, and what a token would be able to
 * do beyond that.
 *
 * Rights are compared by what they mean, not by how they are written: a denial of the asker's that the
 * new token repeats is respected, and what the new token denies itself it may be allowed otherwise.
 */

import { contains, type Prefix, parseRange } from "../../contract/addresses.ts";
import { type Problem, problem } from "../../contract/errors.ts";
import { permissionGroups } from "../../contract/permissions.ts";
import {
  ACCOUNT_RESOURCE,
  ALL_ACCOUNTS,
  isMemberOfAll,
  type PolicyDoc,
  type TokenDoc,
  tokenKind,
  tokenOf,
  USER_RESOURCE,
  userKind,
  userOf,
} from "../directory.ts";
import type { State } from "../state.ts";
import { accountsOf } from "./membership.ts";

/** Who asks for a change of the directory: a token, or a user by key. */
export interface Asker {
  readonly by: "token" | "key";
  readonly id: string;
}

/** The accounts that there are and that there will be, all together. */
export const EVERY_ACCOUNT = "every account";
/** An account that no policy names: the others are all alike. */
const ANOTHER_ACCOUNT = `${ACCOUNT_RESOURCE}another`;

/** What somebody may do. */
export interface Powers {
  /** `group` by its id; `target` a resource, or `EVERY_ACCOUNT`. */
  readonly permits: (group: string, target: string) => boolean;
  /** Resources of accounts that these powers tell apart from others. */
  readonly accounts: Iterable<string>;
  readonly expires_on?: string | undefined;
  readonly condition?: TokenDoc["condition"];
}

/** The asker's powers in the newest view; `undefined` if there is no such token or user any more. */
export function powersOf(directory: State, { by, id }: Asker): Powers | undefined {
  const entry = directory.newest(by === "token" ? tokenKind.name : userKind.name, id)?.entry;
  if (!entry) return undefined;
  if (by === "token") {
    const token = tokenOf(entry);
    return token.status === "active" ? powersOfToken(token) : undefined;
  }
  const user = userOf(entry);
  const own = USER_RESOURCE + id;
  const accounts = new Set(accountsOf(user.accounts).map((account) => ACCOUNT_RESOURCE + account));
  const all = isMemberOfAll(directory, user);
  return {
    permits: (_, target) =>
      target === own || accounts.has(target) || (all && !target.startsWith(USER_RESOURCE)),
    accounts,
  };
}

/** Do the powers hold any right on a resource? */
export function seesResource(powers: Powers, resource: string): boolean {
  return Object.values(permissionGroups).some(({ id }) => powers.permits(id, resource));
}

/** Who asks may have been deleted or disabled by a change that came just before. */
export function judgeAsker(directory: State, asker: Asker): Problem | undefined {
  return powersOf(directory, asker) ? undefined : problem("invalid_access_token");
}

export function powersOfToken({ policies, expires_on, condition }: TokenDoc): Powers {
  const reaches = reachesOf(policies);
  const named = new Set(policies.flatMap(({ resources }) => Object.keys(resources)));
  return {
    permits: (group, target) => reachPermits(reaches.get(group), target),
    accounts: [...named].filter(isAccount),
    expires_on,
    condition,
  };
}

function isAccount(resource: string): boolean {
  return resource.startsWith(ACCOUNT_RESOURCE) && resource !== ALL_ACCOUNTS;
}

/** Resources by which one group is allowed and denied. */
interface Reach {
  readonly allowed: Set<string>;
  readonly denied: Set<string>;
}

function reachesOf(policies: readonly PolicyDoc[]): Map<string, Reach> {
  const reaches = new Map<string, Reach>();
  for (const { effect, resources, permission_groups } of policies) {
    for (const { id } of permission_groups) {
      const reach = reaches.get(id) ?? { allowed: new Set(), denied: new Set() };
      reaches.set(id, reach);
      const side = effect === "allow" ? reach.allowed : reach.denied;
      for (const resource in resources) side.add(resource);
    }
  }
  return reaches;
}

function reachPermits(reach: Reach | undefined, target: string): boolean {
  if (!reach) return false;
  const { allowed, denied } = reach;
  // What concerns all accounts is denied by a denial anywhere, and allowed only by a rule for all.
  if (target === EVERY_ACCOUNT) return allowed.has(ALL_ACCOUNTS) && denied.size === 0;
  if (denied.has(target) || (isAccount(target) && denied.has(ALL_ACCOUNTS))) return false;
  return allowed.has(target) || (isAccount(target) && allowed.has(ALL_ACCOUNTS));
}

/** A right that is not the asker's to give, by the places of the policy and of the group in it. */
export interface Excess {
  readonly policy: number;
  readonly group: number;
  readonly resource: string;
}

/** The rights that policies would give and the asker does not have, each policy, group and resource once. */
export function* excessRights(policies: readonly PolicyDoc[], powers: Powers): Iterable<Excess> {
  const reaches = reachesOf(policies);
  const accounts = new Set([
    ...powers.accounts,
    ...policies.flatMap(({ resources }) => Object.keys(resources).filter(isAccount)),
  ]);
  const everywhere = [...accounts, ANOTHER_ACCOUNT, EVERY_ACCOUNT];
  const known = new Map<string, boolean>();
  const exceeds = (group: string, resource: string): boolean => {
    const key = `${group} ${resource}`;
    const answer =
      known.get(key) ??
      (resource === ALL_ACCOUNTS ? everywhere : [resource]).some(
        (target) => reachPermits(reaches.get(group), target) && !powers.permits(group, target),
      );
    known.set(key, answer);
    return answer;
  };
  for (const [policy, { effect, resources, permission_groups }] of policies.entries()) {
    if (effect === "deny") continue;
    for (const [group, { id }] of permission_groups.entries())
      for (const resource in resources) if (exceeds(id, resource)) yield { policy, group, resource };
  }
}

/** When the asker's own credential ends before the token would. */
export function outlives(expires_on: string | undefined, powers: Powers): string | undefined {
  const end = powers.expires_on;
  if (end === undefined) return undefined;
  return expires_on === undefined || Date.parse(expires_on) > Date.parse(end) ? end : undefined;
}

/** What lets the token be used from where the asker's own could not be, in words. */
export function widerAddresses(condition: TokenDoc["condition"], powers: Powers): string | undefined {
  const own = powers.condition?.request_ip;
  const wanted = condition?.request_ip;
  if (own?.in) {
    if (!wanted?.in) return "it must say in which ranges, with request_ip.in";
    const outer = ranges(own.in);
    const stray = wanted.in.find((text) => !isWithin(text, outer));
    if (stray !== undefined) return `${stray} is not within yours`;
  }
  const excluded = ranges(wanted?.not_in ?? []);
  const missing = own?.not_in?.find((text) => !isWithin(text, excluded));
  return missing === undefined ? undefined : `request_ip.not_in must hold ${missing}`;
}

function ranges(texts: readonly string[]): Prefix[] {
  return texts.flatMap((text) => parseRange(text) ?? []);
}

function isWithin(text: string, outer: readonly Prefix[]): boolean {
  const range = parseRange(text);
  return range !== undefined && outer.some((prefix) => contains(prefix, range));
}

/** Could a token do anything that the asker may not? */
export function isStronger(token: TokenDoc, powers: Powers): boolean {
  const [excess] = excessRights(token.policies, powers);
  return (
    excess !== undefined ||
    outlives(token.expires_on, powers) !== undefined ||
    widerAddresses(token.condition, powers) !== undefined
  );
}
