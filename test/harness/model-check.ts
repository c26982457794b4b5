/** The form of an update, as the vendor's page has it: what the model refuses before it looks at meanings. */

import type { Form, Json, JsonObject } from "./arbitraries.ts";

/** Told of each problem: the error's code and the pointer. */
export type Say = (code: number, pointer: string) => void;

type Shape =
  | { readonly is: "text"; readonly least?: number; readonly most?: number }
  | { readonly is: "whole"; readonly least?: number; readonly most?: number }
  | { readonly is: "flag" }
  | { readonly is: "word"; readonly of: readonly string[] }
  | { readonly is: "list"; readonly of: Shape }
  | { readonly is: "object"; readonly fields: Readonly<Record<string, Shape>>; readonly insteadOf?: "text" }
  | { readonly is: "text"; readonly most: number; readonly insteadOf: "object" };

const text = (most?: number): Shape => (most === undefined ? { is: "text" } : { is: "text", most });
const flag: Shape = { is: "flag" };
const asn: Shape = { is: "whole", least: 0, most: 2147483647 };
const word = (...of: string[]): Shape => ({ is: "word", of });

const targets: Readonly<Record<Form, Shape>> = {
  text: { is: "text", most: 64, insteadOf: "object" },
  object: { is: "object", fields: { effective: text(64), saved: text(64) }, insteadOf: "text" },
};

function updateShape(form: Form): Shape {
  return {
    is: "object",
    fields: {
      id: { is: "text", least: 1, most: 32 },
      automatic_return_routing: flag,
      bgp: {
        is: "object",
        fields: {
          as_no: asn,
          cloudflare_endpoint: text(64),
          customer_asn: asn,
          customer_endpoint: text(64),
          export_filter_id: text(32),
          extra_prefixes: { is: "list", of: text(64) },
          import_filter_id: text(32),
          md5_key: text(80),
        },
      },
      colo_name: text(),
      created_on: text(),
      description: text(1024),
      gre: { is: "object", fields: { cloudflare_endpoint: text(64) } },
      health_check: {
        is: "object",
        fields: {
          direction: word("unidirectional", "bidirectional"),
          enabled: flag,
          rate: word("low", "mid", "high"),
          source: text(64),
          target: targets[form],
          type: word("reply", "request"),
        },
      },
      interface_address: text(64),
      interface_address6: text(64),
      modified_on: text(),
      mtu: { is: "whole" },
      name: text(255),
      version: text(),
      virtual_port_reservation_id: text(),
    },
  };
}

const shapes: Readonly<Record<Form, Shape>> = { text: updateShape("text"), object: updateShape("object") };

/** The update without what is wrong in it, each of which is told; `undefined` if it is none at all. */
export function readUpdate(value: Json, form: Form, pointer: string, say: Say): JsonObject | undefined {
  const read = readAs(shapes[form], value, pointer, say);
  return isObject(read) ? read : undefined;
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const WRONG_TYPE = 1022;
const WRONG_VALUE = 990023;
const WRONG_FORM = 990035;
const UNKNOWN_FIELD = 990020;

function readAs(shape: Shape, value: Json, pointer: string, say: Say): Json | undefined {
  const refuse = (code: number) => {
    say(code, pointer);
    return undefined;
  };
  if (value === null) return refuse(WRONG_TYPE);
  if ("insteadOf" in shape && (shape.insteadOf === "text" ? typeof value === "string" : isObject(value))) {
    return refuse(WRONG_FORM);
  }
  switch (shape.is) {
    case "flag":
      return typeof value === "boolean" ? value : refuse(WRONG_TYPE);
    case "word":
      return shape.of.some((known) => known === value) ? value : refuse(WRONG_VALUE);
    case "text":
      if (typeof value !== "string") return refuse(WRONG_TYPE);
      return isWithin(shape, value.length) ? value : refuse(WRONG_VALUE);
    case "whole":
      if (typeof value !== "number" || !Number.isInteger(value)) return refuse(WRONG_TYPE);
      return isWithin(shape, value) ? value : refuse(WRONG_VALUE);
    case "list": {
      if (!Array.isArray(value)) return refuse(WRONG_TYPE);
      const items = value.map((item, n) => readAs(shape.of, item, `${pointer}/${n}`, say));
      return items.includes(undefined) ? undefined : value;
    }
    case "object":
      return isObject(value) ? readObject(shape.fields, value, pointer, say) : refuse(WRONG_TYPE);
  }
}

function isWithin(
  { least, most }: { readonly least?: number; readonly most?: number },
  size: number,
): boolean {
  return (least === undefined || size >= least) && (most === undefined || size <= most);
}

/** Unknown fields are told first, as they stand; then the known ones in their own order. */
function readObject(
  fields: Readonly<Record<string, Shape>>,
  value: JsonObject,
  pointer: string,
  say: Say,
): JsonObject {
  for (const field of Object.keys(value)) {
    if (!(field in fields))
      say(UNKNOWN_FIELD, `${pointer}/${field.replaceAll("~", "~0").replaceAll("/", "~1")}`);
  }
  const read: JsonObject = {};
  for (const [field, shape] of Object.entries(fields)) {
    const given = value[field];
    if (given === undefined) continue;
    const kept = readAs(shape, given, `${pointer}/${field}`, say);
    if (kept !== undefined) read[field] = kept;
  }
  return read;
}
