import { didYouMean } from "../contract/similar.ts";
import { FIELDS, OBJECTS, READ_ONLY } from "./fields.ts";

/** What to say of something that is no field to be written. */
export function notWritable(path: string, beside: readonly string[] = []): string {
  const readOnly = READ_ONLY[path];
  if (readOnly !== undefined) return `${path} ${readOnly}${readOnly.includes(":") ? "" : ": leave it out"}`;
  if (path === "id") return "id stands in a file, to say which interconnect is meant; it cannot be changed";
  const top = [
    ...[...FIELDS.map((field) => field.path), ...Object.keys(READ_ONLY)].filter(
      (known) => !known.includes("."),
    ),
    ...OBJECTS,
    ...beside,
  ];
  const [outer = "", inner] = path.split(".");
  if (inner === undefined) return `There is no field ${path}.${didYouMean(path, top)}`;
  const known = FIELDS.flatMap((field) =>
    field.path.startsWith(`${outer}.`) ? [field.path.slice(outer.length + 1)] : [],
  );
  return `There is no field ${path}.${didYouMean(inner, known)}`;
}
