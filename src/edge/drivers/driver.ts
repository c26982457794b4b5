/** Tunnels of one kind of machine behind one form: by the kernel's own GRE, or by a process in user space. */

import type { DriverName } from "../config.ts";

/** A GRE tunnel, of an interconnect or of any other kind: its ends are both IPv4 or both IPv6. */
export interface TunnelSpec {
  readonly device: string;
  /** What people call it; shown by `ip link`. */
  readonly alias: string;
  /** Addresses of the outer packet. */
  readonly local: string;
  readonly remote: string;
  readonly ttl: number;
  /** Bytes of the inner packet. */
  readonly mtu: number;
  /** The interconnect that it is of, by identifier. */
  readonly interconnect: string;
}

/** What makes two tunnels the same to the packets. */
export type Carried = Pick<TunnelSpec, "local" | "remote" | "ttl">;

/** A device of the kernel, as far as tunnels know it. */
export interface Link {
  readonly name: string;
  readonly mtu: number;
  readonly up: boolean;
  readonly alias: string;
  /** A name or a number. */
  readonly group: string;
  /** `gre`, `ip6gre`, `tun`, `veth`; empty for hardware. */
  readonly kind: string;
  /** What the kernel says of a tunnel of its own. */
  readonly tunnel: Carried | undefined;
}

/** Tunnels that the driver refused, by device, each with the reason. */
export type Refused = ReadonlyMap<string, string>;

export interface TunnelDriver extends AsyncDisposable {
  readonly name: DriverName;
  /** Something that people should be told once; none of the kernel's. */
  readonly notice: string | undefined;
  /** Why it cannot be had on this machine, in a sentence. */
  unavailable(): Promise<string | undefined>;
  /** Is a device of this kind one that this driver makes for such a tunnel? */
  fits(kind: string, spec: TunnelSpec): boolean;
  /** Lines of `ip` that make a device. */
  adding(spec: TunnelSpec): readonly string[];
  /** Lines of `ip` that give a device other ends or another TTL in place. */
  changing(spec: TunnelSpec): readonly string[];
  /** The line of `ip` that removes one of a kind. */
  removing(device: string): string;
  /**
   * What is carried now, by device. `undefined`: nothing that carries is there. `differ`: devices may have gone since it
   * was asked last.
   */
  carried(
    links: ReadonlyMap<string, Link>,
    differ: boolean,
  ): Promise<ReadonlyMap<string, Carried> | undefined>;
  /** What `carry` does, as one would type it; undefined if there is nothing to do beside the devices. */
  carrying(tunnels: readonly TunnelSpec[]): string | undefined;
  /** Carries these tunnels and no others. */
  carry(tunnels: readonly TunnelSpec[]): Promise<Refused>;
  /** Ends what goes on by itself. */
  end(): Promise<void>;
}

/** Every kind of device that one of the drivers makes. */
export const TUNNEL_KINDS: readonly string[] = ["gre", "ip6gre", "tun"];
