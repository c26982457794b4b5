/**
 * A seed turned into the first change of each state it describes. The same rules judge it as judge
 * requests, so a world that loads is one that the API could have led to.
 */

import { Checker } from "../contract/check.ts";
import { type Problem, Problems } from "../contract/errors.ts";
import { findBadText } from "../contract/json.ts";
import type { Actor } from "../contract/log.ts";
import { Seed, type SeedAccount } from "../contract/seed.ts";
import { runToEnd } from "../contract/steps.ts";
import type { Change } from "./change.ts";
import { portKind } from "./cni/port.ts";
import { seedCnis } from "./cni/seed.ts";
import { CNI_SETTINGS_ID, cniSettingsKind } from "./cni/settings.ts";
import { slotKind } from "./cni/slot.ts";
import { type Circumstances, decideInSteps, type Wish } from "./decide.ts";
import { proposeDirectory } from "./directory/seed.ts";
import { DIRECTORY_ID } from "./directory.ts";
import { interconnectKind } from "./interconnect.ts";
import { makeInterconnect } from "./interconnect-making.ts";
import { explainSeedForm } from "./seed-forms.ts";
import { judgeTimes, onlyOnce, type SeedSources, wish } from "./seed-parts.ts";
import { SETTINGS_ID, type SettingsDoc, settingsKind } from "./settings.ts";
import { judgeSettings } from "./settings-rules.ts";
import { type Doc, type Kind, State } from "./state.ts";
import { type FindTunnel, mergeStaticRoute, staticRouteKind } from "./static-route.ts";

/** One state of the new world, with the change that made it. */
export interface SeededState {
  readonly id: string;
  readonly epoch: string;
  readonly change: Change;
}

export type { SeedSources } from "./seed-parts.ts";

export type World =
  | { readonly ok: true; readonly states: readonly SeededState[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

const checker = new Checker(Seed, explainSeedForm);
const actor: Actor = { type: "system", id: "seed", name: "seed" };

export function seedWorld(value: unknown, sources: SeedSources): World {
  return runToEnd(seedInSteps(value, sources));
}

/** Seeds that were checked: a reset makes another world of the same one. */
const checked = new WeakMap<object, Seed>();

/** The same, in steps of up to 1,000 objects. The first call for a seed checks all of it in one step. */
export function* seedInSteps(value: unknown, sources: SeedSources): Generator<undefined, World> {
  const problems = new Problems();
  const seed = check(value, problems);
  if (!seed || problems.found) return { ok: false, problems: problems.list() };
  const circumstances = { time: sources.time, actor, requestId: "seed" };
  const states: SeededState[] = [];
  const refused: Problem[] = [];
  const make = function* (id: string, propose: (problems: Problems) => Iterable<Wish>) {
    const epoch = sources.epoch();
    const decision = yield* decideInSteps(new State(id, epoch), {
      operation: "seed",
      circumstances,
      propose: (_, found) => propose(found),
    });
    if (!decision.ok) refused.push(...decision.problems);
    else if (decision.change) states.push({ id, epoch, change: decision.change });
  };
  yield* make(DIRECTORY_ID, (found) => proposeDirectory(seed, sources, found));
  for (const [index, account] of seed.accounts.entries()) {
    const pointer = `/accounts/${index}`;
    yield* make(account.id, (found) => proposeAccount(account, pointer, circumstances, sources.hash, found));
  }
  return refused.length > 0 ? { ok: false, problems: refused } : { ok: true, states };
}

function check(value: unknown, problems: Problems): Seed | undefined {
  const known = typeof value === "object" && value !== null ? checked.get(value) : undefined;
  if (known) return known;
  findBadText(value, "", problems);
  const seed = checker.read(value, "", problems);
  if (seed && !problems.found) checked.set(seed, seed);
  return seed;
}

function* proposeAccount(
  account: SeedAccount,
  pointer: string,
  circumstances: Circumstances,
  hash: (secret: string) => string,
  problems: Problems,
): Generator<Wish, void> {
  const settings: SettingsDoc = {
    flags: account.flags ?? [],
    authorized_prefixes: account.authorized_prefixes ?? [],
    ...(account.virtual_subnet6 === undefined ? {} : { virtual_subnet6: account.virtual_subnet6 }),
    ...(account.pools ? { pools: { link: [], interface: [], ...account.pools } } : {}),
  };
  judgeSettings(settings, pointer, problems);
  yield wish(settingsKind, SETTINGS_ID, settings, pointer);
  const { default_asn } = account;
  if (default_asn) yield wish(cniSettingsKind, CNI_SETTINGS_ID, { default_asn }, pointer);
  const cnis = seedCnis(account, pointer, hash, (what) => onlyOnce(what, problems), problems);
  for (const { id, doc, pointer: at } of cnis.slots) yield wish(slotKind, id, doc, at);
  for (const { id, doc, pointer: at } of cnis.ports) yield wish(portKind, id, doc, at);
  const tunnels: Tunnels = new Map();
  const first = onlyOnce("interconnects", problems);
  for (const [index, seed] of (account.interconnects ?? []).entries()) {
    const at = `${pointer}/interconnects/${index}`;
    if (!first(seed.id, at)) continue;
    const { id, cni: _cni, ...given } = seed;
    const made = makeInterconnect(id, given, settings, circumstances.time, at, problems);
    const doc = { ...made, ...cnis.partOf(seed, at) };
    yield wish(interconnectKind, seed.id, doc, at);
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
    yield wish(staticRouteKind, id, mergeStaticRoute(times, fields, by), at);
  }
}

type Tunnels = Map<string, NonNullable<ReturnType<FindTunnel>>>;

/** Notes what a tunnel of the seed claims, for the routes over it. */
function claimTunnel(tunnels: Tunnels, kind: Kind, id: string, doc: Doc): void {
  for (const claim of Object.values(kind.claims))
    for (const key of claim(doc)) tunnels.set(key, { kind: kind.name, id, doc });
}
