/**
 * A seed turned into the first change of each state it describes. The same rules judge it as judge
 * requests, so a world that loads is one that the API could have led to.
 */

import { parsePrefix, parsePrefix4, parsePrefix6 } from "../contract/addresses.ts";
import { Checker, type Exception, show } from "../contract/check.ts";
import { type Problem, Problems } from "../contract/errors.ts";
import { findBadText } from "../contract/json.ts";
import type { Actor } from "../contract/log.ts";
import { Seed, type SeedAccount, type SeedInterconnect } from "../contract/seed.ts";
import type { Change } from "./change.ts";
import { type Circumstances, decide, type Wish } from "./decide.ts";
import { proposeDirectory } from "./directory/seed.ts";
import { DIRECTORY_ID } from "./directory.ts";
import { type InterconnectDoc, interconnectKind } from "./interconnect.ts";
import { mergeInterconnect } from "./interconnect-merge.ts";
import { judgeTimes, onlyOnce, type SeedSources, wish } from "./seed-parts.ts";
import { SETTINGS_ID, type SettingsDoc, settingsKind } from "./settings.ts";
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

/** What the patterns of the schema mean, by where the text stands, and whether it may be repeated. */
const forms: readonly (readonly [place: RegExp, expected: string, secret?: "secret"])[] = [
  [/\/(created_on|modified_on|not_before|expires_on)$/, "a time such as 2026-01-31T12:00:00Z"],
  [/^\/users\/\d+\/email$/, "an e-mail address"],
  [
    /^\/users\/\d+\/key$/,
    "32 to 45 hexadecimal digits in lower case, or cfk_ and 40 to 80 characters",
    "secret",
  ],
  [
    /^\/tokens\/\d+\/value$/,
    "40 characters of A-Z, a-z, 0-9, _ and -, or cfut_ or cfat_ and 40 to 80 of them",
    "secret",
  ],
  [
    /\/(id|user|account|(accounts|users)\/\d+|virtual_port_reservation_id)$/,
    "32 hexadecimal digits in lower case",
  ],
];

const explainForm: Exception = (path, value, problems, pointer) => {
  const form = typeof value === "string" ? forms.find(([place]) => place.test(path)) : undefined;
  if (!form) return false;
  const [, expected, secret] = form;
  const field = path.slice(path.lastIndexOf("/") + 1);
  problems.add(
    "invalid_value",
    () => ({ field, given: secret ? "not shown" : show(value), expected }),
    pointer,
  );
  return true;
};

const checker = new Checker(Seed, explainForm);
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
    make(account.id, (found) => proposeAccount(account, `/accounts/${index}`, circumstances, found));
  }
  return refused.length > 0 ? { ok: false, problems: refused } : { ok: true, states };
}

function proposeAccount(
  account: SeedAccount,
  pointer: string,
  circumstances: Circumstances,
  problems: Problems,
): Wish[] {
  const settings: SettingsDoc = {
    flags: account.flags ?? [],
    authorized_prefixes: account.authorized_prefixes ?? [],
    ...(account.virtual_subnet6 === undefined ? {} : { virtual_subnet6: account.virtual_subnet6 }),
  };
  judgeSettings(settings, pointer, problems);
  const wishes = [wish(settingsKind, SETTINGS_ID, settings, pointer)];
  const tunnels: Tunnels = new Map();
  const first = onlyOnce("interconnects", problems);
  for (const [index, seed] of (account.interconnects ?? []).entries()) {
    const at = `${pointer}/interconnects/${index}`;
    if (!first(seed.id, at)) continue;
    const doc = makeInterconnect(seed, settings, circumstances.time, at, problems);
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

function judgeSettings(settings: SettingsDoc, pointer: string, problems: Problems): void {
  for (const [index, text] of settings.authorized_prefixes.entries()) {
    if (parsePrefix(text)) continue;
    const values = () => ({
      field: "authorized_prefixes",
      given: show(text),
      expected: "a prefix such as 198.51.100.0/24",
    });
    problems.add("invalid_value", values, `${pointer}/authorized_prefixes/${index}`);
  }
  const virtual = settings.virtual_subnet6;
  if (virtual !== undefined && !parsePrefix6(virtual)) {
    const values = () => ({ field: "virtual_subnet6", given: show(virtual), expected: "an IPv6 prefix" });
    problems.add("invalid_value", values, `${pointer}/virtual_subnet6`);
  }
}

/** Bytes: 1476 leaves a GRE header its room; version "2" has none. */
const mtuDefault = { "1": 1476, "1.5": 1476, "2": 1500 } as const;

function makeInterconnect(
  seed: SeedInterconnect,
  settings: SettingsDoc,
  time: string,
  pointer: string,
  problems: Problems,
): InterconnectDoc {
  const { link, id, created_on, modified_on, colo_name, virtual_port_reservation_id, ...update } = seed;
  const base: InterconnectDoc = {
    name: "",
    ...(colo_name === undefined ? {} : { colo_name }),
    version: seed.version,
    created_on: created_on ?? time,
    modified_on: modified_on ?? created_on ?? time,
    interface_address: "",
    mtu: mtuDefault[seed.version],
    automatic_return_routing: false,
    health_check: { enabled: true, rate: "mid", type: "reply", direction: "unidirectional", target: "" },
    ...(virtual_port_reservation_id === undefined ? {} : { virtual_port_reservation_id }),
    ...(link ? { link } : {}),
  };
  if (link) judgeLink(link, pointer, problems);
  judgeTimes({ created_on, modified_on }, pointer, problems);
  return mergeInterconnect(id, base, update, { settings, problems, pointer });
}

function judgeLink(link: NonNullable<SeedInterconnect["link"]>, pointer: string, problems: Problems): void {
  for (const end of ["p2p_ip", "cust_ip"] as const) {
    if (parsePrefix4(link[end])) continue;
    const values = () => ({
      field: `link.${end}`,
      given: show(link[end]),
      expected: "an IPv4 prefix such as 198.51.100.0/31",
    });
    problems.add("invalid_value", values, `${pointer}/link/${end}`);
  }
}
