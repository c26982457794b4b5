/** The rules of an interconnect's fields that a schema cannot say. Each names its source. */

import {
  canonicalAddress,
  contains,
  formatAddress4,
  formatAddress6,
  formatPrefix,
  isUnicast,
  network,
  type Prefix,
  parseAddress4,
  parsePrefix,
  parsePrefix4,
  parsePrefix6,
} from "../contract/addresses.ts";
import { show } from "../contract/check.ts";
import type { Problems } from "../contract/errors.ts";
import { authorizedOf } from "./authorized-prefixes.ts";
import type { Version } from "./interconnect.ts";
import type { SettingsDoc } from "./settings.ts";

function ranges(...texts: readonly string[]): readonly Prefix[] {
  return texts.map((text) => {
    const prefix = parsePrefix(text);
    if (!prefix) throw new Error(`${text} is not a prefix`);
    return prefix;
  });
}

/** RFC 1918 and the vendor's approved link-local range (developers' documentation, "Configure tunnels"). */
export const interfaceRanges = ranges("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.240.0/20");

/** Sources of bidirectional health checks (official client 7.3.0, `health_check.source`). */
const sourceRanges = [...interfaceRanges, ...ranges("198.41.199.224/27")];

export const names = (prefixes: readonly Prefix[]) => prefixes.map(formatPrefix).join(", ");

/** Bytes: the least of all versions, and the most by version (the room a GRE header of 24 bytes leaves in 1500 for version "1"). */
const MTU_LEAST = 576;
const mtuMost: Readonly<Record<Version, number>> = { "1": 1476, "1.5": 1500, "2": 1500 };

export function judgeMtu(mtu: number, version: Version, pointer: string, problems: Problems): boolean {
  const most = mtuMost[version];
  if (mtu >= MTU_LEAST && mtu <= most) return true;
  const expected = `from ${MTU_LEAST} to ${most} on a version ${version} interconnect`;
  problems.add("invalid_value", { field: "mtu", given: mtu, expected }, pointer);
  return false;
}

export function judgeName(name: string, pointer: string, problems: Problems, field = "name"): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (name !== "" && !/[\u0000-\u001f\u007f]/.test(name)) return true;
  const expected = "a text of 1 to 255 characters, none of them a control character";
  problems.add("invalid_value", () => ({ field, given: show(name), expected }), pointer);
  return false;
}

/** IPv4 interface subnet by version, and which of its hosts may be given. */
export function judgeInterfaceAddress(
  text: string,
  version: Version,
  settings: SettingsDoc,
  pointer: string,
  problems: Problems,
): boolean {
  const field = "interface_address";
  const lengths = version === "1.5" ? "/31" : "/31 or /30";
  const prefix = parsePrefix4(text);
  if (!prefix || (prefix.length !== 31 && (prefix.length !== 30 || version === "1.5"))) {
    const expected = `an IPv4 prefix of ${lengths} on a version ${version} interconnect, such as 10.0.0.0/31`;
    problems.add("invalid_value", () => ({ field, given: show(text), expected }), pointer);
    return false;
  }
  if (prefix.length === 30 && (prefix.address % 4 === 0 || prefix.address % 4 === 3)) {
    const base = prefix.address - (prefix.address % 4);
    const expected = `one of the two hosts of its subnet, ${formatAddress4(base + 1)}/30 or ${formatAddress4(base + 2)}/30`;
    problems.add("invalid_value", { field, given: text, expected }, pointer);
    return false;
  }
  if (interfaceRanges.some((range) => contains(range, prefix))) return true;
  const authorized = version === "1.5" ? authorizedOf(settings.authorized_prefixes) : undefined;
  if (authorized?.set.contains(prefix)) return true;
  const shown = authorized?.shown ? `, ${authorized.shown}` : "";
  problems.add("address_out_of_range", { prefix: text, ranges: names(interfaceRanges) + shown }, pointer);
  return false;
}

/**
 * A /127 in the /96 of the account's `virtual_subnet6`, its first address, and not that subnet
 * itself (the vendor's page). Returns the canonical text.
 */
export function judgeInterfaceAddress6(
  text: string,
  settings: SettingsDoc,
  pointer: string,
  problems: Problems,
): string | undefined {
  const field = "interface_address6";
  const prefix = parsePrefix6(text);
  const refuse = (expected: string) => {
    problems.add("invalid_value", () => ({ field, given: show(text), expected }), pointer);
    return undefined;
  };
  if (prefix?.length !== 127) return refuse("an IPv6 prefix of /127");
  if ((prefix.address & 1n) === 1n) {
    return refuse(`the first address of its subnet, ${formatAddress6(prefix.address - 1n)}/127`);
  }
  const virtual = parsePrefix6(settings.virtual_subnet6 ?? "");
  if (!virtual) return refuse("left out, because this account has no virtual_subnet6 to take it from");
  const space = network({ ...virtual, length: 96 });
  if (!contains(space, prefix)) {
    problems.add("address_out_of_range", { prefix: text, ranges: formatPrefix(space) }, pointer);
    return undefined;
  }
  if (contains({ ...virtual, length: 127 }, prefix))
    return refuse("another subnet than the account's virtual_subnet6");
  return formatPrefix(prefix);
}

/** One host, IPv4 or IPv6, in canonical text. */
export function judgeHost(
  field: string,
  text: string,
  pointer: string,
  problems: Problems,
): string | undefined {
  const canonical = canonicalAddress(text);
  if (canonical !== undefined && isUnicast(canonical)) return canonical;
  const expected = "the IP address of one host, such as 203.0.113.1";
  problems.add("invalid_value", () => ({ field, given: show(text), expected }), pointer);
  return undefined;
}

/** One IPv4 host. */
export function judgeHost4(
  field: string,
  text: string,
  pointer: string,
  problems: Problems,
): string | undefined {
  if (parseAddress4(text) !== undefined && isUnicast(text)) return text;
  const expected = "the IPv4 address of one host, such as 10.0.0.1";
  problems.add("invalid_value", () => ({ field, given: show(text), expected }), pointer);
  return undefined;
}

export function judgeSource(text: string, pointer: string, problems: Problems): string | undefined {
  const source = judgeHost4("health_check.source", text, pointer, problems);
  if (source === undefined) return undefined;
  const host = { family: 4, address: parseAddress4(source) ?? 0, length: 32 } as const;
  if (sourceRanges.some((range) => contains(range, host))) return source;
  problems.add("address_out_of_range", { prefix: source, ranges: names(sourceRanges) }, pointer);
  return undefined;
}

/** One prefix with its host bits clear, in canonical text. */
export function judgeRange(
  field: string,
  text: string,
  example: string,
  pointer: string,
  problems: Problems,
): string | undefined {
  const prefix = parsePrefix(text);
  const clear = prefix && formatPrefix(network(prefix));
  if (prefix && formatPrefix(prefix) === clear) return clear;
  const expected = clear ? `a prefix without host bits, ${clear}` : `a prefix such as ${example}`;
  problems.add("invalid_value", () => ({ field, given: show(text), expected }), pointer);
  return undefined;
}

/** Prefixes advertised to the customer, each with its host bits clear, in canonical text. */
export function judgeExtraPrefixes(
  texts: readonly string[],
  pointer: string,
  problems: Problems,
): readonly string[] | undefined {
  const canonical: string[] = [];
  for (const [index, text] of texts.entries()) {
    const range = judgeRange("bgp.extra_prefixes", text, "10.0.0.0/8", `${pointer}/${index}`, problems);
    if (range !== undefined) canonical.push(range);
  }
  return canonical.length === texts.length ? canonical : undefined;
}

/** Printable ASCII but `"` and `?` (the vendor's schema of `md5_key`). The value itself is not repeated. */
export function judgeMd5Key(key: string, pointer: string, problems: Problems): boolean {
  if (/^[\x20\x21\x23-\x3e\x40-\x7e]+$/.test(key)) return true;
  const values = { field: "bgp.md5_key", given: "not shown", expected: 'printable ASCII without " and ?' };
  problems.add("invalid_value", values, pointer);
  return false;
}

/** The vendor peers from this AS, and only over eBGP, so the customer's must differ ("Traffic steering"). */
const PROVIDER_ASN = 13335;

export function judgeAsn(field: string, asn: number, pointer: string, problems: Problems): boolean {
  if (asn !== PROVIDER_ASN) return true;
  problems.add(
    "invalid_value",
    { field, given: asn, expected: "another AS than the provider's own" },
    pointer,
  );
  return false;
}
