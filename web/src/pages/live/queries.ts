/** A change that is followed, and what may be done about it. */

import { queryOptions } from "@tanstack/react-query";
import type { ChangeRecord } from "../../../../src/contract/log.ts";
import { ownPath } from "../../api/account.ts";
import { ask } from "../../api/client.ts";
import { may, type SessionAccount } from "../../api/session.ts";

export function changeQuery(account: SessionAccount, revision: number) {
  return queryOptions({
    queryKey: ["change", account.id, revision],
    enabled: may(account, "readLog"),
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async ({ signal }) => {
      const { result } = await ask<ChangeRecord>(`${ownPath(account.id)}/changes/${revision}`, { signal });
      return result;
    },
  });
}

/** What came after it, as far as it can be about it. Read anew whenever the long poll brings a change. */
export function afterQuery(account: SessionAccount, revision: number) {
  return queryOptions({
    queryKey: ["account", account.id, "after", revision],
    enabled: may(account, "readLog"),
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async ({ signal }) => {
      const path = `${ownPath(account.id)}/changes?after=${revision}&limit=100`;
      const { result } = await ask<readonly ChangeRecord[]>(path, { signal });
      return result;
    },
  });
}
