/**
 * Figures of health for `/metrics`. Their number grows with edges, not with interconnects: those are counted by their
 * state, and named only if they are unwell, so many of an account at most.
 */

import { Gauge, type Registry } from "prom-client";
import { DIRECTORY_ID } from "../../account/directory.ts";
import { healthOfAccount } from "../../account/health/standing.ts";
import type { AccountHealth } from "../../contract/health.ts";
import type { Accounts } from "../../store/accounts.ts";
import type { HealthStore } from "../../store/health/health-store.ts";
import { pause } from "../../store/time-slice.ts";
import type { Clock } from "../clock.ts";

/** Interconnects of an account that are named. */
const MOST_NAMED = 1_000;
const STATES = ["healthy", "degraded", "down", "unknown"] as const;
const STATUSES = ["modified", "applied", "error"] as const;

interface Needs {
  readonly accounts: Accounts;
  readonly health: HealthStore;
  readonly clock: Clock;
}

type Tell = (gauge: Gauge, account: string, health: AccountHealth, now: number) => void;

export function addHealthMetrics(registry: Registry, { accounts, health, clock }: Needs): void {
  const read = async () => {
    const now = clock.now();
    const found: [string, AccountHealth][] = [];
    for (const { state } of accounts.all()) {
      if (state.id === DIRECTORY_ID) continue;
      await pause();
      found.push([state.id, healthOfAccount(state, await health.edges(state.id), now)]);
    }
    return { now, found };
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
        this.reset();
        // What cannot be read is not told; that it cannot be, `/readyz` says.
        const told = await readOnce().catch(() => undefined);
        for (const [account, health] of told?.found ?? []) tell(this, account, health, told?.now ?? 0);
      },
    });

  add(
    "patchbay_interconnects",
    "Interconnects by the worst state that a provider edge reports of them; unknown where none does.",
    ["state"],
    (gauge, account, { interconnects }) => {
      for (const state of STATES) gauge.set({ account, state }, count(interconnects, state));
    },
  );
  add(
    "patchbay_interconnect_unwell",
    `1 for each interconnect that is degraded or down, the first ${MOST_NAMED} of an account.`,
    ["interconnect", "name", "state"],
    (gauge, account, { interconnects }) => {
      const unwell = interconnects.filter(({ state }) => state === "degraded" || state === "down");
      for (const { id, name, state } of unwell.slice(0, MOST_NAMED))
        gauge.set({ account, interconnect: id, name, state }, 1);
    },
  );
  add(
    "patchbay_edge_silence_seconds",
    "Time since an edge's last report.",
    ["edge"],
    (gauge, account, { edges }, now) => {
      for (const { edge, seen_on } of edges)
        gauge.set({ account, edge }, Math.max(0, now - Date.parse(seen_on)) / 1000);
    },
  );
  add(
    "patchbay_edge_configuration",
    "1 for what an edge has made of the account's settings, 0 for the others.",
    ["edge", "status"],
    (gauge, account, { edges }) => {
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
    (gauge, account, { edges, interconnects }) => {
      const told = Map.groupBy(
        interconnects.flatMap((one) => one.edges),
        ({ edge }) => edge,
      );
      for (const { edge } of edges) {
        for (const state of STATES) gauge.set({ account, edge, state }, count(told.get(edge) ?? [], state));
      }
    },
  );
}

function count(list: readonly { readonly state: string }[], state: string): number {
  return list.filter((one) => one.state === state).length;
}
