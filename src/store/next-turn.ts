import { setImmediate } from "node:timers/promises";

let turn: Promise<void> | undefined;

/**
 * Lets everything that has already arrived join the first batch. It is one turn for all states, so
 * that they decide one right after the other and their commits can share a transaction.
 */
export function nextTurn(): Promise<void> {
  turn ??= setImmediate().then(() => {
    turn = undefined;
  });
  return turn;
}
