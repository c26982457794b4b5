/** A server, a provider's edge and a customer's router, as processes in a network of the test's own. */

import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { stringify } from "yaml";
import type { DriverName } from "../../src/edge/config.ts";
import { type AgentStatus, askStatus } from "../../src/edge/status.ts";
import { BIN } from "./command.ts";
import { DOOR_URL, Door } from "./door.ts";
import type { Host, Network } from "./namespaces.ts";
import { ACCOUNT } from "./server.ts";
import { idOf } from "./worlds.ts";

export const OPERATOR_TOKEN = "operator-token-of-the-edge-tests-0000000";
export const EDGE_TOKEN = "edge-token-of-the-edge-tests-00000000000";

/** Where everything of an interconnect is, by its number from 0. */
export const providerEnd = (number: number) => `10.99.${number >> 6}.${(number & 63) * 4}`;
export const customerEnd = (number: number) => `10.99.${number >> 6}.${(number & 63) * 4 + 1}`;
/** The interconnect of this number. Devices are called by the first digits, so that is where they differ. */
export const interconnectId = (number: number) => (0xed6e00000000 + number).toString(16).padEnd(32, "0");
const linkEnd = (number: number, end: 0 | 1) => `172.20.${number >> 7}.${(number & 127) * 2 + end}`;

export interface Wanted {
  readonly interconnects: number;
  /** Fields that all interconnects have besides. */
  readonly each?: Readonly<Record<string, unknown>>;
  readonly routes?: readonly Readonly<Record<string, unknown>>[];
}

/** An account of up to 10,000 GRE interconnects `pni_0`, `pni_1`, … over one cable, all probed often. */
export function edgeSeed({ interconnects, each = {}, routes = [] }: Wanted): string {
  const token = (number: number, name: string, value: string, permission_groups: readonly string[]) => ({
    id: idOf(number),
    name,
    value,
    policies: [{ effect: "allow", accounts: [ACCOUNT], permission_groups }],
  });
  return JSON.stringify({
    accounts: [
      {
        id: ACCOUNT,
        name: "Edges",
        flags: ["coupler_integration"],
        interconnects: Array.from({ length: interconnects }, (_, number) => ({
          id: interconnectId(number),
          name: `pni_${number}`,
          version: "1",
          interface_address: `${providerEnd(number)}/31`,
          mtu: 1476,
          gre: { cloudflare_endpoint: "203.0.113.1" },
          health_check: { rate: "high", type: number % 2 ? "reply" : "request", direction: "bidirectional" },
          link: { p2p_ip: `${linkEnd(number, 0)}/31`, cust_ip: `${linkEnd(number, 1)}/31` },
          ...each,
        })),
        routes: routes.map((route, number) => ({ id: idOf(0x4007e + number), ...route })),
      },
    ],
    tokens: [
      token(1, "operator", OPERATOR_TOKEN, ["Magic WAN Write", "Patchbay Admin", "Patchbay Read"]),
      token(2, "edges", EDGE_TOKEN, ["Patchbay Edge"]),
    ],
  });
}

/** An agent, as a process of its own in a host's namespace. */
export class EdgeProcess {
  readonly host: Host;
  readonly state: string;
  readonly #config: string;
  #child: ChildProcess | undefined;
  /** Everything it said. */
  said = "";

  constructor(host: Host, directory: string, settings: Readonly<Record<string, unknown>>) {
    const name = String(settings["name"]);
    this.host = host;
    this.state = join(directory, `${name}.state`);
    this.#config = join(directory, `${name}.yaml`);
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, "edge.token"), EDGE_TOKEN, { mode: 0o600 });
    const usual = { server: DOOR_URL, account: ACCOUNT, token_file: join(directory, "edge.token") };
    writeFileSync(
      this.#config,
      stringify({ ...usual, manage_sysctls: true, state: this.state, ...settings }),
    );
  }

  start(): void {
    this.#child = this.host.spawn(process.execPath, [BIN, "edge", "--config", this.#config]);
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.setEncoding("utf8").on("data", (text) => {
        this.said += text;
      });
  }

  /** Of the agent: `ip netns exec` becomes the program that it starts. */
  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Runs a subcommand, or `edge --once`, and resolves with what it prints. */
  run(...args: readonly string[]): Promise<string> {
    return this.host.commands.run(process.execPath, [BIN, "edge", ...args, "--config", this.#config]);
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "close");
    child.kill(signal);
    await ended;
  }

  async status(): Promise<AgentStatus | undefined> {
    return askStatus(this.state).catch(() => undefined);
  }

  /** Resolves with the status as soon as it is so. Throws after some seconds, with what the agent said. */
  async until(holds: (status: AgentStatus) => boolean, seconds = 30): Promise<AgentStatus> {
    const deadline = performance.now() + seconds * 1000;
    for (;;) {
      const status = await this.status();
      if (status && holds(status)) return status;
      if (performance.now() > deadline)
        throw new Error(`not so after ${seconds} s: ${JSON.stringify(status)}\n${this.said.slice(-4000)}`);
      await setTimeout(50);
    }
  }
}

export interface EdgeWorld {
  readonly provider: EdgeProcess;
  readonly customer: EdgeProcess;
  readonly door: Door;
}

/** Two hosts with a cable between them, both of which reach the server. Nothing runs yet. */
export async function makeEdgeWorld(
  network: Network,
  directory: string,
  { url, driver, interconnects }: { url: string; driver: DriverName; interconnects: number },
  more: { provider?: Readonly<Record<string, unknown>>; customer?: Readonly<Record<string, unknown>> } = {},
): Promise<EdgeWorld> {
  const [near, far] = [await network.host("edge"), await network.host("customer")];
  await network.connect(near, "port0", far, "up0");
  const door = await Door.open(join(directory, "door"), url);
  await Promise.all([door.into(near), door.into(far)]);
  const mapped = (device: string) =>
    Object.fromEntries(Array.from({ length: interconnects }, (_, number) => [`pni_${number}`, device]));
  const common = { driver, rates: { high: 0.2 }, health_time_scale: 0.02 };
  return {
    door,
    provider: new EdgeProcess(near, directory, {
      ...common,
      role: "provider",
      name: "edge-1",
      site: "ord",
      map: mapped("port0"),
      ...more.provider,
    }),
    customer: new EdgeProcess(far, directory, {
      ...common,
      role: "customer",
      name: "customer-1",
      site: "home",
      map: mapped("up0"),
      ...more.customer,
    }),
  };
}
