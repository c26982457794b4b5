/** What a failed call of the database means: is it worth another try, and may it have taken effect? */

import { DatabaseError } from "pg";

/** There was no connection to be had, so nothing was asked of the database. */
export class NoConnection extends Error {}

/** The connection leads to a standby, which knows less than was acknowledged. */
export class Standby extends Error {
  readonly code = READ_ONLY;
}

/** Serialization failure, deadlock: the same again will do. */
const AGAIN = new Set(["40001", "40P01"]);

/** Of a standby, which is not the primary any more, or not yet. */
export const READ_ONLY = "25006";

/**
 * The server is not there for this just now: no room for a connection, too much to do or somebody in the
 * way for too long, or a standby. Classes 08 and 57P, of cut connections and servers that stop or start, are such as a whole.
 */
const NOT_NOW = new Set(["53300", "57014", "55P03", READ_ONLY, "25P03", "40003"]);

/** Statement completion unknown: of engines that commit over a network. */
const UNKNOWN = "40003";

export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

export function messageOf(error: unknown): string {
  // Of several addresses that were tried, Node tells the errors alone.
  if (error instanceof AggregateError) return error.errors.map(messageOf).join("; ");
  return error instanceof Error ? error.message : String(error);
}

/** Can the database, or the way to it, be expected to be there again in a moment? */
export function isPassing(error: unknown): boolean {
  if (error instanceof NoConnection) return isPassing(error.cause);
  if (!(error instanceof DatabaseError)) return error instanceof Error && !(error instanceof SyntaxError);
  const code = codeOf(error);
  return AGAIN.has(code) || NOT_NOW.has(code) || code.startsWith("08") || code.startsWith("57P");
}

/**
 * Is it certain that the statement had no effect? So it is if the server says that it failed and lives on;
 * one that says so and dies may have committed before. A server that speaks another language is not
 * understood, and so never certain.
 */
export function hadNoEffect(error: unknown): boolean {
  if (error instanceof NoConnection) return true;
  return error instanceof DatabaseError && error.severity === "ERROR" && codeOf(error) !== UNKNOWN;
}

/** Did somebody else write the same rows first? */
export function isTaken(error: unknown): boolean {
  return codeOf(error) === "23505";
}
