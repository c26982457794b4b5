/** Is a token any good? Asked of the server that gave it out. */

import { type Api, ServerRefusal } from "./api.ts";

/** `active`, `disabled`, `expired`, or `unknown to the server`. */
export async function verifyToken(api: Api): Promise<string> {
  // An account's own token is verified at its account, a user's at the user.
  for (const path of ["/user/tokens/verify", `${api.account}/tokens/verify`]) {
    try {
      const { status } = Object((await api.call("GET", path)).result);
      return typeof status === "string" ? status : "active";
    } catch (error) {
      if (!(error instanceof ServerRefusal) || error.status >= 500 || error.status === 429) throw error;
    }
  }
  return "unknown to the server";
}
