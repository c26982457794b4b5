/**
 * The last hour of interconnects, and who changed them last: read only of those that are looked at, many at once, and
 * kept for a bounded number of them.
 */

import { useEffect, useSyncExternalStore } from "react";
import type { AccountHealth, ShownMinute } from "../../../src/contract/health.ts";
import type { LastChange } from "../../../src/contract/last-changes.ts";
import { type Interconnect, ownPath } from "./account.ts";
import { ask } from "./client.ts";
import { may, type SessionAccount } from "./session.ts";

/** The server tells of as many at once. */
const MOST_AT_ONCE = 100;
const MOST_KEPT = 1_000;
/** Milliseconds for which an hour is good: a minute comes to it each minute. */
const HOUR_HOLDS = 30_000;
/** Milliseconds for which the same must be looked at before it is asked for. */
const AT_REST = 120;

/** A minute of an interconnect, of all provider edges together. */
export interface Minute {
  /** The minute's first moment, in milliseconds since 1970. */
  readonly at: number;
  readonly sent: number;
  readonly lost: number;
  /** Milliseconds: the longest of the edges' medians; none if nothing came back. */
  readonly latency: number | undefined;
}

interface Kept<T> {
  readonly value: T;
  readonly read: number;
}

/** What was read, the longest unread first. */
class Shelf<T> {
  readonly #kept = new Map<string, Kept<T>>();

  get(key: string): Kept<T> | undefined {
    return this.#kept.get(key);
  }

  put(key: string, value: T): void {
    this.#kept.delete(key);
    this.#kept.set(key, { value, read: Date.now() });
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= MOST_KEPT) break;
      this.#kept.delete(oldest);
    }
  }

  clear(): void {
    this.#kept.clear();
  }
}

const hours = new Shelf<readonly Minute[]>();
/** By interconnect and the time it was modified: it is another after each change. */
const changes = new Shelf<LastChange>();
let version = 0;
const listeners = new Set<() => void>();

function moved(): void {
  version += 1;
  for (const listener of listeners) listener();
}

/** What another account or session saw is not shown. */
export function forgetRecent(): void {
  hours.clear();
  changes.clear();
  moved();
}

const changeKey = ({ id, modified_on }: Pick<Interconnect, "id" | "modified_on">) => `${id} ${modified_on}`;

export const hourOf = (id: string): readonly Minute[] | undefined => hours.get(id)?.value;
export const changeOf = (one: Pick<Interconnect, "id" | "modified_on">): LastChange | undefined =>
  changes.get(changeKey(one))?.value;

/** Sees to it that `hourOf` and `changeOf` tell of these, and has the caller drawn again when they tell more. */
export function useRecent(
  account: SessionAccount,
  shown: readonly Pick<Interconnect, "id" | "modified_on">[],
): void {
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => version,
  );
  const which = shown.map(changeKey).join();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the list is new each time, `which` is it
  useEffect(() => {
    const stopped = new AbortController();
    const look = () => void read(account, shown.slice(0, MOST_AT_ONCE), stopped.signal);
    const soon = setTimeout(look, AT_REST);
    const again = setInterval(look, HOUR_HOLDS);
    return () => {
      clearTimeout(soon);
      clearInterval(again);
      stopped.abort();
    };
  }, [account, which]);
}

async function read(
  account: SessionAccount,
  shown: readonly Pick<Interconnect, "id" | "modified_on">[],
  signal: AbortSignal,
): Promise<void> {
  const now = Date.now();
  const old = shown.filter(({ id }) => now - (hours.get(id)?.read ?? 0) >= HOUR_HOLDS);
  const strange = shown.filter((one) => !changes.get(changeKey(one)));
  try {
    await Promise.all([
      may(account, "readHealth") && old.length > 0 && readHours(account.id, old, signal),
      may(account, "readLog") && strange.length > 0 && readChanges(account.id, strange, signal),
    ]);
  } catch {
    // They stay as they were, and are asked for again; that the server is away is told elsewhere.
  }
}

const naming = (shown: readonly { readonly id: string }[]) =>
  shown.map(({ id }) => `interconnect=${encodeURIComponent(id)}`).join("&");

async function readHours(
  account: string,
  shown: readonly { readonly id: string }[],
  signal: AbortSignal,
): Promise<void> {
  const { result } = await ask<AccountHealth>(`${ownPath(account)}/health?${naming(shown)}`, { signal });
  for (const { id, edges, minutes = [] } of result.interconnects) {
    const providers = new Set(edges.filter(({ role }) => role === "provider").map(({ edge }) => edge));
    hours.put(id, together(minutes.filter(({ edge }) => providers.has(edge))));
  }
  moved();
}

async function readChanges(
  account: string,
  shown: readonly Pick<Interconnect, "id" | "modified_on">[],
  signal: AbortSignal,
): Promise<void> {
  const path = `${ownPath(account)}/last-changes?${naming(shown)}`;
  const { result } = await ask<readonly LastChange[]>(path, { signal });
  const byId = new Map(result.map((one) => [one.interconnect, one]));
  for (const one of shown) {
    const told = byId.get(one.id);
    if (told) changes.put(changeKey(one), told);
  }
  moved();
}

/** Minutes of several edges as one: all their probes, and the worst latency. */
export function together(minutes: readonly ShownMinute[]): readonly Minute[] {
  const byTime = new Map<number, Minute>();
  for (const { minute, sent, lost, latency } of minutes) {
    const at = Date.parse(minute);
    const known = byTime.get(at);
    const median = latency?.median;
    const worst = Math.max(known?.latency ?? -1, median ?? -1);
    byTime.set(at, {
      at,
      sent: sent + (known?.sent ?? 0),
      lost: lost + (known?.lost ?? 0),
      latency: worst < 0 ? undefined : worst,
    });
  }
  return [...byTime.values()].sort((one, other) => one.at - other.at);
}
