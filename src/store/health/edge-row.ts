/**
 * What is known of an edge, as rows: one of what it is, and a fixed number of what it reports of the interconnects.
 *
 * A heartbeat touches the first alone, and a report of one interconnect one of the others: at 10,000 interconnects
 * all of them together are 2.5 MB, and a report comes every few seconds.
 */

import type { KnownEdge, Watched } from "../../account/health/known-edge.ts";

/** Rows of what an edge reports. Of 10,000 interconnects, each holds 160 and 40 KB. Stored: it is never changed. */
export const PARTS = 64;

/** What an edge is. */
export interface EdgeRow {
  readonly edge: string;
  readonly seen: number;
  readonly about: string;
}

export type WatchedMap = KnownEdge["watched"];

export function aboutRow({ edge, seen, watched: _, ...about }: KnownEdge): EdgeRow {
  return { edge, seen, about: JSON.stringify(about) };
}

/** Only `aboutRow` writes what is read here. */
export function edgeOf(row: Readonly<Record<string, unknown>>, watched: WatchedMap): KnownEdge {
  const about: Omit<KnownEdge, "edge" | "seen" | "watched"> = JSON.parse(String(row["about"]));
  return { ...about, edge: String(row["edge"]), seen: Number(row["seen"]), watched };
}

/** A row of what an edge reports. */
export interface Part {
  readonly part: number;
  readonly told: readonly (readonly [string, Watched])[];
}

/** The rows in which two versions differ, empty ones too. What did not change is the same object in both. */
export function changedParts(before: WatchedMap | undefined, after: WatchedMap): Part[] {
  if (before === after) return [];
  const changed = new Set<number>();
  for (const [id, told] of after) if (before?.get(id) !== told) changed.add(partOf(id));
  for (const id of before?.keys() ?? []) if (!after.has(id)) changed.add(partOf(id));
  const parts = new Map([...changed].map((part): [number, [string, Watched][]] => [part, []]));
  for (const one of after) parts.get(partOf(one[0]))?.push(one);
  return [...parts].map(([part, told]) => ({ part, told }));
}

/** Less than a millisecond of work for a part of 10,000 interconnects. */
export function textOf({ told }: Part): string {
  return JSON.stringify(Object.fromEntries(told));
}

/** Adds what a row tells. Only `textOf` writes what is read here. */
export function addPart(watched: Map<string, Watched>, text: string): void {
  const told: Readonly<Record<string, Watched>> = JSON.parse(text);
  for (const id in told) {
    const one = told[id];
    if (one) watched.set(id, one);
  }
}

/** By the FNV-1a hash, since identifiers may be alike in their beginnings. */
function partOf(interconnect: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < interconnect.length; at++)
    hash = Math.imul(hash ^ interconnect.charCodeAt(at), 0x01000193);
  return (hash >>> 0) % PARTS;
}
