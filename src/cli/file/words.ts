/** Values and paths as people read them. */

import { printable } from "../../contract/printable.ts";
import type { Field, Value } from "../../file/fields.ts";

/** A value of an interconnect; a secret is not shown. */
export function valueWords(field: Field, value: Value | undefined): string {
  if (value === undefined || value === "") return "(none)";
  if (field.secret) return "(secret)";
  if (typeof value !== "object") {
    return typeof value === "string" && !/^[\w./:+-]+$/.test(value) ? quoted(value) : String(value);
  }
  return value.length === 0 ? "(none)" : `[${value.map((item) => printable(item)).join(", ")}]`;
}

export function quoted(text: string): string {
  return printable(JSON.stringify(text));
}
