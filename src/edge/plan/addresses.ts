/** Addresses: new ones are added before old ones go, but where another device has to let one go first. */

import { contains, parsePrefix } from "../../contract/addresses.ts";
import type { Desired, DesiredAddress, EdgeProblem } from "../desired/desired.ts";
import { addressOf } from "../desired/ends.ts";
import type { Actual } from "./actual.ts";
import type { LinkPlan } from "./links.ts";
import type { Made } from "./made.ts";
import { ipStep, type PlannedStep } from "./step.ts";

export interface AddressPlan {
  readonly steps: readonly PlannedStep[];
  readonly problems: readonly EdgeProblem[];
  /** Interconnects without an address of theirs, by identifier. */
  readonly without: ReadonlySet<string>;
  /** All that are ours on each device when the steps are done. */
  readonly ours: ReadonlyMap<string, readonly string[]>;
}

export function planAddresses(desired: Desired, actual: Actual, made: Made, links: LinkPlan): AddressPlan {
  const steps: PlannedStep[] = [];
  const problems: EdgeProblem[] = [];
  const without = new Set<string>();
  const wanted = new Map<string, DesiredAddress>();
  for (const address of desired.addresses) wanted.set(keyOf(address.device, address.address), address);
  let holders: ReadonlyMap<string, readonly Held[]> | undefined;
  let wantedHosts: ReadonlyMap<string, string> | undefined;
  const ours = new Map<string, string[]>();
  const own = (device: string, address: string) => {
    const known = ours.get(device);
    if (known) known.push(address);
    else ours.set(device, [address]);
  };
  const isOurs = (device: string, address: string) => made.addresses[device]?.includes(address) ?? false;

  for (const want of wanted.values()) {
    const { device, address, interconnect } = want;
    const refuse = (reason: string) => {
      problems.push({ interconnect, reason });
      without.add(interconnect);
    };
    const there = has(actual, links, device, address);
    if (there) {
      if (desired.tunnels.has(device) || isOurs(device, address)) own(device, address);
      continue;
    }
    holders ??= holdersOf(actual, links);
    const others = (holders.get(addressOf(address)) ?? []).filter(
      (held) => held.device !== device && !(isOurs(held.device, held.address) && !isWanted(wanted, held)),
    );
    if (others.length > 0 && want.anywhere) continue;
    const [other] = others;
    if (other) refuse(`Its address ${address} is on ${other.device} already, put there by somebody else.`);
    else if (!links.present.has(device)) refuse(`There is no device ${device} for its address ${address}.`);
    else {
      own(device, address);
      steps.push(
        ipStep("addresses", [addLine(device, address)], {
          what: `Add ${address} to ${device}.`,
          interconnects: [interconnect],
        }),
      );
    }
  }

  for (const [device, addresses] of Object.entries(made.addresses))
    for (const address of addresses) {
      if (wanted.has(keyOf(device, address)) || !has(actual, links, device, address)) continue;
      wantedHosts ??= new Map(
        [...wanted.values()].map(({ address: host, device: holder }) => [addressOf(host), holder]),
      );
      const elsewhere = wantedHosts.get(addressOf(address));
      const moves = elsewhere !== undefined && elsewhere !== device;
      // The kernel takes the others of a subnet away with the first one.
      const again = [...(actual.addresses.get(device) ?? []), ...(ours.get(device) ?? [])].filter(
        (other) => other !== address && inSubnet(address, other) && !isStale(device, other, wanted, made),
      );
      steps.push(
        ipStep(
          moves ? "free" : "remove",
          [`addr del ${address} dev ${device}`, ...new Set(again.map((other) => replaceLine(device, other)))],
          { what: `Remove ${address} from ${device}.`, unsettles: true },
        ),
      );
    }
  return { steps, problems, without, ours };
}

function keyOf(device: string, address: string): string {
  return `${device} ${address}`;
}

interface Held {
  readonly device: string;
  readonly address: string;
}

function holdersOf({ addresses }: Actual, { gone }: LinkPlan): ReadonlyMap<string, readonly Held[]> {
  const holders = new Map<string, Held[]>();
  for (const [device, all] of addresses) {
    if (gone.has(device)) continue;
    for (const address of all) {
      const host = addressOf(address);
      const held = holders.get(host);
      if (held) held.push({ device, address });
      else holders.set(host, [{ device, address }]);
    }
  }
  return holders;
}

function isWanted(wanted: ReadonlyMap<string, DesiredAddress>, { device, address }: Held): boolean {
  return wanted.has(keyOf(device, address));
}

function isStale(
  device: string,
  address: string,
  wanted: ReadonlyMap<string, DesiredAddress>,
  made: Made,
): boolean {
  return (made.addresses[device]?.includes(address) ?? false) && !wanted.has(keyOf(device, address));
}

function has({ addresses }: Actual, { gone }: LinkPlan, device: string, address: string): boolean {
  return !gone.has(device) && (addresses.get(device)?.has(address) ?? false);
}

function inSubnet(subnet: string, address: string): boolean {
  const outer = parsePrefix(subnet);
  const inner = parsePrefix(address);
  return outer !== undefined && inner?.length === outer.length && contains(outer, inner);
}

/** Without asking whether somebody else has it (DAD), which would keep an IPv6 address from being used at once. */
function addLine(device: string, address: string): string {
  return `addr add ${address} dev ${device}${address.includes(":") ? " nodad" : ""}`;
}

function replaceLine(device: string, address: string): string {
  return `addr replace ${address} dev ${device}${address.includes(":") ? " nodad" : ""}`;
}
