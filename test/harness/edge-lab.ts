/** A provider and its customers in namespaces, with settings to make real: what packet tests of the edge begin with. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EdgeAccount, EdgeInterconnect, EdgeRoute } from "../../src/edge/account.ts";
import { type EdgeConfig, type Role, USUAL_RATES } from "../../src/edge/config.ts";
import type { Commands } from "../../src/edge/kernel/commands.ts";
import { type Outcome, Reconciler } from "../../src/edge/reconciler.ts";
import { labDriver } from "./lab-driver.ts";
import { type Host, Network } from "./namespaces.ts";

/** The interconnect of a number, as version 1: all its addresses follow from the number. */
export function interconnect(number: number, changes: Partial<EdgeInterconnect> = {}): EdgeInterconnect {
  const [high, low] = [number >> 8, number & 255];
  return {
    id: number.toString(16).padStart(12, "0").padEnd(32, "0"),
    name: `ic-${number}`,
    version: "1",
    interfaceAddress: `10.${200 + high}.${low}.0/31`,
    interfaceAddress6: undefined,
    mtu: 1476,
    returnRouting: false,
    greEndpoint: `203.0.${high}.${low}`,
    link: { provider: `198.${18 + high}.${low}.0/31`, customer: `198.${18 + high}.${low}.1/31` },
    port: undefined,
    slot: `slot-${number}`,
    healthCheck: {
      enabled: true,
      rate: "mid",
      type: "reply",
      direction: "bidirectional",
      target: `10.${200 + high}.${low}.1`,
      source: undefined,
    },
    bgp: undefined,
    ...changes,
  };
}

/** The provider's and the customer's interface address of an interconnect of `interconnect`. */
export function ends(number: number): { readonly provider: string; readonly customer: string } {
  const net = `10.${200 + (number >> 8)}.${number & 255}`;
  return { provider: `${net}.0`, customer: `${net}.1` };
}

export function deviceOfNumber(number: number): string {
  return `pb-${number.toString(16).padStart(12, "0")}`;
}

export function route(
  prefix: string,
  number: number,
  priority: number,
  changes: Partial<EdgeRoute> = {},
): EdgeRoute {
  return {
    id: `${prefix} ${number} ${priority}`,
    prefix,
    nexthop: ends(number).customer,
    priority,
    weight: undefined,
    colos: [],
    regions: [],
    ...changes,
  };
}

export function account(
  interconnects: readonly EdgeInterconnect[],
  routes: readonly EdgeRoute[] = [],
): EdgeAccount {
  return { epoch: "epoch", revision: 1, interconnects, routes };
}

export function edgeConfig(
  role: Role,
  stateDirectory: string,
  map: Readonly<Record<string, string>>,
  changes: Partial<EdgeConfig> = {},
): EdgeConfig {
  return {
    name: `${role}-1`,
    site: "ord",
    region: "ENAM",
    role,
    driver: labDriver,
    map: new Map(Object.entries(map)),
    stateDirectory,
    manageSysctls: true,
    sameSite: [],
    rates: USUAL_RATES,
    probeSource: undefined,
    healthTimeScale: 1,
    bird: undefined,
    bgpKeys: new Map(),
    providerAsn: 13335,
    ...changes,
  };
}

export function temporaryDirectory(): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), "patchbay-edge-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** An edge in a namespace, with a state directory of its own; what it made goes with the network. */
export class LabEdge implements AsyncDisposable {
  readonly host: Host;
  readonly config: EdgeConfig;
  reconciler: Reconciler;

  private constructor(host: Host, config: EdgeConfig, reconciler: Reconciler) {
    this.host = host;
    this.config = config;
    this.reconciler = reconciler;
  }

  static async open(host: Host, config: EdgeConfig, commands: Commands = host.commands): Promise<LabEdge> {
    return new LabEdge(host, config, await Reconciler.open(config, commands));
  }

  apply(settings: EdgeAccount, states: Parameters<Reconciler["apply"]>[1] = new Map()): Promise<Outcome> {
    return this.reconciler.apply(settings, states);
  }

  /** Another agent takes over: the one before is gone, what it made is there. */
  async restart(commands: Commands = this.host.commands): Promise<void> {
    await this.reconciler[Symbol.asyncDispose]();
    this.reconciler = await Reconciler.open(this.config, commands);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.reconciler[Symbol.asyncDispose]();
  }
}

/** A provider with cables to its customers: `eth1` is the provider's end of the first, `up1` the customer's. */
export class Lab implements AsyncDisposable {
  readonly network: Network;
  readonly provider: LabEdge;
  readonly customers: readonly LabEdge[];
  readonly #directories: readonly Disposable[];

  private constructor(
    network: Network,
    provider: LabEdge,
    customers: readonly LabEdge[],
    directories: readonly Disposable[],
  ) {
    this.network = network;
    this.provider = provider;
    this.customers = customers;
    this.#directories = directories;
  }

  /**
   * `links`: whose customer each cable leads to, by number; the interconnect of the cable's number is over it.
   * `changes`: of the provider's configuration, and of each customer's.
   */
  static async open(
    links: readonly number[],
    changes: Partial<EdgeConfig> = {},
    ofCustomers: Partial<EdgeConfig> = {},
  ): Promise<Lab> {
    const network = new Network();
    const directories: ReturnType<typeof temporaryDirectory>[] = [];
    const directory = () => {
      const made = temporaryDirectory();
      directories.push(made);
      return made.path;
    };
    try {
      const host = await network.host("provider");
      const map: Record<string, string> = {};
      const edges: LabEdge[] = [];
      for (let customer = 1; links.includes(customer); customer++) {
        const theirs = await network.host(`customer${customer}`);
        const ports: Record<string, string> = {};
        for (const [index, whose] of links.entries()) {
          const number = index + 1;
          if (whose !== customer) continue;
          await network.connect(host, `eth${number}`, theirs, `up${number}`);
          map[`slot-${number}`] = `eth${number}`;
          ports[`slot-${number}`] = `up${number}`;
        }
        edges.push(await LabEdge.open(theirs, edgeConfig("customer", directory(), ports, ofCustomers)));
      }
      const provider = await LabEdge.open(host, edgeConfig("provider", directory(), map, changes));
      return new Lab(network, provider, edges, directories);
    } catch (error) {
      await network[Symbol.asyncDispose]();
      throw error;
    }
  }

  customer(number: number): LabEdge {
    const edge = this.customers[number - 1];
    if (!edge) throw new Error(`There is no customer ${number}.`);
    return edge;
  }

  /** Makes settings real everywhere, each customer having its own interconnects; the problems are everybody's. */
  async apply(
    settings: EdgeAccount,
    states: Parameters<Reconciler["apply"]>[1] = new Map(),
  ): Promise<Outcome> {
    const [{ steps, problems }, ...others] = await Promise.all([
      this.provider.apply(settings, states),
      ...this.customers.map((edge) =>
        edge.apply({
          ...settings,
          interconnects: settings.interconnects.filter(({ slot }) => edge.config.map.has(slot ?? "")),
        }),
      ),
    ]);
    return { steps, problems: [problems, ...others.map((outcome) => outcome.problems)].flat() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const edge of [this.provider, ...this.customers]) await edge[Symbol.asyncDispose]();
    await this.network[Symbol.asyncDispose]();
    for (const directory of this.#directories) directory[Symbol.dispose]();
  }
}
