/** Bytes that requests and responses under way may hold together. */

import type { ServerResponse } from "node:http";

export class Budget {
  readonly #limit: number;
  #used = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Bytes held now. */
  get used(): number {
    return this.#used;
  }

  /** Holds so many bytes until the response has left or its connection has closed. False, and nothing is held, if they do not fit. */
  hold(bytes: number, response: ServerResponse): boolean {
    if (this.#used + bytes > this.#limit) return false;
    this.#used += bytes;
    response.once("close", () => {
      this.#used -= bytes;
    });
    return true;
  }
}
