/** How much later than planned probes were sent: the latest thousands, in milliseconds. */

import { quantile } from "../health/minutes.ts";

const KEPT = 4_096;

export class Lateness {
  readonly #kept = new Float64Array(KEPT);
  #count = 0;

  add(milliseconds: number): void {
    this.#kept[this.#count++ % KEPT] = milliseconds;
  }

  summary(): { readonly median: number; readonly p99: number; readonly most: number } {
    const known = this.#kept.slice(0, Math.min(this.#count, KEPT)).sort();
    const values = [...known];
    return { median: quantile(values, 0.5), p99: quantile(values, 0.99), most: values.at(-1) ?? 0 };
  }
}
