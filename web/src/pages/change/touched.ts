/** Who else is touched by a plan: what no field of it says. */

import { customerEnd, interconnectKind } from "../../../../src/account/interconnect.ts";
import type { Doc } from "../../../../src/account/state.ts";
import { formatAddress6, parsePrefix6 } from "../../../../src/contract/addresses.ts";
import type { AccountHealth, Interconnect } from "../../api/account.ts";
import { documentOf, type WholeAccount } from "./basis.ts";

/** An interconnect before and after. */
export interface Moved {
  readonly before: Interconnect;
  readonly after: Interconnect;
}

export interface Touched {
  /** `warning`: something stops working unless somebody does something. */
  readonly weight: "warning" | "note";
  readonly what: string;
  readonly sentence: string;
}

export function touchedBy(
  moved: readonly Moved[],
  whole: WholeAccount | undefined,
  health: AccountHealth | undefined,
): readonly Touched[] {
  return [
    ...claimsOf(moved),
    ...(whole ? routesOf(moved, whole) : []),
    ...(whole ? sharingOf(moved, whole) : []),
    ...edgesOf(moved, health),
  ];
}

/** Names and subnets that change hands, or are free afterwards. */
function claimsOf(moved: readonly Moved[]): Touched[] {
  const claims = (one: Interconnect, field: string) =>
    interconnectKind.claims[field]?.(documentOf(one, undefined) as Doc) ?? [];
  return ["name", "interface_address", "interface_address6"].flatMap((field) =>
    moved.flatMap(({ before, after }): Touched[] => {
      const [was, is] = [before, after].map((one) => claims(one, field));
      const given = was?.filter((key) => !is?.includes(key)) ?? [];
      if (given.length === 0) return [];
      const taker = moved.find((other) => claims(other.after, field).some((key) => given.includes(key)));
      const value = Reflect.get(before, field);
      const to = taker ? `${taker.before.name} takes it in the same change` : "nobody has it afterwards";
      const what = field === "name" ? "Name" : "Subnet";
      return [{ weight: "note", what, sentence: `${before.name} gives up ${value}; ${to}.` }];
    }),
  );
}

/** The addresses that routes may name as their next hop. */
function hopsOf(one: Interconnect): string[] {
  const six = parsePrefix6(one.interface_address6 ?? "");
  return [customerEnd(documentOf(one, undefined)), ...(six ? [formatAddress6(six.address + 1n)] : [])];
}

function routesOf(moved: readonly Moved[], { routes }: WholeAccount): Touched[] {
  const before = new Map(moved.flatMap((one) => hopsOf(one.before).map((hop) => [hop, one] as const)));
  const after = new Map(moved.flatMap((one) => hopsOf(one.after).map((hop) => [hop, one] as const)));
  return routes.flatMap(({ prefix, nexthop }): Touched[] => {
    const was = before.get(nexthop);
    const is = after.get(nexthop);
    if (!was || was === is) return [];
    const route = `${prefix} via ${nexthop}`;
    const sentence = is
      ? `${route} led over ${was.before.name}, and leads over ${is.after.name} afterwards.`
      : `${route} leads over ${was.before.name}, which gives that next hop up: the route leads nowhere until it is changed.`;
    return [{ weight: "warning", what: "Route", sentence }];
  });
}

/** What is the same link by another name, and who is on the same port. */
function sharingOf(moved: readonly Moved[], { cnis }: WholeAccount): Touched[] {
  const names = new Set(moved.map(({ before }) => before.name));
  return moved.flatMap(({ before }): Touched[] => {
    const cni = cnis.find(({ id }) => id.replaceAll("-", "") === before.id);
    if (!cni) return [];
    const others = cnis
      .filter((one) => one.interconnect === cni.interconnect && !names.has(one.magic.conduit_name))
      .map((one) => one.magic.conduit_name);
    const more = others.length > 5 ? ` and ${others.length - 5} more` : "";
    const sharing: Touched = {
      weight: "note",
      what: "Port",
      sentence: `${before.name} shares the port ${cni.interconnect} with ${others.slice(0, 5).join(", ")}${more}.`,
    };
    const sentence = `CNI ${cni.id} is ${before.name} seen from its port ${cni.interconnect}, and changes with it.`;
    return [{ weight: "note", what: "CNI", sentence }, ...(others.length > 0 ? [sharing] : [])];
  });
}

/** The edges that make it real, and how they see it now. */
function edgesOf(moved: readonly Moved[], health: AccountHealth | undefined): Touched[] {
  const ids = new Set(moved.map(({ before }) => before.id));
  const carried = new Map<string, string[]>();
  for (const { id, name, edges } of health?.interconnects ?? []) {
    if (!ids.has(id)) continue;
    for (const { edge, role } of edges) {
      const key = `${edge} (${role})`;
      carried.set(key, [...(carried.get(key) ?? []), name]);
    }
  }
  return [...carried].map(([edge, names]) => ({
    weight: "note",
    what: "Edge",
    sentence: `${edge} carries ${names.slice(0, 5).join(", ")}${names.length > 5 ? ` and ${names.length - 5} more` : ""}, and is configured anew.`,
  }));
}
