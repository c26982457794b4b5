/** Devices: those to make, to change in place, to make anew, and those that are wanted no more. */

import type { Desired } from "../desired/desired.ts";
import { type Link, TUNNEL_KINDS, type TunnelDriver, type TunnelSpec } from "../drivers/driver.ts";
import type { Actual } from "./actual.ts";
import type { Made } from "./made.ts";
import { ipStep, otherStep, type PlannedStep } from "./step.ts";

export type Forms = Pick<TunnelDriver, "fits" | "adding" | "changing" | "removing" | "carrying">;

export interface LinkPlan {
  readonly steps: readonly PlannedStep[];
  /** Devices that are there afterwards. */
  readonly present: ReadonlySet<string>;
  /** Those that go, or go and come again: what hung on them is gone. */
  readonly gone: ReadonlySet<string>;
  /** Ports that somebody took down, and those that are not there: nothing is routed over them. */
  readonly closed: ReadonlySet<string>;
}

export function planLinks(desired: Desired, actual: Actual, made: Made, forms: Forms): LinkPlan {
  const steps: PlannedStep[] = [];
  const gone = new Set<string>();
  const present = new Set(actual.links.keys());
  const removals: Removal[] = [];
  const remove = (device: string, alias: string, anew: boolean) => {
    gone.add(device);
    present.delete(device);
    removals.push({ device, alias, anew });
  };
  for (const device of Object.keys(made.devices)) {
    const link = actual.links.get(device);
    if (!link || desired.tunnels.has(device) || !TUNNEL_KINDS.includes(link.kind)) continue;
    remove(device, link.alias, false);
  }
  const holders = holdersOf(actual, made);
  for (const spec of desired.tunnels.values()) {
    const link = actual.links.get(spec.device);
    const holder = holders.get(ends(spec));
    const anew =
      link !== undefined &&
      (!forms.fits(link.kind, spec) || (holder !== undefined && holder !== spec.device));
    if (anew) remove(spec.device, spec.alias, true);
    present.add(spec.device);
    if (link && !anew) steps.push(...changed(spec, link, forms));
    else
      steps.push(
        ipStep("add", [...forms.adding(spec), setLine(spec, ["alias", "mtu", "up"])], {
          what: `Make the tunnel ${named(spec.device, spec.alias)} from ${spec.local} to ${spec.remote}, MTU ${spec.mtu}.`,
          interconnects: [spec.interconnect],
        }),
      );
  }
  steps.push(...removing(removals, actual, forms));
  const carry = carrying(desired, actual, gone, forms);
  if (carry) steps.push(carry);
  for (const [port, { mtu, name }] of desired.portMtus) {
    const link = actual.links.get(port);
    if (!link || link.mtu === mtu) continue;
    const interconnects = [...desired.interconnects.values()].filter(({ device }) => device === port);
    steps.push(
      ipStep("change", [`link set dev ${port} mtu ${mtu}`], {
        what: `Set the MTU of port ${port} (${name}) from ${link.mtu} to ${mtu}.`,
        interconnects: interconnects.map(({ id }) => id),
      }),
    );
  }
  for (const [port, mtu] of Object.entries(made.mtus)) {
    const link = actual.links.get(port);
    if (!link || desired.portMtus.has(port) || link.mtu === mtu) continue;
    const what = `Set the MTU of port ${port} back to ${mtu}.`;
    steps.push(ipStep("remove", [`link set dev ${port} mtu ${mtu}`], { what }));
  }
  return { steps, present, gone, closed: closedPorts(desired, actual) };
}

interface Removal {
  readonly device: string;
  readonly alias: string;
  readonly anew: boolean;
}

/** From so many on they go together. */
const MANY = 4;
/** Of devices that go together, if nobody has it. */
const GROUP = 190_190;

/** The kernel waits for its other processors with each device that goes, but only once with a group of them. */
function removing(removals: readonly Removal[], { links }: Actual, forms: Forms): PlannedStep[] {
  const names = removals.map(({ device, alias }) => alias || device);
  if (removals.length < MANY)
    return removals.map(({ device, alias, anew }) =>
      ipStep("free", [forms.removing(device)], {
        what: `Remove the tunnel ${named(device, alias)}${anew ? ", which has to be made anew" : ""}.`,
        interrupts: [alias || device],
        unsettles: true,
      }),
    );
  const groups = new Set([...links.values()].map(({ group }) => group));
  let group = GROUP;
  while (groups.has(String(group))) group++;
  const lines = removals.map(({ device }) => `link set dev ${device} group ${group}`);
  return [
    ipStep("free", [...lines, `link del group ${group}`], {
      what: `Remove ${removals.length} tunnels: ${names.join(", ")}.`,
      interrupts: names,
      unsettles: true,
    }),
  ];
}

/** Which of our devices has which ends now: the kernel lets no two have the same. */
function holdersOf({ links }: Actual, { devices }: Made): ReadonlyMap<string, string> {
  const holders = new Map<string, string>();
  for (const { name, tunnel } of links.values())
    if (tunnel && devices[name] !== undefined) holders.set(ends(tunnel), name);
  return holders;
}

function ends({ local, remote }: { readonly local: string; readonly remote: string }): string {
  return `${local} ${remote}`;
}

function changed(spec: TunnelSpec, link: Link, forms: Forms): PlannedStep[] {
  const { device, alias, interconnect } = spec;
  const title = named(device, alias);
  const steps: PlannedStep[] = [];
  const change = (lines: readonly string[], what: string, interrupts: readonly string[] = []) =>
    steps.push(ipStep("change", lines, { what, interrupts, interconnects: [interconnect] }));
  const { tunnel } = link;
  if (tunnel && (ends(tunnel) !== ends(spec) || tunnel.ttl !== spec.ttl)) {
    const moves = ends(tunnel) !== ends(spec);
    change(
      forms.changing(spec),
      moves
        ? `Move the tunnel ${title} from ${tunnel.local} and ${tunnel.remote} to ${spec.local} and ${spec.remote}.`
        : `Set the TTL of ${title} from ${tunnel.ttl} to ${spec.ttl}.`,
      moves ? [alias] : [],
    );
  }
  if (link.mtu !== spec.mtu)
    change([setLine(spec, ["mtu"])], `Set the MTU of ${title} from ${link.mtu} to ${spec.mtu}.`);
  if (link.alias !== aliasOf(alias)) change([setLine(spec, ["alias"])], `Call ${device} ${alias}.`);
  if (!link.up) change([setLine(spec, ["up"])], `Take ${title} up again.`);
  return steps;
}

/** Of a driver that carries by itself: what it carries differs, or nothing is there that carries. */
function carrying(
  desired: Desired,
  { carried }: Actual,
  gone: ReadonlySet<string>,
  forms: Forms,
): PlannedStep | undefined {
  const tunnels = [...desired.tunnels.values()];
  const command = forms.carrying(tunnels);
  if (command === undefined || (carried === undefined && tunnels.length === 0)) return undefined;
  const differing = tunnels.filter((spec) => {
    const now = carried?.get(spec.device);
    return gone.has(spec.device) || !now || ends(now) !== ends(spec) || now.ttl !== spec.ttl;
  });
  const others = [...(carried?.keys() ?? [])].filter((device) => !desired.tunnels.has(device));
  if (differing.length === 0 && others.length === 0) return undefined;
  const moved = differing.filter((spec) => {
    const now = carried?.get(spec.device);
    return now !== undefined && ends(now) !== ends(spec);
  });
  return otherStep("carry", { kind: "carry", tunnels }, [command], {
    what: `${carried ? "Tell" : "Start"} the process that carries tunnels: ${tunnels.length} in all, ${differing.length} new or changed, ${others.length} no more.`,
    interconnects: differing.map(({ interconnect }) => interconnect),
    interrupts: moved.map(({ alias }) => alias),
  });
}

function closedPorts(desired: Desired, { links }: Actual): ReadonlySet<string> {
  const devices = [
    ...desired.portMtus.keys(),
    ...desired.routes.flatMap(({ hops }) => hops.map(({ device }) => device)),
  ];
  return new Set(devices.filter((device) => !desired.tunnels.has(device) && links.get(device)?.up !== true));
}

function setLine({ device, alias, mtu }: TunnelSpec, fields: readonly ("alias" | "mtu" | "up")[]): string {
  const words = { alias: `alias "${aliasOf(alias)}"`, mtu: `mtu ${mtu}`, up: "up" };
  return `link set dev ${device} ${fields.map((field) => words[field]).join(" ")}`;
}

/** As the kernel takes it: at most 255 bytes, and nothing that the words of a batch end at. */
export function aliasOf(name: string): string {
  return name.replaceAll(/[^\x20-\x7e]|["'\\#]/g, "_").slice(0, 255);
}

function named(device: string, alias: string): string {
  return alias === "" ? device : `${device} (${alias})`;
}
