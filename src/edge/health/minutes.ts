/** Summaries of minutes: what a minute's probes brought, as reported. */

import type { Minute } from "../../contract/health.ts";

/** Milliseconds. */
const MINUTE = 60_000;
/** For how long after its end a minute still waits for answers to what was sent in it. */
const STRAGGLERS = 1_500;
/** Round trips that are kept of a minute; of more, every second one, then every fourth, and so on. */
const MOST_KEPT = 4_096;

/** A minute that is being counted. */
class Tally {
  readonly minute: number;
  #sent = 0;
  #lost = 0;
  #least = Number.POSITIVE_INFINITY;
  #kept: number[] = [];
  #stride = 1;
  #last: number | undefined;
  #differences = 0;
  #differenceSum = 0;

  constructor(minute: number) {
    this.minute = minute;
  }

  /** `roundTrip` in milliseconds; none if the probe was lost. */
  add(roundTrip: number | undefined): void {
    this.#sent++;
    if (roundTrip === undefined) {
      this.#lost++;
      return;
    }
    if (this.#last !== undefined) {
      this.#differences++;
      this.#differenceSum += Math.abs(roundTrip - this.#last);
    }
    this.#last = roundTrip;
    this.#least = Math.min(this.#least, roundTrip);
    if ((this.#sent - this.#lost - 1) % this.#stride !== 0) return;
    this.#kept.push(roundTrip);
    if (this.#kept.length < MOST_KEPT) return;
    this.#kept = this.#kept.filter((_, index) => index % 2 === 0);
    this.#stride *= 2;
  }

  summary(interconnect: string): Minute {
    const sorted = this.#kept.sort((a, b) => a - b);
    const latency =
      sorted.length === 0
        ? null
        : {
            min: toMicrosecond(this.#least),
            median: toMicrosecond(quantile(sorted, 0.5)),
            p99: toMicrosecond(quantile(sorted, 0.99)),
          };
    return {
      interconnect,
      minute: new Date(this.minute * MINUTE).toISOString(),
      sent: this.#sent,
      lost: this.#lost,
      latency,
      jitter: this.#differences === 0 ? null : toMicrosecond(this.#differenceSum / this.#differences),
    };
  }
}

/** The smallest value that a share of all does not exceed. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

function toMicrosecond(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000;
}

/** One interconnect's minutes. Times are the wall clock's: what was sent counts for the minute it was sent in. */
export class Minutes {
  readonly #interconnect: string;
  #open: Tally[] = [];

  constructor(interconnect: string) {
    this.#interconnect = interconnect;
  }

  add(sent: number, roundTrip: number | undefined): void {
    const minute = Math.floor(sent / MINUTE);
    let tally = this.#open.find((one) => one.minute === minute);
    if (tally === undefined) {
      tally = new Tally(minute);
      this.#open.push(tally);
    }
    tally.add(roundTrip);
  }

  /** Takes the minutes to which nothing is added any more. After the clock was set back, also those ahead of it. */
  take(now: number): Minute[] {
    const newest = Math.floor((now - STRAGGLERS) / MINUTE);
    const current = Math.floor(now / MINUTE);
    const done = this.#open.filter(({ minute }) => minute < newest || minute > current);
    if (done.length === 0) return [];
    this.#open = this.#open.filter((one) => !done.includes(one));
    return done.map((one) => one.summary(this.#interconnect));
  }

  get isEmpty(): boolean {
    return this.#open.length === 0;
  }
}
