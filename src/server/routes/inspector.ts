/** Which requests were answered last, for servers that are for trying things. */

import { LOG_BOUNDS } from "../../contract/parameters.ts";
import type { Routes } from "../call.ts";
import type { AppContext } from "../context.ts";
import { succeed } from "../envelope.ts";
import { readNumber } from "../read-request.ts";
import { refuse } from "../refusal.ts";

export function addInspectorRoute(routes: Routes, { inspector, followers, closing }: AppContext): void {
  routes.server("listRequests", async (call) => {
    const { query, request } = call;
    if (!inspector) throw refuse("not_a_sandbox");
    const since = readNumber(query, "since", 0, Number.MAX_SAFE_INTEGER) ?? 0;
    const wait = readNumber(query, "wait", 0, LOG_BOUNDS.longestWait) ?? 0;
    if (wait > 0 && inspector.after(since).length === 0) {
      using place = followers.enter("listRequests", "for requests to this sandbox");
      const { promise: noted, resolve } = Promise.withResolvers<void>();
      const stop = inspector.onNote(resolve);
      await Promise.race([noted, place.over(wait * 1000, request.raw.socket, closing)]);
      stop();
      routes.recheck("listRequests", call, undefined);
    }
    return { status: 200, body: succeed({ requests: inspector.after(since) }) };
  });
}
