/** What edges report of the interconnects, and what is known of them by it. */

import type { KnownEdge } from "../../account/health/known-edge.ts";
import { readReport } from "../../account/health/reading-report.ts";
import { accountHealth, healthOf, showMeasured, showTime } from "../../account/health/standing.ts";
import { interconnectKind } from "../../account/interconnect.ts";
import type { Entry } from "../../account/state.ts";
import { Checker, show, showSome } from "../../contract/check.ts";
import type { ResponseInfo } from "../../contract/envelope.ts";
import { Problems } from "../../contract/errors.ts";
import {
  HEALTH_KEPT_DAYS,
  HealthReport,
  type InterconnectHistory,
  MOST_EDGES,
  MOST_IN_ANSWER,
  MOST_MINUTES_OF_ONE,
  type ShownMinute,
  STALE_AFTER,
} from "../../contract/health.ts";
import { parseTime } from "../../contract/time.ts";
import { type KeptMinute, TooManyEdges } from "../../store/health/health-store.ts";
import { NotCommitted } from "../../store/store.ts";
import { pause } from "../../store/time-slice.ts";
import type { Call, Routes } from "../call.ts";
import type { AppContext } from "../context.ts";
import { assemble } from "../encode.ts";
import { succeed, wrap } from "../envelope.ts";
import { readBody, readNamed } from "../read-request.ts";
import { Refusal, refuse } from "../refusal.ts";

const kind = interconnectKind.name;
const checker = new Checker(HealthReport, undefined, "Report");

const HOUR = 60 * 60_000;
const KEPT = HEALTH_KEPT_DAYS * 24 * HOUR;

export function addHealthRoutes(routes: Routes, { clock, health, gate, settle, log }: AppContext): void {
  routes.account("reportHealth", async (call) => {
    const { state } = call.account;
    const body = await readBody(call.request);
    const problems = new Problems();
    // A report of 10,000 interconnects is megabytes: each step takes up to 15 ms.
    await pause();
    const report = checker.read(body, "", problems);
    await pause();
    const now = clock.now();
    const has = (id: string) => state.get(kind, id) !== undefined;
    const reading = report && readReport(report, has, now, problems);
    await pause();
    if (!reading || problems.found) throw new Refusal(problems.list());
    const { edge } = reading.heard;
    try {
      await health.note(state.id, reading.heard, now);
    } catch (error) {
      if (error instanceof TooManyEdges) throw refuse("too_many_edges", { most: MOST_EDGES, edge });
      if (!(error instanceof NotCommitted)) throw error;
      log.error({ err: error, account: state.id, edge }, "a report could not be saved");
      throw refuse("health_not_kept");
    }
    const decided = gate.reported(state.id);
    // Where answers are a function of the requests alone, it has had its effect.
    if (settle) await decided;
    const receipt = { received: showTime(now), stale_after: STALE_AFTER };
    return { status: 200, body: wrap(JSON.stringify(receipt), leftOut(reading)) };
  });

  routes.account("getHealth", async ({ account: { state }, query }) => {
    const named = readNamed(query, "interconnect");
    const edges = await health.edges(state.id);
    const now = clock.now();
    const about = accountHealth(state, edges, now);
    if (!named) return { status: 200, body: await encodeAll(about, state.list(kind), edges, now) };
    const entries = named.flatMap((id) => state.get(kind, id) ?? []);
    const interconnects = await Promise.all(
      entries.map(async (entry) => {
        const minutes = await health.minutes(state.id, entry.id, now - HOUR, MOST_MINUTES_OF_ONE);
        return { ...healthOf(entry, edges, now), minutes: minutes.map(showMinute) };
      }),
    );
    return { status: 200, body: succeed({ ...about, interconnects }) };
  });

  routes.account("getInterconnectHealth", async (call) => {
    const { state } = call.account;
    const id = call.params["cf_interconnect_id"] ?? "";
    const entry = state.get(kind, id);
    if (!entry) throw refuse("interconnect_not_found", { id, hint: "" });
    const now = clock.now();
    const asked = readSince(call, now);
    const [edges, minutes, transitions] = await Promise.all([
      health.edges(state.id),
      health.minutes(state.id, id, asked, MOST_IN_ANSWER),
      health.transitions(state.id, id, asked, MOST_IN_ANSWER),
    ]);
    // Of as many as are told there may be more before.
    const from = Math.max(
      asked,
      minutes.length < MOST_IN_ANSWER ? 0 : (minutes[0]?.minute ?? 0),
      transitions.length < MOST_IN_ANSWER ? 0 : (transitions[0]?.time ?? 0),
    );
    const history: InterconnectHistory = {
      time: showTime(now),
      epoch: state.epoch,
      revision: state.durable,
      ...healthOf(entry, edges, now),
      from: showTime(from),
      minutes: minutes.map(showMinute),
      transitions: transitions.map(({ edge, time, from: was, to, reason }) => {
        return { edge, time: showTime(time), from: was, to, reason };
      }),
    };
    return { status: 200, body: succeed(history) };
  });
}

/** Health of all of an account's interconnects: at 10,000 of them and two edges, 200 ms of work. */
function encodeAll(
  about: ReturnType<typeof accountHealth>,
  entries: readonly Entry[],
  edges: readonly KnownEdge[],
  now: number,
): Promise<Buffer> {
  const head = `{"result":${JSON.stringify(about).slice(0, -1)},"interconnects":[`;
  const interconnects = entries.values().map((entry) => JSON.stringify(healthOf(entry, edges, now)));
  return assemble(head, interconnects, ']},"success":true,"errors":[],"messages":[]}');
}

/** What was not kept of a report, which is no fault of the edge's: it may not have heard yet. */
function leftOut({ strange, untimely }: ReturnType<typeof readReport>): ResponseInfo[] {
  const messages: ResponseInfo[] = [];
  if (strange.length > 0) {
    const message = `The account does not have ${showSome(strange)}: what was told of it is left out.`;
    messages.push({ code: 990910, message });
  }
  if (untimely > 0) {
    const message = `${untimely} minutes and transitions are left out: they are older than ${HEALTH_KEPT_DAYS} days, or of a time that has not come yet.`;
    messages.push({ code: 990911, message });
  }
  return messages;
}

function showMinute({ edge, ...measured }: KeptMinute): ShownMinute {
  return { edge, ...showMeasured(measured) };
}

/** The first moment that is asked for, in milliseconds since 1970. */
function readSince({ query }: Call, now: number): number {
  const text = query["since"];
  if (text === undefined) return now - HOUR;
  const time = parseTime(text);
  if (time === undefined) {
    const expected = "a time such as 2026-01-31T12:00:00Z";
    throw refuse("invalid_query", { name: "since", given: show(text), expected });
  }
  return Math.max(Date.parse(time), now - KEPT);
}
