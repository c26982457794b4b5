/** Minutes of health as columns of numbers, one place a minute, as charts take them. */

import type { InterconnectHistory } from "../../../../src/contract/health.ts";

const MINUTE = 60_000;
/** More lines than that nobody tells apart. */
export const MOST_EDGES_DRAWN = 6;

/** A number, or nothing, for each minute. */
export type Column = readonly (number | null)[];

export interface EdgeColumns {
  readonly edge: string;
  /** Milliseconds. */
  readonly min: Column;
  readonly median: Column;
  readonly p99: Column;
  readonly jitter: Column;
  /** Percent of the probes that were sent. */
  readonly loss: Column;
}

export interface Columns {
  /** Seconds since 1970, a minute apart. */
  readonly times: readonly number[];
  readonly edges: readonly EdgeColumns[];
  /** Edges that tell something and are not among those. */
  readonly undrawn: number;
}

type Told = Pick<InterconnectHistory, "minutes" | "edges" | "time">;

/** From `begin` on, in milliseconds since 1970. Edges of the provider come first, as the state is theirs. */
export function columnsOf({ minutes, edges, time }: Told, begin: number): Columns {
  const first = Math.ceil(begin / MINUTE);
  const count = Math.max(1, Math.floor(Date.parse(time) / MINUTE) - first);
  const times = Array.from({ length: count }, (_, place) => (first + place) * 60);
  const providers = new Set(edges.filter(({ role }) => role === "provider").map(({ edge }) => edge));
  const names = [...new Set(minutes.map(({ edge }) => edge))].sort(
    (one, other) => Number(providers.has(other)) - Number(providers.has(one)) || (one < other ? -1 : 1),
  );
  const drawn = new Map(names.slice(0, MOST_EDGES_DRAWN).map((edge) => [edge, emptyColumns(count)]));
  for (const { edge, minute, sent, lost, latency, jitter } of minutes) {
    const columns = drawn.get(edge);
    const place = Math.floor(Date.parse(minute) / MINUTE) - first;
    if (!columns || place < 0 || place >= count) continue;
    columns.loss[place] = sent === 0 ? null : (100 * lost) / sent;
    columns.min[place] = latency?.min ?? null;
    columns.median[place] = latency?.median ?? null;
    columns.p99[place] = latency?.p99 ?? null;
    columns.jitter[place] = jitter;
  }
  return {
    times,
    edges: [...drawn].map(([edge, columns]) => ({ edge, ...columns })),
    undrawn: names.length - drawn.size,
  };
}

function emptyColumns(count: number) {
  const empty = () => new Array<number | null>(count).fill(null);
  return { min: empty(), median: empty(), p99: empty(), jitter: empty(), loss: empty() };
}

/** Those of a column's numbers that have no neighbour: a line would not show them. */
export function lonely(column: Column): number[] {
  const places: number[] = [];
  for (const [place, value] of column.entries()) {
    const alone = (column[place - 1] ?? null) === null && (column[place + 1] ?? null) === null;
    if (value !== null && alone) places.push(place);
  }
  return places;
}

/** The least, the greatest and the newest of some columns; none where there is no number. */
export function summaryOf(columns: readonly Column[]) {
  let least = Number.POSITIVE_INFINITY;
  let greatest = Number.NEGATIVE_INFINITY;
  for (const column of columns) {
    for (const value of column) {
      if (value === null) continue;
      if (value < least) least = value;
      if (value > greatest) greatest = value;
    }
  }
  return greatest < least ? undefined : { least, greatest };
}
