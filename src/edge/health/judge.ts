/**
 * The vendor's state machine of a tunnel's health. It reads no clock: the time comes with the event, in milliseconds
 * of one clock that never runs backwards (what comes late counts as of the newest time seen).
 *
 * Its rules are documented by the vendor; where they contradict one another, and what they leave open, is decided in
 * docs/compatibility.md, "Health".
 */

import type { HealthState } from "../../contract/health.ts";
import { Window } from "./window.ts";

/** Milliseconds. */
export interface Windows {
  /** Within which three failures in a row are `down`. */
  readonly down: number;
  /** Over which the failures of `degraded` are counted. */
  readonly degraded: number;
  /** For how long an interconnect that left `healthy` stays away from it. */
  readonly dwell: number;
}

const MINUTES = 300_000;

/** `scale` makes the windows of minutes shorter in a lab; that of a second fits the probes, which are as always. */
export function windowsOf(scale: number): Windows {
  return { down: 1_000, degraded: MINUTES * scale, dwell: MINUTES * scale };
}

/** What became of one probe, at the time when it became known. */
export interface HealthSample {
  readonly kind: "sample";
  readonly time: number;
  readonly sent: number;
  readonly ok: boolean;
  /** Of a failure that is more than silence. */
  readonly why?: string | undefined;
}

export type HealthEvent =
  | HealthSample
  /** Time passed. */
  | { readonly kind: "tick"; readonly time: number };

export interface Judgement {
  readonly transition:
    | { readonly from: HealthState | undefined; readonly to: HealthState; readonly reason: string }
    | undefined;
  /** Probes that should be sent at once, beside those of the interval. */
  readonly extraProbes: 0 | 2;
}

/** What is known of one interconnect. Only `judge` reads or changes it. */
export interface Memory {
  state: HealthState | undefined;
  newest: number;
  /** When it was healthy last, or was judged first. */
  leftHealthy: number;
  /** When the newest probe that was answered had been sent. */
  answeredSent: number;
  answeredInRow: number;
  failedInRow: number;
  /** When the latest run of failures began. */
  runBegan: number;
  /** When the third-last (as many as make it `down`), second-last and last failure became known. */
  failedAt: [number, number, number];
  /** When extra probes were last asked for because of a failure. */
  askedAt: number;
  why: string | undefined;
  readonly recent: Window;
}

const NEVER = Number.NEGATIVE_INFINITY;

export function newMemory(windows: Windows): Memory {
  return {
    state: undefined,
    newest: NEVER,
    leftHealthy: NEVER,
    answeredSent: NEVER,
    answeredInRow: 0,
    failedInRow: 0,
    runBegan: NEVER,
    failedAt: [NEVER, NEVER, NEVER],
    askedAt: NEVER,
    why: undefined,
    recent: new Window(windows.degraded),
  };
}

/** As after a restart of the agent: it was in this state, and left `healthy` at that time. */
export function resumedMemory(windows: Windows, state: "degraded" | "down", leftHealthy: number): Memory {
  return { ...newMemory(windows), state, leftHealthy };
}

const ENOUGH_FOR_DOWN = 3;
const ENOUGH_FOR_DEGRADED = 3;
const ENOUGH_FOR_HEALTHY = 30;
const LEAST_FAILURES = 2;
/** 0.1 %. */
const FEWEST_IN_THOUSAND = 1;

const nothing: Judgement = { transition: undefined, extraProbes: 0 };
const twoMore: Judgement = { transition: undefined, extraProbes: 2 };

/** Takes an event in, which changes `memory`, and says what follows from it. */
export function judge(memory: Memory, event: HealthEvent, windows: Windows): Judgement {
  const time = Math.max(event.time, memory.newest);
  memory.newest = time;
  memory.recent.moveTo(time);
  const more = event.kind === "sample" && takeIn(memory, time, event, windows);
  const next = stateAt(memory, time, windows);
  if (next === undefined || next === memory.state) return more ? twoMore : nothing;
  const from = memory.state;
  if (from === "healthy" || from === undefined) memory.leftHealthy = time;
  memory.state = next;
  return {
    transition: { from, to: next, reason: reasonOf(memory, from, next, windows) },
    extraProbes: more && next !== "down" ? 2 : 0,
  };
}

/** Returns whether two more probes are wanted: a failure, or the first answer of one that is down, asks for them. */
function takeIn(memory: Memory, time: number, { sent, ok, why }: HealthSample, windows: Windows): boolean {
  memory.recent.add(time, !ok);
  // Silence is known late: what was sent before an answered probe says nothing of how it is now.
  if (!ok && sent < memory.answeredSent) return false;
  if (ok) {
    memory.answeredSent = Math.max(memory.answeredSent, sent);
    memory.failedInRow = 0;
    memory.answeredInRow++;
    return memory.state === "down" && memory.answeredInRow === 1;
  }
  if (memory.failedInRow === 0) memory.runBegan = time;
  memory.failedInRow++;
  memory.answeredInRow = 0;
  memory.why = why;
  const { failedAt } = memory;
  failedAt[0] = failedAt[1];
  failedAt[1] = failedAt[2];
  failedAt[2] = time;
  // Once a second at most: the extra probes' own failures ask for no more.
  if (memory.state === "down" || time - memory.askedAt <= windows.down) return false;
  memory.askedAt = time;
  return true;
}

/** The state that the rules give; `undefined` while there is nothing to go by. */
function stateAt(memory: Memory, time: number, windows: Windows): HealthState | undefined {
  const { state, recent } = memory;
  if (state === "down") return memory.answeredInRow >= ENOUGH_FOR_DEGRADED ? "degraded" : "down";
  const since = time - windows.down;
  if (memory.failedInRow >= ENOUGH_FOR_DOWN && memory.failedAt[0] >= since) return "down";
  const failing =
    recent.failures >= LEAST_FAILURES && recent.failures * 1_000 >= FEWEST_IN_THOUSAND * recent.samples;
  if (state === "degraded") {
    const calm = memory.answeredInRow >= ENOUGH_FOR_HEALTHY && !failing;
    return calm && time - memory.leftHealthy >= windows.dwell ? "healthy" : "degraded";
  }
  // Is it about to be down? Then it does not become degraded for the moment until the third failure is known.
  const undecided =
    memory.failedInRow > 0 && memory.failedInRow < ENOUGH_FOR_DOWN && memory.runBegan >= since;
  if (failing && !undecided) return "degraded";
  return state ?? (memory.answeredInRow > 0 ? "healthy" : undefined);
}

function reasonOf(memory: Memory, from: HealthState | undefined, to: HealthState, windows: Windows): string {
  if (to === "down") {
    const what = `${memory.failedInRow} probes in a row without an answer`;
    return memory.why === undefined ? what : `${what}: ${memory.why}`;
  }
  if (to === "healthy")
    return from === undefined
      ? "a probe was answered"
      : `the last ${ENOUGH_FOR_HEALTHY} probes were answered`;
  if (from === "down") return `${ENOUGH_FOR_DEGRADED} probes in a row were answered`;
  const { failures, samples } = memory.recent;
  return `${failures} of ${samples} probes in ${spanText(windows.degraded)} failed`;
}

function spanText(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds % 60 !== 0) return `${Number(seconds.toPrecision(3))} seconds`;
  return seconds === 60 ? "a minute" : `${seconds / 60} minutes`;
}
