/** What an edge is told about itself: flags and its file become this, and nothing else reads either. */

export type Role = "provider" | "customer";
export type DriverName = "kernel" | "userspace";

export interface EdgeConfig {
  readonly name: string;
  /** Short name of the data centre or place. */
  readonly site: string;
  /** The region that the site is in, for routes that count in some regions only. */
  readonly region: string | undefined;
  readonly role: Role;
  readonly driver: DriverName;
  /** Devices of this machine by slot id, port name or interconnect name. */
  readonly map: ReadonlyMap<string, string>;
  /** Where the last configuration, the list of what was made and the spool are kept. */
  readonly stateDirectory: string;
  /** May the few global settings of the kernel that an edge needs be set? */
  readonly manageSysctls: boolean;
  /** Sets of interconnects, by name, whose customers are one site: a flow may move from one to another of them. */
  readonly sameSite: readonly (readonly string[])[];
  /** Milliseconds between probes. */
  readonly rates: Readonly<Record<"low" | "mid" | "high", number>>;
  /** Public address that probes of unidirectional checks come from; the provider's end of tunnel or link unless said. */
  readonly probeSource: string | undefined;
  /** What the health windows of minutes are multiplied by: 1 but in a lab. */
  readonly healthTimeScale: number;
  readonly bird:
    | {
        /** The file that BIRD's configuration includes. */
        readonly include: string;
        /** What is run after it changed: none unless said. */
        readonly reload: boolean;
        readonly control: string | undefined;
        /** A template of BIRD's own configuration that every session is made from. */
        readonly template: string | undefined;
      }
    | undefined;
  /** Keys of TCP MD5 by interconnect name, which the account does not tell an edge. */
  readonly bgpKeys: ReadonlyMap<string, string>;
  /** The provider's autonomous system. */
  readonly providerAsn: number;
}

/** Milliseconds. The vendor publishes none (docs/compatibility.md, "Probe intervals"). */
export const USUAL_RATES = { low: 60_000, mid: 10_000, high: 1_000 } as const;
