/** How long and how often something is tried. */

import { setTimeout } from "node:timers/promises";

/** Milliseconds between the first two attempts, and the most between any two. */
const FIRST_PAUSE = 20;
const LONGEST_PAUSE = 500;

/**
 * Numbers of attempts, from 0 on, with pauses between them that grow and are never quite the same, so that
 * those who were in each other's way get out of it. None begins after so many milliseconds.
 */
export async function* attempts(patience: number): AsyncGenerator<number> {
  const end = performance.now() + patience;
  for (let number = 0; ; number++) {
    yield number;
    const pause = Math.min(FIRST_PAUSE * 2 ** number, LONGEST_PAUSE) * (0.5 + Math.random() / 2);
    if (performance.now() + pause >= end) return;
    await setTimeout(pause);
  }
}
