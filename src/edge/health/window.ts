/** How many probes of the last minutes there were, and how many of them failed, in little memory. */

/** The grain: a sample leaves the window as its 300th of it does. */
const PARTS = 300;

/** Counters that go round. Times are milliseconds of one clock that never runs backwards. */
export class Window {
  /** Milliseconds of a part. */
  readonly #part: number;
  readonly #all = new Uint16Array(PARTS);
  readonly #bad = new Uint16Array(PARTS);
  /** The newest part, counted from the clock's zero. */
  #newest = Number.NEGATIVE_INFINITY;
  #samples = 0;
  #failures = 0;

  /** `length` in milliseconds. */
  constructor(length: number) {
    this.#part = length / PARTS;
  }

  get samples(): number {
    return this.#samples;
  }

  get failures(): number {
    return this.#failures;
  }

  add(time: number, failed: boolean): void {
    this.moveTo(time);
    const at = this.#newest % PARTS;
    // A part that is full counts no more: 65,535 in a second are beyond any rate of probes.
    if (this.#all[at] === 0xffff) return;
    this.#all[at] = (this.#all[at] ?? 0) + 1;
    this.#samples++;
    if (!failed) return;
    this.#bad[at] = (this.#bad[at] ?? 0) + 1;
    this.#failures++;
  }

  /** Lets go of what is too old at a time. */
  moveTo(time: number): void {
    const part = Math.floor(time / this.#part);
    if (part <= this.#newest) return;
    for (let next = Math.max(this.#newest + 1, part - PARTS + 1); next <= part; next++) {
      const at = next % PARTS;
      this.#samples -= this.#all[at] ?? 0;
      this.#failures -= this.#bad[at] ?? 0;
      this.#all[at] = 0;
      this.#bad[at] = 0;
    }
    this.#newest = part;
  }
}
