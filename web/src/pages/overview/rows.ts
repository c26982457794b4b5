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

export function rowsOf({ interconnects, sites }: AccountState): readonly Row[] {
  return interconnects.map((one) => {
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
  });
}

/** So that `pni_9` comes before `pni_10`, and 10.0.9.0 before 10.0.10.0. */
function inOrder(text: string): string {
  return text.replaceAll(/\d+/g, (digits) => digits.padStart(8, "0"));
}

export function healthById({ interconnects }: AccountHealth): ReadonlyMap<string, RowHealth> {
  return new Map(interconnects.map((one) => [one.id, rowHealth(one)]));
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

export interface Found {
  readonly rows: readonly Row[];
  /** By state: how many the other conditions find. */
  readonly counts: Readonly<Record<ShownState, number>>;
}

/** Rows that all words and the site fit, counted by state; those of the states that are asked for. */
export function findRows(rows: readonly Row[], health: HealthById, search: OverviewSearch): Found {
  const words = search.q?.toLowerCase().split(/\s+/).filter(Boolean) ?? [];
  const wanted = new Set(statesIn(search.state));
  const counts = { healthy: 0, degraded: 0, down: 0, unknown: 0 };
  const found = rows.filter((row) => {
    if (search.site !== undefined && row.site !== search.site) return false;
    if (!words.every((word) => row.text.includes(word))) return false;
    const state = stateOf(row, health);
    counts[state] += 1;
    return wanted.size === 0 || wanted.has(state);
  });
  return { rows: found, counts };
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

export function sortRows(
  rows: readonly Row[],
  health: HealthById,
  { column, descending }: Order,
): readonly Row[] {
  const sign = descending ? -1 : 1;
  return rows
    .map((row) => ({ row, key: keys[column](row, health) }))
    .sort((one, other) => {
      if (one.key === undefined || other.key === undefined || one.key === other.key) {
        const known = Number(one.key === undefined) - Number(other.key === undefined);
        return known || (one.row.nameKey < other.row.nameKey ? -1 : 1);
      }
      return one.key < other.key ? -sign : sign;
    })
    .map(({ row }) => row);
}

/** Sites that there are, in order. */
export function sitesOf(rows: readonly Row[]): readonly string[] {
  return [...new Set(rows.map(({ site }) => site).filter((site) => site !== ""))].sort();
}
