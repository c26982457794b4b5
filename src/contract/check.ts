/**
 * A schema's verdict in words: what is wrong, where, and what would be right.
 *
 * The compiled check costs well under a microsecond and decides alone when all is well. Only a value
 * that fails is walked for its errors.
 */

import type { Static, TSchema } from "typebox";
// The check alone: `typebox/compile` would bring conversions and codecs, and half as many files again.
import { Compile } from "typebox/schema";
import { Settings } from "typebox/system";
import type { Problems } from "./errors.ts";
import { escapePointer } from "./json.ts";
import { didYouMean } from "./similar.ts";

// More constraints than one update can break. What has the wrong structure is told before, without this bound.
Settings.Set({ maxErrors: 2_000 });

/** Problems of a field's form that only the caller can put well. Returns true if it did. */
export type Exception = (path: string, value: unknown, problems: Problems, pointer: string) => boolean;

/** Stands for a value of which nothing can be kept. */
const NOTHING = Symbol("nothing");

/** Where a value stands in the checked value, and where its problems are told. */
interface Place {
  readonly path: string;
  readonly pointer: string;
  readonly problems: Problems;
}

export class Checker<Schema extends TSchema> {
  readonly #schema: Schema;
  #made: ReturnType<typeof Compile<Schema>> | undefined;
  readonly #exception: Exception;
  readonly #what: string;

  /** `what` is the vendor's word for what is checked. */
  constructor(schema: Schema, exception: Exception = () => false, what = "Interconnect") {
    this.#schema = schema;
    this.#exception = exception;
    this.#what = what;
  }

  /** Made when first used: to compile all that there are would be most of a start. */
  get #compiled(): ReturnType<typeof Compile<Schema>> {
    this.#made ??= Compile(this.#schema);
    return this.#made;
  }

  /**
   * Checks a value that came from JSON. All problems are added, each with its pointer below
   * `pointer`; what is left of the value can still be judged for what it means.
   */
  read(value: unknown, pointer: string, problems: Problems): Static<Schema> | undefined {
    if (this.#compiled.Check(value)) return value;
    const readable = this.#keep(this.#schema, value, { path: "", pointer, problems });
    if (readable === NOTHING) return undefined;
    for (const path of this.#explain(readable, pointer, problems)) {
      if (!remove(readable, path)) return undefined;
    }
    return this.#compiled.Check(readable) ? readable : undefined;
  }

  /**
   * A copy of what has the schema's structure: its fields, each of its type. One walk along the schema,
   * which touches nothing of a value below the place where the two part.
   */
  #keep(schema: unknown, value: unknown, at: Place): unknown {
    const type = typeOf(schema, value);
    if (typeof type === "string" && !isOfType(value, type)) {
      if (!this.#exception(at.path, value, at.problems, at.pointer)) {
        this.#explainOne("type", { type }, value, at);
      }
      return NOTHING;
    }
    if (type === "array" && Array.isArray(value)) return this.#keepItems(schema, value, at);
    if (type === "object" && member(schema, "additionalProperties") === false) {
      return this.#keepFields(schema, Object(value), at);
    }
    return value;
  }

  /** The fields that the schema knows and that can be kept. */
  #keepFields(schema: unknown, value: object, at: Place): unknown {
    const { path, pointer, problems } = at;
    const properties = Object(member(schema, "properties"));
    const known = Object.keys(properties);
    const kept: Record<string, unknown> = {};
    for (const field of Object.keys(value)) {
      if (!Object.hasOwn(properties, field)) {
        const values = () => ({ field, hint: didYouMean(field, known) });
        problems.add("unknown_field", values, () => `${pointer}/${escapePointer(field)}`);
        continue;
      }
      const below = `/${escapePointer(field)}`;
      const place = { path: path + below, pointer: pointer + below, problems };
      const item = this.#keep(member(properties, field), member(value, field), place);
      if (item !== NOTHING) kept[field] = item;
    }
    const required = member(schema, "required");
    for (const field of Array.isArray(required) ? required : []) {
      if (!Object.hasOwn(value, field)) problems.add("missing_field", { field, hint: "" }, pointer);
    }
    return kept;
  }

  /** The items, if all can be kept: without one of them, the others would stand in its place. */
  #keepItems(schema: unknown, value: readonly unknown[], at: Place): unknown {
    const { path, pointer, problems } = at;
    const most = member(schema, "maxItems");
    if (typeof most === "number" && value.length > most) {
      this.#explainOne("maxItems", { limit: most }, value, at);
      return NOTHING;
    }
    const wanted = member(schema, "items");
    const type = member(wanted, "type");
    const plain = typeof type === "string" && type !== "object" && type !== "array" ? type : undefined;
    const items: unknown[] = [];
    for (const [index, item] of value.entries()) {
      if (plain !== undefined && isOfType(item, plain)) items.push(item);
      else if (plain !== undefined && problems.full) {
        // It is only counted, so nothing is made for it.
        problems.add("invalid_request", {});
        items.push(NOTHING);
      } else {
        const place = { path: `${path}/${index}`, pointer: `${pointer}/${index}`, problems };
        items.push(this.#keep(wanted, item, place));
      }
    }
    return items.includes(NOTHING) ? NOTHING : items;
  }

  /** Tells which constraints a value of the right structure breaks, and where. */
  #explain(value: unknown, pointer: string, problems: Problems): string[] {
    const refused: string[] = [];
    const [, errors] = this.#compiled.Errors(value);
    for (const { keyword, instancePath: path, params } of errors) {
      // Told with the structure, of the value as it was sent.
      if (keyword === "required") continue;
      refused.push(path);
      const given = valueAt(value, path);
      if (this.#exception(path, given, problems, pointer + path)) continue;
      this.#explainOne(keyword, params, given, { path, pointer: pointer + path, problems });
    }
    return refused;
  }

  #explainOne(keyword: string, params: Params, given: unknown, { path, pointer, problems }: Place): void {
    const field = fieldOf(path);
    const type = keyword === "type" ? String(params["type"]) : "string";
    if (given === null) problems.add("null_not_permitted", { type, what: this.#what }, pointer);
    else if (keyword === "type") {
      const detail = `${field} must be ${article(type)}, not ${describe(given)}`;
      problems.add("invalid_request", { detail }, pointer);
    } else
      problems.add(
        "invalid_value",
        () => ({ field, given: show(given), expected: expectation(keyword, params) }),
        pointer,
      );
  }
}

function isOfType(value: unknown, type: string): boolean {
  switch (type) {
    case "integer":
      return Number.isInteger(value);
    case "array":
      return Array.isArray(value);
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    default:
      return typeof value === type;
  }
}

/** The type that a value must have: of one that may be null, and is not, the other. */
function typeOf(schema: unknown, value: unknown): unknown {
  const type = member(schema, "type");
  return Array.isArray(type) && value !== null ? type.find((name) => name !== "null") : type;
}

type Params = Readonly<Record<string, unknown>>;

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
    case "minItems":
      return `a list of at least ${limit} elements`;
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

/** The first of a list of words, and how many more there are. */
export function showSome(list: readonly string[], most = 5): string {
  const more = list.length - most;
  return list.slice(0, most).join(", ") + (more > 0 ? ` and ${more} more` : "");
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
