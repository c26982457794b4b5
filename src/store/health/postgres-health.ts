/** Health in the PostgreSQL that servers share: what one is told is seen at the others. */

import { randomUUID } from "node:crypto";
import { type Heard, hear, type KnownEdge } from "../../account/health/known-edge.ts";
import { MOST_EDGES } from "../../contract/health.ts";
import { attempts } from "../postgres/attempts.ts";
import { type Ask, Database, type DatabaseOptions, type Row, texts } from "../postgres/database.ts";
import { isPassing, messageOf } from "../postgres/failures.ts";
import { readPatiently } from "../postgres/patient-reading.ts";
import { NotCommitted } from "../store.ts";
import { pause } from "../time-slice.ts";
import { columnsOf, hourOf, measuredOf, minuteOf, numberOfState, transitionOf } from "./columns.ts";
import { aboutRow, changedParts, edgeOf, type Part, textOf } from "./edge-row.ts";
import { type HealthStore, type KeptMinute, type KeptTransition, TooManyEdges } from "./health-store.ts";
import { type Version, WatchedCache } from "./watched-cache.ts";

/** Milliseconds in which a report is tried to be kept, and something to be read. */
const PATIENCE = 2_000;
/** Connections of its own, so that reports stand in no change's way. */
const CONNECTIONS = 4;
/** Rows in one statement. */
const ROWS_AT_ONCE = 2_000;
/** Stands for none in a list of numbers. */
const NONE = -1;

export class PostgresHealth implements HealthStore {
  readonly #database: Database;
  /** Numbers of names. One that was given is never taken back. */
  readonly #names = new Map<string, number>();
  readonly #watched = new WatchedCache();

  /** Works on a database whose tables are there: a store opened it. */
  constructor(url: string, options: DatabaseOptions = {}) {
    this.#database = new Database(url, { connections: CONNECTIONS, ...options });
  }

  async note(account: string, report: Heard, arrived: number): Promise<void> {
    let last: unknown;
    for await (const _ of attempts(PATIENCE)) {
      try {
        const told = [...report.minutes, ...report.transitions].map(({ interconnect }) => interconnect);
        const numbers = await this.#numbersOf([account, report.edge, ...told], true);
        const number = (name: string) => numbers.get(name) ?? NONE;
        const noted = await this.#database.transaction("BEGIN", (ask) =>
          note(ask, account, report, arrived, number, this.#watched),
        );
        this.#watched.remember(account, report.edge, noted);
        return;
      } catch (error) {
        if (error instanceof TooManyEdges) throw error;
        last = error;
        // To write it again changes nothing, whatever became of it.
        if (!isPassing(error) && !isPassing(error instanceof Error ? error.cause : error)) break;
      }
    }
    throw new NotCommitted(messageOf(last), { cause: last });
  }

  async #numbersOf(names: readonly string[], make = false): Promise<ReadonlyMap<string, number>> {
    const missing = [...new Set(names)].filter((name) => !this.#names.has(name));
    if (missing.length > 0) {
      const remember = (rows: readonly Row[]) => {
        for (const { name, number } of rows) this.#names.set(String(name), Number(number));
      };
      remember(await this.#database.ask(FIND_NAMES, texts(missing)));
      const unknown = missing.filter((name) => !this.#names.has(name));
      if (make && unknown.length > 0) {
        await this.#database.ask(ADD_NAMES, texts(unknown));
        remember(await this.#database.ask(FIND_NAMES, texts(unknown)));
      }
    }
    return this.#names;
  }

  edges(account: string): Promise<readonly KnownEdge[]> {
    return this.#read(async (ask) => {
      const edges: KnownEdge[] = [];
      for (const row of await ask(EDGES, account))
        edges.push(edgeOf(row, await this.#watched.read(ask, account, row)));
      return edges;
    });
  }

  minutes(
    account: string,
    interconnect: string,
    from: number,
    limit: number,
  ): Promise<readonly KeptMinute[]> {
    return this.#read(async (ask) => {
      const numbers = await this.#numbersOf([account, interconnect]);
      const [of, at] = [numbers.get(account) ?? NONE, numbers.get(interconnect) ?? NONE];
      const last = Number((await ask(LAST_HOUR, of))[0]?.["hour"] ?? 0);
      // What is asked for is a week at most.
      const rows = await ask(MINUTES, of, at, Math.max(hourOf(from), last - 200), last, limit);
      return rows
        .map((row) => ({ edge: String(row["name"]), ...measuredOf(row) }))
        .filter(({ minute }) => minute + 60_000 > from)
        .reverse();
    });
  }

  transitions(
    account: string,
    interconnect: string,
    from: number,
    limit: number,
  ): Promise<readonly KeptTransition[]> {
    return this.#read(async (ask) => {
      const numbers = await this.#numbersOf([account, interconnect]);
      const [of, at] = [numbers.get(account) ?? NONE, numbers.get(interconnect) ?? NONE];
      const rows = await ask(TRANSITIONS, of, at, from, limit);
      return rows.map((row) => ({ edge: String(row["name"]), ...transitionOf(row, interconnect) })).reverse();
    });
  }

  transitionsAfter(account: string, time: number, limit: number): Promise<readonly KeptTransition[]> {
    return this.#read(async (ask) => {
      const of = (await this.#numbersOf([account])).get(account) ?? NONE;
      const rows = await ask(TRANSITIONS_AFTER, of, time, limit);
      return rows.map((row) => ({ edge: String(row["name"]), ...transitionOf(row, String(row["of"])) }));
    });
  }

  async prune(before: number): Promise<void> {
    await this.#database.ask(PRUNE_WATCHED, before);
    await this.#database.ask(PRUNE_EDGES, before);
    const accounts = await this.#read((ask) => ask(ACCOUNTS));
    for (const { account } of accounts) {
      await this.#database.ask(PRUNE_TRANSITIONS, Number(account), before);
      await this.#pruneMinutes(Number(account), hourOf(before));
    }
  }

  async #pruneMinutes(account: number, end: number): Promise<void> {
    for (;;) {
      const [row] = await this.#database.ask(FIRST_HOUR, account);
      const hour = row?.["hour"];
      if (hour === null || hour === undefined || Number(hour) >= end) return;
      await this.#database.ask(PRUNE_MINUTES, account, Number(hour));
    }
  }

  async forget(account?: string): Promise<void> {
    if (account === undefined) {
      await this.#database.ask("TRUNCATE health_edge, health_watched, health_minute, health_transition");
      return;
    }
    const of = (await this.#numbersOf([account])).get(account) ?? NONE;
    await this.#database.ask(FORGET_WATCHED, account);
    await this.#database.ask(FORGET_EDGES, account);
    await this.#database.ask(PRUNE_TRANSITIONS, of, Number.MAX_SAFE_INTEGER);
    await this.#pruneMinutes(of, Number.MAX_SAFE_INTEGER);
  }

  close(): Promise<void> {
    return this.#database.close();
  }

  #read<T>(read: (ask: Ask) => Promise<T>): Promise<T> {
    return readPatiently(PATIENCE, () =>
      read((statement, ...values) => this.#database.ask(statement, ...values)),
    );
  }
}

async function note(
  ask: Ask,
  account: string,
  report: Heard,
  arrived: number,
  number: (name: string) => number,
  cache: WatchedCache,
): Promise<Version> {
  const { edge } = report;
  await ask(MAKE_EDGE, account, edge, MOST_EDGES);
  // Two reports of one edge may come at two servers: one after the other.
  const [row] = await ask(LOCK_EDGE, account, edge);
  if (!row) throw new TooManyEdges();
  const before = row["about"] === "" ? undefined : edgeOf(row, await cache.read(ask, account, row));
  const known = hear(before, report, arrived);
  // What an earlier schema kept in one text is split with the first report that changes any of it.
  const isWhole = row["watched"] !== "" && known.watched !== before?.watched;
  const parts = changedParts(isWhole ? undefined : before?.watched, known.watched);
  const gone = parts.filter(({ told }) => told.length === 0);
  const left = parts.filter(({ told }) => told.length > 0);
  const changed = parts.length > 0 ? randomUUID() : String(row["changed"]);
  const { seen, about } = aboutRow(known);
  await ask(PUT_EDGE, account, edge, seen, about, changed);
  if (isWhole) await ask(CLEAR_WHOLE, account, edge);
  if (gone.length > 0) await ask(REMOVE_WATCHED, account, edge, numbersOf(gone));
  const watched: string[] = [];
  for (const part of left) {
    watched.push(textOf(part));
    await pause();
  }
  if (left.length > 0) await ask(PUT_WATCHED, account, edge, numbersOf(left), texts(watched));
  const [of, by] = [number(account), number(edge)];
  const { transitions, minutes } = report;
  if (transitions.length > 0) {
    await ask(
      ADD_TRANSITIONS,
      of,
      by,
      transitions.map(({ interconnect }) => number(interconnect)),
      transitions.map(({ time }) => time),
      transitions.map(({ to }) => numberOfState(to)),
      transitions.map(({ from }) => numberOfState(from)),
      texts(transitions.map(({ reason }) => reason)),
    );
  }
  for (let at = 0; at < minutes.length; at += ROWS_AT_ONCE) {
    const some = minutes.slice(at, at + ROWS_AT_ONCE);
    const rows = some.map((one) => columnsOf(one).map((value) => value ?? NONE));
    const column = (index: number) => rows.map((row) => row[index] ?? NONE);
    await ask(
      ADD_MINUTES,
      of,
      by,
      some.map(({ interconnect }) => number(interconnect)),
      some.map(({ minute }) => hourOf(minute)),
      some.map(({ minute }) => minuteOf(minute)),
      ...[0, 1, 2, 3, 4, 5].map(column),
    );
  }
  return { changed, watched: known.watched };
}

function numbersOf(parts: readonly Part[]): number[] {
  return parts.map(({ part }) => part);
}

const FIND_NAMES = {
  name: "health_names",
  text: "SELECT number, name FROM health_name WHERE name = ANY ($1::text[])",
};
const ADD_NAMES = {
  name: "health_add_names",
  text: "INSERT INTO health_name (name) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING",
};
const MAKE_EDGE = {
  name: "health_make_edge",
  text: `
INSERT INTO health_edge (account, edge, seen, about, watched)
SELECT $1, $2, 0, '', '' WHERE (SELECT count(*) FROM health_edge WHERE account = $1) < $3::integer
ON CONFLICT DO NOTHING`,
};
const LOCK_EDGE = {
  name: "health_lock_edge",
  text: "SELECT edge, seen, about, changed, watched FROM health_edge WHERE account = $1 AND edge = $2 FOR UPDATE",
};
const PUT_EDGE = {
  name: "health_put_edge",
  text: "UPDATE health_edge SET seen = $3::bigint, about = $4, changed = $5 WHERE account = $1 AND edge = $2",
};
const CLEAR_WHOLE = {
  name: "health_clear_whole",
  text: "UPDATE health_edge SET watched = '' WHERE account = $1 AND edge = $2",
};
const PUT_WATCHED = {
  name: "health_put_watched",
  text: `
INSERT INTO health_watched (account, edge, part, watched)
SELECT $1, $2, told.* FROM unnest($3::smallint[], $4::text[]) AS told
ON CONFLICT (account, edge, part) DO UPDATE SET watched = excluded.watched`,
};
const REMOVE_WATCHED = {
  name: "health_remove_watched",
  text: "DELETE FROM health_watched WHERE account = $1 AND edge = $2 AND part = ANY ($3::smallint[])",
};
const ADD_TRANSITIONS = {
  name: "health_add_transitions",
  text: `
INSERT INTO health_transition (account, edge, interconnect, time, became, was, reason)
SELECT $1::integer, $2::integer, told.* FROM unnest($3::integer[], $4::bigint[], $5::smallint[], $6::smallint[], $7::text[]) AS told
ON CONFLICT DO NOTHING`,
};
const ADD_MINUTES = {
  name: "health_add_minutes",
  text: `
INSERT INTO health_minute (account, edge, interconnect, hour, minute, sent, lost, least, median, p99, jitter)
SELECT $1::integer, $2::integer, interconnect, hour, minute, sent, lost,
  nullif(least, ${NONE}), nullif(median, ${NONE}), nullif(p99, ${NONE}), nullif(jitter, ${NONE})
FROM unnest($3::integer[], $4::integer[], $5::smallint[], $6::integer[], $7::integer[],
  $8::integer[], $9::integer[], $10::integer[], $11::integer[])
  AS told (interconnect, hour, minute, sent, lost, least, median, p99, jitter)
ON CONFLICT DO NOTHING`,
};
const EDGES = {
  name: "health_edges",
  text: "SELECT edge, seen, about, changed, watched FROM health_edge WHERE account = $1 AND about <> '' ORDER BY edge",
};
const LAST_HOUR = {
  name: "health_last_hour",
  text: "SELECT max(hour) AS hour FROM health_minute WHERE account = $1::integer",
};
const FIRST_HOUR = {
  name: "health_first_hour",
  text: "SELECT min(hour) AS hour FROM health_minute WHERE account = $1::integer",
};
/** Hour by hour: of a span of them, all interconnects would be looked at. */
const MINUTES = {
  name: "health_minutes",
  text: `
SELECT name.name, kept.* FROM generate_series($3::integer, $4::integer) AS of (hour)
CROSS JOIN LATERAL (
  SELECT hour, edge, minute, sent, lost, least, median, p99, jitter FROM health_minute
  WHERE account = $1::integer AND hour = of.hour AND interconnect = $2::integer OFFSET 0
) AS kept
JOIN health_name AS name ON name.number = kept.edge
ORDER BY kept.hour DESC, kept.minute DESC, name.name DESC LIMIT $5::integer`,
};
const TRANSITIONS = {
  name: "health_transitions",
  text: `
SELECT name.name, time, became, was, reason FROM health_transition
JOIN health_name AS name ON name.number = edge
WHERE account = $1::integer AND interconnect = $2::integer AND time >= $3::bigint
ORDER BY time DESC LIMIT $4::integer`,
};
const TRANSITIONS_AFTER = {
  name: "health_transitions_after",
  text: `
SELECT name.name, other.name AS of, time, became, was, reason FROM health_transition
JOIN health_name AS name ON name.number = edge JOIN health_name AS other ON other.number = interconnect
WHERE account = $1::integer AND time > $2::bigint ORDER BY time LIMIT $3::integer`,
};
const PRUNE_WATCHED = {
  name: "health_prune_watched",
  text: "DELETE FROM health_watched WHERE (account, edge) IN (SELECT account, edge FROM health_edge WHERE seen < $1::bigint)",
};
const FORGET_WATCHED = {
  name: "health_forget_watched",
  text: "DELETE FROM health_watched WHERE account = $1",
};
const PRUNE_EDGES = { name: "health_prune_edges", text: "DELETE FROM health_edge WHERE seen < $1::bigint" };
const FORGET_EDGES = { name: "health_forget_edges", text: "DELETE FROM health_edge WHERE account = $1" };
const ACCOUNTS = {
  name: "health_accounts",
  text: `
SELECT number AS account FROM health_name AS name
WHERE EXISTS (SELECT FROM health_minute WHERE account = name.number)
  OR EXISTS (SELECT FROM health_transition WHERE account = name.number)`,
};
const PRUNE_TRANSITIONS = {
  name: "health_prune_transitions",
  text: "DELETE FROM health_transition WHERE account = $1::integer AND time < $2::bigint",
};
const PRUNE_MINUTES = {
  name: "health_prune_minutes",
  text: "DELETE FROM health_minute WHERE account = $1::integer AND hour = $2::integer",
};
