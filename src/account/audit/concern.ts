/** Which accounts a change of the directory concerns, and what of it each of them is shown. */

import type { Json } from "../../contract/json.ts";
import type { ChangeRecord, FieldChange, ObjectChange } from "../change.ts";
import { patch } from "../change.ts";
import { accountOfField, accountsOf } from "../directory/membership.ts";
import type { Doc, Kind } from "../state.ts";

/** Stands for all accounts there are. */
const ALL = "*";
const RESOURCE = /^com\.cloudflare\.api\.account\.([0-9a-f]{32}|\*)$/;

/**
 * The accounts that an object of the directory concerns, told by its fields: the `accounts` it is a member
 * of, the account that is its `owner`, and the resources of its `policies`. An account concerns itself.
 */
export function concernedAccounts(kind: string): (id: string, doc: Doc) => readonly string[] {
  return (id, doc) => [
    ...(kind === "account" ? [id] : []),
    ...accountsOf(doc["accounts"]),
    ...ownerOf(doc["owner"]),
    ...list(doc["policies"]).flatMap((policy) => Object.keys(resourcesOf(policy)).flatMap(accountOf)),
  ];
}

function list(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

type JsonObject = { readonly [key: string]: Json };

/** The members of an object; of anything else, none. */
function members(value: Json | undefined): JsonObject {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as JsonObject) : {};
}

function ownerOf(owner: Json | undefined): string[] {
  const { account } = members(owner);
  return typeof account === "string" ? [account] : [];
}

function resourcesOf(policy: Json): JsonObject {
  return members(members(policy)["resources"]);
}

function accountOf(resource: string): string[] {
  const account = RESOURCE.exec(resource)?.[1];
  return account === undefined ? [] : [account];
}

/**
 * A record of the directory as one account may see it: the objects that concern it, and of their fields
 * nothing that tells of other accounts. `undefined` if nothing is left.
 */
export function partOf(
  record: ChangeRecord,
  account: string,
  kinds: ReadonlyMap<string, Kind>,
): ChangeRecord | undefined {
  const objects = record.objects
    .filter((change) => concerns(change, account, kinds))
    .flatMap((change) => part(change, account));
  return objects.length === 0 ? undefined : { ...record, objects };
}

function concerns(change: ObjectChange, account: string, kinds: ReadonlyMap<string, Kind>): boolean {
  const accounts = change.accounts ?? accountsInFields(change, kinds.get(change.kind));
  return accounts.includes(account) || accounts.includes(ALL);
}

/** For records that do not tell it: what made or removed an object has all of its fields. */
function accountsInFields({ id, fields }: ObjectChange, kind: Kind | undefined): readonly string[] {
  if (!kind?.concerns) return [];
  return [
    ...kind.concerns(id, patch({}, fields, "before")),
    ...kind.concerns(id, patch({}, fields, "after")),
  ];
}

/** What one account sees of an object's change. Where only other accounts' parts of it changed, nothing. */
function part({ accounts: _, ...change }: ObjectChange, account: string): ObjectChange[] {
  const fields: Record<string, FieldChange> = {};
  for (const [path, { before, after }] of Object.entries(change.fields)) {
    const member = accountOfField(path);
    if (member !== undefined) {
      if (member === account) fields["accounts"] = memberField(change.action, before !== undefined, member);
      continue;
    }
    const [was, is] = [within(path, before, account), within(path, after, account)];
    const narrowed = was !== before || is !== after;
    if (narrowed && JSON.stringify(was) === JSON.stringify(is)) continue;
    fields[path] = {
      ...(was === undefined ? {} : { before: was }),
      ...(is === undefined ? {} : { after: is }),
    };
  }
  const told = change.action !== "update" || Object.keys(fields).length > 0;
  return told ? [{ ...change, fields }] : [];
}

/** A change of one membership, as the list that the API shows. */
function memberField(action: ObjectChange["action"], was: boolean, account: string): FieldChange {
  return {
    ...(action !== "create" && { before: was ? [account] : [] }),
    ...(action !== "delete" && { after: was ? [] : [account] }),
  };
}

/** A field's value without other accounts. */
function within(path: string, value: Json | undefined, account: string): Json | undefined {
  if (path === "owner.account") return value === account ? value : undefined;
  if (value === undefined) return undefined;
  if (path === "accounts") return accountsOf(value).filter((id) => id === account);
  if (path !== "policies") return value;
  return list(value).flatMap((policy) => {
    const resources = Object.entries(resourcesOf(policy)).filter(([resource]) =>
      accountOf(resource).some((id) => id === account || id === ALL),
    );
    return resources.length === 0 ? [] : [{ ...members(policy), resources: Object.fromEntries(resources) }];
  });
}
