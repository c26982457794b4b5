/** The account as it stands now, for who does not follow it. */

import type { EdgeAccount } from "../account.ts";
import { type EdgeOptions, EdgeRefused } from "../options.ts";
import { Client } from "./client.ts";
import { followByPolling } from "./cloudflare.ts";
import { followedPart } from "./followed-part.ts";
import { onlyAccount } from "./only-account.ts";
import { type Follower, followPatchbay } from "./patchbay.ts";

/** Throws `EdgeRefused` with why it cannot be had. */
export async function readAccountOnce(options: EdgeOptions): Promise<EdgeAccount> {
  const { server, token, poll } = options;
  const ended = new AbortController();
  const { promise, resolve, reject } = Promise.withResolvers<EdgeAccount>();
  const follower: Follower = {
    account: resolve,
    reached: (trouble) => {
      if (trouble !== undefined) reject(new EdgeRefused(trouble));
    },
  };
  try {
    const account =
      options.account ?? (await onlyAccount(new Client({ server, token, account: "" }), ended.signal));
    const client = new Client({ server, token, account });
    const following =
      poll === undefined
        ? followPatchbay(client, follower, ended.signal)
        : followByPolling(client, poll, follower, ended.signal);
    following.catch(reject);
    return followedPart(await promise, options);
  } catch (error) {
    throw error instanceof EdgeRefused
      ? error
      : new EdgeRefused(error instanceof Error ? error.message : String(error));
  } finally {
    ended.abort();
  }
}
