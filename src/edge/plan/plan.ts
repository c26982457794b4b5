/** What is to be done: desired against actual. Pure, and the order of its steps is that of doing them. */

import type { EdgeAccount } from "../account.ts";
import type { EdgeConfig } from "../config.ts";
import type { Desired, EdgeProblem } from "../desired/desired.ts";
import type { Numbers } from "../desired/numbers.ts";
import { mappedDevice } from "../devices.ts";
import { TUNNEL_KINDS, type TunnelSpec } from "../drivers/driver.ts";
import type { Actual } from "./actual.ts";
import { type AddressPlan, planAddresses } from "./addresses.ts";
import { type Forms, type LinkPlan, planLinks } from "./links.ts";
import type { Made } from "./made.ts";
import { planRoutes, planRules } from "./routes.ts";
import { inOrder, type PlannedStep, type Step } from "./step.ts";
import { planBird, planSettings, planTables } from "./tables.ts";

export interface Plan {
  readonly steps: readonly Step[];
  readonly problems: readonly EdgeProblem[];
}

/** A plan with what the doing of it needs. */
export interface FullPlan extends Plan {
  readonly steps: readonly PlannedStep[];
  /** What must be written down before the first step: all that is ours, and all that will be. */
  readonly before: Made;
  /** What is ours when every step is done. */
  readonly after: Made;
}

export interface Known {
  readonly desired: Desired;
  readonly actual: Actual;
  readonly made: Made;
  readonly numbers: Numbers;
}

export function plan({ desired, actual, made, numbers }: Known, config: EdgeConfig, forms: Forms): FullPlan {
  const links = planLinks(desired, actual, made, forms);
  const addresses = planAddresses(desired, actual, made, links);
  const settings = planSettings(desired, actual, links, config);
  const steps = inOrder([
    ...links.steps,
    ...addresses.steps,
    ...planRoutes(desired, actual, links, addresses.without),
    ...planRules(desired, actual),
    ...settings.steps,
    ...planTables(desired, actual, made, links, config),
    ...planBird(desired, actual, made, config),
  ]);
  const problems = [
    ...desired.problems,
    ...addresses.problems,
    ...closed(desired, links),
    ...settings.problems,
  ];
  let known: Ledger | undefined;
  const written = () => {
    known ??= ledger({ desired, actual, made, numbers }, addresses, steps, config);
    return known;
  };
  return {
    steps,
    problems,
    // Where there is nothing to do, nobody asks.
    get before() {
      return written().before;
    },
    get after() {
      return written().after;
    },
  };
}

type Ledger = Pick<FullPlan, "before" | "after">;

/** Which interconnects cannot be made on this machine as it is, and why. */
export function refusals(
  account: EdgeAccount,
  config: EdgeConfig,
  desired: Desired,
  actual: Actual,
  made: Made,
  forms: Forms,
): ReadonlyMap<string, string> {
  const refused = new Map<string, string>();
  for (const spec of desired.tunnels.values()) {
    const kind = actual.links.get(spec.device)?.kind;
    if (kind === undefined || isOurs(spec, kind, made, forms)) continue;
    refused.set(
      spec.interconnect,
      `The device ${spec.device} is taken by somebody else${kind === "" ? "" : ` (${kind})`}.`,
    );
  }
  for (const interconnect of account.interconnects) {
    const device = mappedDevice(interconnect, config);
    if (interconnect.version === "1" || device === undefined || actual.links.has(device)) continue;
    refused.set(interconnect.id, `The port ${device} that is mapped for it is not there.`);
  }
  return refused;
}

/** One that the list of what was made has, or, where that was lost, one of the kind that the driver makes. */
function isOurs(spec: TunnelSpec, kind: string, made: Made, forms: Forms): boolean {
  return forms.fits(kind, spec) || (made.devices[spec.device] !== undefined && TUNNEL_KINDS.includes(kind));
}

function closed(desired: Desired, links: LinkPlan): EdgeProblem[] {
  return [...desired.interconnects.values()]
    .filter(({ device }) => links.closed.has(device))
    .map(({ id, device }) => ({ interconnect: id, reason: `Its port ${device} is down.` }));
}

function ledger(
  { desired, actual, made, numbers }: Known,
  { ours }: AddressPlan,
  steps: readonly PlannedStep[],
  config: EdgeConfig,
): Ledger {
  const devices = Object.fromEntries(
    [...desired.tunnels.values()].map(({ device, interconnect }) => [device, interconnect]),
  );
  const addresses = Object.fromEntries(ours);
  const mtus: Record<string, number> = {};
  for (const port of desired.portMtus.keys()) {
    const mtu = made.mtus[port] ?? actual.links.get(port)?.mtu;
    if (mtu !== undefined) mtus[port] = mtu;
  }
  const sysctls: Record<string, string> = { ...made.sysctls };
  const tables = { ...made.tables };
  const gone: string[] = [];
  const machine = new Set(desired.sysctls.flatMap(({ key, device }) => (device === undefined ? [key] : [])));
  let bird = made.bird;
  for (const { action } of steps) {
    if (action.kind === "setting" && machine.has(action.key))
      sysctls[action.key] ??= actual.sysctls.get(action.key) ?? "";
    if (action.kind === "table" && action.text === undefined) gone.push(action.table);
    // Ours from here on; how it is listed is known when it is there.
    else if (action.kind === "table") tables[action.table] ??= { text: "", listing: "" };
    if (action.kind === "bird") bird = config.bird?.include;
  }
  const after: Made = { devices, addresses, mtus, sysctls, numbers, tables: without(tables, gone), bird };
  const union = new Set([...Object.keys(made.addresses), ...ours.keys()]);
  const before: Made = {
    ...after,
    devices: { ...made.devices, ...devices },
    addresses: Object.fromEntries(
      [...union].map((device) => [
        device,
        [...new Set([...(made.addresses[device] ?? []), ...(ours.get(device) ?? [])])],
      ]),
    ),
    mtus: { ...made.mtus, ...mtus },
    tables,
    // As it was where nothing is new: what only removes has nothing to write, and needs no space for it.
    numbers: { given: { ...made.numbers.given, ...numbers.given }, last: numbers.last },
  };
  return { before, after };
}

function without<Value>(
  record: Readonly<Record<string, Value>>,
  keys: readonly string[],
): Record<string, Value> {
  return Object.fromEntries(Object.entries(record).filter(([key]) => !keys.includes(key)));
}
