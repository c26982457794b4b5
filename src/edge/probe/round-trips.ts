/** The latest round trips of one target, and how long its next answer is waited for. */

/** How many are looked at: few, so that a path that became longer is believed soon. */
const LOOKED_AT = 9;
/** Milliseconds, the bounds. */
const LEAST_PATIENCE = 200;
const MOST_PATIENCE = 1_000;
/**
 * Of an extra probe, in milliseconds: `down` wants three failures known within a second, the first of which is known when the extra
 * probes are sent. A tenth of it is left for the process to be late.
 */
const MOST_PATIENCE_EXTRA = 900;
const MEDIANS = 4;

const sorted = new Float64Array(LOOKED_AT);

export class RoundTrips {
  readonly #latest = new Float64Array(LOOKED_AT);
  #count = 0;
  #patience = MOST_PATIENCE;

  add(milliseconds: number): void {
    this.#latest[this.#count % LOOKED_AT] = milliseconds;
    this.#count++;
    const known = Math.min(this.#count, LOOKED_AT);
    this.#patience = Math.min(MOST_PATIENCE, Math.max(LEAST_PATIENCE, MEDIANS * this.#median(known)));
  }

  get last(): number | undefined {
    return this.#count === 0 ? undefined : this.#latest[(this.#count - 1) % LOOKED_AT];
  }

  /** Milliseconds. Where nothing came back yet, the longest. */
  patience(extra: boolean): number {
    return extra ? Math.min(this.#patience, MOST_PATIENCE_EXTRA) : this.#patience;
  }

  #median(known: number): number {
    for (let from = 0; from < known; from++) {
      const value = this.#latest[from] ?? 0;
      let at = from;
      for (; at > 0 && (sorted[at - 1] ?? 0) > value; at--) sorted[at] = sorted[at - 1] ?? 0;
      sorted[at] = value;
    }
    return sorted[known >> 1] ?? 0;
  }
}
