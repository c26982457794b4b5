/**
 * A seed turned into the first change of each state it describes. The same rules judge it as judge
 * requests, so a world that loads is one that the API could have led to.
 */

import { parseAddress4, parseAddress6, parsePrefix } from "../contract/addresses.ts";
import { Checker, show } from "../contract/check.ts";
import { type Problem, Problems } from "../contract/errors.ts";
import { findBadText } from "../contract/json.ts";
import type { Actor } from "../contract/log.ts";
import { permissionGroup, permissionGroups } from "../contract/permissions.ts";
import { Seed, type SeedAccount } from "../contract/seed.ts";
import { didYouMean } from "../contract/similar.ts";
import type { Change } from "./change.ts";
import { portKind } from "./cni/port.ts";
import { seedCnis } from "./cni/seed.ts";
import { CNI_SETTINGS_ID, cniSettingsKind } from "./cni/settings.ts";
import { slotKind } from "./cni/slot.ts";
import { type Circumstances, decide, type Wish } from "./decide.ts";
import { accountKind, DIRECTORY_ID, tokenKind, userKind } from "./directory.ts";
import { interconnectKind } from "./interconnect.ts";
import { makeInterconnect } from "./interconnect-making.ts";
import { explainSeedForm, judgeTimes } from "./seed-forms.ts";
import { SETTINGS_ID, type SettingsDoc, settingsKind } from "./settings.ts";
import { judgeSettings } from "./settings-rules.ts";
import { type Doc, type Kind, State } from "./state.ts";
import { type FindTunnel, mergeStaticRoute, staticRouteKind } from "./static-route.ts";

/** What making a world needs from outside: the time, a hash for secrets, a new epoch's random word. */
export interface SeedSources {
  readonly time: string;
  readonly hash: (secret: string) => string;
  readonly epoch: () => string;
}

/** One state of the new world, with the change that made it. */
export interface SeededState {
  readonly id: string;
  readonly epoch: string;
  readonly change: Change;
}

export type World =
  | { readonly ok: true; readonly states: readonly SeededState[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

const checker = new Checker(Seed, explainSeedForm);
const actor: Actor = { type: "system", id: "seed", name: "seed" };

export function seedWorld(value: unknown, sources: SeedSources): World {
  const problems = new Problems();
  findBadText(value, "", problems);
  const seed = checker.read(value, "", problems);
  if (!seed || problems.found) return { ok: false, problems: problems.list() };
  const circumstances = { time: sources.time, actor, requestId: "seed" };
  const states: SeededState[] = [];
  const refused: Problem[] = [];
  const make = (id: string, propose: (problems: Problems) => readonly Wish[]) => {
    const epoch = sources.epoch();
    const decision = decide(new State(id, epoch), {
      operation: "seed",
      circumstances,
      propose: (_, found) => propose(found),
    });
    if (!decision.ok) refused.push(...decision.problems);
    else if (decision.change) states.push({ id, epoch, change: decision.change });
  };
  make(DIRECTORY_ID, (found) => proposeDirectory(seed, sources, found));
  for (const [index, account] of seed.accounts.entries()) {
    const pointer = `/accounts/${index}`;
    make(account.id, (found) => proposeAccount(account, pointer, circumstances, sources.hash, found));
  }
  return refused.length > 0 ? { ok: false, problems: refused } : { ok: true, states };
}

function wish(kind: Kind, id: string, doc: Doc, pointer: string): Wish {
  return { kind, slot: { kind: kind.name, id, entry: undefined }, doc, pointer };
}

function isPrefixOrAddress(text: string): boolean {
  return (
    parsePrefix(text) !== undefined || parseAddress4(text) !== undefined || parseAddress6(text) !== undefined
  );
}

/** Refuses a second object of the same id. */
function onlyOnce(what: string, problems: Problems): (id: string, pointer: string) => boolean {
  const seen = new Set<string>();
  return (id, pointer) => {
    if (seen.has(id))
      problems.add("invalid_seed", { detail: `There are two ${what} with the id ${id}.` }, `${pointer}/id`);
    return !seen.has(id) && seen.add(id) !== undefined;
  };
}

function proposeAccount(
  account: SeedAccount,
  pointer: string,
  circumstances: Circumstances,
  hash: (secret: string) => string,
  problems: Problems,
): Wish[] {
  const settings: SettingsDoc = {
    flags: account.flags ?? [],
    authorized_prefixes: account.authorized_prefixes ?? [],
    ...(account.virtual_subnet6 === undefined ? {} : { virtual_subnet6: account.virtual_subnet6 }),
    ...(account.pools ? { pools: { link: [], interface: [], ...account.pools } } : {}),
  };
  judgeSettings(settings, pointer, problems);
  const wishes = [wish(settingsKind, SETTINGS_ID, settings, pointer)];
  const { default_asn } = account;
  if (default_asn) wishes.push(wish(cniSettingsKind, CNI_SETTINGS_ID, { default_asn }, pointer));
  const cnis = seedCnis(account, pointer, hash, (what) => onlyOnce(what, problems), problems);
  for (const { id, doc, pointer: at } of cnis.slots) wishes.push(wish(slotKind, id, doc, at));
  for (const { id, doc, pointer: at } of cnis.ports) wishes.push(wish(portKind, id, doc, at));
  const tunnels: Tunnels = new Map();
  const first = onlyOnce("interconnects", problems);
  for (const [index, seed] of (account.interconnects ?? []).entries()) {
    const at = `${pointer}/interconnects/${index}`;
    if (!first(seed.id, at)) continue;
    const { id, cni: _cni, ...given } = seed;
    const made = makeInterconnect(id, given, settings, circumstances.time, at, problems);
    const doc = { ...made, ...cnis.partOf(seed, at) };
    wishes.push(wish(interconnectKind, seed.id, doc, at));
    claimTunnel(tunnels, interconnectKind, seed.id, doc);
  }
  const firstRoute = onlyOnce("routes", problems);
  for (const [index, { id, created_on, modified_on, ...fields }] of (account.routes ?? []).entries()) {
    const at = `${pointer}/routes/${index}`;
    if (!firstRoute(id, at)) continue;
    judgeTimes({ created_on, modified_on }, at, problems);
    const made = created_on ?? circumstances.time;
    const times = { created_on: made, modified_on: modified_on ?? made };
    const by = { findTunnel: (claim: string) => tunnels.get(claim), problems, pointer: at };
    wishes.push(wish(staticRouteKind, id, mergeStaticRoute(times, fields, by), at));
  }
  return wishes;
}

type Tunnels = Map<string, NonNullable<ReturnType<FindTunnel>>>;

/** Notes what a tunnel of the seed claims, for the routes over it. */
function claimTunnel(tunnels: Tunnels, kind: Kind, id: string, doc: Doc): void {
  for (const claim of Object.values(kind.claims))
    for (const key of claim(doc)) tunnels.set(key, { kind: kind.name, id, doc });
}

function proposeDirectory(seed: Seed, sources: SeedSources, problems: Problems): Wish[] {
  const wishes: Wish[] = [];
  const firstAccount = onlyOnce("accounts", problems);
  const firstUser = onlyOnce("users", problems);
  const firstToken = onlyOnce("tokens", problems);
  for (const [index, { id, name, created_on }] of seed.accounts.entries()) {
    const doc = { name, created_on: created_on ?? sources.time };
    judgeTimes({ created_on }, `/accounts/${index}`, problems);
    if (firstAccount(id, `/accounts/${index}`)) wishes.push(wish(accountKind, id, doc, `/accounts/${index}`));
  }
  const known = new Set(seed.accounts.map((account) => account.id));
  for (const [index, { id, email, key, accounts }] of (seed.users ?? []).entries()) {
    for (const [at, account] of accounts.entries()) judgeAccount(account, `/users/${index}/accounts/${at}`);
    const doc = { email, key_hash: sources.hash(key), accounts };
    if (firstUser(id, `/users/${index}`)) wishes.push(wish(userKind, id, doc, `/users/${index}`));
  }
  for (const [index, { id, value, policies, condition, ...rest }] of (seed.tokens ?? []).entries()) {
    judgeCondition(condition, `/tokens/${index}/condition/request_ip`);
    judgeTimes({ not_before: rest.not_before, expires_on: rest.expires_on }, `/tokens/${index}`, problems);
    const doc = {
      ...rest,
      hash: sources.hash(value),
      status: rest.status ?? "active",
      ...(condition ? { condition } : {}),
      policies: policies.map((policy, at) => makePolicy(policy, `/tokens/${index}/policies/${at}`)),
    };
    if (firstToken(id, `/tokens/${index}`)) wishes.push(wish(tokenKind, id, doc as Doc, `/tokens/${index}`));
  }
  return wishes;

  function judgeAccount(account: string, pointer: string) {
    if (account === "*" || known.has(account)) return;
    problems.add("invalid_seed", { detail: `There is no account ${account} in the seed.` }, pointer);
  }

  function judgeCondition(condition: NonNullable<Seed["tokens"]>[number]["condition"], pointer: string) {
    for (const side of ["in", "not_in"] as const) {
      for (const [at, text] of (condition?.request_ip?.[side] ?? []).entries()) {
        if (isPrefixOrAddress(text)) continue;
        const values = () => ({
          field: `request_ip.${side}`,
          given: show(text),
          expected: "a prefix or an address",
        });
        problems.add("invalid_value", values, `${pointer}/${side}/${at}`);
      }
    }
  }

  function makePolicy(policy: NonNullable<Seed["tokens"]>[number]["policies"][number], pointer: string) {
    const groups = policy.permission_groups.map((text, at) => {
      const group = permissionGroup(text);
      if (group) return group;
      const hint = didYouMean(
        text,
        Object.values(permissionGroups).map(({ name }) => name),
      );
      const detail = `There is no permission group ${show(text)}.${hint}`;
      problems.add("invalid_seed", { detail }, `${pointer}/permission_groups/${at}`);
      return { id: "", name: text };
    });
    const resources: Record<string, string> = {};
    for (const [at, account] of policy.accounts.entries()) {
      judgeAccount(account, `${pointer}/accounts/${at}`);
      resources[`com.cloudflare.api.account.${account}`] = "*";
    }
    return { effect: policy.effect, resources, permission_groups: groups };
  }
}
