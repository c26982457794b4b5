/** Chance that can be had again: the same seed gives the same course (mulberry32). */
export class Chance {
  readonly seed: number;
  #at: number;

  constructor(seed = Math.floor(Math.random() * 2 ** 32)) {
    this.seed = seed;
    this.#at = seed;
  }

  /** From 0 up to, but not including, 1. */
  next(): number {
    this.#at = (this.#at + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#at ^ (this.#at >>> 15), 1 | this.#at);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number below `end`. */
  below(end: number): number {
    return Math.floor(this.next() * end);
  }

  /** A whole number from `least` to `most`. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error("There is nothing to pick from.");
    return item;
  }

  /** All of the items, in another order. */
  shuffled<T>(items: readonly T[]): T[] {
    const left = [...items];
    return items.flatMap(() => left.splice(this.below(left.length), 1));
  }

  /** Some of the items, each at most once, in their order. */
  some<T>(items: readonly T[], count: number): T[] {
    const left = [...items.keys()];
    const taken: number[] = [];
    while (taken.length < count && left.length > 0) taken.push(...left.splice(this.below(left.length), 1));
    return taken.sort((a, b) => a - b).map((index) => items[index] as T);
  }
}
