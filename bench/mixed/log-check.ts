/** Compares the log of a stopped server with the responses that its clients received. */

import { SqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import type { Expected } from "./clients.ts";
import { busy, calm } from "./world.ts";

/** Records of one read. A record of 10,000 interconnects has megabytes. */
const PAGE = 20;

/** Acknowledged updates that are not in the log exactly once, and expired changes that were not rolled back exactly once. */
export async function checkLog(
  data: string,
  expected: Expected,
): Promise<{ readonly lost: number; readonly notRolledBack: number }> {
  await using opened = new AsyncDisposableStack();
  const store = await SqliteStore.open(data);
  opened.defer(() => store.close());
  const found = new Map<string, number[]>();
  const reverted = new Map<number, number>();
  for (const { id } of [busy, calm]) {
    for (let after = 0; ; ) {
      const page = await store.changesAfter(id, after, PAGE);
      for (const { request_id, revision, reverts, actor } of page?.records ?? []) {
        after = revision;
        if (id === busy.id) found.set(request_id, [...(found.get(request_id) ?? []), revision]);
        else if (reverts !== undefined && actor.type === "system")
          reverted.set(reverts, (reverted.get(reverts) ?? 0) + 1);
      }
      if (!page?.more) break;
    }
  }
  const lost = [...expected.updates].filter(([id, revision]) => {
    const revisions = found.get(id) ?? [];
    return revisions.length !== 1 || revisions[0] !== revision;
  });
  const notRolledBack = [...expected.expired].filter((revision) => reverted.get(revision) !== 1);
  return { lost: lost.length + expected.withoutRevision, notRolledBack: notRolledBack.length };
}
