/** Follows an account of a Patchbay: `/state` once, then its log. */

import type { ChangeRecord } from "../../account/change.ts";
import type { EdgeAccount } from "../account.ts";
import { type Client, Refused } from "./client.ts";
import { FollowedAccount, Unfollowable } from "./objects.ts";
import { Pauses } from "./pauses.ts";

/** Seconds that one question for changes may wait for an answer. */
const WAIT = 50;
/** Changes in one answer. */
const LIMIT = 100;

/** What who follows is told. */
export interface Follower {
  /** The account as it stands now. */
  account(account: EdgeAccount): void;
  /** The server answers; or it does not, for this reason. */
  reached(trouble: string | undefined): void;
}

/** Follows until the signal is given, whatever becomes of the server meanwhile. */
export async function followPatchbay(client: Client, follower: Follower, signal: AbortSignal): Promise<void> {
  const pauses = new Pauses();
  const followed = new FollowedAccount();
  let begun = false;
  let told: number | undefined;
  while (!signal.aborted) {
    try {
      if (begun) await goOn(client, followed, signal);
      else followed.begin((await client.own("/state", { signal, timeout: 60_000 })).result);
      if (!begun || followed.revision !== told) follower.account(followed.account);
      told = followed.revision;
      begun = true;
      follower.reached(undefined);
      pauses.reset();
    } catch (error) {
      if (signal.aborted) return;
      // Another history, or one that does not reach back so far: what is there is read anew, at once.
      if (begun && ((error instanceof Refused && error.status === 410) || error instanceof Unfollowable)) {
        begun = false;
        continue;
      }
      follower.reached(error instanceof Error ? error.message : String(error));
      await pauses.after(error, signal);
    }
  }
}

async function goOn(client: Client, followed: FollowedAccount, signal: AbortSignal): Promise<void> {
  const { epoch, revision } = followed;
  const path = `/changes?after=${revision}&epoch=${epoch}&wait=${WAIT}&limit=${LIMIT}`;
  const { result } = await client.own(path, { signal, timeout: (WAIT + 15) * 1000 });
  if (!Array.isArray(result)) throw new Unfollowable("The server's answer is no list of changes.");
  for (const record of result as ChangeRecord[]) followed.apply(record);
}
