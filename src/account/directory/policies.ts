/** The policies of a token: from what is sent to what is stored. */

import { show } from "../../contract/check.ts";
import type { Policy } from "../../contract/directory/token.ts";
import type { Problems } from "../../contract/errors.ts";
import { escapePointer } from "../../contract/json.ts";
import { permissionGroup, permissionGroups, type Scope } from "../../contract/permissions.ts";
import { didYouMean } from "../../contract/similar.ts";
import {
  ACCOUNT_RESOURCE,
  ALL_ACCOUNTS,
  accountKind,
  type Owner,
  type PolicyDoc,
  USER_RESOURCE,
} from "../directory.ts";
import type { State } from "../state.ts";

/** What the policies of a token are judged by. */
export interface Judgement {
  readonly state: State;
  readonly owner: Owner | undefined;
  /** Does the principal have any right on a resource? */
  readonly sees: (resource: string) => boolean;
  /** The policies that the token has. Who sends back what was read keeps their ids. */
  readonly stored: readonly PolicyDoc[];
  readonly newId: () => string;
  readonly problems: Problems;
}

const EXPECTED =
  " A resource is com.cloudflare.api.account.ID, com.cloudflare.api.account.* or com.cloudflare.api.user.ID.";

/** The policies as they are to be stored, as far as they can be made out. */
export function makePolicies(policies: readonly Policy[], by: Judgement): PolicyDoc[] {
  const taken = new Set<string>();
  return policies.map((policy, index) => {
    const pointer = `/policies/${index}`;
    const resources = judgeResources(policy.resources, pointer, by);
    const groups = judgeGroups(policy, resources, pointer, by);
    const doc = { effect: policy.effect, resources, permission_groups: groups };
    const id = idOf(policy.id, doc, taken, pointer, by);
    taken.add(id);
    return { id, ...doc };
  });
}

/** A policy keeps its id if it is sent, or if nothing in it changes. */
function idOf(
  sent: string | undefined,
  doc: PolicyDoc,
  taken: ReadonlySet<string>,
  pointer: string,
  { stored, newId, problems }: Judgement,
): string {
  const free = stored.filter(({ id }) => id !== undefined && !taken.has(id));
  if (sent !== undefined) {
    if (free.some(({ id }) => id === sent)) return sent;
    const known = free.map(({ id }) => id).join(", ");
    const told = known === "" ? "given to a policy when it is made" : `one of ${known}`;
    problems.add("read_only_field", { field: "id", stored: told }, `${pointer}/id`);
  }
  const text = JSON.stringify(doc);
  const same = free.find(({ id: _, ...rest }) => JSON.stringify(rest) === text);
  return same?.id ?? newId();
}

function judgeResources(sent: Readonly<Record<string, unknown>>, pointer: string, by: Judgement) {
  const resources: Record<string, string> = {};
  const at = `${pointer}/resources`;
  for (const [resource, value] of Object.entries(sent)) {
    const place = `${at}/${escapePointer(resource)}`;
    if (!judgeResource(resource, place, by)) continue;
    if (value === "*") resources[resource] = "*";
    else {
      const expected = '"*": there is nothing smaller here that could be named';
      by.problems.add("invalid_value", () => ({ field: resource, given: show(value), expected }), place);
    }
  }
  if (Object.keys(sent).length === 0) {
    const expected = 'an object such as {"com.cloudflare.api.account.*": "*"}';
    by.problems.add("invalid_value", { field: "resources", given: "{}", expected }, at);
  }
  return resources;
}

/** Is this something that rights of this token can be on? */
function judgeResource(resource: string, place: string, by: Judgement): boolean {
  const { state, owner, problems } = by;
  const id = idIn(resource);
  if (id === undefined) {
    problems.add("unknown_field", { field: resource, hint: EXPECTED }, place);
    return false;
  }
  if (!mayName(resource, owner)) {
    problems.add("foreign_resource", { owner: describeOwner(owner), resource }, place);
    return false;
  }
  if (scopeOf(resource) === "user" || id === "*" || state.newest(accountKind.name, id)) return true;
  // Whether an account exists is for those who have a right in it. To others, one that does not is like any other.
  if (!by.sees(resource)) return true;
  problems.add("unknown_account", { id }, place);
  return false;
}

/** The identifier in a resource's name, or the star for all. */
function idIn(resource: string): string | undefined {
  return /^com\.cloudflare\.api\.(?:account\.([0-9a-f]{32}|\*)|user\.([0-9a-f]{32}))$/
    .exec(resource)
    ?.slice(1)
    .find((id) => id !== undefined);
}

function scopeOf(resource: string): Scope {
  return resource.startsWith(USER_RESOURCE) ? "user" : "account";
}

/** Can a token of this owner have rights on it? An account's token is for that account alone; a user's for that user, and for accounts. */
export function mayName(resource: string, owner: Owner | undefined): boolean {
  if (owner && "account" in owner) return resource === ACCOUNT_RESOURCE + owner.account;
  if (scopeOf(resource) === "account") return true;
  return owner !== undefined && resource === USER_RESOURCE + owner.user;
}

/** Whose a token is, in words. */
export function describeOwner(owner: Owner | undefined): string {
  if (!owner) return "the operator";
  return "user" in owner ? `user ${owner.user}` : `account ${owner.account}`;
}

function judgeGroups(
  policy: Policy,
  resources: Readonly<Record<string, string>>,
  pointer: string,
  { problems }: Judgement,
) {
  const on: Partial<Record<Scope, string>> = {};
  for (const resource in resources) on[scopeOf(resource)] ??= resource;
  return policy.permission_groups.flatMap(({ id, name }, index) => {
    const at = `${pointer}/permission_groups/${index}`;
    const group = permissionGroup(id);
    if (group?.id !== id) {
      problems.add("unknown_group", () => ({ given: show(id), hint: hint(id) }), `${at}/id`);
      return [];
    }
    if (name !== undefined && name !== group.name)
      problems.add("read_only_field", { field: "name", stored: show(group.name) }, `${at}/name`);
    const other = on[group.scope === "user" ? "account" : "user"];
    if (other !== undefined) {
      problems.add("wrong_scope", { group: group.name, scope: `${group.scope}s`, resource: other }, at);
      return [];
    }
    return [{ id, name: group.name }];
  });
}

/** The id of a group that is called by its name. */
function hint(text: string): string {
  const group = permissionGroup(text);
  if (group) return ` That is the name of ${group.id}.`;
  return didYouMean(
    text,
    Object.values(permissionGroups).map(({ id }) => id),
  ).replace(/^ Known:.*$/, "");
}

/** Is all that a policy allows denied on a resource by one policy? */
function isDenied(policies: readonly PolicyDoc[], resource: string, allowing: PolicyDoc): boolean {
  return policies.some(
    ({ effect, resources, permission_groups }) =>
      effect === "deny" &&
      Object.hasOwn(resources, resource) &&
      allowing.permission_groups.every(({ id }) => permission_groups.some((denied) => denied.id === id)),
  );
}

/**
 * What policies are without an account: they give nothing on it any more. Where they are for all
 * accounts, a denial says so.
 */
export function withoutAccount(
  policies: readonly PolicyDoc[],
  account: string,
  newId: () => string,
): readonly PolicyDoc[] {
  const resource = ACCOUNT_RESOURCE + account;
  const kept: PolicyDoc[] = [];
  const denials: PolicyDoc[] = [];
  for (const policy of policies) {
    if (policy.effect === "deny") {
      kept.push(policy);
      continue;
    }
    const { [resource]: _, ...resources } = policy.resources;
    if (Object.keys(resources).length > 0) kept.push({ ...policy, resources });
    if (Object.hasOwn(resources, ALL_ACCOUNTS) && !isDenied(policies, resource, policy))
      denials.push({
        id: newId(),
        effect: "deny",
        resources: { [resource]: "*" },
        permission_groups: policy.permission_groups,
      });
  }
  return [...kept, ...denials];
}
