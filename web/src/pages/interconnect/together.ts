/** Two answers about the health of one interconnect as one, so that an open page reads what is new alone. */

import type { InterconnectHistory } from "../../../../src/contract/health.ts";

/** What was known with what came since, without what is before `begin`. */
export function together(
  known: InterconnectHistory,
  fresh: InterconnectHistory,
  begin: number,
): InterconnectHistory {
  const isShown = (time: string) => Date.parse(time) >= begin;
  const minutes = new Map(known.minutes.map((one) => [`${one.minute} ${one.edge}`, one]));
  for (const one of fresh.minutes) minutes.set(`${one.minute} ${one.edge}`, one);
  const transitions = new Map(known.transitions.map((one) => [`${one.time} ${one.edge} ${one.to}`, one]));
  for (const one of fresh.transitions) transitions.set(`${one.time} ${one.edge} ${one.to}`, one);
  return {
    ...fresh,
    from: known.from,
    minutes: [...minutes.values()]
      .filter(({ minute }) => isShown(minute))
      .sort((one, other) => compare(one.minute, other.minute) || compare(one.edge, other.edge)),
    transitions: [...transitions.values()]
      .filter(({ time }) => isShown(time))
      .sort((one, other) => compare(one.time, other.time)),
  };
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
