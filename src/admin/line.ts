/**
 * The lines of a dump and of an archive, each a JSON object.
 *
 * A dump (`holds: "world"`) is a header; for each state a line of its own, its changes and then its
 * objects; the rows of other tables; and an end that counts, so that a part is not taken for the whole.
 * An archive (`holds: "archive"`) has states and changes alone.
 */

import Type, { type Static } from "typebox";
import { Compile } from "typebox/compile";
import { ChangeRecord } from "../contract/log.ts";

/** Grows when lines change so that an older version cannot read them. */
export const FORMAT = 1;

const closed = { additionalProperties: false } as const;
const Count = Type.Integer({ minimum: 0 });
const Revision = Type.Integer({ minimum: 1 });

export const HeaderLine = Type.Object(
  { type: Type.Literal("header"), format: Type.Integer(), holds: Type.Enum(["world", "archive"]) },
  closed,
);

const StateLine = Type.Object(
  {
    type: Type.Literal("state"),
    id: Type.String({ pattern: "^([0-9a-f]{32}|directory)$" }),
    epoch: Type.String({ minLength: 1 }),
    /** The last of the changes that follow; in a dump, where the state stands: at 0 if nothing changed it yet. */
    revision: Count,
    /** The revision before the first of the changes that follow. More than 0 where the log was pruned. */
    after: Count,
    /** For each kind of object, the revision of the last change to one. Not in an archive. */
    collections: Type.Optional(Type.Record(Type.String(), Revision)),
  },
  closed,
);
export type StateLine = Static<typeof StateLine>;

const ChangeLine = Type.Object({ type: Type.Literal("change"), record: ChangeRecord }, closed);

const ObjectLine = Type.Object(
  {
    type: Type.Literal("object"),
    kind: Type.String(),
    id: Type.String({ minLength: 1 }),
    revision: Revision,
    doc: Type.Record(Type.String(), Type.Unknown()),
  },
  closed,
);
export type ObjectLine = Static<typeof ObjectLine>;

const RowLine = Type.Object(
  {
    type: Type.Literal("row"),
    table: Type.String(),
    values: Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Null()])),
  },
  closed,
);
export type RowLine = Static<typeof RowLine>;

const EndLine = Type.Object(
  { type: Type.Literal("end"), states: Count, changes: Count, objects: Count, rows: Count },
  closed,
);
export type EndLine = Static<typeof EndLine>;

export type Line =
  | Static<typeof HeaderLine>
  | StateLine
  | Static<typeof ChangeLine>
  | ObjectLine
  | RowLine
  | EndLine;

const schemas = {
  header: Compile(HeaderLine),
  state: Compile(StateLine),
  change: Compile(ChangeLine),
  object: Compile(ObjectLine),
  row: Compile(RowLine),
  end: Compile(EndLine),
};

/** A line that was read, or what is wrong with it. */
export function readLine(text: string): Line | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return `this is no JSON: ${error instanceof Error ? error.message : error}`;
  }
  const type = typeof value === "object" && value !== null && "type" in value ? value.type : undefined;
  switch (type) {
    case "header":
      return schemas.header.Check(value) ? value : told(schemas.header.Errors(value));
    case "state":
      return schemas.state.Check(value) ? value : told(schemas.state.Errors(value));
    case "change":
      return schemas.change.Check(value) ? value : told(schemas.change.Errors(value));
    case "object":
      return schemas.object.Check(value) ? value : told(schemas.object.Errors(value));
    case "row":
      return schemas.row.Check(value) ? value : told(schemas.row.Errors(value));
    case "end":
      return schemas.end.Check(value) ? value : told(schemas.end.Errors(value));
    default:
      return `a line is an object whose "type" is ${Object.keys(schemas).join(", ")}`;
  }
}

function told(errors: readonly { readonly instancePath: string; readonly message: string }[]): string {
  const [first] = errors;
  return first ? `${first.instancePath || "the line"} ${first.message}` : "it has not the form of its type";
}
