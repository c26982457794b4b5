/** Figures for `/metrics`, in the Prometheus text format. */

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { CommitObserver, LiveState } from "../store/live-state.ts";
import type { Connections } from "./network/connections.ts";
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
  readonly #revision: Gauge;

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
    this.#revision = new Gauge({
      name: "patchbay_revision",
      help: "Newest durable revision of an account or the directory.",
      labelNames: ["account"],
      registers,
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

  readonly observeCommit: CommitObserver = ({ state, revision, changes, seconds }) => {
    this.#commits.observe(seconds);
    this.#batch.observe(changes.length);
    this.#objects.observe(changes.reduce((sum, { edits }) => sum + edits.length, 0));
    this.#revision.set({ account: state }, revision);
  };

  /** Shows what connections of the API hold. */
  addConnections(connections: Connections): void {
    const registers = [this.registry];
    new Gauge({
      name: "patchbay_connections",
      help: "Open connections that sent a request.",
      registers,
      collect() {
        this.set(connections.size);
      },
    });
    new Gauge({
      name: "patchbay_bytes_under_way",
      help: "Bytes of request bodies and responses held in memory for clients that are sending or reading them.",
      registers,
      collect() {
        this.set(connections.bytes.held);
      },
    });
  }

  /** Where all states stand, at the start and after a reset. */
  setRevisions(states: Iterable<LiveState>): void {
    this.#revision.reset();
    for (const { state } of states) this.#revision.set({ account: state.id }, state.durable);
  }
}

function* flatten(requests: ReadonlyMap<string, ReadonlyMap<number, Requests>>) {
  for (const [operation, byStatus] of requests) {
    for (const [status, figures] of byStatus) yield [operation, String(status), figures] as const;
  }
}
