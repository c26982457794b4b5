/** Routes and rules: new ones are added before old ones go, and what the kernel can replace is replaced. */

import type { Desired, NextHop, Route, Rule } from "../desired/desired.ts";
import { ROUTE_PROTOCOL } from "../desired/desired.ts";
import { MAIN_TABLE, routeKey } from "../desired/static-routes.ts";
import type { Actual, ActualRoute } from "./actual.ts";
import type { LinkPlan } from "./links.ts";
import { ipStep, type PlannedStep } from "./step.ts";

/** `without`: interconnects that nothing can be routed over. */
export function planRoutes(
  desired: Desired,
  actual: Actual,
  links: LinkPlan,
  without: ReadonlySet<string>,
): PlannedStep[] {
  const steps: PlannedStep[] = [];
  const there = new Map(actual.routes.map((route) => [routeKey(route), surviving(route, links)]));
  const unusable = devicesOf(desired, without);
  const wanted = new Set<string>();
  for (const route of desired.routes) {
    const hops = route.hops.filter(({ device }) => !links.closed.has(device) && !unusable.has(device));
    if (hops.length === 0 && route.hops.length > 0) continue;
    const key = routeKey(route);
    wanted.add(key);
    const now = there.get(key);
    if (now && !now.dead && sameHops(now.hops, hops)) continue;
    const verb = now ? "replace" : "add";
    steps.push(
      ipStep("routes", [`route ${verb} ${words({ ...route, hops })}`], {
        what: `${now ? "Change" : "Add"} the route ${described({ ...route, hops })}.`,
        interconnects: route.interconnects,
      }),
    );
  }
  for (const route of actual.routes) {
    const key = routeKey(route);
    if (wanted.has(key) || !there.get(key)) continue;
    const { prefix, table, metric } = route;
    const type = route.hops.length === 0 && !route.dead ? "unreachable " : "";
    steps.push(
      ipStep("remove", [`route del ${type}${head(prefix, table, metric)}`], {
        what: `Remove the route ${described(route)}.`,
      }),
    );
  }
  return steps;
}

export function planRules(desired: Desired, actual: Actual): PlannedStep[] {
  const wanted = new Map(desired.rules.map((rule) => [ruleKey(rule), rule]));
  const there = new Map(actual.rules.map((rule) => [ruleKey(rule), rule]));
  const steps: PlannedStep[] = [];
  // Of one family together, since a batch is of one.
  const byFamily = [...wanted].toSorted(([, one], [, other]) => one.family - other.family);
  for (const [key, rule] of byFamily)
    if (!there.has(key))
      steps.push(
        ipStep("rules", [`${familyOption(rule)}rule add ${ruleWords(rule)}`], {
          what: `Add the rule for ${ruleTitle(rule)}.`,
        }),
      );
  const before = [...there].toSorted(([, one], [, other]) => one.family - other.family);
  for (const [key, rule] of before)
    if (!wanted.has(key))
      steps.push(
        ipStep("remove", [`${familyOption(rule)}rule del ${ruleWords(rule)}`], {
          what: `Remove the rule for ${ruleTitle(rule)}.`,
        }),
      );
  return steps;
}

function devicesOf(desired: Desired, ids: ReadonlySet<string>): ReadonlySet<string> {
  return new Set([...ids].map((id) => desired.interconnects.get(id)?.device ?? ""));
}

/** What is left of a route when devices are gone; nothing if that were all its next hops. */
function surviving(route: ActualRoute, { gone }: LinkPlan): ActualRoute | undefined {
  const hops = route.hops.filter(({ device }) => !gone.has(device));
  return hops.length === 0 && route.hops.length > 0 ? undefined : { ...route, hops };
}

function sameHops(one: readonly NextHop[], other: readonly NextHop[]): boolean {
  if (one.length !== other.length) return false;
  const text = (hop: NextHop) => `${hop.via ?? ""} ${hop.device} ${one.length > 1 ? hop.weight : 1}`;
  const known = new Set(one.map(text));
  return other.every((hop) => known.has(text(hop)));
}

function head(prefix: string, table: number, metric: number): string {
  const where = table === MAIN_TABLE ? "" : ` table ${table}`;
  return `${prefix}${where}${metric === 0 ? "" : ` metric ${metric}`} proto ${ROUTE_PROTOCOL}`;
}

function words({ prefix, table, metric, hops }: Route): string {
  const start = head(prefix, table, metric);
  const [hop, ...more] = hops;
  if (!hop) return `unreachable ${start}`;
  if (more.length === 0) return `${start} ${hopWords(hop)}`;
  return `${start} ${hops.map((one) => `nexthop ${hopWords(one)} weight ${one.weight}`).join(" ")}`;
}

function hopWords({ via, device }: NextHop): string {
  return `${via === undefined ? "" : `via ${via} `}dev ${device}`;
}

function described({ prefix, table, metric, hops }: Route): string {
  const where = table === MAIN_TABLE ? "" : ` in table ${table}`;
  const ways = hops.map(({ via, device }) => `${via === undefined ? "" : `${via} on `}${device}`);
  return `${prefix}${where} of metric ${metric} ${ways.length === 0 ? "(unreachable)" : `by ${ways.join(", ")}`}`;
}

function ruleKey({ family, preference, mark, table }: Rule): string {
  return `${family} ${preference} ${mark} ${table}`;
}

/** No other word of a rule that is about all addresses tells its family. */
function familyOption({ family }: Rule): string {
  return family === 6 ? "-6 " : "";
}

function ruleWords({ preference, mark, table }: Rule): string {
  return `fwmark ${mark}/0xffff lookup ${table} pref ${preference} protocol ${ROUTE_PROTOCOL}`;
}

function ruleTitle({ family, mark, table }: Rule): string {
  return `flows of number ${mark} in IPv${family} (table ${table})`;
}
