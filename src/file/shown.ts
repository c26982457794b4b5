/** An interconnect as a server shows it. */

import { FIELDS, hasForm, type Value } from "./fields.ts";

/** One interconnect: what can be written, by path, and all of it as it was read. */
export interface Shown {
  readonly id: string;
  readonly name: string;
  readonly fields: ReadonlyMap<string, Value>;
  readonly raw: Readonly<Record<string, unknown>>;
}

/** What can be written, of an interconnect as it is shown. */
export function fieldsOf(raw: unknown): Map<string, Value> {
  const fields = new Map<string, Value>();
  // Version 1.5 has its endpoints from its address.
  const derived = member(raw, "version") === "1.5";
  for (const { path, form } of FIELDS) {
    if (derived && (path === "bgp.cloudflare_endpoint" || path === "bgp.customer_endpoint")) continue;
    const value = path === "health_check.target" ? savedTarget(raw) : valueAt(raw, path);
    if (hasForm(form, value)) fields.set(path, value);
  }
  const asn = valueAt(raw, "bgp.as_no");
  if (!fields.has("bgp.customer_asn") && hasForm("whole number", asn)) fields.set("bgp.customer_asn", asn);
  return fields;
}

function savedTarget(raw: unknown): unknown {
  const target = valueAt(raw, "health_check.target");
  return typeof target === "object" ? member(target, "saved") : target;
}

export function valueAt(raw: unknown, path: string): unknown {
  return path.split(".").reduce(member, raw);
}

export function member(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
  return Reflect.get(value, key);
}
