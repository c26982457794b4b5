/** What the kernel does look like, as far as an edge has to do with it. */

import type { Route, Rule } from "../desired/desired.ts";
import type { Carried, Link } from "../drivers/driver.ts";

/** Of the next hops only those that are alive. */
export interface ActualRoute extends Route {
  /** Had it next hops, and is none of them alive? */
  readonly dead: boolean;
}

export interface Actual {
  /** All devices, by name. */
  readonly links: ReadonlyMap<string, Link>;
  /** All addresses, with prefix length, by device. */
  readonly addresses: ReadonlyMap<string, ReadonlySet<string>>;
  /** Those of our protocol. */
  readonly routes: readonly ActualRoute[];
  readonly rules: readonly Rule[];
  /** Digests of our tables of nftables, by name; `undefined` of one that is not there. */
  readonly tables: ReadonlyMap<string, string | undefined>;
  /** By key; `undefined` of what the kernel does not have. */
  readonly sysctls: ReadonlyMap<string, string | undefined>;
  /** What is carried, by device; undefined if nothing that carries is there. */
  readonly carried: ReadonlyMap<string, Carried> | undefined;
  /** What the file for BIRD says. */
  readonly bird: string | undefined;
}
