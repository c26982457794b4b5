/** The two clocks of an edge, in milliseconds. */

export interface Clock {
  /** Never runs backwards, and knows nothing of dates: what is waited for is measured by it. */
  readonly monotonic: () => number;
  /** Since 1970. May jump; only what is told to others is dated by it. */
  readonly wall: () => number;
}

export const usualClock: Clock = { monotonic: () => performance.now(), wall: () => Date.now() };
