/** What the routes work with, built in one place and handed to all. */

import type { Logger } from "pino";
import type { SeededState } from "../account/seed.ts";
import type { Accounts } from "../store/accounts.ts";
import type { Store } from "../store/store.ts";
import type { Refusals } from "./audit/refusals.ts";
import type { Clock } from "./clock.ts";
import type { Metrics } from "./metrics.ts";

export interface AppContext {
  readonly accounts: Accounts;
  readonly store: Store;
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** Takes in who was refused, for the audit log. */
  readonly refusals: Refusals;
  /** A new object's identifier: 32 hexadecimal digits. */
  readonly newId: () => string;
  readonly log: Logger;
  /** Requests of a credential in 300 seconds; without one, any number. */
  readonly quota: number | undefined;
  /** May the server be reset over HTTP? */
  readonly sandbox: boolean;
  /** Goes back to the seed, and returns what is there now. */
  readonly reset: () => Promise<readonly SeededState[]>;
  /** Does the server listen on this machine's own addresses alone? */
  readonly loopback: boolean;
  /** Aborted when the server begins to stop. */
  readonly closing: AbortSignal;
}
