/** The static route: how it is kept and shown, the rules of its fields, and the commands on it. */

import {
  canonicalAddress,
  formatAddress6,
  otherHost,
  parseAddress4,
  parsePrefix,
  parsePrefix4,
  parsePrefix6,
} from "../contract/addresses.ts";
import { Checker, show } from "../contract/check.ts";
import { type Problem, type Problems, problem } from "../contract/errors.ts";
import {
  NamedStaticRoute,
  NewStaticRoute,
  type StaticRoute,
  StaticRouteUpdate,
} from "../contract/static-route.ts";
import type { Circumstances, Command, Wish } from "./decide.ts";
import { type Asked, type Condition, type Naming, namedOnce } from "./elements.ts";
import { subnetClaimOf } from "./interconnect.ts";
import { judgeRange } from "./interconnect-rules.ts";
import type { Doc, Entry, Kind, Slot, State } from "./state.ts";

type Scope = { readonly colo_names?: readonly string[]; readonly colo_regions?: readonly string[] };

/** A route in store and log. Its identifier is the slot's. */
export type StaticRouteDoc = {
  /** Without host bits. */
  readonly prefix: string;
  /** The customer's end of a tunnel's interface subnet. */
  readonly nexthop: string;
  readonly priority: number;
  readonly created_on: string;
  readonly modified_on: string;
  readonly description?: string;
  readonly scope?: Scope;
  readonly weight?: number;
};

/** What tells a route from all others, so that a request sent twice does not make it twice. */
function sameness(doc: Doc): readonly string[] {
  const { prefix, nexthop, priority, scope = {} } = doc as StaticRouteDoc;
  const { colo_names = [], colo_regions = [] } = scope;
  const where = JSON.stringify([colo_names.toSorted(), colo_regions.toSorted()]);
  return [`route:${prefix} ${nexthop} ${priority} ${where}`];
}

export const staticRouteKind: Kind = {
  name: "route",
  claims: { prefix: sameness, nexthop: sameness, priority: sameness, scope: sameness },
  conflict: (_, { prefix, nexthop, priority }, holder) => ({
    name: "route_exists",
    values: { prefix: String(prefix), nexthop: String(nexthop), priority: String(priority), holder },
  }),
  stamped: true,
  nameOf: (doc) => `${String(doc["prefix"])} via ${String(doc["nexthop"])}`,
  masked: [],
};

const KIND = staticRouteKind.name;

/** The document of a route's entry. Only this kind's rules write it, so its form is known. */
function routeOf(entry: Entry): StaticRouteDoc {
  return entry.doc as StaticRouteDoc;
}

/** A route as the vendor shows it, for `JSON.stringify`: `id` first, then the fields by name. */
export function staticRouteView(id: string, doc: Doc) {
  const { created_on, description, modified_on, nexthop, prefix, priority, scope, weight } =
    doc as StaticRouteDoc;
  return {
    id,
    created_on,
    description,
    modified_on,
    nexthop,
    prefix,
    priority,
    scope,
    weight,
  } satisfies { [Field in keyof StaticRoute]-?: unknown };
}

/** The routes whose next hop is one of these addresses, in words. */
export function routesVia(state: State, addresses: ReadonlySet<string>): string[] {
  return state.ids(KIND).flatMap((id) => {
    const entry = state.newest(KIND, id)?.entry;
    const doc = entry && routeOf(entry);
    return doc && addresses.has(doc.nexthop) ? [`${doc.prefix} via ${doc.nexthop} (${id})`] : [];
  });
}

/** A tunnel or interconnect, as far as routes know it. */
interface Tunnel {
  readonly kind: string;
  readonly id: string;
  readonly doc: Doc;
}

/** Finds the tunnel that made a claim. */
export type FindTunnel = (claim: string) => Tunnel | undefined;

function tunnelsOf(state: State): FindTunnel {
  return (claim) => {
    const slot = state.holder(claim);
    return slot?.entry && { kind: slot.kind, id: slot.id, doc: slot.entry.doc };
  };
}

/** What a route is judged by. */
export interface Judgement {
  readonly findTunnel: FindTunnel;
  readonly problems: Problems;
  /** JSON pointer of what is judged. */
  readonly pointer: string;
}

/**
 * Lays fields over a route, or over nothing. Values sent back as they are stored are not judged again,
 * so that what was read can be sent, also when the subnet of the next hop has moved since.
 */
export function mergeStaticRoute(
  stored: Partial<StaticRouteDoc>,
  update: StaticRouteUpdate,
  by: Judgement,
): Partial<StaticRouteDoc> {
  const { prefix, nexthop, priority, description, scope, weight } = update;
  const doc: { -readonly [Field in keyof StaticRouteDoc]?: StaticRouteDoc[Field] } = { ...stored };
  if (priority !== undefined) doc.priority = priority;
  if (description === "") delete doc.description;
  else if (description !== undefined) doc.description = description;
  if (weight !== undefined) doc.weight = weight;
  if (scope) {
    const merged = mergeScope(stored.scope ?? {}, scope);
    if (merged) doc.scope = merged;
    else delete doc.scope;
  }
  if (prefix !== undefined && prefix !== stored.prefix)
    doc.prefix = judgeRange("prefix", prefix, "192.0.2.0/24", `${by.pointer}/prefix`, by.problems) ?? prefix;
  if (nexthop !== undefined && nexthop !== stored.nexthop) doc.nexthop = judgeNextHop(nexthop, by) ?? nexthop;
  if (doc.prefix !== stored.prefix || doc.nexthop !== stored.nexthop) judgeFamilies(doc, by);
  return doc;
}

/** An empty list is none, and a scope of which nothing is left is none either. */
function mergeScope(stored: Scope, update: Scope): Scope | undefined {
  const merged: Record<string, readonly string[]> = {};
  for (const field of ["colo_names", "colo_regions"] as const) {
    const values = update[field] ?? stored[field] ?? [];
    if (values.length > 0) merged[field] = values;
  }
  return Object.keys(merged).length > 0 ? merged : undefined;
}

/** The next hop must be the customer's end of the interface subnet of one of the account's tunnels. */
function judgeNextHop(text: string, { findTunnel, problems, pointer }: Judgement): string | undefined {
  const at = `${pointer}/nexthop`;
  const address = canonicalAddress(text);
  if (address === undefined) {
    const expected = "an IP address such as 10.0.0.1";
    problems.add("invalid_value", () => ({ field: "nexthop", given: show(text), expected }), at);
    return undefined;
  }
  const tunnel = findTunnel(subnetClaimOf(address));
  if (!tunnel) {
    problems.add("next_hop_unreachable", { address }, at);
    return undefined;
  }
  const end = customerEndOf(tunnel.doc, address);
  if (end === address) return address;
  const holder = `${tunnel.kind} ${tunnel.id} (${String(tunnel.doc["name"])})`;
  problems.add("next_hop_not_customers", { address, holder, end }, at);
  return undefined;
}

/** The customer's end of a tunnel in the family of an address. */
function customerEndOf(tunnel: Doc, address: string): string {
  const prefix4 = parsePrefix4(String(tunnel["interface_address"]));
  if (parseAddress4(address) !== undefined) return prefix4 ? otherHost(prefix4) : "";
  // The provider has the first address of a /127.
  const prefix6 = parsePrefix6(String(tunnel["interface_address6"]));
  return prefix6 ? formatAddress6(prefix6.address + 1n) : "";
}

function judgeFamilies(doc: Partial<StaticRouteDoc>, { problems, pointer }: Judgement): void {
  const prefix = parsePrefix(doc.prefix ?? "");
  const hop = parsePrefix(`${doc.nexthop}/${doc.nexthop?.includes(":") ? 128 : 32}`);
  if (!prefix || !hop || prefix.family === hop.family) return;
  const expected = `an IPv${prefix.family} address, as the prefix is`;
  problems.add(
    "invalid_value",
    { field: "nexthop", given: show(doc.nexthop), expected },
    `${pointer}/nexthop`,
  );
}

const checkers = {
  create: new Checker(NewStaticRoute, undefined, "Route"),
  update: new Checker(StaticRouteUpdate, undefined, "Route"),
  remove: new Checker(NamedStaticRoute, undefined, "Route"),
};

const naming: Naming = { kind: KIND, unknown: "unknown_route" };

/** Makes routes; `newId` gives each its identifier. */
export function createRoutes(asked: Asked, newId: () => string, circumstances: Circumstances): Command {
  const { time } = circumstances;
  return {
    operation: "createRoutes",
    circumstances,
    condition: (state) => asked.condition(state, undefined),
    *propose(state, problems) {
      for (const [index, element] of asked.elements.entries()) {
        const pointer = asked.pointerOf(index);
        const fields = checkers.create.read(element, pointer, problems);
        if (!fields) continue;
        const times = { created_on: time, modified_on: time };
        const doc = mergeStaticRoute(times, fields, { findTunnel: tunnelsOf(state), problems, pointer });
        yield { kind: staticRouteKind, slot: state.slotFor(KIND, newId()), doc, pointer };
      }
    },
  };
}

/** Updates one route, named by the path. */
export function updateRoute(
  id: string,
  update: unknown,
  condition: Condition,
  circumstances: Circumstances,
): Command {
  return {
    operation: "updateRoute",
    circumstances,
    condition: (state) => judgeOne(state, id, condition),
    *propose(state, problems) {
      const slot = state.newest(KIND, id);
      const fields = checkers.update.read(update, "", problems);
      if (slot && fields) yield updated(state, slot, fields, "", problems);
    },
  };
}

/** Updates many routes, all or none. */
export function updateRoutes(asked: Asked, circumstances: Circumstances): Command {
  return {
    operation: "updateRoutes",
    circumstances,
    condition: (state) => asked.condition(state, undefined),
    *propose(state, problems) {
      const named = namedOnce(state, naming, problems);
      for (const [index, element] of asked.elements.entries()) {
        const pointer = asked.pointerOf(index);
        const fields = checkers.update.read(element, pointer, problems);
        const slot = fields && named(fields.id, element, pointer, index);
        if (fields && slot) yield updated(state, slot, fields, pointer, problems);
      }
    },
  };
}

function updated(
  state: State,
  slot: Slot,
  fields: StaticRouteUpdate,
  pointer: string,
  problems: Problems,
): Wish {
  if (fields.id !== undefined && fields.id !== slot.id)
    problems.add("read_only_field", { field: "id", stored: show(slot.id) }, `${pointer}/id`);
  const by = { findTunnel: tunnelsOf(state), problems, pointer };
  const doc = mergeStaticRoute(slot.entry ? routeOf(slot.entry) : {}, fields, by);
  return { kind: staticRouteKind, slot, doc, pointer };
}

/** Removes one route, named by the path. */
export function deleteRoute(id: string, condition: Condition, circumstances: Circumstances): Command {
  return {
    operation: "deleteRoute",
    circumstances,
    condition: (state) => judgeOne(state, id, condition),
    *propose(state) {
      const slot = state.newest(KIND, id);
      if (slot) yield { kind: staticRouteKind, slot, doc: undefined, pointer: "" };
    },
  };
}

/** Removes the routes named, or all; all or none. */
export function deleteRoutes(asked: Asked | Condition, circumstances: Circumstances): Command {
  const condition = typeof asked === "function" ? asked : asked.condition;
  return {
    operation: "deleteRoutes",
    circumstances,
    condition: (state) => condition(state, undefined),
    *propose(state, problems) {
      for (const slot of typeof asked === "function" ? all(state) : namedIn(asked, state, problems))
        yield { kind: staticRouteKind, slot, doc: undefined, pointer: "" };
    },
  };
}

function* all(state: State): Iterable<Slot> {
  for (const id of state.ids(KIND)) {
    const slot = state.newest(KIND, id);
    if (slot) yield slot;
  }
}

function* namedIn(asked: Asked, state: State, problems: Problems): Iterable<Slot> {
  const named = namedOnce(state, naming, problems);
  for (const [index, element] of asked.elements.entries()) {
    const pointer = asked.pointerOf(index);
    const fields = checkers.remove.read(element, pointer, problems);
    const slot = fields && named(fields.id, element, pointer, index);
    if (slot) yield slot;
  }
}

function judgeOne(state: State, id: string, condition: Condition): Problem | undefined {
  const slot = state.newest(KIND, id);
  return slot ? condition(state, slot) : problem("route_not_found", { id });
}
