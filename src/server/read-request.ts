/** What a request says, read: its body, and what its query holds. */

import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { setImmediate } from "node:timers/promises";
import type { FastifyRequest } from "fastify";
import { parseJson } from "../contract/json.ts";
import { MAX_BODY_BYTES } from "../contract/limits.ts";
import { MOST_NAMED } from "../contract/parameters.ts";
import { connectionOf } from "./network/connections.ts";
import { Refusal, refuse } from "./refusal.ts";
import { LARGE_BODY } from "./sender.ts";

const SALT = randomBytes(4).readInt32BE();

/** Reads the bytes of a body. Rejects with a refusal if there are too many, for this body or for all of the process. */
export async function collectBody(request: IncomingMessage): Promise<Buffer> {
  const tooLarge = () => refuse("body_too_large", { most: MAX_BODY_BYTES });
  if (Number(request.headers["content-length"] ?? 0) > MAX_BODY_BYTES) throw tooLarge();
  const connection = connectionOf(request);
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  let chunks: Buffer[] = [];
  let received = 0;
  const take = (chunk: Buffer) => {
    received += chunk.length;
    if (received > MAX_BODY_BYTES) stop(tooLarge());
    else if (connection?.admitBody(chunk.length, received) === false) stop(refuse("too_much_under_way"));
    else chunks.push(chunk);
  };
  const stop = (refusal: Refusal) => {
    chunks = [];
    request.off("data", take);
    // What still arrives is discarded.
    request.resume();
    reject(refusal);
  };
  request.on("data", take);
  request.once("end", () => resolve(Buffer.concat(chunks, received)));
  request.once("error", reject);
  return promise;
}

/** The parsed body of a request. Throws the refusal of one that is not JSON. */
export async function readBody(request: FastifyRequest): Promise<unknown> {
  const type = request.headers["content-type"];
  if (type === undefined || !/^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(type)) {
    throw refuse("unsupported_media_type", { given: type ?? "absent" });
  }
  const bytes = request.body instanceof Uint8Array ? request.body : new Uint8Array();
  if (bytes.length > LARGE_BODY) await setImmediate();
  const parsed = parseJson(bytes, SALT);
  if (!parsed.ok) throw new Refusal(parsed.problems);
  if (bytes.length > LARGE_BODY) await setImmediate();
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
