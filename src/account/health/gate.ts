/**
 * What health says of a change that waits: the interconnects that it touched and that were healthy before decide.
 * Whoever reads it again, or elsewhere, comes to the same, since all it goes by is kept.
 */

import type { ChangeRecord } from "../change.ts";
import { interconnectKind } from "../interconnect.ts";
import type { RevertOn } from "../pending.ts";
import type { HeardTransition, KnownEdge } from "./known-edge.ts";
import { isAtOrBelow, isStale } from "./standing.ts";

/** A change that waits, as far as health can decide about it. */
export interface Gate {
  readonly revision: number;
  readonly epoch: string;
  readonly revertOn: RevertOn;
  /** When it was made, in milliseconds since 1970. */
  readonly madeAt: number;
  /** Interconnects that it touched and that are there. */
  readonly touched: readonly string[];
}

/** What edges reported. */
export interface Reports {
  readonly edges: readonly KnownEdge[];
  /** Of the time after the change alone, the oldest first. */
  readonly transitions: readonly (HeardTransition & { readonly edge: string })[];
}

export interface GateRules {
  /** How many provider edges must report an interconnect for its change to be undone. */
  readonly quorum: number;
  /** Milliseconds for which all must be healthy for the change to be confirmed. */
  readonly settle: number;
}

export type Verdict =
  | { readonly what: "wait" }
  | { readonly what: "confirm" }
  | {
      readonly what: "revert";
      readonly interconnect: string;
      readonly state: RevertOn;
      readonly edge: string;
    };

const WAIT: Verdict = { what: "wait" };

/** What a change touched. */
export function touchedBy({ objects }: Pick<ChangeRecord, "objects">): string[] {
  return objects.flatMap(({ kind, id }) => (kind === interconnectKind.name ? [id] : []));
}

/** One interconnect at a provider edge that saw it healthy when the change was made. */
interface Watch {
  readonly edge: KnownEdge;
  readonly interconnect: string;
  /** The transitions of its state after the change. */
  readonly since: readonly HeardTransition[];
}

/** Work on up to 10,000 interconnects at up to 100 edges, in steps of one interconnect at one edge. */
type Steps<T> = Generator<undefined, T>;

/** Those that decide about a change. */
export function* watchesOf(gate: Gate, { edges, transitions }: Reports): Steps<Watch[]> {
  const after = Map.groupBy(transitions, ({ edge, interconnect }) => `${edge} ${interconnect}`);
  const watches: Watch[] = [];
  for (const edge of edges) {
    if (edge.role !== "provider") continue;
    for (const interconnect of gate.touched) {
      const since = after.get(`${edge.edge} ${interconnect}`) ?? [];
      if (stateBefore(gate, edge, interconnect, since) === "healthy")
        watches.push({ edge, interconnect, since });
      yield;
    }
  }
  return watches;
}

function stateBefore(
  { madeAt }: Gate,
  { watched }: KnownEdge,
  interconnect: string,
  since: readonly HeardTransition[],
) {
  const found = watched.get(interconnect);
  if (found?.current && Date.parse(found.current.since) <= madeAt) return found.current.state;
  const [first] = since;
  if (first) return first.from;
  return found?.last && Date.parse(found.last.since) <= madeAt ? found.last.state : undefined;
}

export function* judgeGate(gate: Gate, reports: Reports, rules: GateRules, now: number): Steps<Verdict> {
  const watches = yield* watchesOf(gate, reports);
  if (watches.length === 0) return WAIT;
  return (
    (yield* judgeFall(gate, watches, rules)) ?? (yield* judgeSettled(gate, watches, reports, rules, now))
  );
}

/** Has one of them fallen as far as the change was not to let it? */
function* judgeFall(
  { revertOn, madeAt }: Gate,
  watches: readonly Watch[],
  { quorum }: GateRules,
): Steps<Verdict | undefined> {
  for (const [interconnect, own] of Map.groupBy(watches, (watch) => watch.interconnect)) {
    const fallen = own.flatMap(({ edge, since }) => {
      const states = since.map(({ to }) => to);
      const current = edge.watched.get(interconnect)?.current;
      if (current && Date.parse(current.since) > madeAt) states.push(current.state);
      const state = states.find((one) => isAtOrBelow(one, revertOn));
      return state && state !== "healthy" ? [{ state, edge: edge.edge }] : [];
    });
    const last = fallen.at(-1);
    if (last && fallen.length >= quorum) return { what: "revert", interconnect, ...last } as const;
    yield;
  }
  return undefined;
}

/**
 * Are all of them healthy with the change applied, and have been for long enough? Every edge that saw one healthy before
 * has to report so, and so has every other provider edge that reports on it: no report does not count as healthy.
 */
function* judgeSettled(
  gate: Gate,
  watches: readonly Watch[],
  { edges }: Reports,
  { settle }: GateRules,
  now: number,
): Steps<Verdict> {
  const interconnects = new Set(watches.map(({ interconnect }) => interconnect));
  const before = Map.groupBy(watches, ({ edge }) => edge);
  for (const edge of edges) {
    if (edge.role !== "provider") continue;
    const own = before.get(edge);
    const isAsked =
      own || (!isStale(edge, now) && interconnects.values().some((id) => hasReported(edge, id)));
    if (!isAsked) continue;
    const applied = appliedSince(gate, edge);
    if (applied === undefined || isStale(edge, now) || now - applied < settle) return WAIT;
    if (own && !own.every(({ interconnect }) => hasReported(edge, interconnect))) return WAIT;
    for (const id of interconnects) {
      const current = edge.watched.get(id)?.current;
      if (current && (current.state !== "healthy" || now - current.noted < settle)) return WAIT;
      yield;
    }
  }
  return { what: "confirm" };
}

function hasReported(edge: KnownEdge, interconnect: string): boolean {
  return edge.watched.get(interconnect)?.current !== undefined;
}

/** Since when an edge has made the change real; a later revision, such as one that gave it more time, holds it too. */
function appliedSince({ epoch, revision }: Gate, { configuration, applied }: KnownEdge): number | undefined {
  if (configuration.epoch !== epoch) return undefined;
  return applied.find((one) => one.revision >= revision)?.since;
}
