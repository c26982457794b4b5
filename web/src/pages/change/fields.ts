/** The fields as people see them: in groups, each with what the published schema says of it. */

import { hasGre, type Version } from "../../../../src/account/interconnect.ts";
import { UpdateWithText } from "../../../../src/contract/interconnect.ts";
import { FIELDS, type Field } from "../../../../src/file/fields.ts";
import { member, type Shown } from "../../../../src/file/shown.ts";

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

const labels: Readonly<Record<string, string>> = {
  name: "Name",
  description: "Description",
  mtu: "MTU",
  interface_address: "Interface address",
  interface_address6: "Interface address, IPv6",
  "gre.cloudflare_endpoint": "GRE endpoint of the provider",
  automatic_return_routing: "Automatic return routing",
  "health_check.enabled": "Probes",
  "health_check.rate": "Rate",
  "health_check.type": "Type",
  "health_check.direction": "Direction",
  "health_check.source": "Source",
  "health_check.target": "Target",
  "bgp.customer_asn": "Customer ASN",
  "bgp.extra_prefixes": "Extra prefixes",
  "bgp.import_filter_id": "Import filter",
  "bgp.export_filter_id": "Export filter",
  "bgp.md5_key": "MD5 key",
  "bgp.cloudflare_endpoint": "Endpoint of the provider",
  "bgp.customer_endpoint": "Endpoint of the customer",
};

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

/** With the object that it stands in, where the label alone would not tell. */
export function fullLabel(path: string): string {
  const label = labels[path] ?? path;
  if (path.startsWith("health_check.")) return `Health check: ${label.toLowerCase()}`;
  return path.startsWith("bgp.") ? `BGP: ${label.replace(/^E/, "e").replace(/^I/, "i")}` : label;
}

/** Why an interconnect has no such field to be changed; none if it has. */
export function lackOf({ raw }: Shown, path: string): string | undefined {
  const version = member(raw, "version") as Version;
  if (path.startsWith("gre.") && !hasGre(version)) return `Version ${version} has no GRE tunnel.`;
  if (path === "health_check.source" && version !== "1.5") return `Version ${version} has no source.`;
  if (/^bgp\.c.*_endpoint$/.test(path) && version === "1.5") return "Follows from the interface address.";
  return undefined;
}
