/** A clock that goes on when the test says so. */

import type { Clock } from "../../src/server/clock.ts";

export class HandClock implements Clock {
  #now: number;

  constructor(start = Date.parse("2026-03-01T12:00:00Z")) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  timestamp(): string {
    return `${new Date(this.#now).toISOString().slice(0, -1)}000Z`;
  }

  /** Lets so many seconds pass. */
  pass(seconds: number): void {
    this.#now += seconds * 1000;
  }
}
