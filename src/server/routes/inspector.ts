/** Which requests were answered last, for servers that are for trying things. */

import { setTimeout } from "node:timers/promises";
import { LOG_BOUNDS } from "../../contract/parameters.ts";
import type { Routes } from "../call.ts";
import type { AppContext } from "../context.ts";
import { succeed } from "../envelope.ts";
import { readNumber } from "../read-request.ts";
import { refuse } from "../refusal.ts";

export function addInspectorRoute(routes: Routes, { inspector, closing }: AppContext): void {
  routes.server("listRequests", async (call) => {
    const { query, request } = call;
    if (!inspector) throw refuse("not_a_sandbox");
    const since = readNumber(query, "since", 0, Number.MAX_SAFE_INTEGER) ?? 0;
    const wait = readNumber(query, "wait", 0, LOG_BOUNDS.longestWait) ?? 0;
    if (wait > 0 && inspector.after(since).length === 0) {
      const over = new AbortController();
      request.raw.on("close", () => over.abort());
      const stop = inspector.onNote(() => over.abort());
      const signal = AbortSignal.any([over.signal, closing]);
      await setTimeout(wait * 1000, undefined, { signal }).catch(() => undefined);
      stop();
      routes.recheck("listRequests", call, undefined);
    }
    return { status: 200, body: succeed({ requests: inspector.after(since) }) };
  });
}
