/** How often a property is tested. */

/** Does `npm run test:long` run? */
export const isLong = process.env["PATCHBAY_TEST_LONG"] !== undefined;

/** Runs of a property: all of them in `npm run test:long`, a quarter of them otherwise. */
export function runs(count: number): number {
  return isLong ? count : Math.ceil(count / 4);
}
