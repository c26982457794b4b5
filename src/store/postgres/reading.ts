/** Reads states and their logs. What takes several statements is asked within one view of the database. */

import type { ChangeRecord } from "../../account/change.ts";
import { kindNamed } from "../../account/kinds.ts";
import { type Edit, State } from "../../account/state.ts";
import { carryOver } from "../carry-over.ts";
import { parseRecords } from "../record-text.ts";
import type { Check, LogSize, Page, Position } from "../store.ts";
import type { Ask, Row, Statement } from "./database.ts";

/** Bytes of records read for one page, past the first: a record of a large bulk update is megabytes. */
const PAGE_BYTES = 1024 * 1024;

/** Rows of objects read in one go; between goes, others have their turn. */
const ROWS_AT_ONCE = 2_000;

/** Records read in one go, within `PAGE_BYTES`. */
const RECORDS_AT_ONCE = 1_000;

/** A state's row: where it stands, and where the rows of its objects do. */
export interface Standing extends Position {
  readonly id: string;
  readonly folded: number;
  readonly collections: Readonly<Record<string, number>>;
}

export async function states(ask: Ask): Promise<string[]> {
  return (await ask(STATES)).map((row) => String(row["id"]));
}

export async function standing(ask: Ask, id: string): Promise<Standing | undefined> {
  const [row] = await ask(STATE, id);
  return (
    row && {
      id,
      ...positionOf(row),
      folded: Number(row["folded"]),
      collections: JSON.parse(String(row["collections"])),
    }
  );
}

export async function check(ask: Ask, ids: readonly string[]): Promise<Check> {
  const rows = await ask(CHECK, ids);
  const positions = new Map<string, Position>();
  for (const row of rows) if (row["id"] !== null) positions.set(String(row["id"]), positionOf(row));
  return { positions, time: Number(rows[0]?.["time"]) };
}

export async function due(ask: Ask): Promise<string[]> {
  return (await ask(DUE)).map((row) => String(row["id"]));
}

/** The newest state. Throws if the log does not lead there. Ask within one view. */
export async function load(ask: Ask, id: string): Promise<State | undefined> {
  const row = await standing(ask, id);
  if (!row) return undefined;
  const state = await stateAsFolded(ask, row);
  for await (const _ of replay(ask, state));
  state.head = row.head;
  if (state.durable !== row.revision) {
    throw new SyntaxError(
      `the log of ${id} ends at revision ${state.durable}, but its state at ${row.revision}`,
    );
  }
  return state;
}

/** The state that the rows of objects tell. */
async function stateAsFolded(ask: Ask, { id, epoch, folded, collections }: Standing): Promise<State> {
  const state = new State(id, epoch);
  for await (const row of objects(ask, id)) {
    state.restore(kindNamed(row.kind), row.id, JSON.parse(row.doc), row.revision);
  }
  const [last] = await ask(TIME, id, folded);
  state.restoreRevisions(folded, new Map(Object.entries(collections)), String(last?.["time"] ?? ""));
  return state;
}

export interface ObjectRow {
  readonly kind: string;
  readonly id: string;
  readonly revision: number;
  readonly doc: string;
}

/** The rows of a state's objects, in the order in which they were made. */
async function* objects(ask: Ask, state: string): AsyncGenerator<ObjectRow> {
  let last = 0;
  for (;;) {
    const rows = await ask(OBJECTS, state, last, ROWS_AT_ONCE);
    for (const row of rows) yield objectOf(row);
    if (rows.length < ROWS_AT_ONCE) return;
    last = Number(rows.at(-1)?.["number"]);
  }
}

export function objectOf(row: Row): ObjectRow {
  return {
    kind: String(row["kind"]),
    id: String(row["id"]),
    revision: Number(row["revision"]),
    doc: String(row["doc"]),
  };
}

/** Carries a state over the changes after it, and gives the edits of each. */
async function* replay(ask: Ask, state: State): AsyncGenerator<readonly Edit[]> {
  for await (const text of records(ask, state.id, state.revision)) {
    for (const record of await parseRecords([text])) yield carryOver(state, record);
  }
}

/** The records after a revision as they are stored, oldest first. */
export async function* records(ask: Ask, id: string, after: number): AsyncGenerator<string> {
  let last = after;
  for (;;) {
    const rows = await ask(AFTER, id, last, RECORDS_AT_ONCE, PAGE_BYTES);
    for (const row of rows) if (row["record"] !== null) yield String(row["record"]);
    const end = rows.at(-1);
    if (!end || end["record"] === null || Number(end["at"]) >= Number(end["revision"])) return;
    last = Number(end["at"]);
  }
}

export function after(ask: Ask, id: string, revision: number, limit: number): Promise<Page | undefined> {
  return page(ask, AFTER, id, revision, limit, (last, row) => last < Number(row["revision"]));
}

export function before(ask: Ask, id: string, revision: number, limit: number): Promise<Page | undefined> {
  return page(ask, BEFORE, id, revision, limit, (last, row) => last > Number(row["oldest"]));
}

async function page(
  ask: Ask,
  statement: Statement,
  id: string,
  revision: number,
  limit: number,
  isMore: (last: number, row: Row) => boolean,
): Promise<Page | undefined> {
  const rows = await ask(statement, id, revision, limit, PAGE_BYTES);
  const last = rows.at(-1);
  if (!last) return undefined;
  const position = positionOf(last);
  const from = commitOf(last["from_commit"]);
  if (last["record"] === null) return { records: [], more: false, position, from };
  const records = await parseRecords(rows.map((row) => String(row["record"])));
  return { records, more: isMore(Number(last["at"]), last), position, from };
}

export async function logSize(ask: Ask, id: string, revision: number, limit: number): Promise<LogSize> {
  const [row = {}] = await ask(LOG_SIZE, id, revision, limit);
  return {
    records: Number(row["records"]),
    bytes: Number(row["bytes"]),
    oldest: Number(row["oldest"]),
    newest: Number(row["newest"]),
  };
}

/** The revision of the first record at or after a time; one past the newest if there is none. */
export async function changeAt(ask: Ask, id: string, time: string): Promise<number | undefined> {
  const [row] = await ask(CHANGE_AT, id, time);
  return row && Number(row["low"]);
}

export async function change(ask: Ask, id: string, revision: number): Promise<ChangeRecord | undefined> {
  const [row] = await ask(CHANGE, id, revision);
  const [record] = row ? await parseRecords([String(row["record"])]) : [];
  return record;
}

function positionOf(row: Row): Position {
  return { epoch: String(row["epoch"]), revision: Number(row["revision"]), head: commitOf(row["head"]) };
}

function commitOf(id: unknown): string | undefined {
  return id === null || id === undefined ? undefined : String(id);
}

/**
 * A page of the log beside its state's row, so that both are of one moment. The length of a record is known
 * without reading it, so what the page has no room for is not read.
 */
function pageOfLog(name: string, side: "<" | ">", order: "ASC" | "DESC"): Statement {
  const text = `
SELECT state.epoch, state.revision, page.at, page.record,
  (SELECT commit_id FROM change WHERE state = $1 AND change.revision = state.revision) AS head,
  (SELECT commit_id FROM change WHERE state = $1 AND revision = $2) AS from_commit,
  (SELECT min(revision) FROM change WHERE state = $1) AS oldest
FROM state LEFT JOIN (
  SELECT at, record FROM (
    SELECT at, record, row_number() OVER upto AS place, sum(octet_length(record)) OVER upto AS bytes
    FROM (
      SELECT revision AS at, record FROM change
      WHERE state = $1 AND revision ${side} $2
      ORDER BY revision ${order} LIMIT $3
    ) AS wanted
    WINDOW upto AS (ORDER BY at ${order})
  ) AS measured
  WHERE place = 1 OR bytes <= $4
) AS page ON true
WHERE state.id = $1
ORDER BY page.at ${order}`;
  return { name, text };
}

const AFTER = pageOfLog("after", ">", "ASC");
const BEFORE = pageOfLog("before", "<", "DESC");

const STATES = { name: "states", text: "SELECT id FROM state ORDER BY id" };
const STATE = {
  name: "state",
  text: `
SELECT state.epoch, state.revision, state.folded, state.collections, change.commit_id AS head
FROM state LEFT JOIN change ON change.state = state.id AND change.revision = state.revision
WHERE state.id = $1`,
};
const CHECK = {
  name: "check",
  text: `
SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS time,
  state.id, state.epoch, state.revision, change.commit_id AS head
FROM (VALUES (1)) AS one
LEFT JOIN state ON state.id = ANY ($1::text[])
LEFT JOIN change ON change.state = state.id AND change.revision = state.revision`,
};
/** By the time of the statement, which an index can be asked for. */
const DUE = { name: "due", text: "SELECT id FROM state WHERE deadline <= now() ORDER BY deadline" };
const OBJECTS = {
  name: "objects",
  text: "SELECT number, kind, id, revision, doc FROM object WHERE state = $1 AND number > $2 ORDER BY number LIMIT $3",
};
const CHANGE = { name: "change", text: "SELECT record FROM change WHERE state = $1 AND revision = $2" };
const LOG_SIZE = {
  name: "log_size",
  text: `
SELECT count(*) AS records, coalesce(sum(bytes), 0) AS bytes,
  coalesce(min(revision), 0) AS oldest, coalesce(max(revision), 0) AS newest
FROM (
  SELECT revision, octet_length(record) AS bytes FROM change
  WHERE state = $1 AND revision > $2 ORDER BY revision LIMIT $3
) AS part`,
};
const TIME = { name: "time", text: "SELECT time FROM change WHERE state = $1 AND revision = $2" };

/** Halves the log until one place is left: times never run backwards. */
const CHANGE_AT = {
  name: "change_at",
  text: `
WITH RECURSIVE half (low, high) AS (
  SELECT coalesce((SELECT min(revision) FROM change WHERE state = $1), revision + 1), revision + 1
  FROM state WHERE id = $1
  UNION ALL
  SELECT
    CASE WHEN change.time < $2 THEN change.revision + 1 ELSE half.low END,
    CASE WHEN change.time < $2 THEN half.high ELSE change.revision END
  FROM half JOIN change ON change.state = $1 AND change.revision = (half.low + half.high) / 2
  WHERE half.low < half.high
)
SELECT low FROM half WHERE low = high`,
};
