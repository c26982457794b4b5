/**
 * JSON as a request may carry it: UTF-8, no key twice, no NUL, no lone surrogate, bounded depth, and
 * not thousands of field names, each of which a parser has to learn.
 *
 * `JSON.parse` does the parsing. What it lets pass is found by one pass over the bytes, which costs
 * about a nanosecond each: it measures the depth before anything is built, and counts the members,
 * so that a repeated key shows as a difference between the members written and the members parsed.
 */

import { type Problem, Problems, problem } from "./errors.ts";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export type ParsedJson =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** How deep objects and arrays may be nested. The deepest legal body has five levels. */
export const MOST_DEPTH = 32;

/** How many different field names a body may have. All that are known together are not a hundred. */
export const MOST_NAMES = 10_000;

/** Bytes of a body in which so many names do not fit, or cost nothing. */
const FEW_NAMES = 64 * 1024;

const QUOTE = 34;
const BACKSLASH = 92;

interface Scan {
  readonly depth: number;
  readonly members: number;
  readonly escapes: boolean;
}

function scan(bytes: Uint8Array): Scan {
  let depth = 0;
  let deepest = 0;
  let members = 0;
  let escapes = false;
  const end = bytes.length;
  for (let i = 0; i < end; i++) {
    const byte = bytes[i];
    if (byte === QUOTE) {
      for (i++; i < end; i++) {
        const inside = bytes[i];
        if (inside === QUOTE) break;
        if (inside === BACKSLASH) {
          i++;
          if (bytes[i] === 117) escapes = true;
        }
      }
    } else if (byte === 58) members++;
    else if (byte === 123 || byte === 91) {
      if (++depth > deepest) deepest = depth;
    } else if (byte === 125 || byte === 93) depth--;
  }
  return { depth: deepest, members, escapes };
}

/** Slots for the names that were met, by their hash. */
const NAME_SLOTS = 1 << 20;

/**
 * Are there more than so many different names? Names that happen to have the same hash count once, so
 * that a few more may pass.
 */
function hasManyNames(bytes: Uint8Array, most: number, salt: number): boolean {
  const met = new Uint8Array(NAME_SLOTS);
  const end = bytes.length;
  let names = 0;
  let hash = 0;
  for (let i = 0; i < end; i++) {
    const byte = bytes[i];
    if (byte === QUOTE) {
      // FNV-1a. What turns out to be a value is forgotten with the next text.
      hash = salt;
      for (i++; i < end; i++) {
        const inside = bytes[i] ?? 0;
        if (inside === QUOTE) break;
        hash = Math.imul(hash ^ inside, 0x01000193);
        if (inside === BACKSLASH) hash = Math.imul(hash ^ (bytes[++i] ?? 0), 0x01000193);
      }
    } else if (byte === 58) {
      const slot = (hash ^ (hash >>> 12)) & (NAME_SLOTS - 1);
      if (met[slot] === 0 && ++names > most) return true;
      met[slot] = 1;
    }
  }
  return false;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Parses a request body. Refusals name the place by JSON pointer where there is one. `salt` is a
 * number that whoever sent it does not know, so that nobody can make names that are counted as one.
 */
export function parseJson(bytes: Uint8Array, salt = 0): ParsedJson {
  if (bytes.length === 0) {
    return refuse(problem("invalid_request", { detail: "the body is empty; send a JSON object" }));
  }
  const { depth, members, escapes } = scan(bytes);
  if (depth > MOST_DEPTH) return refuse(problem("too_deep", { depth, most: MOST_DEPTH }));
  if (bytes.length > FEW_NAMES && hasManyNames(bytes, MOST_NAMES, salt))
    return refuse(problem("too_many_names", { most: MOST_NAMES }));
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch {
    return refuse(problem("invalid_request", { detail: "the body is not valid UTF-8" }));
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const detail = error instanceof SyntaxError ? error.message : "the body is not valid JSON";
    return refuse(problem("invalid_request", { detail }));
  }
  if (countMembers(value) !== members) return { ok: false, problems: repeatedKeys(text) };
  if (escapes) {
    const problems = new Problems();
    findBadText(value, "", problems);
    if (problems.found) return { ok: false, problems: problems.list() };
  }
  return { ok: true, value };
}

function refuse(one: Problem): ParsedJson {
  return { ok: false, problems: [one] };
}

function countMembers(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  let members = 0;
  if (Array.isArray(value)) {
    for (const item of value) members += countMembers(item);
    return members;
  }
  for (const item of Object.values(value)) members += 1 + countMembers(item);
  return members;
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

/** A reference token of a JSON pointer (RFC 6901 section 3). */
export function escapePointer(key: string): string {
  return key.includes("~") || key.includes("/") ? key.replaceAll("~", "~0").replaceAll("/", "~1") : key;
}

/** Where keys stand twice in a text that is known to be valid JSON. */
function repeatedKeys(text: string): readonly Problem[] {
  const problems = new Problems();
  const open: { keys: Set<string> | undefined; key: string; index: number }[] = [];
  const pointer = () => open.map((at) => `/${at.keys ? escapePointer(at.key) : at.index}`).join("");
  const colon = /\s*:/y;
  for (let i = 0; i < text.length; i++) {
    const top = open.at(-1);
    const character = text[i];
    if (character === "{") open.push({ keys: new Set(), key: "", index: 0 });
    else if (character === "[") open.push({ keys: undefined, key: "", index: 0 });
    else if (character === "}" || character === "]") open.pop();
    else if (character === "," && top) top.index++;
    else if (character === '"') {
      const start = i;
      i = endOfString(text, start);
      colon.lastIndex = i + 1;
      if (!top?.keys || !colon.test(text)) continue;
      top.key = JSON.parse(text.slice(start, i + 1));
      if (top.keys.has(top.key)) problems.add("repeated_key", { key: top.key }, pointer);
      top.keys.add(top.key);
    }
  }
  return problems.list();
}

function endOfString(text: string, start: number): number {
  let i = start + 1;
  while (text[i] !== '"') i += text[i] === "\\" ? 2 : 1;
  return i;
}
