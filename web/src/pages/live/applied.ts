/** What was applied from this page, by account and revision: for tokens that may not read it in the log. */

import type { Applied } from "../change/server-plan.ts";

const MOST = 20;
const applied = new Map<string, Applied>();

export function noteApplied(account: string, one: Applied): void {
  applied.set(`${account} ${one.revision}`, one);
  for (const oldest of applied.keys()) {
    if (applied.size <= MOST) break;
    applied.delete(oldest);
  }
}

export function appliedOf(account: string, revision: number): Applied | undefined {
  return applied.get(`${account} ${revision}`);
}
