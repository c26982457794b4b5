/** One change, and what two revisions differ in. Both stay as they are, so they are read once. */

import { queryOptions } from "@tanstack/react-query";
import { inReverse, Net, type ToldObject } from "../../../../src/account/log/net.ts";
import type { ChangeRecord } from "../../../../src/contract/log.ts";
import { ownPath } from "../../api/account.ts";
import { ask } from "../../api/client.ts";

/** Changes in one answer: the most that the server tells. */
const PAGE = 100;

/** `epoch` names the history that the revision is of. */
export function changeQuery(account: string, epoch: string, revision: number) {
  return queryOptions({
    queryKey: ["change", account, epoch, revision] as const,
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async ({ signal }) => {
      const { result } = await ask<ChangeRecord>(`${ownPath(account)}/changes/${revision}`, { signal });
      return result;
    },
  });
}

interface Range {
  readonly from: number;
  readonly to: number;
}

/** Throws `ApiFailure`, among others where changes between are no longer kept. */
export function differenceQuery(account: string, epoch: string, { from, to }: Range) {
  return queryOptions({
    queryKey: ["difference", account, epoch, from, to] as const,
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async ({ signal }): Promise<readonly ToldObject[]> => {
      const [older, newer] = [Math.min(from, to), Math.max(from, to)];
      const net = new Net();
      for (let after = older; after < newer; ) {
        const query = new URLSearchParams({ after: String(after), epoch, limit: String(PAGE) });
        const path = `${ownPath(account)}/changes?${query}`;
        const { result } = await ask<readonly ChangeRecord[]>(path, { signal });
        const last = result.at(-1);
        if (!last) break;
        for (const record of result) if (record.revision <= newer) net.take(record);
        after = last.revision;
      }
      return from <= to ? net.changes() : inReverse(net.changes());
    },
  });
}
