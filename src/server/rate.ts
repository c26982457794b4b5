/** The quota of a credential, as the vendor tells it: 1200 requests in windows of 300 seconds. */

export const QUOTA = 1200;
export const WINDOW_SECONDS = 300;
export const RATE_POLICY = `"default";q=${QUOTA};w=${WINDOW_SECONDS}`;

/** How many credentials are counted at most; past that the oldest windows go. */
const MOST_CREDENTIALS = 10_000;

interface Window {
  readonly start: number;
  used: number;
}

export class RateCounter {
  readonly #windows = new Map<string, Window>();

  /** Counts a request and returns the `ratelimit` header: what is left, and the seconds until it is whole again. */
  count(credential: string, now: number): string {
    let window = this.#windows.get(credential);
    if (!window || now - window.start >= WINDOW_SECONDS * 1000) {
      this.#windows.delete(credential);
      if (this.#windows.size >= MOST_CREDENTIALS) {
        const [oldest] = this.#windows.keys();
        if (oldest !== undefined) this.#windows.delete(oldest);
      }
      window = { start: now, used: 0 };
      this.#windows.set(credential, window);
    }
    window.used++;
    const left = Math.max(0, QUOTA - window.used);
    return `"default";r=${left};t=${Math.ceil(WINDOW_SECONDS - (now - window.start) / 1000)}`;
  }
}
