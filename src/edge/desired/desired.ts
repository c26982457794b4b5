/** What the kernel should look like. Plain values: what makes them is beside, what compares them is in `plan/`. */

import type { TunnelSpec } from "../drivers/driver.ts";

/** Of every route and rule that is ours: `proto 190`, which no other program uses (iproute2's `rt_protos`). */
export const ROUTE_PROTOCOL = 190;

/** Something could not be made: of one interconnect, or of the edge as a whole. */
export interface EdgeProblem {
  /** Its identifier. */
  readonly interconnect?: string;
  readonly reason: string;
}

export interface Desired {
  /** Interconnects that are to be real, by identifier. */
  readonly interconnects: ReadonlyMap<string, Realised>;
  /** By device. */
  readonly tunnels: ReadonlyMap<string, TunnelSpec>;
  /** Ports below bare interconnects and the MTU that they are to have. */
  readonly portMtus: ReadonlyMap<string, { readonly mtu: number; readonly name: string }>;
  readonly addresses: readonly DesiredAddress[];
  readonly routes: readonly Route[];
  readonly rules: readonly Rule[];
  /** What is told to BIRD; `undefined` where nothing is rendered. */
  readonly bird: string | undefined;
  readonly sysctls: readonly Setting[];
  readonly problems: readonly EdgeProblem[];
}

/** An interconnect as it is made real on this side. */
export interface Realised {
  readonly id: string;
  readonly name: string;
  readonly device: string;
  readonly bare: boolean;
  readonly mtu: number;
  readonly ends: Ends4;
  readonly ends6: Ends4 | undefined;
  /** The number that marks its flows, and the zone they are told apart in: only with return routing. */
  readonly returning: { readonly number: number; readonly zone: number } | undefined;
  /** Addresses besides our own that probes of the reply kind come from. */
  readonly reflects: readonly string[];
}

interface Ends4 {
  readonly ours: string;
  readonly theirs: string;
}

export interface DesiredAddress {
  readonly device: string;
  /** With prefix length. */
  readonly address: string;
  readonly interconnect: string;
  /** Is it enough if any device has it? So for the endpoint of tunnels. */
  readonly anywhere: boolean;
}

export interface NextHop {
  readonly via: string | undefined;
  readonly device: string;
  readonly weight: number;
}

export interface Route {
  readonly family: 4 | 6;
  readonly table: number;
  /** In canonical text, always with its length. */
  readonly prefix: string;
  readonly metric: number;
  /** None: packets are refused as unreachable. */
  readonly hops: readonly NextHop[];
  /** Those it belongs to. */
  readonly interconnects: readonly string[];
}

export interface Rule {
  readonly family: 4 | 6;
  readonly preference: number;
  /** Of the low 16 bits. */
  readonly mark: number;
  readonly table: number;
}

/** A setting of the kernel. */
export interface Setting {
  /** With slashes, since the name of a device may hold dots: `net/ipv4/conf/eth0.5/rp_filter`. */
  readonly key: string;
  readonly value: string;
  /** Other values that do as well. */
  readonly fits: readonly string[];
  /** The device that it goes with; of the machine if there is none, or if it was there before. */
  readonly device: string | undefined;
  /** What does not work without it. */
  readonly why: string;
}
