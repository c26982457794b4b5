/** Interconnects that are selected, by account: the overview selects them, a change is made of them. */

import { useSyncExternalStore } from "react";

const none: ReadonlySet<string> = new Set();
const selected = new Map<string, ReadonlySet<string>>();
const listeners = new Set<() => void>();

export function useSelection(account: string): ReadonlySet<string> {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => selected.get(account) ?? none,
  );
}

export function select(account: string, ids: ReadonlySet<string>): void {
  if (ids.size === 0) selected.delete(account);
  else selected.set(account, ids);
  for (const listener of listeners) listener();
}

export function toggle(account: string, id: string): void {
  const ids = new Set(selected.get(account));
  if (!ids.delete(id)) ids.add(id);
  select(account, ids);
}

export function forgetSelection(): void {
  selected.clear();
  for (const listener of listeners) listener();
}
