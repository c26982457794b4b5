/** What an edge made on its machine, so that it can be found again: written before anything of it is there. */

import { NO_NUMBERS, type Numbers } from "../desired/numbers.ts";

export interface Made {
  /** Interconnects by device. */
  readonly devices: Readonly<Record<string, string>>;
  /** Addresses, with prefix length, by device. */
  readonly addresses: Readonly<Record<string, readonly string[]>>;
  /** What the MTU of ports was before. */
  readonly mtus: Readonly<Record<string, number>>;
  /** What settings of the kernel were before. */
  readonly sysctls: Readonly<Record<string, string>>;
  readonly numbers: Numbers;
  /** Tables of nftables: digests of the text that was applied, and of how it was listed afterwards. */
  readonly tables: Readonly<Record<string, TableMade>>;
  /** The file for BIRD. */
  readonly bird: string | undefined;
}

export interface TableMade {
  readonly text: string;
  /** Empty until it was listed. */
  readonly listing: string;
}

export const NOTHING_MADE: Made = {
  devices: {},
  addresses: {},
  mtus: {},
  sysctls: {},
  numbers: NO_NUMBERS,
  tables: {},
  bird: undefined,
};
