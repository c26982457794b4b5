/** Forms that the schemas of the CNI API share, and what their patterns mean in words. */

import Type, { type Static, type TSchema } from "typebox";
import { type Exception, show } from "../check.ts";
import { UUID } from "../uuid.ts";

export const closed = { additionalProperties: false } as const;

/** As answered. */
export const Uuid = Type.String({ format: "uuid" });
/** As sent, in either case. */
export const GivenUuid = Type.String({ pattern: UUID });

/** A site names ports, so it is one word. */
export const Site = Type.String({ pattern: "^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$" });
export const Line = Type.String({ pattern: "^[^\\u0000-\\u001f\\u007f]{1,100}$" });
export const Speed = Type.String({ pattern: "^[0-9]{1,4}[MGT]$" });

/** The vendor's int32. */
export const Whole32 = Type.Integer({ minimum: 0, maximum: 2147483647 });

/** What may be `null` as well. */
export function nullable<Schema extends TSchema & { readonly type: string }>(schema: Schema) {
  return Type.Unsafe<Static<Schema> | null>({ ...schema, type: [schema.type, "null"] });
}

/** Part of a list. `next` is the cursor of the rest, if there is one. */
export const page = <Item extends TSchema>(item: Item) =>
  Type.Object({ items: Type.Array(item), next: nullable(Whole32) }, closed);

/** What a pattern means, by the field it is for. */
const meanings: Readonly<Record<string, string>> = {
  id: "a UUID",
  slot_id: "a UUID",
  virtual_port_reservation_id: "a UUID",
  site: "a word of 1 to 32 letters, digits, _ and -",
  speed: "a speed such as 10G",
  name: "one line of 1 to 100 characters",
  address: "one line of 1 to 100 characters",
  ccr_device_name: "one line of 1 to 100 characters",
  pairing_key: "as Google Cloud shows it, UUID/REGION/ZONE",
};

/** Says what a pattern means. A pairing key and an MD5 key are not repeated to anybody. */
export const explainForm: Exception = (path, value, problems, pointer) => {
  if (typeof value !== "string") return false;
  const field = /([a-z0-9_]*[a-z_])(\/\d+)?$/.exec(path)?.[1] ?? "";
  const secret = field === "pairing_key" || field === "md5_key";
  const expected = field === "md5_key" ? "at most 80 characters long" : meanings[field];
  if (expected === undefined) return false;
  problems.add(
    "invalid_value",
    () => ({ field, given: secret ? "not shown" : show(value), expected }),
    pointer,
  );
  return true;
};
