/** The account's address pools, and the lowest free subnet of each. */

import { formatAddress4, parsePrefix4 } from "../../contract/addresses.ts";
import type { Problems } from "../../contract/errors.ts";
import { INTERFACE_CLAIM, LINK_CLAIM, type Link } from "../interconnect.ts";
import { poolsOf, type SettingsDoc } from "../settings.ts";
import type { State } from "../state.ts";

const pools = {
  link: { claim: LINK_CLAIM, what: "p2p_ip and cust_ip" },
  interface: { claim: INTERFACE_CLAIM, what: "interface_address" },
} as const;

/**
 * The lowest /31 of a pool that no interconnect of the account has, as its two addresses with their
 * prefix length: the provider's end first. Whoever takes it claims it, so the next is given another.
 */
function lowestFree(
  state: State,
  settings: SettingsDoc,
  pool: keyof typeof pools,
  problems: Problems,
): readonly [string, string] | undefined {
  const { claim, what } = pools[pool];
  const prefixes = poolsOf(settings)[pool];
  for (const text of prefixes) {
    const prefix = parsePrefix4(text);
    if (!prefix) continue;
    const first = prefix.address / 2;
    const free = state.firstFree(claim, first, first + 2 ** (31 - prefix.length) - 1);
    if (free !== undefined) return [`${formatAddress4(free * 2)}/31`, `${formatAddress4(free * 2 + 1)}/31`];
  }
  if (prefixes.length === 0) problems.add("pool_missing", { pool, what });
  else problems.add("pool_exhausted", () => ({ pool, prefixes: prefixes.join(", ") }));
  return undefined;
}

/** Both ends of a new link. */
export function freeLink(state: State, settings: SettingsDoc, problems: Problems): Link | undefined {
  const ends = lowestFree(state, settings, "link", problems);
  return ends && { p2p_ip: ends[0], cust_ip: ends[1] };
}

/** The provider's own end of a new interface subnet. */
export function freeInterfaceAddress(
  state: State,
  settings: SettingsDoc,
  problems: Problems,
): string | undefined {
  return lowestFree(state, settings, "interface", problems)?.[0];
}
