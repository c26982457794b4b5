/**
 * JSON as a request may carry it: UTF-8, no key twice, no NUL, no lone surrogate, bounded depth, and
 * not thousands of field names, each of which a parser has to learn.
 *
 * `JSON.parse` does the parsing. What it lets pass is found by one pass over the bytes, which costs
 * about a nanosecond each: it measures the depth before anything is built, and counts the members,
 * so that a repeated key shows as a difference between the members written and the members parsed.
 *
 * A large body is read by `readJson` in steps of at most a few milliseconds, with the same result.
 */

import { type Problem, Problems, problem } from "./errors.ts";
import { countMembers, parsePieces } from "./json/pieces.ts";
import { escapePointer } from "./json/pointer.ts";
import { findRepeatedKeys } from "./json/repeated-keys.ts";
import { NameScan, Scan } from "./json/scan.ts";
import { findSyntaxError } from "./json/syntax.ts";
import { MAX_BODY_DEPTH, MAX_BODY_NAMES } from "./limits.ts";
import { runToEnd } from "./steps.ts";

export { escapePointer } from "./json/pointer.ts";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export type ParsedJson =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export interface JsonLimits {
  /** A number that clients do not know, so that no client can choose names that count as one. */
  readonly salt?: number;
  /** Objects and arrays; without it, any number. */
  readonly objects?: number;
  /** Members and elements; without it, any number. */
  readonly values?: number;
}

/** Bytes in which so many names do not fit that they would cost anything. */
const FEW_NAMES = 64 * 1024;

/** Bytes between two steps. */
const STEP = 256 * 1024;

/** Parses a request body. Refusals name the place by JSON pointer where there is one. */
export function parseJson(bytes: Uint8Array, limits: JsonLimits = {}): ParsedJson {
  return runToEnd(parseWith(bytes, limits, parseAtOnce));
}

/**
 * Parses a large body in steps, with the result of `parseJson`. `piece`: bytes that are parsed at once; unless given,
 * so many that a step takes about a millisecond.
 */
export function readJson(
  bytes: Uint8Array,
  limits: JsonLimits = {},
  piece?: number,
): Generator<undefined, ParsedJson> {
  return parseWith(bytes, limits, (all) => parsePieces(all, piece));
}

type Parse = (bytes: Uint8Array) => Generator<undefined, Parsed | undefined>;

interface Parsed {
  readonly value: unknown;
  readonly members: number;
  /** Objects and arrays that take more than one step. */
  readonly large: ReadonlySet<unknown>;
}

function* parseWith(bytes: Uint8Array, limits: JsonLimits, parse: Parse): Generator<undefined, ParsedJson> {
  if (bytes.length === 0) {
    return refuse(problem("invalid_request", { detail: "the body is empty; send a JSON object" }));
  }
  const scan = new Scan();
  yield* read(scan, bytes, () => false);
  const { salt = 0, objects = Number.POSITIVE_INFINITY, values = Number.POSITIVE_INFINITY } = limits;
  const { depth, members, escapes } = scan;
  if (depth > MAX_BODY_DEPTH) return refuse(problem("too_deep", { depth, most: MAX_BODY_DEPTH }));
  if (scan.objects > objects)
    return refuse(problem("too_many_values", { most: objects, what: "objects and arrays" }));
  if (scan.commas >= values) return refuse(problem("too_many_values", { most: values, what: "values" }));
  if (bytes.length > FEW_NAMES) {
    const names = new NameScan(salt);
    yield* read(names, bytes, () => names.names > MAX_BODY_NAMES);
    if (names.names > MAX_BODY_NAMES) return refuse(problem("too_many_names", { most: MAX_BODY_NAMES }));
  }
  const parsed = yield* parse(bytes);
  if (!parsed) return yield* refuseText(bytes);
  if (parsed.members !== members) {
    const text = yield* decode(bytes);
    return { ok: false, problems: yield* findRepeatedKeys(text ?? "") };
  }
  if (escapes) {
    const problems = new Problems();
    yield* findBadTextIn(parsed.value, "", problems, parsed.large);
    if (problems.found) return { ok: false, problems: problems.list() };
  }
  return { ok: true, value: parsed.value };
}

/** Reads to the end, or until enough is known. */
function* read(
  scan: Scan | NameScan,
  bytes: Uint8Array,
  isEnough: () => boolean,
): Generator<undefined, void> {
  for (let to = STEP; ; to += STEP) {
    scan.read(bytes, Math.min(to, bytes.length));
    if (to >= bytes.length || isEnough()) return;
    yield;
  }
}

// biome-ignore lint/correctness/useYield: it is the way of parsing that has no steps
function* parseAtOnce(bytes: Uint8Array): Generator<undefined, Parsed | undefined> {
  try {
    const value: unknown = JSON.parse(newDecoder().decode(bytes));
    return { value, members: countMembers(value), large: new Set() };
  } catch {
    // Not UTF-8 (a TypeError of the decoder), or a SyntaxError.
    return undefined;
  }
}

/** Says why bytes are no JSON. */
function* refuseText(bytes: Uint8Array): Generator<undefined, ParsedJson> {
  const text = yield* decode(bytes);
  if (text === undefined) {
    return refuse(problem("invalid_request", { detail: "the body is not valid UTF-8" }));
  }
  const detail = (yield* findSyntaxError(text)) ?? "the body is not valid JSON";
  return refuse(problem("invalid_request", { detail }));
}

function newDecoder() {
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
}

/** `undefined` if it is not UTF-8. */
function* decode(bytes: Uint8Array): Generator<undefined, string | undefined> {
  const decoder = newDecoder();
  let text = "";
  try {
    for (let from = 0; from < bytes.length; from += STEP) {
      text += decoder.decode(bytes.subarray(from, from + STEP), { stream: true });
      yield;
    }
    return text + decoder.decode();
  } catch {
    return undefined;
  }
}

function refuse(one: Problem): ParsedJson {
  return { ok: false, problems: [one] };
}

/** What `findBadText` does, with a step for each element of what is large. */
function* findBadTextIn(
  value: unknown,
  pointer: string,
  problems: Problems,
  large: ReadonlySet<unknown>,
): Generator<undefined, void> {
  if (typeof value !== "object" || value === null || !large.has(value)) {
    findBadText(value, pointer, problems);
    return;
  }
  const isArray = Array.isArray(value);
  for (const [key, item] of Object.entries(value)) {
    yield;
    if (isArray || isCleanText(key)) {
      yield* findBadTextIn(item, `${pointer}/${escapePointer(key)}`, problems, large);
    } else problems.add("bad_text", {}, pointer);
  }
}

/** Adds every text that not every store and client can hold. */
export function findBadText(value: unknown, pointer: string, problems: Problems): void {
  if (typeof value === "string") {
    if (!isCleanText(value)) problems.add("bad_text", {}, pointer);
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) findBadText(item, `${pointer}/${index}`, problems);
  } else if (typeof value === "object" && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      if (isCleanText(key)) findBadText(item, `${pointer}/${escapePointer(key)}`, problems);
      else problems.add("bad_text", {}, pointer);
    }
  }
}

/** Text that every store and client can hold: no NUL and no half of a surrogate pair. */
export function isCleanText(text: string): boolean {
  return !text.includes("\0") && text.isWellFormed();
}
