/** The time, as everything in the server asks for it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** RFC 3339, UTC, microseconds. */
  timestamp(): string;
}

const elapsed = () => performance.now();

/** Formats the time in milliseconds, with fractions. Text of a millisecond is kept: formatting costs more than the rest. */
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
 * The system's clock, which never runs backwards in this process: if it is set back, time goes on from where it was. So
 * deadlines are not late, and what has expired stays expired. If it was ahead and is corrected, a restart is needed.
 */
export function forwardClock(wall: () => number = Date.now, monotonic = elapsed): Clock {
  /** The most that the wall clock has been ahead of the monotonic one. */
  let ahead = Number.NEGATIVE_INFINITY;
  const format = formatting();
  const time = () => {
    const [here, there] = [monotonic(), wall()];
    ahead = Math.max(ahead, there - here);
    // Adding up must not lose what subtracting rounded.
    return Math.max(there, here + ahead);
  };
  return { now: () => Math.floor(time()), timestamp: () => format(time()) };
}

export const systemClock = forwardClock();

/** Milliseconds after which an estimate is made again, since no two clocks run at exactly the same speed. */
const ESTIMATE_HOLDS = 60_000;

/** Milliseconds by which an estimate may lower the time. One that lowers it by more is of a clock that was set back. */
const MOST_CORRECTION = 1_000;

/**
 * The clock of a store that several servers share, as of the last polls. It is never ahead of the store's, and behind by no
 * more than an answer takes, so that what is due by it is due. If the store's clock is set back, time goes on from where
 * it was.
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

  /** Processes the store's time, in milliseconds since 1970, of a moment that is just over. */
  observe(time: number): void {
    const here = this.#monotonic();
    const ahead = time - here;
    if (ahead <= this.#ahead) {
      // The answer that was fastest has the most accurate time.
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
