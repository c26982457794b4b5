/**
 * The fields of an interconnect that can be written, as a file, a shell and a plan name them.
 *
 * Plain data beside the published schema, which takes longer to load than a plan takes to make; a test holds the two
 * together. What a value may be beyond its type is judged by the server, or by `lint`.
 */

import { canonicalAddress, formatPrefix, parsePrefix } from "../contract/addresses.ts";

/** What a field holds. */
export type Value = string | number | boolean | readonly string[];

export type Form = "text" | "whole number" | "true or false" | "list of texts";

export interface Field {
  /** By dotted path, such as `health_check.rate`. */
  readonly path: string;
  readonly form: Form;
  /** What it is where it is not shown: the documented default, or the value that clears it. */
  readonly absent?: Value;
  /** The one way to write a value that can be written in several. Texts that are none stay as they are. */
  readonly canonical?: (text: string) => string;
  /** Not shown to anybody, and not exported. */
  readonly secret?: true;
  /** Only one interconnect can have the value, so neither defaults nor groups give it. */
  readonly unique?: true;
  /** A change of it may cut the interconnect off. */
  readonly address?: true;
}

const host = (text: string) => canonicalAddress(text) ?? text;
const prefix = (text: string) => {
  const parsed = parsePrefix(text);
  return parsed ? formatPrefix(parsed) : text;
};

/** In the order in which they are exported and shown. */
export const FIELDS: readonly Field[] = [
  { path: "name", form: "text", unique: true },
  { path: "description", form: "text", absent: "" },
  { path: "interface_address", form: "text", unique: true, address: true },
  { path: "interface_address6", form: "text", absent: "", canonical: prefix, unique: true, address: true },
  { path: "mtu", form: "whole number" },
  { path: "gre.cloudflare_endpoint", form: "text", canonical: host, address: true },
  { path: "automatic_return_routing", form: "true or false", absent: false },
  { path: "health_check.enabled", form: "true or false", absent: true },
  { path: "health_check.rate", form: "text", absent: "mid" },
  { path: "health_check.type", form: "text", absent: "reply" },
  { path: "health_check.direction", form: "text", absent: "unidirectional" },
  { path: "health_check.source", form: "text", absent: "" },
  { path: "health_check.target", form: "text", absent: "", canonical: host },
  { path: "bgp.customer_asn", form: "whole number" },
  { path: "bgp.extra_prefixes", form: "list of texts", absent: [], canonical: prefix },
  { path: "bgp.import_filter_id", form: "text", absent: "" },
  { path: "bgp.export_filter_id", form: "text", absent: "" },
  { path: "bgp.md5_key", form: "text", absent: "", secret: true },
  { path: "bgp.cloudflare_endpoint", form: "text", absent: "" },
  { path: "bgp.customer_endpoint", form: "text", absent: "" },
];

const byPath = new Map(FIELDS.map((field) => [field.path, field]));

export function fieldOf(path: string): Field | undefined {
  return byPath.get(path);
}

/** The objects that fields stand in: `health_check`, `gre`, `bgp`. */
export const OBJECTS: ReadonlySet<string> = new Set(
  FIELDS.flatMap(({ path }) => (path.includes(".") ? [path.slice(0, path.indexOf("."))] : [])),
);

/** What is shown and never written, with what to say of it. */
export const READ_ONLY: Readonly<Record<string, string>> = {
  colo_name: "is read-only",
  created_on: "is read-only",
  modified_on: "is read-only",
  version: "is read-only",
  virtual_port_reservation_id: "is read-only",
  "bgp.as_no": "is the old name of customer_asn: write that",
};

function canonicalOf({ canonical }: Field, value: Value): Value {
  if (canonical === undefined) return value;
  if (typeof value === "string") return canonical(value);
  return Array.isArray(value) ? value.map(canonical) : value;
}

/** Do two values mean the same? What is absent means what `absent` says. */
export function means(field: Field, one: Value | undefined, other: Value | undefined): boolean {
  const left = one ?? field.absent;
  const right = other ?? field.absent;
  if (left === undefined || right === undefined) return left === right;
  return JSON.stringify(canonicalOf(field, left)) === JSON.stringify(canonicalOf(field, right));
}

/** Is it a value of this form? */
export function hasForm(form: Form, value: unknown): value is Value {
  switch (form) {
    case "text":
      return typeof value === "string";
    case "whole number":
      return typeof value === "number" && Number.isSafeInteger(value);
    case "true or false":
      return typeof value === "boolean";
    case "list of texts":
      return Array.isArray(value) && value.every((item) => typeof item === "string");
  }
}

/** Values by path as the object that an update is. */
export function nested(fields: Iterable<readonly [string, Value]>): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  for (const [path, value] of fields) {
    const [outer = "", inner] = path.split(".");
    if (inner === undefined) object[outer] = value;
    else object[outer] = { ...Object(object[outer]), [inner]: value };
  }
  return object;
}
