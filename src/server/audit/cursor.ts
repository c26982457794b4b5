/** Cursors of the audit log: where each of its logs stands, and the query they belong to. */

import { hash } from "node:crypto";
import { refuse } from "../refusal.ts";

export interface Standing {
  /** Of the histories that the positions are in. */
  readonly epochs: readonly string[];
  readonly positions: readonly number[];
}

/** A short name for a query: what a cursor of it may be used with. */
export function nameOf(query: unknown): string {
  return hash("sha256", JSON.stringify(query), "hex").slice(0, 16);
}

export function writeCursor(query: string, { epochs, positions }: Standing): string {
  return Buffer.from(JSON.stringify([query, epochs, positions])).toString("base64url");
}

/** Throws the refusal of what is no cursor, not one of this query, or one of histories that are gone. */
export function readCursor(
  text: string | undefined,
  query: string,
  epochs: readonly string[],
  revision: number,
): readonly number[] | undefined {
  if (text === undefined) return undefined;
  const parsed = parse(text);
  if (!parsed) throw refuse("invalid_cursor");
  if (parsed.query !== query) throw refuse("foreign_cursor");
  if (parsed.epochs.some((epoch, index) => epoch !== epochs[index])) {
    const [position = 0] = parsed.positions;
    throw refuse("history_moved", { revision: position, newest: revision, epoch: epochs[0] ?? "" });
  }
  return parsed.positions;
}

function parse(text: string): ({ readonly query: string } & Standing) | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, "base64url").toString());
    if (!Array.isArray(value) || value.length !== 3) return undefined;
    const [query, epochs, positions]: unknown[] = value;
    if (typeof query !== "string" || !isListOf(epochs, 2, isText) || !isListOf(positions, 3, isPosition))
      return undefined;
    return { query, epochs, positions };
  } catch {
    return undefined;
  }
}

function isListOf<T>(value: unknown, length: number, is: (item: unknown) => item is T): value is T[] {
  return Array.isArray(value) && value.length === length && value.every(is);
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isPosition(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
