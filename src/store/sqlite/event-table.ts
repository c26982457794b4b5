/** Events beside the log, as rows. */

import type { DatabaseSync } from "node:sqlite";
import { firstAt } from "../search.ts";
import { MOST_EVENTS, type NumberedEvent, type StateEvent } from "../store.ts";

export class EventTable {
  readonly #statements: ReturnType<typeof prepare>;

  constructor(writer: DatabaseSync, reader: DatabaseSync) {
    this.#statements = prepare(writer, reader);
  }

  /** Writes events and lets the oldest go. Only within a transaction. */
  append(events: readonly StateEvent[]): void {
    for (const [state, own] of Map.groupBy(events, (event) => event.state)) {
      if (!this.#statements.known.get(state)) continue;
      const last = this.#statements.last.get(state);
      let number = Number(last?.["number"] ?? 0);
      let time = String(last?.["time"] ?? "");
      for (const { event } of own) {
        if (event.time > time) time = event.time;
        this.#statements.insert.run(state, ++number, time, JSON.stringify({ ...event, time }));
      }
      this.#statements.prune.run(state, number - MOST_EVENTS);
    }
  }

  after(state: string, number: number, limit: number): NumberedEvent[] {
    return this.#statements.after.all(state, number, limit).map(numbered);
  }

  before(state: string, number: number, limit: number): NumberedEvent[] {
    return this.#statements.before.all(state, number, limit).map(numbered);
  }

  at(state: string, time: string): number {
    const span = this.#statements.span.get(state);
    const first = Number(span?.["first"] ?? 1);
    const end = Number(span?.["last"] ?? 0) + 1;
    return firstAt(first, end, time, (number) =>
      String(this.#statements.time.get(state, number)?.["time"] ?? ""),
    );
  }
}

function numbered(row: Readonly<Record<string, unknown>>): NumberedEvent {
  return { number: Number(row["number"]), event: JSON.parse(String(row["event"])) };
}

function prepare(writer: DatabaseSync, reader: DatabaseSync) {
  return {
    known: writer.prepare("SELECT 1 FROM state WHERE id = ?"),
    last: writer.prepare("SELECT number, time FROM event WHERE state = ? ORDER BY number DESC LIMIT 1"),
    insert: writer.prepare("INSERT INTO event (state, number, time, event) VALUES (?, ?, ?, ?)"),
    prune: writer.prepare("DELETE FROM event WHERE state = ? AND number <= ?"),
    after: reader.prepare(
      "SELECT number, event FROM event WHERE state = ? AND number > ? ORDER BY number LIMIT ?",
    ),
    before: reader.prepare(
      "SELECT number, event FROM event WHERE state = ? AND number < ? ORDER BY number DESC LIMIT ?",
    ),
    span: reader.prepare(
      `SELECT (SELECT min(number) FROM event WHERE state = ?1) AS "first",
        (SELECT max(number) FROM event WHERE state = ?1) AS "last"`,
    ),
    time: reader.prepare("SELECT time FROM event WHERE state = ? AND number = ?"),
  };
}
