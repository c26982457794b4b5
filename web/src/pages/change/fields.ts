/** The fields as people see them: in groups, each with what the published schema says of it. */

import { hasGre, type Version } from "../../../../src/account/interconnect.ts";
import { UpdateWithText } from "../../../../src/contract/interconnect.ts";
import { FIELDS, type Field } from "../../../../src/file/fields.ts";
import { member, type Shown } from "../../../../src/file/shown.ts";
import { labels } from "./labels.ts";

export interface FieldInfo extends Field {
  /** Without the object that it stands in. */
  readonly label: string;
  /** In the words of the published schema. */
  readonly help: string;
  /** The values that there are; none where any may be typed. */
  readonly choices: readonly string[];
}

export interface FieldGroup {
  readonly title: string;
  readonly fields: readonly FieldInfo[];
}

function infoOf(field: Field): FieldInfo {
  const schema = field.path
    .split(".")
    .reduce<unknown>((at, key) => member(member(at, "properties"), key), UpdateWithText);
  const choices = member(schema, "enum");
  return {
    ...field,
    label: labels[field.path] ?? field.path,
    help: String(member(schema, "description") ?? ""),
    choices: Array.isArray(choices) ? choices.map(String) : [],
  };
}

const infos: ReadonlyMap<string, FieldInfo> = new Map(FIELDS.map((field) => [field.path, infoOf(field)]));

const group = (title: string, isOf: (path: string) => boolean): FieldGroup => ({
  title,
  fields: [...infos.values()].filter(({ path }) => isOf(path)),
});
const addresses = new Set(["interface_address", "interface_address6", "gre.cloudflare_endpoint"]);
const general = new Set(["name", "description", "mtu", "automatic_return_routing"]);

export const groups: readonly FieldGroup[] = [
  group("General", (path) => general.has(path)),
  group("Addresses", (path) => addresses.has(path)),
  group("Health check", (path) => path.startsWith("health_check.")),
  group("BGP", (path) => path.startsWith("bgp.")),
];

export function fieldInfo(path: string): FieldInfo | undefined {
  return infos.get(path);
}

/** Why an interconnect has no such field to be changed; none if it has. */
export function lackOf({ raw }: Shown, path: string): string | undefined {
  const version = member(raw, "version") as Version;
  if (path.startsWith("gre.") && !hasGre(version)) return `Version ${version} has no GRE tunnel.`;
  if (path === "health_check.source" && version !== "1.5") return `Version ${version} has no source.`;
  if (/^bgp\.c.*_endpoint$/.test(path) && version === "1.5") return "Follows from the interface address.";
  return undefined;
}
