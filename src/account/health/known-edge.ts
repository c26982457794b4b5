/** What is known of an edge by its reports. Times in milliseconds since 1970 are the server's, texts the edge's. */

import type { EdgeConfiguration, HealthReport, HealthState, Minute } from "../../contract/health.ts";

/** A minute of an interconnect at an edge, without where it was. */
export interface Measured extends Omit<Minute, "interconnect" | "minute"> {
  /** The minute's first moment, in milliseconds since 1970. */
  readonly minute: number;
}

export interface WatchedState {
  readonly state: HealthState;
  /** When it became so, as the edge tells. */
  readonly since: string;
  readonly reason: string;
  /** When the server first heard of it. */
  readonly noted: number;
}

/** What an edge tells of one interconnect. */
export interface Watched {
  readonly current?: WatchedState | undefined;
  readonly minute?: Measured | undefined;
  /** What it told before, of one that it tells of no more, too. A change that waits may go by it. */
  readonly last?: WatchedState & {
    /** When the server first heard that it is so no more. */
    readonly until: number;
  };
}

/** A revision that an edge made real, and when the server first heard so. */
export interface Applied {
  readonly revision: number;
  readonly since: number;
}

export interface KnownEdge
  extends Pick<HealthReport, "edge" | "site" | "role" | "driver" | "version" | "ports"> {
  /** When its last report came. */
  readonly seen: number;
  readonly configuration: EdgeConfiguration;
  /** Of the configuration's epoch, the newest last. */
  readonly applied: readonly Applied[];
  /** Slots whose ports carried a signal once. */
  readonly lit: readonly string[];
  /** By interconnect. */
  readonly watched: ReadonlyMap<string, Watched>;
}

/** A report whose times are read, with nothing in it that is not to be kept. */
export interface Heard extends Omit<HealthReport, "transitions" | "minutes"> {
  readonly transitions: readonly HeardTransition[];
  readonly minutes: readonly (Measured & { readonly interconnect: string })[];
}

export interface HeardTransition {
  readonly interconnect: string;
  /** As the edge tells, in milliseconds since 1970. */
  readonly time: number;
  readonly from: HealthState | null;
  readonly to: HealthState;
  readonly reason: string;
}

/** Revisions that are remembered as made real. */
const MOST_APPLIED = 8;

/** What is known of an edge after a report, which came at `arrived`. */
export function hear(before: KnownEdge | undefined, report: Heard, arrived: number): KnownEdge {
  const { edge, site, role, driver, version, configuration, ports } = report;
  const up = ports.filter((port) => port.up).map(({ slot }) => slot);
  return {
    edge,
    site,
    role,
    driver,
    version,
    ports,
    configuration,
    seen: Math.max(before?.seen ?? 0, arrived),
    applied: appliedAfter(before, configuration, arrived),
    lit: [...new Set([...(before?.lit ?? []), ...up])].slice(-MOST_LIT),
    watched: watchedAfter(before?.watched ?? new Map(), report, arrived),
  };
}

/** Milliseconds for which it is remembered what was told last: as long as a change can wait. */
const LAST_KEPT = 24 * 60 * 60_000;
/** Slots that are remembered, which edges are free to name. */
const MOST_LIT = 1_000;

function appliedAfter(
  before: KnownEdge | undefined,
  { status, epoch, revision }: EdgeConfiguration,
  arrived: number,
): readonly Applied[] {
  const known = before?.configuration.epoch === epoch ? before.applied : [];
  const newest = known.at(-1)?.revision;
  if (status === "error") return known.filter((one) => one.revision < revision);
  if (status === "modified" || newest === revision) return known;
  // An edge that went back has to make the later ones real again.
  const kept = known.filter((one) => one.revision < revision);
  return [...kept, { revision, since: arrived }].slice(-MOST_APPLIED);
}

/** Versions of what did not change are the same objects, so that a store writes only what did. */
function watchedAfter(before: KnownEdge["watched"], report: Heard, arrived: number): KnownEdge["watched"] {
  const { states, transitions, minutes } = report;
  if (!states && transitions.length === 0 && minutes.length === 0) return before;
  const after = states ? dropped(before, arrived) : new Map(before);
  const tell = (id: string, state: Omit<WatchedState, "noted">) => {
    const known = before.get(id);
    const was = known?.current;
    const minute = after.get(id)?.minute ?? known?.minute;
    if (was?.state === state.state && was.since === state.since) {
      const isSame = was.reason === state.reason && minute === known?.minute;
      after.set(id, known && isSame ? known : { ...known, minute, current: { ...state, noted: was.noted } });
      return;
    }
    const last = was ? { ...was, until: arrived } : known?.last;
    after.set(id, { current: { ...state, noted: arrived }, minute, ...(last ? { last } : {}) });
  };
  for (const { interconnect, state, since, reason } of states ?? [])
    tell(interconnect, { state, since, reason });
  for (const { interconnect, time, to, reason } of transitions) {
    const known = after.get(interconnect)?.current;
    // Whoever tells states has told what came of its transitions.
    if (known ? time <= Date.parse(known.since) : states !== undefined) continue;
    tell(interconnect, { state: to, since: new Date(time).toISOString(), reason });
  }
  for (const { interconnect, ...minute } of minutes) {
    const known = after.get(interconnect);
    if (known?.minute && known.minute.minute > minute.minute) continue;
    after.set(interconnect, { ...known, minute });
  }
  return after;
}

/** What is left when nothing is told of any interconnect. */
function dropped(before: KnownEdge["watched"], arrived: number): Map<string, Watched> {
  const after = new Map<string, Watched>();
  for (const [id, known] of before) {
    const { current, last, minute } = known;
    if (current) after.set(id, { last: { ...current, until: arrived } });
    else if (last && arrived - last.until < LAST_KEPT) after.set(id, minute ? { last } : known);
  }
  return after;
}
