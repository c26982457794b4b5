/** The quota of a credential, as the vendor has it: 1200 requests in windows of 300 seconds. */

import { Refusal, refuse } from "./refusal.ts";

export const QUOTA = 1200;
const WINDOW_SECONDS = 300;
const WINDOW = WINDOW_SECONDS * 1000;

/** How many credentials are counted at most; past that the oldest windows go. */
const MOST_CREDENTIALS = 10_000;

interface Window {
  /** Milliseconds. */
  start: number;
  used: number;
}

export class RateCounter {
  /** The `ratelimit-policy` header. */
  readonly policy: string;
  readonly #quota: number;
  readonly #enforced: boolean;
  readonly #windows = new Map<string, Window>();

  /** Without a quota the vendor's is told, and nothing refused. */
  constructor(quota: number | undefined) {
    this.#quota = quota ?? QUOTA;
    this.#enforced = quota !== undefined;
    this.policy = `"default";q=${this.#quota};w=${WINDOW_SECONDS}`;
  }

  /**
   * Counts a request and returns the `ratelimit` header: what is left, and the seconds until it is
   * whole again. `now` in milliseconds.
   */
  count(credential: string, now: number): string {
    const window = this.#windowOf(credential, now);
    window.used++;
    // Who goes over it waits for a whole window from then on (the vendor's documentation, "Rate limits").
    if (this.#enforced && window.used === this.#quota + 1) window.start = now;
    const left = Math.max(0, this.#quota - window.used);
    return `"default";r=${left};t=${secondsLeft(window, now)}`;
  }

  /** Has the credential any of its quota left? */
  admits(credential: string, now: number): boolean {
    return !this.#enforced || this.#windowOf(credential, now).used < this.#quota;
  }

  /** Throws the refusal of a credential that has used more than its quota. */
  judge(credential: string, now: number): void {
    if (!this.#enforced) return;
    const window = this.#windows.get(credential);
    if (!window || window.used <= this.#quota) return;
    const { problems } = refuse("rate_limited");
    throw new Refusal(problems, { "retry-after": String(secondsLeft(window, now)) });
  }

  #windowOf(credential: string, now: number): Window {
    const known = this.#windows.get(credential);
    if (known && now - known.start < WINDOW) return known;
    this.#windows.delete(credential);
    if (this.#windows.size >= MOST_CREDENTIALS) {
      const [oldest] = this.#windows.keys();
      if (oldest !== undefined) this.#windows.delete(oldest);
    }
    const window = { start: now, used: 0 };
    this.#windows.set(credential, window);
    return window;
  }
}

function secondsLeft(window: Window, now: number): number {
  return Math.ceil(WINDOW_SECONDS - (now - window.start) / 1000);
}
