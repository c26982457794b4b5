/**
 * A schema's verdict in words: what is wrong, where, and what would be right.
 *
 * The compiled check costs well under a microsecond and decides alone when all is well. Only a value
 * that fails is walked for its errors.
 */

import type { Static, TSchema } from "typebox";
import { Compile } from "typebox/compile";
import { Settings } from "typebox/system";
import type { Problems } from "./errors.ts";
import { escapePointer } from "./json.ts";
import { didYouMean } from "./similar.ts";

// More than any honest request has, and a bound for the others.
Settings.Set({ maxErrors: 256 });


/** Problems of a field's form that only the caller can put well. Returns true if it did. */
export type Exception = (path: string, value: unknown, problems: Problems, pointer: string) => boolean;

export class Checker<Schema extends TSchema> {
  readonly #schema: Schema;
  readonly #compiled: ReturnType<typeof Compile<Schema>>;
  readonly #exception: Exception;

  constructor(schema: Schema, exception: Exception = () => false) {
    this.#schema = schema;
    this.#compiled = Compile(schema);
    this.#exception = exception;
  }

  /**
   * Checks a value that came from JSON. All problems are added, each with its pointer below
   * `pointer`; what is left of the value can still be judged for what it means.
   */
  read(value: unknown, pointer: string, problems: Problems): Static<Schema> | undefined {
    if (this.#compiled.Check(value)) return value;
    const refused = this.#explain(value, pointer, problems);
    const readable = structuredClone(value);
    for (const path of refused) if (!remove(readable, path)) return undefined;
    return this.#compiled.Check(readable) ? readable : undefined;
  }

  #explain(value: unknown, pointer: string, problems: Problems): string[] {
    const refused: string[] = [];
    for (const error of this.#compiled.Errors(value)) {
      const { keyword, instancePath: path, params } = error;
      if (keyword === "boolean") continue;
      if (keyword === "additionalProperties") {
        const known = this.#knownAt(path);
        for (const field of params.additionalProperties) {
          const at = `${path}/${escapePointer(field)}`;
          problems.add("unknown_field", () => ({ field, hint: didYouMean(field, known) }), pointer + at);
          refused.push(at);
        }
      } else {
        const given = valueAt(value, path);
        refused.push(path);
        if (keyword === "required") {
          for (const field of params.requiredProperties) problems.add("missing_field", { field, hint: "" }, pointer + path);
        } else if (!this.#exception(path, given, problems, pointer + path)) {
          explainOne(keyword, params, given, fieldOf(path), problems, pointer + path);
        }
      }
    }
    return refused;
  }

  #knownAt(path: string): string[] {
    let schema: unknown = this.#schema;
    for (const key of tokens(path)) schema = member(member(schema, "properties"), key) ?? member(schema, "items");
    const properties = member(schema, "properties");
    return typeof properties === "object" && properties !== null ? Object.keys(properties) : [];
  }
}

type Params = Readonly<Record<string, unknown>>;

function explainOne(keyword: string, params: Params, given: unknown, field: string, problems: Problems, pointer: string) {
  const type = keyword === "type" ? String(params["type"]) : "string";
  if (given === null) problems.add("null_not_permitted", { type }, pointer);
  else if (keyword === "type") {
    const detail = `${field} must be ${article(type)}, not ${describe(given)}`;
    problems.add("invalid_request", { detail }, pointer);
  } else problems.add("invalid_value", () => ({ field, given: show(given), expected: expectation(keyword, params) }), pointer);
}

function expectation(keyword: string, params: Params): string {
  const limit = String(params["limit"]);
  switch (keyword) {
    case "enum":
      return `one of ${Array.isArray(params["allowedValues"]) ? params["allowedValues"].map(show).join(", ") : "the known values"}`;
    case "minLength":
      return `at least ${limit} characters long`;
    case "maxLength":
      return `at most ${limit} characters long`;
    case "minimum":
      return `at least ${limit}`;
    case "maximum":
      return `at most ${limit}`;
    case "maxItems":
      return `a list of at most ${limit} elements`;
    default:
      return `as its schema says (${keyword})`;
  }
}

function article(type: string): string {
  return /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`;
}

/** The JSON type of a value, with its article. */
function describe(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  return article(typeof value);
}

/** A value as a sentence may repeat it. */
export function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return describe(value);
}

function fieldOf(path: string): string {
  return path === "" ? "the body" : tokens(path).join(".");
}

function tokens(path: string): string[] {
  return path
    .split("/")
    .slice(1)
    .map((token) => token.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function member(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
  return Reflect.get(value, key);
}

function valueAt(value: unknown, path: string): unknown {
  return tokens(path).reduce(member, value);
}

/** Removes what stands at a path; of a list, the whole list. False if that is the value itself. */
function remove(value: unknown, path: string): boolean {
  let at = value;
  const keys = tokens(path);
  for (const [index, key] of keys.entries()) {
    const next = member(at, key);
    if (index === keys.length - 1 || Array.isArray(next)) {
      if (typeof at === "object" && at !== null) Reflect.deleteProperty(at, key);
      return true;
    }
    if (next === undefined) return true;
    at = next;
  }
  return false;
}
