/** What a body may say and nothing is taken from: fields that its schema calls read-only. */

import { escapePointer } from "./json.ts";

/** The most fields that are told. */
const MOST = 100;

/** JSON pointers to the read-only fields of a value that its schema takes. */
export function ignoredFields(schema: unknown, value: unknown): string[] {
  const found = new Set<string>();
  walk(schema, value, "", found);
  return [...found];
}

function walk(schema: unknown, value: unknown, pointer: string, found: Set<string>): void {
  if (typeof value !== "object" || value === null || found.size >= MOST) return;
  for (const one of listOf(schema, "anyOf")) walk(one, value, pointer, found);
  if (Array.isArray(value)) {
    const items = member(schema, "items");
    if (items !== undefined)
      for (const [index, item] of value.entries()) walk(items, item, `${pointer}/${index}`, found);
    return;
  }
  const properties = member(schema, "properties");
  for (const [name, field] of Object.entries(value)) {
    const of = member(properties, name);
    const at = `${pointer}/${escapePointer(name)}`;
    if (member(of, "readOnly") === true && found.size < MOST) found.add(at);
    else if (of !== undefined) walk(of, field, at, found);
  }
}

function listOf(schema: unknown, keyword: string): readonly unknown[] {
  const list = member(schema, keyword);
  return Array.isArray(list) ? list : [];
}

function member(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key)
    ? Reflect.get(value, key)
    : undefined;
}
