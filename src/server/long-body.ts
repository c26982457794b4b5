/** The body of a long answer, encoded in slices. */

import { isSliceSpent, nextSlice } from "../store/time-slice.ts";

/** Characters after which text becomes bytes: often enough for a short step, seldom enough to cost little. */
const CHUNK = 256 * 1024;

/** Texts after which the time is looked at. Each takes up to 20 µs to make. */
const TEXTS_AT_ONCE = 16;

export class LongBody {
  #text: string;
  readonly #chunks: Buffer[] = [];

  constructor(head: string) {
    this.#text = head;
  }

  add(text: string): void {
    this.#text += text;
    if (this.#text.length < CHUNK) return;
    this.#chunks.push(Buffer.from(this.#text));
    this.#text = "";
  }

  /** Adds texts, separated by commas. Each should take a few microseconds to make. */
  async addList(texts: Iterable<string>): Promise<void> {
    let added = 0;
    for (const text of texts) {
      this.add(added === 0 ? text : `,${text}`);
      if (++added % TEXTS_AT_ONCE === 0 && isSliceSpent()) await nextSlice();
    }
  }

  end(tail: string): Buffer {
    this.#chunks.push(Buffer.from(this.#text + tail));
    return Buffer.concat(this.#chunks);
  }
}
