/** An account as a file of interconnects, the same text for the same account. */

import { printable } from "../../contract/printable.ts";
import { FIELDS, type Field, nested, type Value } from "../../file/fields.ts";
import { type Shown, valueAt } from "../../file/shown.ts";
import { asJson } from "../printable.ts";
import type { Destination } from "./show-plan.ts";

/** Where a Patchbay publishes the schema of the file. */
export const SCHEMA_PATH = "/patchbay/v1/schemas/interconnects.json";

/** What a reader may want to know and cannot write. `modified_on` is not there: undone is as it was. */
const TOLD = ["id", "version", "colo_name", "created_on", "virtual_port_reservation_id"];

function byName(interconnects: readonly Shown[]): Shown[] {
  return [...interconnects].sort((one, other) =>
    one.name === other.name ? (one.id < other.id ? -1 : 1) : one.name < other.name ? -1 : 1,
  );
}

/** What the file says of an interconnect: all that can be written but its name, which is its key, and secrets. */
function exported({ fields }: Shown): [Field, Value][] {
  return FIELDS.flatMap((field): [Field, Value][] => {
    const value = fields.get(field.path);
    return value === undefined || field.path === "name" || field.secret ? [] : [[field, value]];
  });
}

export function exportJson(interconnects: readonly Shown[]): string {
  const entries = byName(interconnects).map((one) => [
    one.name,
    nested(exported(one).map(([{ path }, value]) => [path, value])),
  ]);
  return asJson({ interconnects: Object.fromEntries(entries) });
}

/** `schema` is the address of the file's schema, where there is one. */
export function exportYaml(
  interconnects: readonly Shown[],
  at: Destination,
  schema: string | undefined,
): string {
  const lines = schema === undefined ? [] : [`# yaml-language-server: $schema=${schema}`];
  lines.push(
    `# Interconnects of account ${printable(at.account)} at ${printable(at.server)}.`,
    "# patchbay plan -f THIS-FILE shows what an edit would change. What is not in the file is left alone.",
    "# Comments tell what is read-only.",
    "",
  );
  if (interconnects.length === 0) return [...lines, "interconnects: {}", ""].join("\n");
  lines.push("interconnects:");
  for (const one of byName(interconnects)) lines.push(...entryLines(one));
  return [...lines, ""].join("\n");
}

function entryLines(one: Shown): string[] {
  const lines = [`  ${scalar(one.name)}:`];
  for (const path of TOLD) {
    const value = valueAt(one.raw, path);
    if (typeof value === "string") lines.push(`    # ${path}: ${printable(value)}`);
  }
  let object = "";
  for (const [{ path }, value] of exported(one)) {
    const [outer = "", inner] = path.split(".");
    if (inner === undefined) lines.push(`    ${outer}: ${written(value)}`);
    else {
      if (outer !== object) lines.push(`    ${outer}:`);
      lines.push(`      ${inner}: ${written(value)}`);
    }
    if (path === "health_check.target") lines.push(...effectiveLine(one));
    object = outer;
  }
  if (one.fields.get("bgp.md5_key")) {
    if (object !== "bgp") lines.push("    # bgp:");
    lines.push("      # md5_key is set. It is a secret, so exports leave it out, and it stays as it is.");
  }
  // An entry without a field would read as empty, which it may be.
  return lines;
}

function effectiveLine({ raw }: Shown): string[] {
  const effective = valueAt(raw, "health_check.target.effective");
  return typeof effective === "string" ? [`      # target, effective: ${printable(effective)}`] : [];
}

function written(value: Value): string {
  if (typeof value === "string") return scalar(value);
  return typeof value === "object" ? `[${value.map(scalar).join(", ")}]` : String(value);
}

const WORDS = /^[A-Za-z_][\w./-]*(?: [\w./-]+)*$/;
const ADDRESS = /^\d+\.\d+\.\d+\.\d+(?:\/\d+)?$/;
/** What some reader of YAML takes for something else than a text. */
const TAKEN = /^(?:true|false|yes|no|on|off|y|n|null)$/i;

/** A text as a scalar of YAML 1.2 that readers of 1.1 understand alike: plain where it is safe, else in quotes. */
function scalar(text: string): string {
  if (ADDRESS.test(text) || (WORDS.test(text) && !TAKEN.test(text))) return text;
  return printable(JSON.stringify(text));
}
