/** Values and counts in words. */

import type { Field, Value } from "../../../../src/file/fields.ts";

export function tellValue(
  field: Pick<Field, "secret" | "form"> | undefined,
  value: Value | undefined,
): string {
  if (value === undefined || value === "" || (Array.isArray(value) && value.length === 0)) return "none";
  if (field?.secret) return "a secret";
  if (typeof value === "boolean") return value ? "on" : "off";
  return Array.isArray(value) ? value.join(", ") : String(value);
}

export function count(number: number, what: string, many = `${what}s`): string {
  return `${number.toLocaleString("en")} ${number === 1 ? what : many}`;
}
