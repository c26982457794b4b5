import { hrtime } from "node:process";

/** The time, as everything in the server asks for it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** RFC 3339, UTC, microseconds. */
  timestamp(): string;
}

/** The last millisecond that was told, and its text: formatting one costs more than the rest. */
let told = { at: Number.NaN, text: "" };

/** The system's clock. Within a millisecond the microseconds come from the monotonic counter. */
export const systemClock: Clock = {
  now: () => Date.now(),
  timestamp: () => {
    const at = Date.now();
    if (at !== told.at) told = { at, text: new Date(at).toISOString().slice(0, -1) };
    const [, nanoseconds] = hrtime();
    return `${told.text}${String(Math.floor(nanoseconds / 1000) % 1000).padStart(3, "0")}Z`;
  },
};

/** Milliseconds after which an estimate is made anew, since no two clocks run alike. */
const ESTIMATE_HOLDS = 60_000;

/**
 * The clock of a store that several servers share, as it was told at the last looks. It is never ahead of the store's,
 * and behind by no more than an answer takes on its way, so that what is due by it is due.
 */
export class StoreClock implements Clock {
  /** What the store's clock is ahead of this process's counter. */
  #ahead = Number.NEGATIVE_INFINITY;
  #estimated = Number.NEGATIVE_INFINITY;

  /** Takes in the store's time, in milliseconds since 1970, of a moment that is just over. */
  observe(time: number): void {
    const here = performance.now();
    // The answer that was fastest tells the most.
    if (time - here <= this.#ahead && here - this.#estimated < ESTIMATE_HOLDS) return;
    this.#ahead = time - here;
    this.#estimated = here;
  }

  now(): number {
    return Math.floor(performance.now() + this.#ahead);
  }

  timestamp(): string {
    const microseconds = Math.floor((performance.now() + this.#ahead) * 1000);
    const at = new Date(Math.floor(microseconds / 1000)).toISOString();
    return `${at.slice(0, -1)}${String(microseconds % 1000).padStart(3, "0")}Z`;
  }
}
