/**
 * GRE without the kernel's: persistent TUN devices, and a process of its own that carries them all
 * (`userspace/gre-process.ts`). The devices, their addresses and routes stay when that process or the agent ends, and
 * the next agent finds both.
 */

import { closeSync, constants, existsSync, openSync, readFileSync } from "node:fs";
import { access } from "node:fs/promises";
import { extname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Commands } from "../kernel/commands.ts";
import { isRunning, killProcesses } from "../kernel/removal.ts";
import { type Answer, ask, CONTROL_VERSION } from "../userspace/control.ts";
import type { Carried, Link, Refused, TunnelDriver, TunnelSpec } from "./driver.ts";

/** Of a Unix socket's path (`unix(7)`). */
const LONGEST_PATH = 107;

/** Milliseconds that a process has to end by itself before it is killed. */
const GRACE = 5_000;

export class UserspaceDriver implements TunnelDriver {
  readonly name = "userspace";
  readonly notice =
    "The driver `userspace` copies every packet through a process: it is for labs and kernels without GRE.";
  readonly #commands: Commands;
  readonly #socket: string;
  readonly #log: string;
  /** What the process said last that it carries. */
  #known: { readonly stamp: string; readonly carried: ReadonlyMap<string, Carried> } | undefined;

  constructor(commands: Commands, stateDirectory: string) {
    this.#commands = commands;
    this.#socket = join(stateDirectory, "gre.sock");
    this.#log = join(stateDirectory, "gre.log");
  }

  async unavailable(): Promise<string | undefined> {
    if (process.getuid?.() !== 0) return "Devices can only be made by root.";
    if (this.#socket.length > LONGEST_PATH)
      return `The state directory's path is too long for a socket in it: ${this.#socket} has ${this.#socket.length} characters, ${LONGEST_PATH} are possible.`;
    try {
      await access("/dev/net/tun", constants.R_OK | constants.W_OK);
      return undefined;
    } catch {
      return "This kernel has no TUN devices (/dev/net/tun cannot be opened; module tun).";
    }
  }

  fits(kind: string): boolean {
    return kind === "tun";
  }

  adding({ device }: TunnelSpec): readonly string[] {
    return [`tuntap add dev ${device} mode tun`];
  }

  changing(): readonly string[] {
    return [];
  }

  removing(device: string): string {
    return `link del dev ${device}`;
  }

  async carried(
    _: ReadonlyMap<string, Link>,
    differ: boolean,
  ): Promise<ReadonlyMap<string, Carried> | undefined> {
    const known = differ ? undefined : this.#known;
    const answer = await this.#list(known?.stamp);
    if (answer?.version !== CONTROL_VERSION) return undefined;
    if (known && answer.same) return known.carried;
    const carried = new Map(answer.tunnels.map(({ device, ...tunnel }) => [device, tunnel]));
    this.#known = answer.stamp === "" ? undefined : { stamp: answer.stamp, carried };
    return carried;
  }

  carrying(tunnels: readonly TunnelSpec[]): string {
    const lines = tunnels.map(({ device, local, remote, ttl }) => `${device} ${local} ${remote} ttl ${ttl}`);
    return [`gre-process ${this.#socket} carry`, ...lines].join("\n  ");
  }

  async carry(tunnels: readonly TunnelSpec[]): Promise<Refused> {
    await this.#ensure();
    const carried = tunnels.map(({ device, local, remote, ttl }) => ({ device, local, remote, ttl }));
    const { refused } = await ask(this.#socket, { ask: "carry", tunnels: carried });
    return new Map(refused.map(({ device, reason }) => [device, reason]));
  }

  async end(): Promise<void> {
    if (!existsSync(this.#socket)) return;
    const answer = await ask(this.#socket, { ask: "end" }).catch(() => undefined);
    // Until it has ended the socket's name and the log are its own.
    const deadline = performance.now() + GRACE;
    while (answer && isRunning(answer.pid) && performance.now() < deadline) await setTimeout(5);
    if (answer) await killProcesses(() => [answer.pid]);
  }

  /** The process goes on: packets do not wait for agents. */
  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }

  /** `unless`: nothing is listed if all is as it was then. */
  #list(unless?: string): Promise<Answer | undefined> {
    if (!existsSync(this.#socket)) return Promise.resolve(undefined);
    return ask(this.#socket, { ask: "list", unless }).catch(() => undefined);
  }

  /** A process of this version, found or started. */
  async #ensure(): Promise<void> {
    const found = await this.#list();
    if (found?.version === CONTROL_VERSION) return;
    if (found) await this.end();
    await this.#start();
  }

  #start(): Promise<void> {
    const file = fileURLToPath(
      new URL(`../userspace/gre-process${extname(fileURLToPath(import.meta.url))}`, import.meta.url),
    );
    const log = openSync(this.#log, "w", 0o600);
    // In a group of its own and let go of, so that it goes on without the agent.
    const child = this.#commands.start(process.execPath, [file, this.#socket], {
      detached: true,
      stdio: ["ignore", log, log, "pipe"],
    });
    closeSync(log);
    child.unref();
    return new Promise((resolve, reject) => {
      const ready = child.stdio[3];
      child.on("error", reject);
      ready?.on("data", () => resolve());
      ready?.on("close", () => {
        // After `ready` this comes too late to matter.
        reject(new Error(`The GRE process did not start: ${lastLines(this.#log) || "it says nothing"}`));
      });
    });
  }
}

function lastLines(file: string): string {
  const lines = readFileSync(file, "utf8").trim().split("\n");
  return (lines.findLast((line) => /error/i.test(line)) ?? lines.at(-1) ?? "").trim();
}
