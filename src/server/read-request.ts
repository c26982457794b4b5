/** What a request says, read: its body, and what its query holds. */

import { randomBytes } from "node:crypto";
import type { FastifyRequest } from "fastify";
import { parseJson, readJson } from "../contract/json.ts";
import { LARGE_BODY_BYTES, MAX_BODY_OBJECTS, MAX_BODY_VALUES } from "../contract/limits.ts";
import { MOST_NAMED } from "../contract/parameters.ts";
import { freshSlice, runInSlices } from "../store/time-slice.ts";
import { Refusal, refuse } from "./refusal.ts";

const limits = { salt: randomBytes(4).readInt32BE(), objects: MAX_BODY_OBJECTS, values: MAX_BODY_VALUES };

/** The parsed body of a request. Throws the refusal of one that is not JSON. */
export async function readBody(request: FastifyRequest): Promise<unknown> {
  const type = request.headers["content-type"];
  if (type === undefined || !/^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(type)) {
    throw refuse("unsupported_media_type", { given: type ?? "absent" });
  }
  const bytes = request.body instanceof Uint8Array ? request.body : new Uint8Array();
  const isLarge = bytes.length > LARGE_BODY_BYTES;
  const parsed = isLarge ? await runInSlices(readJson(bytes, limits)) : parseJson(bytes, limits);
  if (!parsed.ok) throw new Refusal(parsed.problems);
  // What is done with a large body takes long enough for a slice of its own.
  if (isLarge) await freshSlice();
  return parsed.value;
}

/** Refuses a body that says anything, of an operation that takes none. */
export async function readNoBody(request: FastifyRequest, what: string): Promise<void> {
  if (!(request.body instanceof Uint8Array) || request.body.length === 0) return;
  const body = await readBody(request);
  if (JSON.stringify(body) !== "{}") {
    throw refuse("invalid_request", { detail: `${what} takes no body, or an empty object` }, "");
  }
}

/** A flag of the query: `true` and `1` are true; `false`, `0` and absent are false. */
export function readFlag(query: Readonly<Record<string, string>>, name: string): boolean {
  const text = query[name];
  if (text === undefined || text === "false" || text === "0") return false;
  if (text === "true" || text === "1") return true;
  throw refuse("invalid_query", { name, given: JSON.stringify(text), expected: "true or false" });
}

/** A whole number of the query. */
export function readNumber(
  query: Readonly<Record<string, string>>,
  name: string,
  least: number,
  most: number,
): number | undefined {
  const text = query[name];
  if (text === undefined) return undefined;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  const expected = `a whole number from ${least} to ${most}`;
  throw refuse("invalid_query", { name, given: JSON.stringify(text), expected });
}

/** What a query names once or more, each once; `undefined` if it names none. */
export function readNamed(
  query: Readonly<Record<string, string | readonly string[]>>,
  name: string,
): readonly string[] | undefined {
  const given = query[name];
  if (given === undefined) return undefined;
  const named = [...new Set([given].flat())];
  if (named.length <= MOST_NAMED && !named.includes("")) return named;
  throw refuse("invalid_query", {
    name,
    given: named.includes("") ? "empty" : `there ${named.length} times`,
    expected: `an identifier, and there ${MOST_NAMED} times at most`,
  });
}
