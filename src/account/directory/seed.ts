/** The directory that a seed describes: its accounts, users and tokens. */

import { parseRange } from "../../contract/addresses.ts";
import { show } from "../../contract/check.ts";
import type { Problems } from "../../contract/errors.ts";
import { type Group, permissionGroup, permissionGroups } from "../../contract/permissions.ts";
import type { Seed, SeedToken } from "../../contract/seed.ts";
import { didYouMean } from "../../contract/similar.ts";
import type { Wish } from "../decide.ts";
import {
  ACCOUNT_RESOURCE,
  accountKind,
  type Owner,
  type PolicyDoc,
  tokenKind,
  USER_RESOURCE,
  userKind,
} from "../directory.ts";
import { judgeTimes, onlyOnce, type SeedSources, wish } from "../seed-parts.ts";
import type { Doc } from "../state.ts";
import { membershipOf } from "./membership.ts";
import { describeOwner, mayName } from "./policies.ts";

type SeedPolicy = SeedToken["policies"][number];

export function proposeDirectory(seed: Seed, sources: SeedSources, problems: Problems): Wish[] {
  const directory = new SeedDirectory(seed, sources, problems);
  return [...directory.accounts(), ...directory.users(), ...directory.tokens()];
}

class SeedDirectory {
  readonly #seed: Seed;
  readonly #sources: SeedSources;
  readonly #problems: Problems;
  readonly #known: { readonly account: ReadonlySet<string>; readonly user: ReadonlySet<string> };

  constructor(seed: Seed, sources: SeedSources, problems: Problems) {
    this.#seed = seed;
    this.#sources = sources;
    this.#problems = problems;
    this.#known = {
      account: new Set(seed.accounts.map(({ id }) => id)),
      user: new Set(seed.users?.map(({ id }) => id)),
    };
  }

  *accounts(): Iterable<Wish> {
    const first = onlyOnce("accounts", this.#problems);
    for (const [index, { id, name, created_on }] of this.#seed.accounts.entries()) {
      const doc = { name, created_on: created_on ?? this.#sources.time };
      judgeTimes({ created_on }, `/accounts/${index}`, this.#problems);
      if (first(id, `/accounts/${index}`)) yield wish(accountKind, id, doc, `/accounts/${index}`);
    }
    if (this.#seed.accounts.length === 0 && (this.#seed.tokens ?? []).length === 0) {
      const detail = "A seed without accounts needs a token, or nobody could ever make one.";
      this.#problems.add("invalid_seed", { detail }, "/accounts");
    }
  }

  *users(): Iterable<Wish> {
    const first = onlyOnce("users", this.#problems);
    for (const [index, { id, email, key, accounts }] of (this.#seed.users ?? []).entries()) {
      for (const [at, account] of accounts.entries())
        this.#judgeKnown("account", account, `/users/${index}/accounts/${at}`);
      const doc = { email, key_hash: this.#sources.hash(key), accounts: membershipOf(accounts) };
      if (first(id, `/users/${index}`)) yield wish(userKind, id, doc, `/users/${index}`);
    }
  }

  *tokens(): Iterable<Wish> {
    const first = onlyOnce("tokens", this.#problems);
    for (const [index, token] of (this.#seed.tokens ?? []).entries()) {
      const pointer = `/tokens/${index}`;
      const { id, value, policies, condition, user, account, ...rest } = token;
      this.#judgeCondition(condition, `${pointer}/condition/request_ip`);
      judgeTimes({ not_before: rest.not_before, expires_on: rest.expires_on }, pointer, this.#problems);
      const owner = this.#ownerOf(token, pointer);
      const doc = {
        ...rest,
        hash: this.#sources.hash(value),
        ...(owner ? { owner } : {}),
        status: rest.status ?? "active",
        issued_on: this.#sources.time,
        modified_on: this.#sources.time,
        ...(condition ? { condition } : {}),
        policies: policies.map((policy, at) => ({
          id: this.#sources.hash(`policy ${at} of ${id}`).slice(0, 32),
          ...this.#policy(policy, owner, `${pointer}/policies/${at}`),
        })),
      };
      if (first(id, pointer)) yield wish(tokenKind, id, doc as Doc, pointer);
    }
  }

  #ownerOf({ user, account }: SeedToken, pointer: string): Owner | undefined {
    if (user !== undefined && account !== undefined) {
      const detail = "A token belongs to a user or to an account, not to both.";
      this.#problems.add("invalid_seed", { detail }, `${pointer}/account`);
    }
    if (user !== undefined) {
      this.#judgeKnown("user", user, `${pointer}/user`);
      return { user };
    }
    if (account === undefined) return undefined;
    this.#judgeKnown("account", account, `${pointer}/account`);
    return { account };
  }

  #judgeKnown(what: "account" | "user", id: string, pointer: string): void {
    if (id === "*" || this.#known[what].has(id)) return;
    this.#problems.add("invalid_seed", { detail: `There is no ${what} ${id} in the seed.` }, pointer);
  }

  #judgeCondition(condition: SeedToken["condition"], pointer: string): void {
    for (const side of ["in", "not_in"] as const) {
      for (const [at, text] of (condition?.request_ip?.[side] ?? []).entries()) {
        if (parseRange(text)) continue;
        const values = () => ({
          field: `request_ip.${side}`,
          given: show(text),
          expected: "a prefix or an address",
        });
        this.#problems.add("invalid_value", values, `${pointer}/${side}/${at}`);
      }
    }
  }

  #policy(policy: SeedPolicy, owner: Owner | undefined, pointer: string): PolicyDoc {
    const resources: Record<string, string> = {};
    const { accounts = [], users = [] } = policy;
    if (accounts.length + users.length === 0)
      this.#problems.add(
        "missing_field",
        { field: "accounts", hint: " A policy is for accounts or for users." },
        pointer,
      );
    const groups = this.#groups(policy, pointer);
    for (const [what, ids] of [
      ["account", accounts],
      ["user", users],
    ] as const) {
      for (const [at, id] of ids.entries()) {
        const place = `${pointer}/${what}s/${at}`;
        this.#judgeKnown(what, id, place);
        const resource = (what === "account" ? ACCOUNT_RESOURCE : USER_RESOURCE) + id;
        resources[resource] = "*";
        if (mayName(resource, owner)) continue;
        this.#problems.add("foreign_resource", { owner: describeOwner(owner), resource }, place);
      }
    }
    return { effect: policy.effect, resources, permission_groups: groups };
  }

  #groups({ permission_groups, accounts = [], users = [] }: SeedPolicy, pointer: string) {
    return permission_groups.map((text, at) => {
      const group = permissionGroup(text);
      const place = `${pointer}/permission_groups/${at}`;
      if (group) this.#judgeScope(group, group.scope === "user" ? accounts : users, place);
      else this.#refuseGroup(text, place);
      return { id: group?.id ?? "", name: group?.name ?? text };
    });
  }

  #judgeScope({ name, scope }: Group, [other]: readonly string[], pointer: string): void {
    if (other === undefined) return;
    const resource = (scope === "user" ? ACCOUNT_RESOURCE : USER_RESOURCE) + other;
    this.#problems.add("wrong_scope", { group: name, scope: `${scope}s`, resource }, pointer);
  }

  #refuseGroup(text: string, pointer: string): void {
    const hint = didYouMean(
      text,
      Object.values(permissionGroups).map(({ name }) => name),
    );
    const detail = `There is no permission group ${show(text)}.${hint}`;
    this.#problems.add("invalid_seed", { detail }, pointer);
  }
}
