/**
 * Figures of health for `/metrics`. Their number grows with edges, not with interconnects: those are counted by their
 * state, and named only if they are unwell, so many of an account at most.
 *
 * The metrics port asks for no credential, so a series names an account, and what belongs to it, only if the operator asked for
 * that. Otherwise each figure is one of all accounts.
 */

import { Gauge, type Registry } from "prom-client";
import { DIRECTORY_ID } from "../../account/directory.ts";
import { healthOfAccount } from "../../account/health/standing.ts";
import type { AccountHealth } from "../../contract/health.ts";
import type { Accounts } from "../../store/accounts.ts";
import type { HealthStore } from "../../store/health/health-store.ts";
import type { Clock } from "../clock.ts";

/** Interconnects of an account that are named. */
const MOST_NAMED = 1_000;
const STATES = ["healthy", "degraded", "down", "unknown"] as const;
const STATUSES = ["modified", "applied", "error"] as const;

interface Needs {
  readonly accounts: Accounts;
  readonly health: HealthStore;
  readonly clock: Clock;
  /** Whether series name accounts, interconnects and edges. */
  readonly named: boolean;
}

type Labels = Readonly<Record<string, string>>;
/** Sets one series of a figure. */
type Set = (labels: Labels, value: number) => void;
type Tell = (set: Set, health: AccountHealth, now: number) => void;
/** Combines the values that have the same labels once names are left out. */
type Combine = (one: number, other: number) => number;

/** Labels that name something of an account. */
const NAMES: ReadonlySet<string> = new Set(["account", "interconnect", "name", "edge"]);

const sum: Combine = (one, other) => one + other;

export function addHealthMetrics(registry: Registry, { accounts, health, clock, named }: Needs): void {
  const read = async () => {
    const now = clock.now();
    const found: [string, AccountHealth][] = [];
    for (const { state } of accounts.all()) {
      if (state.id === DIRECTORY_ID) continue;
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
  const shown = (label: string) => named || !NAMES.has(label);
  const add = (name: string, help: string, labels: readonly string[], tell: Tell, combine = sum) =>
    new Gauge({
      name,
      help,
      labelNames: ["account", ...labels].filter(shown),
      registers: [registry],
      async collect() {
        this.reset();
        // What cannot be read is not told; that it cannot be, `/readyz` says.
        const told = await readOnce().catch(() => undefined);
        const series = new Map<string, [Labels, number]>();
        for (const [account, health] of told?.found ?? []) {
          const set: Set = (labels, value) => {
            const left = Object.entries({ account, ...labels }).filter(([label]) => shown(label));
            const key = JSON.stringify(left);
            const before = series.get(key);
            series.set(key, [Object.fromEntries(left), before ? combine(before[1], value) : value]);
          };
          tell(set, health, told?.now ?? 0);
        }
        for (const [labels, value] of series.values()) this.set(labels, value);
      },
    });

  add(
    "patchbay_interconnects",
    "Interconnects by the worst state that a provider edge reports of them; unknown where none does.",
    ["state"],
    (set, { interconnects }) => {
      for (const state of STATES) set({ state }, count(interconnects, state));
    },
  );
  add(
    "patchbay_interconnect_unwell",
    `1 for each interconnect that is degraded or down, the first ${MOST_NAMED} of an account.`,
    ["interconnect", "name", "state"],
    (set, { interconnects }) => {
      const unwell = interconnects.filter(({ state }) => state === "degraded" || state === "down");
      for (const { id, name, state } of unwell.slice(0, MOST_NAMED))
        set({ interconnect: id, name, state }, 1);
    },
  );
  add(
    "patchbay_edge_silence_seconds",
    "Time since an edge's last report; the longest of all edges where they are not named.",
    ["edge"],
    (set, { edges }, now) => {
      for (const { edge, seen_on } of edges) set({ edge }, Math.max(0, now - Date.parse(seen_on)) / 1000);
    },
    Math.max,
  );
  add(
    "patchbay_edge_configuration",
    "1 for what an edge has made of the account's settings, 0 for the others.",
    ["edge", "status"],
    (set, { edges }) => {
      for (const { edge, configuration } of edges) {
        for (const status of STATUSES) set({ edge, status }, Number(status === configuration.status));
      }
    },
  );
  add(
    "patchbay_edge_interconnects",
    "Interconnects that an edge tells of, by the state that it reports; unknown while it is stale.",
    ["edge", "state"],
    (set, { edges, interconnects }) => {
      const told = Map.groupBy(
        interconnects.flatMap((one) => one.edges),
        ({ edge }) => edge,
      );
      for (const { edge } of edges) {
        for (const state of STATES) set({ edge, state }, count(told.get(edge) ?? [], state));
      }
    },
  );
}

function count(list: readonly { readonly state: string }[], state: string): number {
  return list.filter((one) => one.state === state).length;
}
