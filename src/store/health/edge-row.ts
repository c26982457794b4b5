/** What is known of an edge, as two texts: what it is, and what it tells of the interconnects. */

import type { KnownEdge } from "../../account/health/known-edge.ts";

export interface EdgeRow {
  readonly edge: string;
  readonly seen: number;
  readonly about: string;
  readonly watched: string;
}

export function toRow({ edge, seen, watched, ...about }: KnownEdge): EdgeRow {
  return { edge, seen, about: JSON.stringify(about), watched: JSON.stringify(Object.fromEntries(watched)) };
}

/** Only `toRow` writes what is read here. */
export function fromRow(row: Readonly<Record<string, unknown>>): KnownEdge {
  const about: Omit<KnownEdge, "edge" | "seen" | "watched"> = JSON.parse(String(row["about"]));
  return {
    ...about,
    edge: String(row["edge"]),
    seen: Number(row["seen"]),
    watched: new Map(Object.entries(JSON.parse(String(row["watched"])))),
  };
}
