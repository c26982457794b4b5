/** Events beside the log, as rows. */

import { MOST_EVENTS, NotCommitted, type NumberedEvent, type StateEvent } from "../store.ts";
import { attempts } from "./attempts.ts";
import { type Ask, type Database, type Row, texts } from "./database.ts";
import { hadNoEffect, isPassing, isTaken, messageOf } from "./failures.ts";

/**
 * Keeps events. Each gets the next number of its state as it was read before, so that an attempt that comes
 * late finds its numbers taken. Before each attempt, the table is checked for all earlier ones whose response was
 * lost: one of them may have ended since the last check. So nothing is kept twice.
 */
export async function note(
  database: Database,
  events: readonly StateEvent[],
  patience: number,
): Promise<void> {
  const ask: Ask = (statement, ...values) => database.ask(statement, ...values);
  const lost: Numbered[] = [];
  let last: unknown;
  for await (const _ of attempts(patience)) {
    let out: Numbered | undefined;
    try {
      for (const one of lost) if (await isThere(ask, one)) return;
      out = await numbered(ask, events);
      if (out.states.length === 0) return;
      const { states, numbers, times, told } = out;
      const floors = [...out.ends].map(([, number]) => number - MOST_EVENTS);
      await ask(INSERT, states, numbers, times, texts(told), [...out.ends.keys()], floors);
      return;
    } catch (error) {
      last = error;
      if (out && !hadNoEffect(error)) lost.push(out);
      if (!isPassing(error) && !isTaken(error)) break;
    }
  }
  throw new NotCommitted(messageOf(last));
}

/** Events with their numbers, as columns. */
interface Numbered {
  readonly states: string[];
  readonly numbers: number[];
  readonly times: string[];
  readonly told: string[];
  /** By state, the number of the last. */
  readonly ends: ReadonlyMap<string, number>;
}

/** Numbers events. Those of states that are not there are left out. */
async function numbered(ask: Ask, events: readonly StateEvent[]): Promise<Numbered> {
  const byState = Map.groupBy(events, ({ state }) => state);
  const out = { states: [], numbers: [], times: [], told: [] } as {
    [column in "states" | "times" | "told"]: string[];
  } & { numbers: number[] };
  const ends = new Map<string, number>();
  for (const row of await ask(ENDS, [...byState.keys()])) {
    const state = String(row["id"]);
    let number = Number(row["number"] ?? 0);
    let time = String(row["time"] ?? "");
    for (const { event } of byState.get(state) ?? []) {
      if (event.time > time) time = event.time;
      out.states.push(state);
      out.numbers.push(++number);
      out.times.push(time);
      out.told.push(JSON.stringify({ ...event, time }));
    }
    ends.set(state, number);
  }
  return { ...out, ends };
}

/** They were kept all or none, so the first tells of all. A request's id is in it, so no two are the same. */
async function isThere(ask: Ask, { states, numbers, told }: Numbered): Promise<boolean> {
  const [row] = await ask(ONE, states[0] ?? "", numbers[0] ?? 0);
  return row?.["event"] === told[0];
}

export async function eventsAfter(
  ask: Ask,
  state: string,
  number: number,
  limit: number,
): Promise<NumberedEvent[]> {
  return (await ask(AFTER, state, number, limit)).map(eventOf);
}

export async function eventsBefore(
  ask: Ask,
  state: string,
  number: number,
  limit: number,
): Promise<NumberedEvent[]> {
  return (await ask(BEFORE, state, number, limit)).map(eventOf);
}

/** The number of the first event at or after a time; one past the newest if there is none. */
export async function eventAt(ask: Ask, state: string, time: string): Promise<number> {
  const [row] = await ask(AT, state, time);
  return Number(row?.["low"] ?? 1);
}

function eventOf(row: Row): NumberedEvent {
  return { number: Number(row["number"]), event: JSON.parse(String(row["event"])) };
}

/** In an order, so that no two wait for each other. */
const ENDS = {
  name: "event_ends",
  text: `
SELECT state.id, newest.number, newest.time
FROM state LEFT JOIN LATERAL (
  SELECT number, time FROM event WHERE event.state = state.id ORDER BY number DESC LIMIT 1
) AS newest ON true
WHERE state.id = ANY ($1::text[])
ORDER BY state.id`,
};
const INSERT = {
  name: "event_insert",
  text: `
WITH gone AS (
  DELETE FROM event
  USING unnest($5::text[], $6::bigint[]) AS kept (state, floor)
  WHERE event.state = kept.state AND event.number <= kept.floor
)
INSERT INTO event (state, number, time, event)
SELECT state, number, time, event
FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[]) AS told (state, number, time, event)`,
};
const ONE = { name: "event", text: "SELECT event FROM event WHERE state = $1 AND number = $2" };
const AFTER = {
  name: "events_after",
  text: "SELECT number, event FROM event WHERE state = $1 AND number > $2 ORDER BY number LIMIT $3",
};
const BEFORE = {
  name: "events_before",
  text: "SELECT number, event FROM event WHERE state = $1 AND number < $2 ORDER BY number DESC LIMIT $3",
};
const AT = {
  name: "event_at",
  text: `
WITH RECURSIVE half (low, high) AS (
  SELECT coalesce(min(number), 1), coalesce(max(number), 0) + 1 FROM event WHERE state = $1
  UNION ALL
  SELECT
    CASE WHEN event.time < $2 THEN event.number + 1 ELSE half.low END,
    CASE WHEN event.time < $2 THEN half.high ELSE event.number END
  FROM half JOIN event ON event.state = $1 AND event.number = (half.low + half.high) / 2
  WHERE half.low < half.high
)
SELECT low FROM half WHERE low = high`,
};
