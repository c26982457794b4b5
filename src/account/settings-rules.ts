/** The rules of an account's settings, for seeds and for updates. */

import {
  contains,
  formatPrefix,
  isUnicast,
  network,
  type Prefix4,
  parsePrefix,
  parsePrefix4,
  parsePrefix6,
} from "../contract/addresses.ts";
import { show } from "../contract/check.ts";
import type { Problems } from "../contract/errors.ts";
import { interfaceRanges, names } from "./interconnect-rules.ts";
import { poolsOf, type SettingsDoc } from "./settings.ts";

export function judgeSettings(settings: SettingsDoc, pointer: string, problems: Problems): void {
  for (const [index, text] of settings.authorized_prefixes.entries()) {
    if (parsePrefix(text)) continue;
    const values = () => ({
      field: "authorized_prefixes",
      given: show(text),
      expected: "a prefix such as 198.51.100.0/24",
    });
    problems.add("invalid_value", values, `${pointer}/authorized_prefixes/${index}`);
  }
  const virtual = settings.virtual_subnet6;
  if (virtual !== undefined && !parsePrefix6(virtual)) {
    const values = () => ({ field: "virtual_subnet6", given: show(virtual), expected: "an IPv6 prefix" });
    problems.add("invalid_value", values, `${pointer}/virtual_subnet6`);
  }
  judgePools(settings, pointer, problems);
}

/** An IPv4 prefix of hosts, large enough for one /31 and no larger than the largest private one. */
const POOL_LENGTHS = { least: 8, most: 31 };

/** Prefixes of pools share no address with one another, whichever pool they are in. */
function judgePools(settings: SettingsDoc, pointer: string, problems: Problems): void {
  const seen: Prefix4[] = [];
  const pools = poolsOf(settings);
  for (const pool of ["link", "interface"] as const) {
    for (const [index, text] of pools[pool].entries()) {
      const at = `${pointer}/pools/${pool}/${index}`;
      const prefix = judgePoolPrefix(pool, text, at, problems);
      if (!prefix) continue;
      const rival = seen.find((other) => contains(other, prefix) || contains(prefix, other));
      if (rival)
        problems.add("address_overlap", { prefix: text, holder: `the pools, ${formatPrefix(rival)}` }, at);
      else seen.push(prefix);
    }
  }
}

function judgePoolPrefix(
  pool: "link" | "interface",
  text: string,
  pointer: string,
  problems: Problems,
): Prefix4 | undefined {
  const { least, most } = POOL_LENGTHS;
  const prefix = parsePrefix4(text);
  const clear = prefix && formatPrefix(network(prefix)) === text;
  if (!prefix || !clear || prefix.length < least || prefix.length > most || !isUnicast(addressOf(text))) {
    const expected = `an IPv4 prefix of /${least} to /${most} without host bits, such as 10.0.0.0/16`;
    problems.add("invalid_value", () => ({ field: `pools.${pool}`, given: show(text), expected }), pointer);
    return undefined;
  }
  if (pool === "link" || interfaceRanges.some((range) => contains(range, prefix))) return prefix;
  problems.add("address_out_of_range", { prefix: text, ranges: names(interfaceRanges) }, pointer);
  return undefined;
}

function addressOf(prefix: string): string {
  return prefix.slice(0, prefix.indexOf("/"));
}
