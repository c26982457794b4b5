/** What the address of the sign-in page says: the page to open after sign-in. */

import type { RawSearch } from "../../parts/search.ts";

export interface SignInSearch {
  /** The path of a page of the dashboard, with its search parameters. */
  readonly next?: string;
}

export function readSignInSearch({ next }: RawSearch): SignInSearch {
  const path = typeof next === "string" ? dashboardPath(next) : undefined;
  return path === undefined ? {} : { next: path };
}

/** Stands for the origin of the dashboard, whatever it is. */
const HERE = "http://dashboard.invalid";

/** The address as a path of the dashboard; `undefined` if it leads anywhere else. */
export function dashboardPath(address: string): string | undefined {
  if (!address.startsWith("/") || !URL.canParse(address, HERE)) return undefined;
  const { origin, pathname, search, hash } = new URL(address, HERE);
  return origin === HERE && pathname.startsWith("/dashboard/") ? pathname + search + hash : undefined;
}
