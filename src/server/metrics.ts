/** Figures for `/metrics`, in the Prometheus text format. */

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { Accounts } from "../store/accounts.ts";
import type { CommitObserver, LossObserver } from "../store/live-state.ts";
import type { FaultObserver } from "./sandbox/faults.ts";

/** Requests of one operation and status. */
interface Requests {
  count: number;
  seconds: number;
}

export class Metrics {
  readonly registry = new Registry();
  /** Counted by hand: a labelled counter costs more than the rest of a read. */
  readonly #requests = new Map<string, Map<number, Requests>>();
  readonly #faults: Counter;
  readonly #commits: Histogram;
  readonly #batch: Histogram;
  readonly #objects: Histogram;
  readonly #losses: Counter;

  constructor() {
    const registers = [this.registry];
    collectDefaultMetrics({ register: this.registry });
    const requests = this.#requests;
    new Counter({
      name: "patchbay_requests_total",
      help: "Requests answered, by operation and status.",
      labelNames: ["operation", "status"],
      registers,
      collect() {
        this.reset();
        for (const [operation, status, { count }] of flatten(requests))
          this.inc({ operation, status }, count);
      },
    });
    new Counter({
      name: "patchbay_request_seconds_total",
      help: "Time from a request's headers to its answer, summed, by operation and status.",
      labelNames: ["operation", "status"],
      registers,
      collect() {
        this.reset();
        for (const [operation, status, { seconds }] of flatten(requests))
          this.inc({ operation, status }, seconds);
      },
    });
    this.#faults = new Counter({
      name: "patchbay_faults_total",
      help: "Faults that were armed and struck, by operation and effect. Their answers are counted as those of an operation `fault`.",
      labelNames: ["operation", "effect"],
      registers,
    });
    this.#commits = new Histogram({
      name: "patchbay_commit_seconds",
      help: "Time a commit took to become durable.",
      buckets: [0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1],
      registers,
    });
    this.#batch = new Histogram({
      name: "patchbay_commit_changes",
      help: "Changes that shared one commit.",
      buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256],
      registers,
    });
    this.#objects = new Histogram({
      name: "patchbay_commit_objects",
      help: "Objects written by one commit.",
      buckets: [1, 10, 100, 1000, 10000],
      registers,
    });
    this.#losses = new Counter({
      name: "patchbay_database_losses_total",
      help: "Losses of acknowledged changes that this server detected in the shared database, such as after a failover to a standby without them.",
      registers,
    });
  }

  /** Adds the revision of each account in memory and of the directory, by account id. */
  addRevisions(accounts: Pick<Accounts, "all">): void {
    new Gauge({
      name: "patchbay_revision",
      help: "Newest durable revision of an account or the directory.",
      labelNames: ["account"],
      registers: [this.registry],
      collect() {
        this.reset();
        for (const { state } of accounts.all()) this.set({ account: state.id }, state.durable);
      },
    });
  }

  countRequest(operation: string, status: number, seconds: number): void {
    let byStatus = this.#requests.get(operation);
    if (!byStatus) {
      byStatus = new Map();
      this.#requests.set(operation, byStatus);
    }
    const requests = byStatus.get(status);
    if (requests) {
      requests.count++;
      requests.seconds += seconds;
    } else byStatus.set(status, { count: 1, seconds });
  }

  readonly observeFault: FaultObserver = (operation, effect) => this.#faults.inc({ operation, effect });

  readonly observeCommit: CommitObserver = ({ changes, seconds }) => {
    this.#commits.observe(seconds);
    this.#batch.observe(changes.length);
    this.#objects.observe(changes.reduce((sum, { edits }) => sum + edits.length, 0));
  };

  readonly observeLoss: LossObserver = () => this.#losses.inc();
}

function* flatten(requests: ReadonlyMap<string, ReadonlyMap<number, Requests>>) {
  for (const [operation, byStatus] of requests) {
    for (const [status, figures] of byStatus) yield [operation, String(status), figures] as const;
  }
}
