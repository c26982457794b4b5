/** Watches interconnects: probes them, judges what comes back, and keeps what is to be told of it. */

import type { HealthState, Minute, Transition } from "../contract/health.ts";
import { type Clock, usualClock } from "./clock.ts";
import {
  type Judgement,
  judge,
  type Memory,
  newMemory,
  resumedMemory,
  type Windows,
  windowsOf,
} from "./health/judge.ts";
import { Minutes } from "./health/minutes.ts";
import type { Commands } from "./kernel/commands.ts";
import { Prober, type ProberFigures } from "./probe/prober.ts";
import type { ProbeTarget } from "./probe/targets.ts";

/** A state as it is now. */
export interface WatchedState {
  readonly state: HealthState;
  /** When it became so, RFC 3339. */
  readonly since: string;
  readonly reason: string;
}

export interface WatchFigures extends ProberFigures {
  readonly watched: number;
}

export interface WatchOptions {
  readonly commands: Commands;
  /** What the health windows of minutes are multiplied by. */
  readonly healthTimeScale: number;
  /** Is told of a listener that threw. */
  readonly log?: (message: string, error: unknown) => void;
  readonly clock?: Clock;
  /** States of before, by interconnect: one that was not healthy does not become so by a restart. */
  readonly before?: ReadonlyMap<string, WatchedState>;
}

/** Milliseconds between two looks at states that time alone changes. */
const LOOK_EVERY = 1_000;
const LOOK_EVERY_AT_MOST = 20;

export class Watch implements AsyncDisposable {
  readonly #clock: Clock;
  readonly #windows: Windows;
  readonly #log: (message: string, error: unknown) => void;
  readonly #prober: Prober;
  readonly #memories = new Map<string, Memory>();
  readonly #minutes = new Map<string, Minutes>();
  readonly #states = new Map<string, WatchedState>();
  readonly #before: Map<string, WatchedState>;
  readonly #counts = new Map<string, { sent: number; lost: number }>();
  readonly #listeners = new Set<(transition: Transition) => void>();
  readonly #ticking: NodeJS.Timeout;

  /** Throws `SystemError` unless the process may open packet sockets. */
  constructor({
    commands,
    healthTimeScale,
    log = () => undefined,
    clock = usualClock,
    before = new Map(),
  }: WatchOptions) {
    this.#before = new Map(before);
    this.#clock = clock;
    this.#windows = windowsOf(healthTimeScale);
    this.#log = log;
    this.#prober = new Prober({
      commands,
      clock,
      outcome: (id, sent, time, roundTrip, why) => this.#take(id, sent, time, roundTrip, why),
    });
    const every = Math.max(LOOK_EVERY_AT_MOST, Math.min(LOOK_EVERY, healthTimeScale * 10 * LOOK_EVERY));
    this.#ticking = setInterval(() => this.#tick(), every);
  }

  /**
   * From now on, these are watched. What is known of those that stay is kept, also where their target changed: what is
   * judged is the interconnect, and a change of its address is no recovery.
   */
  set(targets: readonly ProbeTarget[]): void {
    const named = new Set(targets.map(({ interconnect }) => interconnect));
    for (const id of this.#memories.keys()) {
      if (named.has(id)) continue;
      this.#memories.delete(id);
      this.#states.delete(id);
      this.#counts.delete(id);
    }
    for (const id of named) {
      if (this.#memories.has(id)) continue;
      this.#memories.set(id, this.#begin(id));
      if (!this.#minutes.has(id)) this.#minutes.set(id, new Minutes(id));
    }
    // One that was not to be watched when the first were has no state, as if its checks had been off all the time.
    this.#before.clear();
    this.#prober.set(targets);
  }

  #begin(id: string): Memory {
    const before = this.#before.get(id);
    this.#before.delete(id);
    if (before === undefined || before.state === "healthy") return newMemory(this.#windows);
    this.#states.set(id, before);
    const ago = Math.max(0, this.#clock.wall() - Date.parse(before.since));
    return resumedMemory(this.#windows, before.state, this.#clock.monotonic() - ago);
  }

  /** Those of which something is known: one without a probe's outcome is not among them. */
  get states(): ReadonlyMap<string, WatchedState> {
    return this.#states;
  }

  onTransition(listener: (transition: Transition) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  /** The minutes that are over and were not taken yet; also of interconnects that are not watched any more. */
  takeMinutes(): Minute[] {
    const now = this.#clock.wall();
    const taken: Minute[] = [];
    for (const [id, minutes] of this.#minutes) {
      taken.push(...minutes.take(now));
      if (minutes.isEmpty && !this.#memories.has(id)) this.#minutes.delete(id);
    }
    return taken;
  }

  get figures(): WatchFigures {
    return { ...this.#prober.figures, watched: this.#memories.size };
  }

  /** The latest round trip of an interconnect in milliseconds. */
  latestRoundTrip(interconnect: string): number | undefined {
    return this.#prober.latest(interconnect);
  }

  /** Probes of an interconnect of which it is known what became of them, since it is watched. */
  countsOf(interconnect: string): { readonly sent: number; readonly lost: number } {
    return this.#counts.get(interconnect) ?? { sent: 0, lost: 0 };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#ticking);
    await this.#prober[Symbol.asyncDispose]();
  }

  #take(
    id: string,
    sent: number,
    time: number,
    roundTrip: number | undefined,
    why: string | undefined,
  ): void {
    const memory = this.#memories.get(id);
    if (memory === undefined) return;
    const date = this.#clock.wall() - (this.#clock.monotonic() - sent);
    this.#minutes.get(id)?.add(date, roundTrip);
    const ok = roundTrip !== undefined;
    const counts = this.#counts.get(id) ?? { sent: 0, lost: 0 };
    counts.sent++;
    if (!ok) counts.lost++;
    this.#counts.set(id, counts);
    this.#follow(id, judge(memory, { kind: "sample", time, sent, ok, why }, this.#windows));
  }

  #tick(): void {
    const time = this.#clock.monotonic();
    for (const [id, memory] of this.#memories)
      this.#follow(id, judge(memory, { kind: "tick", time }, this.#windows));
  }

  #follow(id: string, { transition, extraProbes }: Judgement): void {
    if (extraProbes > 0) this.#prober.probeNow(id, extraProbes);
    if (transition === undefined) return;
    const { from, to, reason } = transition;
    const time = new Date(this.#clock.wall()).toISOString();
    this.#states.set(id, { state: to, since: time, reason });
    for (const listener of this.#listeners) {
      try {
        listener({ interconnect: id, time, from: from ?? null, to, reason });
      } catch (error) {
        this.#log(`a listener failed at a transition of ${id}`, error);
      }
    }
  }
}
