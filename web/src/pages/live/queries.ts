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

export interface UndoPlan {
  readonly record: ChangeRecord;
  readonly etag: string | null;
}

const changePath = (account: string, revision: number) => `${ownPath(account)}/changes/${revision}`;

export async function confirmChange(account: string, revision: number): Promise<void> {
  await ask(`${changePath(account, revision)}/confirm`, { method: "POST" });
}

/** `seconds` from now on. Answers when it is to be confirmed by. */
export async function extendChange(
  account: string,
  revision: number,
  seconds: number,
): Promise<string | null> {
  const asked = { method: "POST", body: { confirm_within: seconds } } as const;
  const { headers } = await ask(`${changePath(account, revision)}/extend`, asked);
  return headers.get("x-patchbay-confirm-by");
}

/** What an undo would set back. Changes nothing. */
export async function planUndo(account: string, revision: number): Promise<UndoPlan> {
  const { result, headers } = await ask<ChangeRecord>(
    `${changePath(account, revision)}/revert?validate_only=true`,
    { method: "POST" },
  );
  return { record: result, etag: headers.get("etag") };
}

export async function undoChange(account: string, revision: number, etag: string | null): Promise<number> {
  const headers = etag === null ? {} : { "if-match": etag };
  const { result } = await ask<ChangeRecord>(`${changePath(account, revision)}/revert`, {
    method: "POST",
    headers,
  });
  return result.revision;
}
