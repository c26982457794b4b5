/** How often a property is tested. */

import { expect } from "vitest";

/** Does `npm run test:long` run? */
export const isLong = process.env["PATCHBAY_TEST_LONG"] !== undefined;

/** Runs of a property: all of them in `npm run test:long`, a quarter of them otherwise. */
export function runs(count: number): number {
  return isLong ? count : Math.ceil(count / 4);
}

/** Runs more of a property until nothing is missing of what its requests must have led to. Fails if they never do. */
export async function runUntilSeen(
  run: () => Promise<void>,
  missing: () => readonly string[],
): Promise<void> {
  for (let more = 0; more < 10 && missing().length > 0; more++) await run();
  expect(missing()).toEqual([]);
}
