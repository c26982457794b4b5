/**
 * The schemas that check, as the document publishes them: what has a `title` stands once under that name
 * and is referred to from wherever it is part of something.
 */

import type { TSchema } from "typebox";

/** A JSON Schema (2020-12) as plain JSON. */
export interface PlainSchema {
  readonly [keyword: string]: unknown;
}

/** Keywords whose value is one schema. */
const single = ["items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames"];
/** Keywords whose value is a list of schemas. */
const listed = ["anyOf", "oneOf", "allOf", "prefixItems"];
/** Keywords whose value has a schema under each name. */
const mapped = ["properties", "patternProperties", "$defs"];

/** How a schema of any text's properties is written where `additionalProperties` says the same. */
const ANY_NAME = "^.*$";

export class PublishedSchemas {
  readonly #published = new Map<TSchema, PlainSchema>();
  readonly #named = new Map<string, { readonly given: string; readonly schema: PlainSchema }>();

  /** The schema as it stands in the document, its named parts noted. Throws if one name means two things. */
  publish(schema: TSchema): PlainSchema {
    const known = this.#published.get(schema);
    if (known) return known;
    const published = this.#publish(asObject(JSON.parse(JSON.stringify(schema))));
    this.#published.set(schema, published);
    return published;
  }

  /** One that was noted. */
  find(name: string): PlainSchema | undefined {
    return this.#named.get(name)?.schema;
  }

  /** All that were noted, by name. */
  get named(): Readonly<Record<string, PlainSchema>> {
    const entries = [...this.#named].map(([name, { schema }]): [string, PlainSchema] => [name, schema]);
    return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  #publish(schema: PlainSchema): PlainSchema {
    const { title } = schema;
    if (typeof title !== "string") return this.#parts(schema);
    const given = JSON.stringify(schema);
    const known = this.#named.get(title);
    if (known && known.given !== given) throw new Error(`Two schemas are called ${title}.`);
    if (!known) this.#named.set(title, { given, schema: this.#parts(schema) });
    return { $ref: `#/components/schemas/${title}` };
  }

  #parts(schema: PlainSchema): PlainSchema {
    const parts = Object.entries(schema).map(([keyword, value]): [string, unknown] => {
      if (single.includes(keyword) && isObject(value)) return [keyword, this.#publish(value)];
      if (listed.includes(keyword) && Array.isArray(value)) {
        return [keyword, value.map((item) => this.#publish(asObject(item)))];
      }
      if (mapped.includes(keyword) && isObject(value)) {
        const entries = Object.entries(value).map(([name, item]) => [name, this.#publish(asObject(item))]);
        return [keyword, Object.fromEntries(entries)];
      }
      return [keyword, value];
    });
    return plainer(Object.fromEntries(parts));
  }
}

/** The same in the words that readers of OpenAPI know best. */
function plainer(schema: PlainSchema): PlainSchema {
  const { patternProperties, enum: values, ...rest } = schema;
  if (isObject(patternProperties) && Object.keys(patternProperties).join() === ANY_NAME) {
    return { ...rest, additionalProperties: patternProperties[ANY_NAME] };
  }
  if (!Array.isArray(values) || "type" in rest) return schema;
  const types = new Set(values.map((value) => typeof value));
  const [type] = types;
  return types.size === 1 && type !== "object" ? { type, enum: values, ...rest } : schema;
}

function isObject(value: unknown): value is PlainSchema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function asObject(value: unknown): PlainSchema {
  return isObject(value) ? value : {};
}
