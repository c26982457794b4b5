/**
 * Figures of health for `/metrics`. Their number grows with edges, not with interconnects: those are counted by their
 * state, and named only if they are unwell, so many of an account at most.
 */

import { Gauge, type Registry } from "prom-client";
import { DIRECTORY_ID } from "../../account/directory.ts";
import { accountHealth } from "../../account/health/standing.ts";
import type { ShownEdge } from "../../contract/health.ts";
import type { Accounts } from "../../store/accounts.ts";
import type { HealthStore } from "../../store/health/health-store.ts";
import { pause } from "../../store/time-slice.ts";
import type { Clock } from "../clock.ts";
import { MOST_NAMED, STATES, Tallies, type Tally } from "./tallies.ts";

const STATUSES = ["modified", "applied", "error"] as const;

interface Needs {
  readonly accounts: Accounts;
  readonly health: HealthStore;
  readonly clock: Clock;
}

/** Figures of one account. */
interface Figures {
  readonly account: string;
  readonly edges: readonly ShownEdge[];
  readonly tally: Tally;
  /** When they were read, in milliseconds since 1970. */
  readonly now: number;
}

type Tell = (gauge: Gauge, figures: Figures) => void;

export function addHealthMetrics(registry: Registry, { accounts, health, clock }: Needs): void {
  const tallies = new Tallies();
  const read = async () => {
    const figures: Figures[] = [];
    // Requests reorder the accounts of a shared store, so the list is copied before it is awaited on.
    for (const live of [...accounts.all()]) {
      const { state } = live;
      if (state.id === DIRECTORY_ID) continue;
      const edges = await health.edges(state.id);
      const now = clock.now();
      const tally = await tallies.of(live, state, edges, now);
      figures.push({ account: state.id, edges: accountHealth(state, edges, now).edges, tally, now });
      await pause();
    }
    return figures;
  };
  let reading: ReturnType<typeof read> | undefined;
  // All figures of one answer are of one reading.
  const readOnce = () => {
    reading ??= read().finally(() => {
      reading = undefined;
    });
    return reading;
  };
  const add = (name: string, help: string, labels: readonly string[], tell: Tell) =>
    new Gauge({
      name,
      help,
      labelNames: ["account", ...labels],
      registers: [registry],
      async collect() {
        // What cannot be read is not told; that it cannot be, `/readyz` says.
        const figures = await readOnce().catch(() => []);
        this.reset();
        for (const one of figures) tell(this, one);
      },
    });

  add(
    "patchbay_interconnects",
    "Interconnects by the worst state that a provider edge reports of them; unknown where none does.",
    ["state"],
    (gauge, { account, tally }) => {
      for (const state of STATES) gauge.set({ account, state }, tally.states[state]);
    },
  );
  add(
    "patchbay_interconnect_unwell",
    `1 for each interconnect that is degraded or down, the first ${MOST_NAMED} of an account.`,
    ["interconnect", "name", "state"],
    (gauge, { account, tally }) => {
      for (const { id, name, state } of tally.unwell)
        gauge.set({ account, interconnect: id, name, state }, 1);
    },
  );
  add(
    "patchbay_edge_silence_seconds",
    "Time since an edge's last report.",
    ["edge"],
    (gauge, { account, edges, now }) => {
      for (const { edge, seen_on } of edges)
        gauge.set({ account, edge }, Math.max(0, now - Date.parse(seen_on)) / 1000);
    },
  );
  add(
    "patchbay_edge_configuration",
    "1 for what an edge has made of the account's settings, 0 for the others.",
    ["edge", "status"],
    (gauge, { account, edges }) => {
      for (const { edge, configuration } of edges) {
        for (const status of STATUSES)
          gauge.set({ account, edge, status }, Number(status === configuration.status));
      }
    },
  );
  add(
    "patchbay_edge_interconnects",
    "Interconnects that an edge tells of, by the state that it reports; unknown while it is stale.",
    ["edge", "state"],
    (gauge, { account, edges, tally }) => {
      for (const { edge } of edges) {
        for (const state of STATES) gauge.set({ account, edge, state }, tally.edges.get(edge)?.[state] ?? 0);
      }
    },
  );
}
