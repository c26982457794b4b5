/** Tests that cannot run on every machine. What one needs and does not find is in the report, by `npm test` at its end. */

import type { TestContext, TestOptions } from "vitest";

declare module "vitest" {
  interface TaskMeta {
    /** Why the test is skipped. */
    skipped?: string;
  }
}

/** Options of a test or a suite that is skipped if something is missing: the first reason that there is. */
export function needs(...reasons: readonly (string | undefined)[]): TestOptions {
  const skipped = reasons.find((reason) => reason !== undefined);
  return skipped === undefined ? {} : { skip: true, meta: { skipped } };
}

/** Skips a running test. */
export function skip({ task, skip }: TestContext, reason: string): never {
  task.meta.skipped = reason;
  return skip(reason);
}
