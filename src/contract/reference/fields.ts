/** A schema as rows of a table: what a reader asks of each field. */

import { type Lookup, resolve } from "../openapi/examples.ts";
import { asObject, type PlainSchema } from "../openapi/schemas.ts";

export interface Field {
  /** Its name, or what stands in for one. */
  readonly name: string;
  /** How deep it is nested. */
  readonly depth: number;
  /** May hold links. */
  readonly type: string;
  readonly required: boolean;
  /** What it may be, in words. */
  readonly limits: string;
  readonly description: string;
}

/** How a schema is told: are named schemas told in their place, or linked? */
export interface Telling {
  readonly lookup: Lookup;
  readonly inPlace: boolean;
}

/** Nested deeper than this, a reader is sent to the schema itself. */
const DEEPEST = 6;

/** The fields of a value, those of its fields below them. */
export function fieldsOf(given: PlainSchema, telling: Telling, depth = 0): readonly Field[] {
  const schema = resolve(given, telling.lookup);
  if (depth > DEEPEST) return [];
  const { properties, items, anyOf, additionalProperties } = schema;
  if (Array.isArray(anyOf)) return fieldsOfAny(anyOf.map(asObject), telling, depth);
  if (items !== undefined) return below(asObject(items), telling, depth);
  const required = Array.isArray(schema["required"]) ? schema["required"] : [];
  const named = Object.entries(asObject(properties)).flatMap(([name, field]) =>
    row(name, asObject(field), required.includes(name), telling, depth),
  );
  const others = asObject(additionalProperties);
  if (Object.keys(others).length === 0) return named;
  return [...named, ...row("(any name)", others, false, telling, depth)];
}

function row(name: string, given: PlainSchema, required: boolean, telling: Telling, depth: number): Field[] {
  const schema = resolve(given, telling.lookup);
  const described = schema["description"];
  const field = {
    name,
    depth,
    type: typeOf(given, telling),
    required,
    limits: limitsOf(schema),
    description: [
      ...(schema["deprecated"] === true ? ["Deprecated."] : []),
      ...(typeof described === "string" ? [described] : []),
    ].join(" "),
  };
  return [field, ...below(given, telling, depth + 1)];
}

/** The fields under one, unless the reader is sent to them by a link. */
function below(schema: PlainSchema, telling: Telling, depth: number): readonly Field[] {
  return typeof schema["$ref"] === "string" && !telling.inPlace ? [] : fieldsOf(schema, telling, depth);
}

/** Of several forms, the fields of the first are told; the type names the others. */
function fieldsOfAny(forms: readonly PlainSchema[], telling: Telling, depth: number): readonly Field[] {
  for (const form of forms) {
    const fields = below(form, telling, depth);
    if (fields.length > 0) return fields;
  }
  return [];
}

/** The type in words, with links to what has a name. */
export function typeOf(given: PlainSchema, telling: Telling): string {
  const { $ref } = given;
  if (typeof $ref === "string") {
    const name = $ref.replace("#/components/schemas/", "");
    return `[${name}](#${name})`;
  }
  const { type, anyOf, allOf, items, enum: values, const: only, format } = given;
  if (Array.isArray(anyOf)) return anyOf.map((form) => typeOf(asObject(form), telling)).join(" or ");
  if (Array.isArray(allOf)) return allOf.map((part) => typeOf(asObject(part), telling)).join(" and ");
  if (only !== undefined) return `\`${JSON.stringify(only)}\``;
  if (type === "array") {
    const item = typeOf(asObject(items), telling);
    return items === undefined ? "list" : `list of ${item.includes(" or ") ? `(${item})` : item}`;
  }
  if (format === "date-time") return "date and time";
  if (typeof type === "string") return type;
  if (Array.isArray(type)) return type.join(" or ");
  return Array.isArray(values) || type !== undefined ? String(type ?? "value") : "anything";
}

function limitsOf(schema: PlainSchema): string {
  const { enum: values, minimum, maximum, minLength, maxLength, maxItems, pattern, default: usual } = schema;
  const told: string[] = [];
  if (Array.isArray(values)) told.push(values.map((value) => `\`${String(value)}\``).join(", "));
  if (minimum !== undefined && maximum !== undefined) told.push(`${minimum} to ${maximum}`);
  else if (minimum !== undefined) told.push(`from ${minimum}`);
  else if (maximum !== undefined) told.push(`to ${maximum}`);
  if (typeof minLength === "number" && minLength > 0 && maxLength !== undefined) {
    told.push(`${minLength} to ${maxLength} characters`);
  } else if (maxLength !== undefined) told.push(`at most ${maxLength} characters`);
  else if (typeof minLength === "number" && minLength > 0) told.push(`at least ${minLength} characters`);
  if (typeof maxItems === "number")
    told.push(maxItems === 0 ? "empty" : `at most ${maxItems.toLocaleString("en")}`);
  if (pattern !== undefined) told.push(`\`${String(pattern)}\``);
  if (usual !== undefined) told.push(`default \`${String(usual)}\``);
  return told.join("; ");
}
