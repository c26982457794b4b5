/** The rows of the overview: made of the account, found, and put in order. All of it pure. */

import type { AccountHealth, InterconnectHealth, ShownState } from "../../../../src/contract/health.ts";
import type { AccountState, Interconnect } from "../../api/account.ts";
import { type Order, type OverviewSearch, orderIn, statesIn } from "./search.ts";

export interface Row {
  readonly id: string;
  readonly interconnect: Interconnect;
  readonly name: string;
  readonly site: string;
  readonly modified_on: string;
  /** All that is searched, in lower case. */
  readonly text: string;
  /** Texts that are in order where names and addresses are. */
  readonly nameKey: string;
  readonly addressKey: string;
}

export interface RowHealth {
  readonly state: ShownState;
  readonly since: string | null;
  readonly reason: string;
  /** Of the last minute: milliseconds, and the share of probes that were lost. */
  readonly latency: number | undefined;
  readonly loss: number | undefined;
}

/** In the order of their names, which stays that of rows that are otherwise equal. */
export function rowsOf({ interconnects, sites }: AccountState): readonly Row[] {
  return interconnects
    .map((one) => {
      const { id, name, interface_address, interface_address6 = "", description = "", colo_name = "" } = one;
      const site = sites.get(id) ?? colo_name;
      const told = [name, site, interface_address, interface_address6, description, colo_name, id];
      return {
        id,
        interconnect: one,
        name,
        site,
        modified_on: one.modified_on,
        text: told.join("\n").toLowerCase(),
        nameKey: inOrder(name.toLowerCase()),
        addressKey: inOrder(interface_address),
      };
    })
    .sort((one, other) => compare(one.nameKey, other.nameKey));
}

/** So that `pni_9` comes before `pni_10`, and 10.0.9.0 before 10.0.10.0. */
function inOrder(text: string): string {
  return text.replaceAll(/\d+/g, (digits) => digits.padStart(8, "0"));
}

/** By interconnect. What is as it was before is the same object, so that nothing is drawn again for it. */
export function healthById({ interconnects }: AccountHealth, before: HealthById): NonNullable<HealthById> {
  return new Map(
    interconnects.map((one) => {
      const health = rowHealth(one);
      const was = before?.get(one.id);
      return [one.id, was && isSame(was, health) ? was : health] as const;
    }),
  );
}

function isSame(one: RowHealth, other: RowHealth): boolean {
  return (
    one.state === other.state &&
    one.since === other.since &&
    one.reason === other.reason &&
    one.latency === other.latency &&
    one.loss === other.loss
  );
}

function rowHealth({ state, since, reason, edges }: InterconnectHealth): RowHealth {
  let latency: number | undefined;
  let loss: number | undefined;
  for (const { role, state: at, last_minute: minute } of edges) {
    if (role !== "provider" || at === "unknown" || !minute) continue;
    if (minute.latency) latency = Math.max(latency ?? 0, minute.latency.median);
    if (minute.sent > 0) loss = Math.max(loss ?? 0, minute.lost / minute.sent);
  }
  return { state, since, reason, latency, loss };
}

export type HealthById = ReadonlyMap<string, RowHealth> | undefined;

const stateOf = (row: Row, health: HealthById): ShownState => health?.get(row.id)?.state ?? "unknown";

/** Rows of the site in which all words are found. */
export function matchRows(rows: readonly Row[], { q, site }: OverviewSearch): readonly Row[] {
  const words = q?.toLowerCase().split(/\s+/).filter(Boolean) ?? [];
  if (words.length === 0 && site === undefined) return rows;
  return rows.filter(
    (row) => (site === undefined || row.site === site) && words.every((word) => row.text.includes(word)),
  );
}

export interface Found {
  readonly rows: readonly Row[];
  /** By state: how many there are, whichever states are asked for. */
  readonly counts: Readonly<Record<ShownState, number>>;
}

/** Rows of the states that are asked for. */
export function rowsInStates(rows: readonly Row[], health: HealthById, state: string | undefined): Found {
  const wanted = new Set(statesIn(state));
  const counts = { healthy: 0, degraded: 0, down: 0, unknown: 0 };
  const found = rows.filter((row) => {
    const is = stateOf(row, health);
    counts[is] += 1;
    return wanted.has(is);
  });
  return { rows: wanted.size === 0 ? rows : found, counts };
}

const severity: Readonly<Record<ShownState, number>> = { down: 0, degraded: 1, unknown: 2, healthy: 3 };

/** What is compared in each column; what is not known comes last either way. */
const keys: Readonly<Record<Order["column"], (row: Row, health: HealthById) => string | number | undefined>> =
  {
    name: (row) => row.nameKey,
    state: (row, health) => severity[stateOf(row, health)],
    site: (row) => row.site || undefined,
    address: (row) => row.addressKey,
    mtu: (row) => row.interconnect.mtu,
    latency: (row, health) => health?.get(row.id)?.latency,
    loss: (row, health) => health?.get(row.id)?.loss,
    changed: (row) => row.modified_on,
  };

export const usualOrder: Order = { column: "name", descending: false };

export function orderOf(search: OverviewSearch): Order {
  return (search.sort !== undefined && orderIn(search.sort)) || usualOrder;
}

/** Columns whose order moves with health. */
export function isOfHealth(column: Order["column"]): boolean {
  return column === "state" || column === "latency" || column === "loss";
}

/** Of rows in the order of their names. */
export function sortRows(
  rows: readonly Row[],
  health: HealthById,
  { column, descending }: Order,
): readonly Row[] {
  if (column === "name") return descending ? rows.toReversed() : rows;
  const sign = descending ? -1 : 1;
  return rows
    .map((row) => ({ row, key: keys[column](row, health) }))
    .sort((one, other) => {
      if (one.key === undefined || other.key === undefined)
        return Number(one.key === undefined) - Number(other.key === undefined);
      return sign * compare(one.key, other.key);
    })
    .map(({ row }) => row);
}

function compare(one: string | number, other: string | number): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

/** Sites that there are, in order. */
export function sitesOf(rows: readonly Row[]): readonly string[] {
  return [...new Set(rows.map(({ site }) => site).filter((site) => site !== ""))].sort();
}
