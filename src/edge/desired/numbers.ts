/**
 * Numbers of flows: each interconnect with return routing has one of 16 bits, that its flows are marked with and its
 * routing table and rule are called by, and keeps it for as long as the account has the interconnect. Sites have one
 * too, for the zone that their flows are told apart in.
 */

import type { EdgeAccount } from "../account.ts";
import type { EdgeConfig } from "../config.ts";

const MOST = 0xffff;

export interface Numbers {
  /** By an interconnect's identifier, or a site's key. */
  readonly given: Readonly<Record<string, number>>;
  /** The newest: the next one is searched from there on, so that flows of one that is gone find no new owner soon. */
  readonly last: number;
}

export const NO_NUMBERS: Numbers = { given: {}, last: 0 };

/** Numbers for all that need one; those that the account knows no more are free again. */
export function numbersFor(account: EdgeAccount, config: EdgeConfig, before: Numbers): Numbers {
  const known = account.interconnects.flatMap(({ id, name }) => [id, siteKey(name, config) ?? id]);
  const needed =
    config.role === "provider"
      ? account.interconnects
          .filter(({ returnRouting }) => returnRouting)
          .flatMap(({ id, name }) => [id, siteKey(name, config) ?? id])
      : [];
  const keep = new Set(known);
  const given = new Map(Object.entries(before.given).filter(([key]) => keep.has(key)));
  const taken = new Set(given.values());
  let last = before.last;
  for (const key of needed) {
    if (given.has(key)) continue;
    const number = firstFree(taken, last);
    if (number === undefined) break;
    given.set(key, number);
    taken.add(number);
    last = number;
  }
  return { given: Object.fromEntries(given), last };
}

function firstFree(taken: ReadonlySet<number>, after: number): number | undefined {
  for (let step = 0; step < MOST; step++) {
    const number = ((after + step) % MOST) + 1;
    if (!taken.has(number)) return number;
  }
  return undefined;
}

/** What the zone of an interconnect's flows is kept by: its site's set if it is in one, else itself. */
export function zoneOf(
  { id, name }: { readonly id: string; readonly name: string },
  config: EdgeConfig,
  { given }: Numbers,
): number | undefined {
  return given[siteKey(name, config) ?? id];
}

function siteKey(name: string, { sameSite }: EdgeConfig): string | undefined {
  const site = sameSite.find((names) => names.includes(name));
  return site && `site ${site.join(" ")}`;
}
