/**
 * The accounts of a user. Stored as the keys of an object, so that a change of one membership is one field in the log,
 * however many accounts the user is a member of. An older Patchbay stored a list; the next change of it replaces it.
 */

import type { Json } from "../../contract/json.ts";

export type Membership = readonly string[] | { readonly [account: string]: true };

/** The accounts that a stored membership names, in the order in which they were added. */
export function accountsOf(membership: Json | Membership | undefined): readonly string[] {
  if (typeof membership !== "object" || membership === null) return [];
  const ids: readonly unknown[] = Array.isArray(membership) ? membership : Object.keys(membership);
  return ids.filter((id) => typeof id === "string");
}

/** A type guard that knows read-only lists. */
function isList(membership: Membership): membership is readonly string[] {
  return Array.isArray(membership);
}

export function isMember(membership: Membership | undefined, account: string): boolean {
  if (membership === undefined) return false;
  return isList(membership) ? membership.includes(account) : Object.hasOwn(membership, account);
}

/** Is the user a member of each of these accounts? */
export function isMemberOfEach(membership: Membership | undefined, accounts: readonly string[]): boolean {
  const index = membership !== undefined && isList(membership) ? membershipOf(membership) : membership;
  return accounts.every((account) => isMember(index, account));
}

/** The membership of these accounts; those that were there before keep their order. Without any, there is none to store. */
export function membershipOf(
  accounts: readonly string[],
  before?: Membership,
): { readonly [account: string]: true } | undefined {
  if (accounts.length === 0) return undefined;
  const wanted = new Set(accounts);
  const kept = accountsOf(before).filter((id) => wanted.has(id));
  return Object.fromEntries([...kept, ...accounts].map((id) => [id, true]));
}

/** The account whose membership a field of a record is; `undefined` of other fields. */
export function accountOfField(path: string): string | undefined {
  return /^accounts\.([0-9a-f]{32})$/.exec(path)?.[1];
}
