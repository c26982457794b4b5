/**
 * Figures of health for `/metrics`. Their number grows with edges, not with interconnects: those are counted by their
 * state, and named only if they are unwell, so many of an account at most.
 *
 * The metrics port asks for no credential, so a series names an account, and what belongs to it, only if the operator asked for
 * that. Otherwise each figure is one of all accounts.
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
  /** Whether series name accounts, interconnects and edges. */
  readonly named: boolean;
}

type Labels = Readonly<Record<string, string>>;
/** Sets one series of a figure. */
type Set = (labels: Labels, value: number) => void;
/** Combines the values that have the same labels once names are left out. */
type Combine = (one: number, other: number) => number;

/** Labels that name something of an account. */
const NAMES: ReadonlySet<string> = new Set(["account", "interconnect", "name", "edge"]);

const sum: Combine = (one, other) => one + other;

/** Figures of one account. */
interface Figures {
  readonly account: string;
  readonly edges: readonly ShownEdge[];
  readonly tally: Tally;
  /** When they were read, in milliseconds since 1970. */
  readonly now: number;
}

type Tell = (set: Set, figures: Figures) => void;

export function addHealthMetrics(registry: Registry, { accounts, health, clock, named }: Needs): void {
  const tallies = new Tallies();
  const read = async () => {
    const figures: Figures[] = [];
    for (const live of accounts.all()) {
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
  const shown = (label: string) => named || !NAMES.has(label);
  const add = (name: string, help: string, labels: readonly string[], tell: Tell, combine = sum) =>
    new Gauge({
      name,
      help,
      labelNames: ["account", ...labels].filter(shown),
      registers: [registry],
      async collect() {
        // What cannot be read is not told; that it cannot be, `/readyz` says.
        const figures = await readOnce().catch(() => []);
        const series = new Map<string, [Labels, number]>();
        for (const one of figures) {
          const set: Set = (labels, value) => {
            const left = Object.entries({ account: one.account, ...labels }).filter(([label]) =>
              shown(label),
            );
            const key = JSON.stringify(left);
            const before = series.get(key);
            series.set(key, [Object.fromEntries(left), before ? combine(before[1], value) : value]);
          };
          tell(set, one);
        }
        this.reset();
        for (const [labels, value] of series.values()) this.set(labels, value);
      },
    });

  add(
    "patchbay_interconnects",
    "Interconnects by the worst state that a provider edge reports of them; unknown where none does.",
    ["state"],
    (set, { tally }) => {
      for (const state of STATES) set({ state }, tally.states[state]);
    },
  );
  add(
    "patchbay_interconnect_unwell",
    `1 for each interconnect that is degraded or down, the first ${MOST_NAMED} of an account.`,
    ["interconnect", "name", "state"],
    (set, { tally }) => {
      for (const { id, name, state } of tally.unwell) set({ interconnect: id, name, state }, 1);
    },
  );
  add(
    "patchbay_edge_silence_seconds",
    "Time since an edge's last report; the longest of all edges where they are not named.",
    ["edge"],
    (set, { edges, now }) => {
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
    (set, { edges, tally }) => {
      for (const { edge } of edges) {
        for (const state of STATES) set({ edge, state }, tally.edges.get(edge)?.[state] ?? 0);
      }
    },
  );
}
