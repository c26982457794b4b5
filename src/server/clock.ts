/** The time, as everything in the server asks for it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** RFC 3339, UTC, microseconds. */
  timestamp(): string;
}

const elapsed = () => performance.now();

/** Formats a time in milliseconds, to the microsecond. Caches the text of the last millisecond, since formatting is slow. */
function formatting(): (time: number) => string {
  let last = { at: Number.NaN, text: "" };
  return (time) => {
    const microseconds = Math.floor(time * 1000);
    const at = Math.floor(microseconds / 1000);
    if (at !== last.at) last = { at, text: new Date(at).toISOString().slice(0, -1) };
    return `${last.text}${String(microseconds % 1000).padStart(3, "0")}Z`;
  };
}

/**
 * The system's clock, which never runs backwards in this process: if it is set back, time continues without the step, so
 * that deadlines are not delayed and expired tokens stay expired. After correcting a clock that was ahead, restart.
 */
export function forwardClock(wall: () => number = Date.now, monotonic = elapsed): Clock {
  /** The most that the wall clock has been ahead of the monotonic one. */
  let ahead = Number.NEGATIVE_INFINITY;
  const format = formatting();
  const time = () => {
    const [here, there] = [monotonic(), wall()];
    ahead = Math.max(ahead, there - here);
    // The sum may be rounded below the wall clock.
    return Math.max(there, here + ahead);
  };
  return { now: () => Math.floor(time()), timestamp: () => format(time()) };
}

export const systemClock = forwardClock();

/** Milliseconds after which an estimate is made again, since no two clocks run at exactly the same speed. */
const ESTIMATE_HOLDS = 60_000;

/** Milliseconds by which a new estimate may lower the time. A larger step means that the store's clock was set back. */
const MOST_CORRECTION = 1_000;

/**
 * The clock of a store that several servers share, estimated from polls. It is never ahead of the store's clock, so that a
 * deadline never passes early, and behind by at most the time of a response. If the store's clock is set back, time
 * continues without the step.
 */
export class StoreClock implements Clock {
  readonly #monotonic: () => number;
  readonly #format = formatting();
  /** How far the store's clock is ahead of this process's counter. */
  #ahead = Number.NEGATIVE_INFINITY;
  #estimated = Number.NEGATIVE_INFINITY;

  constructor(monotonic = elapsed) {
    this.#monotonic = monotonic;
  }

  /** Processes a poll: the store's time just before now, in milliseconds since 1970. */
  observe(time: number): void {
    const here = this.#monotonic();
    const ahead = time - here;
    if (ahead <= this.#ahead) {
      // The fastest response has the most accurate time.
      if (here - this.#estimated < ESTIMATE_HOLDS) return;
      if (ahead < this.#ahead - MOST_CORRECTION) return;
    }
    this.#ahead = ahead;
    this.#estimated = here;
  }

  now(): number {
    return Math.floor(this.#time());
  }

  timestamp(): string {
    return this.#format(this.#time());
  }

  #time(): number {
    return this.#monotonic() + this.#ahead;
  }
}
