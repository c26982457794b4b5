/** What the routes work with, built in one place and handed to all. */

import type { Logger } from "pino";
import type { Accounts } from "../store/accounts.ts";
import type { Store } from "../store/store.ts";
import type { Clock } from "./clock.ts";
import type { Metrics } from "./metrics.ts";
import type { SeedSource } from "./seed-file.ts";

export interface AppContext {
  readonly accounts: Accounts;
  readonly store: Store;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** What `reset` goes back to. */
  readonly seed: SeedSource;
  readonly sandbox: boolean;
  /** Does the server listen on this machine's own addresses alone? */
  readonly loopback: boolean;
  /** Aborted when the server begins to stop. */
  readonly closing: AbortSignal;
}
