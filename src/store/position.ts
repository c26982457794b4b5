/** What a look at a shared store says of what is in memory. */

import type { Position } from "./store.ts";

/**
 * `there`: memory is as new as what was found. `behind`: it has to read on. `elsewhere`: it is of another history, or
 * of a part of this one that the store has lost.
 */
export type Standing = "there" | "behind" | "elsewhere";

/** How memory stands, after a look that found the state at `found` and began when memory stood at `before`. */
export function standingOf(memory: Position, found: Position, before: Position): Standing {
  const isOlder = found.revision < before.revision;
  if (isOlder || !isOfOneHistory(found, before) || !isOfOneHistory(found, memory)) return "elsewhere";
  return found.revision <= memory.revision ? "there" : "behind";
}

/** Can both be of one history, as far as they tell? */
function isOfOneHistory(one: Position, other: Position): boolean {
  if (one.epoch !== other.epoch) return false;
  const told = one.revision === other.revision && one.head !== undefined && other.head !== undefined;
  return !told || one.head === other.head;
}
