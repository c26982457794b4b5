/** What the routes work with, built in one place and handed to all. */

import type { Logger } from "pino";
import type { SeededState } from "../account/seed.ts";
import type { Accounts } from "../store/accounts.ts";
import type { HealthStore } from "../store/health/health-store.ts";
import type { Store } from "../store/store.ts";
import type { Refusals } from "./audit/refusals.ts";
import type { Followers } from "./followers.ts";
import type { HealthGate } from "./health/gate.ts";
import type { LogReads } from "./log-reads.ts";
import type { Masker } from "./mask.ts";
import type { Metrics } from "./metrics.ts";
import type { Ingress } from "./network/ingress.ts";
import type { Rollbacks } from "./rollbacks.ts";
import type { Faults } from "./sandbox/faults.ts";
import type { Inspector } from "./sandbox/inspector.ts";
import type { Sources } from "./sources.ts";

/** Time, ids and secrets come from the server's sources. */
export interface AppContext extends Sources {
  readonly accounts: Accounts;
  readonly store: Store;
  /** Reads of the log for responses. Limits how many large ones run at the same time. */
  readonly logReads: LogReads;
  /** Prepares rollbacks, one at a time. */
  readonly rollbacks: Rollbacks;
  /** What edges report. */
  readonly health: HealthStore;
  /** Decides by it about changes that wait. */
  readonly gate: HealthGate;
  readonly metrics: Metrics;
  /** Admits requests that wait. */
  readonly followers: Followers;
  /** Takes in who was refused, for the audit log. */
  readonly refusals: Refusals;
  readonly log: Logger;
  /** Masks secrets in what is logged or kept of requests. */
  readonly masker: Masker;
  /** Requests of a credential in 300 seconds; without one, any number. */
  readonly quota: number | undefined;
  /** May the server be reset over HTTP? */
  readonly sandbox: boolean;
  /** Faults that may be armed; without them, the server has none. */
  readonly faults: Faults | undefined;
  /** Keeps what was asked and answered last; without it, nothing is kept. */
  readonly inspector: Inspector | undefined;
  /** There if the answers are a function of the requests alone: what is to be done before each of them is answered. */
  readonly settle: (() => Promise<void>) | undefined;
  /** Goes back to the seed, and returns what is there now. */
  readonly reset: () => Promise<readonly SeededState[]>;
  /** How requests come in. */
  readonly ingress: Ingress;
  /** To be called once memory was brought up to a shared store. Throws what keeps this server from serving it. */
  readonly lookAtWorld: () => void;
  /** Aborted when the server begins to drain, before it stops. */
  readonly draining: AbortSignal;
  /** Aborted when the server begins to stop. */
  readonly closing: AbortSignal;
  /** The folder of the dashboard's files; there may be none in it. */
  readonly dashboard: string;
}
