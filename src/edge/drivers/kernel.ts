/** The kernel's own GRE: devices of type `gre`, or `ip6gre` where the outer packet is IPv6. */

import { runBatch } from "../kernel/batch.ts";
import type { Commands } from "../kernel/commands.ts";
import type { Carried, Link, TunnelDriver, TunnelSpec } from "./driver.ts";

/** Made and removed again to see whether the kernel can; its ends are addresses of documentation (RFC 5737). */
const TRIAL = "pb-trial";

export class KernelDriver implements TunnelDriver {
  readonly name = "kernel";
  readonly notice = undefined;
  readonly #commands: Commands;

  constructor(commands: Commands) {
    this.#commands = commands;
  }

  async unavailable(): Promise<string | undefined> {
    // The second line also removes one that stayed because its agent was killed here.
    const refused = await runBatch(this.#commands, [
      `link add name ${TRIAL} type gre local 192.0.2.1 remote 192.0.2.2`,
      `link del dev ${TRIAL}`,
    ]);
    const reason = refused.get(0);
    if (reason === undefined || reason.includes("File exists")) return undefined;
    if (reason.includes("Unknown device type"))
      return "This kernel has no GRE (module ip_gre). Load it, or use the driver `userspace`, which is for labs.";
    if (reason.includes("not permitted")) return "Devices can only be made by root.";
    return `No GRE device can be made: ${reason}`;
  }

  fits(kind: string, { local }: TunnelSpec): boolean {
    return kind === (local.includes(":") ? "ip6gre" : "gre");
  }

  adding(spec: TunnelSpec): readonly string[] {
    return [`link add name ${spec.device} ${form(spec)}`];
  }

  changing(spec: TunnelSpec): readonly string[] {
    return [`link change dev ${spec.device} ${form(spec)}`];
  }

  removing(device: string): string {
    return `link del dev ${device}`;
  }

  carried(links: ReadonlyMap<string, Link>): Promise<ReadonlyMap<string, Carried>> {
    const found = new Map<string, Carried>();
    for (const { name, tunnel } of links.values()) if (tunnel) found.set(name, tunnel);
    return Promise.resolve(found);
  }

  carrying(): undefined {
    return undefined;
  }

  carry(): Promise<ReadonlyMap<string, string>> {
    return Promise.resolve(new Map());
  }

  end(): Promise<void> {
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}

/** A fixed TTL with the outer packet's DF set, so that paths are found (RFC 2784 says nothing of either). */
function form({ local, remote, ttl }: TunnelSpec): string {
  return local.includes(":")
    ? `type ip6gre local ${local} remote ${remote} hoplimit ${ttl} encaplimit none`
    : `type gre local ${local} remote ${remote} ttl ${ttl} pmtudisc`;
}
