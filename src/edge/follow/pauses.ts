/** Pauses between attempts at a server that is away: longer each time, and different for every edge. */

import { setTimeout } from "node:timers/promises";
import { Unreachable } from "./client.ts";

/** Milliseconds. */
const SHORTEST = 200;
const LONGEST = 5_000;
/** Of a refusal, which somebody must mend first. */
const AFTER_REFUSAL = 15_000;

export class Pauses {
  #next = SHORTEST;

  /** It went well. */
  reset(): void {
    this.#next = SHORTEST;
  }

  /** Resolves when it is time for another attempt, or the signal was given. */
  async after(error: unknown, signal: AbortSignal): Promise<void> {
    const told = error instanceof Unreachable ? error.retryAfter : undefined;
    const pause = error instanceof Unreachable ? this.#next * (0.5 + Math.random()) : AFTER_REFUSAL;
    this.#next = Math.min(this.#next * 2, LONGEST);
    await setTimeout(Math.max(pause, (told ?? 0) * 1000), undefined, { signal }).catch(() => undefined);
  }
}
