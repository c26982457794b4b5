/**
 * Several logs read as one, by time, from where a cursor left each of them.
 *
 * Every log is appended to and never moved, so a cursor that holds a position in each skips nothing and
 * doubles nothing, whatever is added meanwhile. An entry that another log gets late, with a time that is
 * passed already, comes after the entries told before it rather than not at all.
 */

import { nextSlice } from "../../store/time-slice.ts";

export type Direction = "asc" | "desc";

/** Something at a place in a log. */
export interface Placed {
  readonly position: number;
  readonly time: string;
}

/** One log, within a window of time. Times do not run backwards along positions. */
export interface Source<Item extends Placed> {
  /** The first position in the window. */
  readonly first: number;
  /** The first position after the window. */
  readonly end: number;
  /** At most so many items after a position (descending: before it), nearest first; none only if there are none. */
  readonly read: (from: number, limit: number) => Promise<readonly Item[]>;
}

/** Items read at once: few at first, since most queries want no more. */
const FIRST_READ = 128;
const NEXT_READ = 512;

/** What is left of one log. */
class Stream<Item extends Placed> {
  /** Of the last item taken, or before the first. */
  position: number;
  readonly #source: Source<Item>;
  #read: readonly Item[] = [];
  #at = 0;
  #done = false;
  #limit = FIRST_READ;

  constructor(source: Source<Item>, direction: Direction, position: number | undefined) {
    const { first, end } = source;
    this.#source = source;
    this.position = direction === "asc" ? Math.max(position ?? 0, first - 1) : Math.min(position ?? end, end);
  }

  /** The next item, if it has been read. */
  get held(): Item | undefined {
    return this.#read[this.#at];
  }

  async head(): Promise<Item | undefined> {
    if (this.held || this.#done) return this.held;
    const { first, end, read } = this.#source;
    const items = await read(this.position, this.#limit);
    const inside = items.filter(({ position }) => position >= first && position < end);
    this.#done = inside.length < items.length || items.length === 0;
    this.#read = inside;
    this.#at = 0;
    this.#limit = NEXT_READ;
    // Whoever waits for something else goes first.
    await nextSlice();
    return this.held;
  }

  take(item: Item): void {
    this.position = item.position;
    this.#at++;
  }
}

export class Merged<Item extends Placed> {
  readonly #streams: readonly Stream<Item>[];
  /** The same, in the order in which items of equal times are told. */
  readonly #ranked: readonly Stream<Item>[];
  readonly #goesBefore: (time: string, other: string) => boolean;

  /** Begins at a position in each log, or where the window begins. */
  constructor(
    sources: readonly Source<Item>[],
    direction: Direction,
    positions: readonly number[] | undefined,
  ) {
    const ascending = direction === "asc";
    this.#streams = sources.map((source, index) => new Stream(source, direction, positions?.[index]));
    this.#ranked = ascending ? this.#streams : this.#streams.toReversed();
    this.#goesBefore = ascending ? (time, other) => time < other : (time, other) => time > other;
  }

  /** Where each log stands: what is to come lies beyond. */
  get positions(): number[] {
    return this.#streams.map(({ position }) => position);
  }

  /** The next item, which stays the next. */
  async peek(): Promise<Item | undefined> {
    return (await this.#nearest())?.item;
  }

  async next(): Promise<Item | undefined> {
    const nearest = await this.#nearest();
    nearest?.stream.take(nearest.item);
    return nearest?.item;
  }

  async #nearest(): Promise<{ stream: Stream<Item>; item: Item } | undefined> {
    let nearest: { stream: Stream<Item>; item: Item } | undefined;
    // biome-ignore lint/plugin: this list never changes
    for (const stream of this.#ranked) {
      // Only to read more of a log takes waiting for.
      const item = stream.held ?? (await stream.head());
      if (item && (!nearest || this.#goesBefore(item.time, nearest.item.time))) nearest = { stream, item };
    }
    return nearest;
  }
}
