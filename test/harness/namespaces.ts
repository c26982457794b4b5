/** Networks of namespaces on this machine: real devices, real packets, gone when the test is over. */

import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { Commands } from "../../src/edge/kernel/commands.ts";
import { deleteNamespace } from "../../src/edge/kernel/removal.ts";
import { missing } from "./programs.ts";

/** Why this process cannot make namespaces; `undefined` if it can. */
export const noNetworks = obstacle();

function obstacle(): string | undefined {
  if (process.platform !== "linux") return "it takes Linux";
  return process.getuid?.() === 0 ? missing("ip", "nft", "ping") : "it takes root";
}

/** One namespace: a machine of the test's network. */
export class Host {
  readonly name: string;
  readonly commands: Commands;
  readonly #children = new Set<ChildProcess>();

  constructor(name: string) {
    this.name = name;
    this.commands = new Commands(name);
  }

  /** Runs a line of words, such as `ip addr add 10.0.0.1/24 dev a`; resolves with what it prints. */
  run(line: string, input?: string): Promise<string> {
    const [program = "", ...args] = line.split(" ").filter((word) => word !== "");
    return this.commands.run(program, args, input);
  }

  /** Lines of `ip` commands, without the `ip`, in one process. */
  async batch(lines: readonly string[]): Promise<void> {
    await this.commands.run("ip", ["-batch", "-"], lines.join("\n"));
  }

  /** Starts something that goes on; it is ended with the network. */
  spawn(program: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): ChildProcess {
    const child = spawn("ip", ["netns", "exec", this.name, program, ...args], {
      stdio: ["pipe", "pipe", "pipe"],
      env,
    });
    this.#children.add(child);
    child.on("close", () => this.#children.delete(child));
    return child;
  }

  /** Is one ping to an address answered? The answer has as long as a machine that computes something else may need. */
  reaches(address: string, ...options: readonly string[]): Promise<boolean> {
    return this.#pings(address, ["-W", "20", ...options]);
  }

  /** Is one ping answered within a second? For what must not be answered, or not yet. */
  reachesAtOnce(address: string, ...options: readonly string[]): Promise<boolean> {
    return this.#pings(address, ["-W", "1", ...options]);
  }

  #pings(address: string, options: readonly string[]): Promise<boolean> {
    return this.commands.run("ping", ["-c", "1", "-q", ...options, address]).then(
      () => true,
      () => false,
    );
  }

  async end(): Promise<void> {
    const ended = [...this.#children].map((child) =>
      child.exitCode === null && child.signalCode === null ? once(child, "close") : undefined,
    );
    for (const child of this.#children) child.kill("SIGKILL");
    // With what the children started, which may hold their output open.
    await deleteNamespace(this.name);
    await Promise.all(ended);
  }
}

/** Namespaces of one test, each with loopback up. `await using network = new Network()`. */
export class Network implements AsyncDisposable {
  readonly #prefix = `pbt-${randomBytes(3).toString("hex")}`;
  readonly #hosts: Host[] = [];

  async host(name: string): Promise<Host> {
    const host = new Host(`${this.#prefix}-${name}`);
    await new Commands().run("ip", ["netns", "add", host.name]);
    this.#hosts.push(host);
    await host.run("ip link set lo up");
    return host;
  }

  /** A cable between two hosts: a device at each end, up. */
  async connect(one: Host, device: string, other: Host, otherDevice: string): Promise<void> {
    await one.run(`ip link add ${device} type veth peer name ${otherDevice} netns ${other.name}`);
    await one.run(`ip link set ${device} up`);
    await other.run(`ip link set ${otherDevice} up`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#hosts.map((host) => host.end()));
  }
}
