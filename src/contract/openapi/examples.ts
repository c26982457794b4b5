/** Examples made of a schema's own: what each field's `examples` say, put together. */

import { asObject, type PlainSchema } from "./schemas.ts";

/** Finds a schema by the name it is referred to. */
export type Lookup = (name: string) => PlainSchema | undefined;

/** A schema with what it refers to in its place. */
export function resolve(schema: PlainSchema, lookup: Lookup): PlainSchema {
  const { $ref, ...beside } = schema;
  if (typeof $ref !== "string") return schema;
  return { ...lookup($ref.replace("#/components/schemas/", "")), ...beside };
}

/**
 * A value that the schema takes, of its fields' first examples. Fields that may be left out are there
 * if they have one. `undefined` if there is nothing to show.
 */
export function exampleOf(given: PlainSchema, lookup: Lookup): unknown {
  const schema = resolve(given, lookup);
  const { examples, anyOf, allOf, oneOf, type } = schema;
  if (Array.isArray(examples) && examples.length > 0) return examples[0];
  if ("const" in schema) return schema["const"];
  const [first] = Array.isArray(anyOf) ? anyOf : Array.isArray(oneOf) ? oneOf : [];
  if (first !== undefined) return exampleOf(asObject(first), lookup);
  if (Array.isArray(allOf)) {
    return Object.assign({}, ...allOf.map((part) => exampleOf(asObject(part), lookup)));
  }
  if (type === "object") return exampleObject(schema, lookup);
  if (type === "array") return exampleList(schema, lookup);
  return undefined;
}

function exampleObject(schema: PlainSchema, lookup: Lookup): unknown {
  const required = Array.isArray(schema["required"]) ? schema["required"] : [];
  const fields = Object.entries(asObject(schema["properties"])).flatMap(
    ([name, field]): [string, unknown][] => {
      const needed = required.includes(name);
      const value =
        exampleOf(asObject(field), lookup) ??
        (needed ? plainest(resolve(asObject(field), lookup)) : undefined);
      return value === undefined ? [] : [[name, value]];
    },
  );
  return fields.length === 0 && required.length === 0 ? undefined : Object.fromEntries(fields);
}

function exampleList(schema: PlainSchema, lookup: Lookup): unknown {
  if (schema["maxItems"] === 0) return [];
  const item = exampleOf(asObject(schema["items"]), lookup);
  return item === undefined ? undefined : [item];
}

/** What stands for a field that must be there and has no example. */
function plainest(schema: PlainSchema): unknown {
  const { type, enum: values, minimum, format, default: usual } = schema;
  if (usual !== undefined) return usual;
  if (Array.isArray(values)) return values[0];
  if (type === "integer" || type === "number") return typeof minimum === "number" ? minimum : 0;
  if (type === "boolean") return true;
  if (type === "array") return [];
  if (type === "object") return {};
  if (type === "null") return null;
  if (type === "string") return format === "date-time" ? "2026-01-02T03:04:05.678901Z" : "…";
  return null;
}
