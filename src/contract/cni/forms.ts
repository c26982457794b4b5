/** Forms that the schemas and lists of the CNI API share, and what their patterns mean in words. */

import Type, { type Static, type TSchema } from "typebox";
import { type Exception, show } from "../check.ts";
import type { Parameter } from "../parameters.ts";
import { UUID } from "../uuid.ts";

export const closed = { additionalProperties: false } as const;

/** As answered. */
export const Uuid = (about: object = {}) => Type.String({ format: "uuid", ...about });
/** As sent, in either case. */
export const GivenUuid = (about: object = {}) => Type.String({ pattern: UUID, ...about });

/** A site names ports, so it is one word. */
export const Site = (about: object = {}) =>
  Type.String({ pattern: "^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$", ...about });
export const Line = (about: object = {}) =>
  Type.String({ pattern: "^[^\\u0000-\\u001f\\u007f]{1,100}$", ...about });
export const Speed = (about: object = {}) => Type.String({ pattern: "^[0-9]{1,4}[MGT]$", ...about });

/** The largest number of the vendor's int32. */
export const MOST = 2_147_483_647;
/** The vendor's int32. */
export const Whole32 = (about: object = {}) => Type.Integer({ minimum: 0, maximum: MOST, ...about });

/** What answers and requests name their account by. */
export const Account = Type.String({
  description: "The account, which is that of the path.",
  examples: ["023e105f4ecef8ad9ca31a8372d0c353"],
});

/** What may be `null` as well. */
export function nullable<Schema extends TSchema & { readonly type: string }>(schema: Schema) {
  return Type.Unsafe<Static<Schema> | null>({ ...schema, type: [schema.type, "null"] });
}

/** Part of a list. `next` is the cursor of the rest, if there is one. */
export const page = <Item extends TSchema>(item: Item) =>
  Type.Object(
    {
      items: Type.Array(item),
      next: nullable(
        Whole32({ description: "The `cursor` of what comes next; `null` at the end.", examples: [null] }),
      ),
    },
    closed,
  );

/** How lists are had in pages. The cursor is a position, so what is removed between two pages moves the rest. */
export const paging: Readonly<Record<"cursor" | "limit", Parameter>> = {
  cursor: {
    schema: Whole32(),
    description: "`next` of the previous answer, to go on from there.",
    mayBeEmpty: true,
  },
  limit: {
    schema: Whole32(),
    description: "How many are in one answer at most: all of them unless said.",
    mayBeEmpty: true,
  },
};

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
