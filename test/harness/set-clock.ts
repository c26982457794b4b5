/** A clock that stands until the test moves it. */

import type { Clock } from "../../src/server/clock.ts";

export class SetClock implements Clock {
  #at: number;

  constructor(at: string) {
    this.#at = Date.parse(at);
  }

  set(at: string): void {
    this.#at = Date.parse(at);
  }

  /** Lets so many seconds pass. */
  pass(seconds: number): void {
    this.#at += seconds * 1000;
  }

  now(): number {
    return this.#at;
  }

  timestamp(): string {
    return new Date(this.#at).toISOString().replace("Z", "000Z");
  }
}
