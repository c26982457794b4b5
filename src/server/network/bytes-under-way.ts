/** The budget for request bodies and responses that the process holds in memory for its clients. */

import { MOST_BYTES_UNDER_WAY, RESERVED_FOR_SMALL, SMALL_MESSAGE } from "../../contract/limits.ts";

export class BytesUnderWay {
  readonly #most: number;
  #held = 0;

  constructor(most = MOST_BYTES_UNDER_WAY) {
    this.#most = most;
  }

  get held(): number {
    return this.#held;
  }

  /** Whether `bytes` more fit, of a message that has `whole` bytes so far. The reserve is for small messages alone. */
  hasRoom(bytes: number, whole: number): boolean {
    const reserve = whole > SMALL_MESSAGE ? this.#most * RESERVED_FOR_SMALL : 0;
    return this.#held + bytes <= this.#most - reserve;
  }

  hold(bytes: number): void {
    this.#held += bytes;
  }

  release(bytes: number): void {
    this.#held -= bytes;
  }
}
