/** What happened, and what is: the account's log and its state. */

import { durableCniSettings } from "../../account/cni/settings.ts";
import { durablePending, pendingView } from "../../account/pending.ts";
import { durableSettings, settingsView } from "../../account/settings.ts";
import type { State } from "../../account/state.ts";
import { LOG_BOUNDS } from "../../contract/parameters.ts";
import type { LiveState } from "../../store/live-state.ts";
import { nextSlice } from "../../store/time-slice.ts";
import type { Routes, ServerCall } from "../call.ts";
import { etag, judgeReading } from "../conditional.ts";
import type { AppContext } from "../context.ts";
import { addLists } from "../encode.ts";
import type { Answer } from "../envelope.ts";
import { waitForMove } from "../followers.ts";
import { encodePage, encodeRecord, type LogPage, LogPages } from "../log-pages.ts";
import { changeOf } from "../log-records.ts";
import { LongBody } from "../long-body.ts";
import { readNumber } from "../read-request.ts";
import { refuse } from "../refusal.ts";

interface Following {
  readonly live: LiveState;
  readonly after: number;
  readonly limit: number;
  /** Seconds. */
  readonly wait: number;
  /** Throws if the credential of the request no longer permits it. */
  readonly recheck: () => void;
}

export function addLogRoutes(
  routes: Routes,
  { accounts, store, logReads, followers, closing }: AppContext,
): void {
  const pages = new LogPages(store, logReads);

  routes.account("listChanges", (call) =>
    list(call, call.account, () => routes.recheck("listChanges", call, call.account.state.id)),
  );
  routes.server("listDirectoryChanges", (call) =>
    list(call, accounts.directory, () => routes.recheck("listDirectoryChanges", call, undefined)),
  );
  routes.account("getChange", (call) => one(call, call.account));
  routes.server("getDirectoryChange", (call) => one(call, accounts.directory));

  function list(call: ServerCall, live: LiveState, recheck: () => void): Promise<Answer> {
    const { query } = call;
    const limit = readNumber(query, "limit", 1, LOG_BOUNDS.most) ?? LOG_BOUNDS.usual;
    const after = readNumber(query, "after", 0, Number.MAX_SAFE_INTEGER);
    const wait = readNumber(query, "wait", 0, LOG_BOUNDS.longestWait);
    if (after === undefined) {
      for (const name of ["wait", "epoch"]) {
        if (query[name] !== undefined) {
          throw refuse("invalid_query", {
            name,
            given: "there without after",
            expected: "there only with after",
          });
        }
      }
      return listBefore(call, live, limit);
    }
    if (query["cursor"] !== undefined) {
      throw refuse("invalid_query", {
        name: "cursor",
        given: "there with after",
        expected: "there without it",
      });
    }
    return follow(call, { live, after, limit, wait: wait ?? 0, recheck });
  }

  async function listBefore({ query }: ServerCall, { state }: LiveState, limit: number): Promise<Answer> {
    const before = readCursor(query["cursor"], state.epoch);
    const oldest = Math.max(0, Math.min(before, state.durable + 1) - limit - 1);
    return logReads.run(state.id, oldest, limit, async () => {
      const page = await store.changesBefore(state.id, before, limit);
      if (!page) throw refuse("store_unavailable", { reason: "the account is being replaced" });
      const last = page.records.at(-1);
      const cursor = page.more && last ? { cursor: writeCursor(state.epoch, last.revision) } : {};
      return answerOf(await encodePage(page, cursor));
    });
  }

  async function follow(call: ServerCall, following: Following): Promise<Answer> {
    if (following.wait === 0) return answerOf(await readAfter(call, following));
    const { live, wait, recheck } = following;
    using place = followers.enter(live.state.id);
    const over = place.over(wait * 1000, call.request.raw.socket, closing);
    for (;;) {
      // Wait from before the read on, so that no change between the two is missed.
      using moved = waitForMove(live);
      const page = await readAfter(call, following);
      const done = page.count > 0 || (await Promise.race([moved.promise, over])) === "over";
      await accounts.fresh(live.state.id);
      // One change wakes all followers: answer them in slices.
      if (done) await nextSlice();
      recheck();
      if (done) return answerOf(page);
    }
  }

  /** The page after a revision. Throws the refusal of a revision that this history does not have, or no longer. */
  async function readAfter({ query }: ServerCall, { live, after, limit }: Following): Promise<LogPage> {
    const page = await pages.after(live, after, limit);
    if (!page) throw refuse("store_unavailable", { reason: "the account is being replaced" });
    const { epoch, revision } = page.position;
    if (after > revision || (query["epoch"] !== undefined && query["epoch"] !== epoch))
      throw refuse("history_moved", { revision: after, newest: revision, epoch });
    if (page.first !== undefined && page.first > after + 1)
      throw refuse("history_pruned", { revision: after, oldest: page.first });
    return page;
  }

  async function one({ params }: ServerCall, { state }: LiveState): Promise<Answer> {
    const text = params["revision"] ?? "";
    const revision = /^\d{1,15}$/.test(text) ? Number(text) : 0;
    return logReads.run(state.id, revision - 1, 1, async () => {
      const record = await changeOf(store, state, revision, text);
      return { status: 200, body: await encodeRecord(record) };
    });
  }

  routes.account("getState", async (call) => {
    const { state } = call.account;
    const tag = etag(state.epoch, state.durable);
    const unchanged = judgeReading(call.request.headers, tag);
    if (unchanged) return unchanged;
    return { status: 200, body: await encodeState(state), headers: { etag: tag } };
  });
}

function answerOf({ body }: LogPage): Answer {
  return { status: 200, body };
}

async function encodeState(state: State): Promise<Buffer> {
  const settings = JSON.stringify(settingsView(durableSettings(state)));
  const about = `"account_id":"${state.id}","epoch":"${state.epoch}","revision":${state.durable},"pending_change":${pendingOf(state)},"settings":${settings}`;
  const cniSettings = JSON.stringify(durableCniSettings(state));
  const body = new LongBody(`{"result":{${about},"cni_settings":${cniSettings},`);
  await addLists(body, state);
  return body.end('},"success":true,"errors":[],"messages":[]}');
}

function pendingOf(state: State): string {
  const pending = durablePending(state);
  return pending ? JSON.stringify(pendingView(pending)) : "null";
}

function writeCursor(epoch: string, revision: number): string {
  return Buffer.from(`${epoch}:${revision}`).toString("base64url");
}

/** The revision before which the next page begins. */
function readCursor(cursor: string | undefined, epoch: string): number {
  if (cursor === undefined) return Number.MAX_SAFE_INTEGER;
  const [of, revision, ...rest] = Buffer.from(cursor, "base64url").toString().split(":");
  if (rest.length > 0 || revision === undefined || !/^\d{1,15}$/.test(revision))
    throw refuse("invalid_cursor");
  if (of !== epoch) throw refuse("history_moved", { revision, newest: "another", epoch });
  return Number(revision);
}
