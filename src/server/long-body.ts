/** The body of a long answer, encoded in slices. */

import { isSliceSpent, nextSlice } from "../store/time-slice.ts";

/** Bytes of the first chunk and of the largest. Each is twice as large as the one before. */
const FIRST_CHUNK = 4 * 1024;
const LARGEST_CHUNK = 1024 * 1024;

/** UTF-8 bytes that a UTF-16 unit takes at most. */
const BYTES_PER_UNIT = 3;

const COMMA = 0x2c;

/** Texts after which the time is looked at. Each takes up to 20 µs to make. */
const TEXTS_AT_ONCE = 16;

export class LongBody {
  readonly #chunks: Buffer[] = [];
  #chunk = Buffer.allocUnsafe(FIRST_CHUNK);
  /** Bytes written to the last chunk. */
  #written = 0;

  constructor(head: string) {
    this.add(head);
  }

  add(text: string): void {
    const most = BYTES_PER_UNIT * text.length + 1;
    if (this.#written + most > this.#chunk.length) this.#begin(most);
    this.#written += this.#chunk.write(text, this.#written);
  }

  /** Adds texts, separated by commas. Each should take a few microseconds to make. */
  async addList(texts: Iterable<string>): Promise<void> {
    let added = 0;
    for (const text of texts) {
      // The chunk has room for one byte more than any text that was added.
      if (added > 0) this.#chunk[this.#written++] = COMMA;
      this.add(text);
      if (++added % TEXTS_AT_ONCE === 0 && isSliceSpent()) await nextSlice();
    }
  }

  end(tail: string): Buffer {
    this.add(tail);
    const last = this.#chunk.subarray(0, this.#written);
    return this.#chunks.length === 0 ? last : Buffer.concat([...this.#chunks, last]);
  }

  #begin(bytes: number): void {
    this.#chunks.push(this.#chunk.subarray(0, this.#written));
    const size = Math.min(2 * this.#chunk.length, LARGEST_CHUNK);
    this.#chunk = Buffer.allocUnsafe(Math.max(size, bytes));
    this.#written = 0;
  }
}
