/** Reads what a change is made on. */

import { queryOptions } from "@tanstack/react-query";
import { magicPath, ownPath, targetForm } from "../../api/account.ts";
import { ask } from "../../api/client.ts";
import { may, type SessionAccount } from "../../api/session.ts";
import { type Basis, basisOf, type WholeAccount } from "./basis.ts";

/** Read anew after each change of the account, as all of `["account", id]` is. */
export function basisQuery(account: SessionAccount) {
  return queryOptions({
    queryKey: ["account", account.id, "basis"] as const,
    staleTime: may(account, "readLog") ? Number.POSITIVE_INFINITY : 30_000,
    queryFn: async ({ signal }): Promise<Basis> => {
      if (!may(account, "readLog")) {
        const asked = { signal, headers: targetForm };
        const { result } = await ask<Pick<WholeAccount, "interconnects">>(magicPath(account.id), asked);
        return basisOf(account.id, result.interconnects, undefined);
      }
      const { result } = await ask<WholeAccount>(`${ownPath(account.id)}/state`, { signal });
      return basisOf(account.id, result.interconnects, result);
    },
  });
}
