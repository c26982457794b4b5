/** Undoing a change or all since a revision: judged first, then made as it was judged. */

import type { ResponseInfo } from "../../../src/contract/envelope.ts";
import type { ChangeRecord } from "../../../src/contract/log.ts";
import { ownPath } from "../api/account.ts";
import { ask } from "../api/client.ts";
import { type Conditions, conditionHeaders } from "./conditions.ts";

export interface Undo {
  readonly what: "revert" | "restore";
  readonly revision: number;
}

export interface UndoPlan {
  /** None if there is nothing to change. */
  readonly record: ChangeRecord | null;
  /** Of the account that it was judged on. */
  readonly etag: string | null;
  /** What today's rules have against it. */
  readonly remarks: readonly ResponseInfo[];
}

/** The code of a remark on values that come back although rules have changed. */
const REMARK = 990902;

function requestOf(account: string, { what, revision }: Undo) {
  const path = ownPath(account);
  return what === "revert"
    ? { path: `${path}/changes/${revision}/revert` }
    : { path: `${path}/restore`, body: { to_revision: revision } };
}

/** Throws `ApiFailure` with what the server has against it. Changes nothing. */
export async function planUndo(account: string, undo: Undo, signal: AbortSignal): Promise<UndoPlan> {
  const { path, ...rest } = requestOf(account, undo);
  const { result, headers, messages } = await ask<ChangeRecord | null>(`${path}?validate_only=true`, {
    method: "POST",
    ...rest,
    signal,
  });
  const remarks = messages.filter(({ code }) => code === REMARK);
  return { record: result, etag: headers.get("etag"), remarks };
}

/** Makes what was planned, or throws: status 412 if the account has changed since. Answers the revision, if it made one. */
export async function makeUndo(
  account: string,
  undo: Undo,
  { etag }: UndoPlan,
  conditions: Conditions,
): Promise<number | undefined> {
  const { path, ...rest } = requestOf(account, undo);
  const { result } = await ask<ChangeRecord | null>(path, {
    method: "POST",
    ...rest,
    headers: {
      ...(etag !== null && { "if-match": etag }),
      ...conditionHeaders(conditions),
    },
  });
  return result?.revision;
}

export async function confirmChange(account: string, revision: number): Promise<void> {
  await ask(`${ownPath(account)}/changes/${revision}/confirm`, { method: "POST" });
}

/** `seconds` from now on. Answers when it is to be confirmed by. */
export async function extendChange(
  account: string,
  revision: number,
  seconds: number,
): Promise<string | null> {
  const asked = { method: "POST", body: { confirm_within: seconds } } as const;
  const { headers } = await ask(`${ownPath(account)}/changes/${revision}/extend`, asked);
  return headers.get("x-patchbay-confirm-by");
}

/** Undoes what waits, at once: the revision of the undo. */
export async function undoNow(account: string, revision: number): Promise<number> {
  const { result } = await ask<ChangeRecord>(`${ownPath(account)}/changes/${revision}/revert`, {
    method: "POST",
  });
  return result.revision;
}
