/** The demonstration with tokens of every kind of owner, for tests of who may do what with which. */

import { readFileSync } from "node:fs";
import { type PermissionGroup, permissionGroups } from "../../src/contract/permissions.ts";
import { demoSeedFile } from "../../src/store/seed-file.ts";
import { ACCOUNT, OTHER_ACCOUNT } from "./server.ts";

export const USER = "7c5dae5552338874e5053f2534d2767a";
export const DEMO_TOKEN = "ed17574386854bf78a67040be0a770b0";

export const USER_TOKENS = "/client/v4/user/tokens";
export const tokensOfAccount = (id: string) => `/client/v4/accounts/${id}/tokens`;
export const ACCOUNT_TOKENS = tokensOfAccount(ACCOUNT);
export const OPERATOR_TOKENS = "/patchbay/v1/tokens";
export const ACCOUNTS = "/patchbay/v1/accounts";
export const USERS = "/patchbay/v1/users";
export const VERIFY = `${USER_TOKENS}/verify`;

/** Tokens that may do nothing, one of each kind of owner: to be looked at, changed and deleted. */
export const TARGETS = {
  user: "20000000000000000000000000000001",
  account: "20000000000000000000000000000002",
  other: "20000000000000000000000000000003",
  operator: "20000000000000000000000000000004",
} as const;

const target = (id: string, owner: string) =>
  `  - { id: "${id}", name: target ${id.at(-1)}, value: "${id}${"t".repeat(8)}", ${owner} policies: [] }\n`;

export const targets =
  target(TARGETS.user, `user: ${USER},`) +
  target(TARGETS.account, `account: ${ACCOUNT},`) +
  target(TARGETS.other, `account: ${OTHER_ACCOUNT},`) +
  target(TARGETS.operator, "");

const demoSeed = readFileSync(demoSeedFile, "utf8");

/** The demonstration's accounts and users, with tokens of the test's own in the place of its tokens. */
export function seedWith(tokens: string): { name: string; text: string } {
  return { name: "tokens", text: `${demoSeed.slice(0, demoSeed.indexOf("tokens:"))}tokens:\n${tokens}` };
}

/** The demonstration, and more tokens. */
export function demoWith(tokens: string): { name: string; text: string } {
  return { name: "demo and more", text: `${demoSeed}\n${tokens}` };
}

/** A policy as it is sent. Resources without what all of them begin with, such as `account.*`. */
export function policy(
  groups: readonly PermissionGroup[],
  resources: readonly string[],
  effect: "allow" | "deny" = "allow",
) {
  return {
    effect,
    permission_groups: groups.map((group) => ({ id: permissionGroups[group].id })),
    resources: Object.fromEntries(resources.map((resource) => [`com.cloudflare.api.${resource}`, "*"])),
  };
}
