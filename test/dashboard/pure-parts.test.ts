/** What pages compute, without a browser. */

import { describe, expect, test } from "vitest";
import type { InterconnectHistory, ShownMinute, ShownTransition } from "../../src/contract/health.ts";
import type { SeenRequest } from "../../src/contract/inspector.ts";
import type { ChangeRecord } from "../../src/contract/log.ts";
import { readConditions } from "../../web/src/changes/conditions.ts";
import { markOf, outcomesOf, tellEnd } from "../../web/src/changes/outcome.ts";
import { curlOf } from "../../web/src/pages/inspector/curl.ts";
import { type Mark, markJson } from "../../web/src/pages/inspector/marked-json.ts";
import { columnsOf, lonely, MOST_EDGES_DRAWN, summaryOf } from "../../web/src/pages/interconnect/series.ts";
import { together } from "../../web/src/pages/interconnect/together.ts";

const NOON = Date.parse("2026-03-01T12:00:00.000Z");
/** So many minutes before noon. */
const ago = (minutes: number) => new Date(NOON - minutes * 60_000).toISOString();
const minute = (minutes: number, edge = "ord-1", median = minutes): ShownMinute => {
  const latency = { min: median / 2, median, p99: median * 2 };
  return { edge, minute: ago(minutes), sent: 4, lost: 1, latency, jitter: 0.1 };
};
const transition = (minutes: number, to: "healthy" | "down"): ShownTransition => {
  return { edge: "ord-1", time: ago(minutes), from: null, to, reason: "" };
};

describe("a line for the shell", () => {
  const seen: SeenRequest = {
    number: 1,
    time: ago(0),
    method: "GET",
    path: "/client/v4/accounts",
    operation: null,
    status: 200,
    duration_ms: 1,
    fault: null,
    request: { headers: {}, body: null },
    response: { headers: {}, body: null },
    problems: [],
    ignored: null,
  };
  const line = (asked: Partial<SeenRequest>) => curlOf({ ...seen, ...asked }, "http://h").split(" \\\n  ");
  const body = (text: string | null, bytes = text?.length ?? 9) => ({ headers: {}, body: { text, bytes } });

  test.each<[string, Partial<SeenRequest>, string[]]>([
    ["a plain one", {}, ["curl 'http://h/client/v4/accounts'"]],
    ["one with nothing to say", { method: "DELETE" }, ["curl 'http://h/client/v4/accounts'", "-X DELETE"]],
    ["one for headers alone", { method: "HEAD" }, ["curl 'http://h/client/v4/accounts'", "--head"]],
    ["what curl would expand", { path: "/a?b=[1-3]" }, ["curl 'http://h/a?b=[1-3]'", "--globoff"]],
    ["a quote in a path", { path: "/a'b" }, ["curl 'http://h/a'\\''b'"]],
    [
      "a body that begins like a file's name, posted",
      { method: "POST", request: body("@etc") },
      ["curl 'http://h/client/v4/accounts'", "--data-raw '@etc'"],
    ],
    [
      "a body that was cut off",
      { method: "POST", request: body("{", 20) },
      ["# Not all of the body was kept.\ncurl 'http://h/client/v4/accounts'", "--data-raw '{'"],
    ],
    [
      "a body that is no text",
      { method: "POST", request: body(null) },
      ["# Not all of the body was kept.\ncurl 'http://h/client/v4/accounts'", "-X POST"],
    ],
    [
      "a secret in the body, which makes it shorter or longer",
      { method: "POST", request: body('{"key":"(masked)"}', 40) },
      ["curl 'http://h/client/v4/accounts'", `--data-raw '{"key":"(masked)"}'`],
    ],
  ])("tells %s", (_, asked, told) => {
    expect(line(asked)).toEqual(told);
  });

  test("takes over what the client said, and no credential or what belongs to a connection", () => {
    const headers = {
      host: "h",
      "x-auth-key": "(masked)",
      "x-auth-email": "a@example.net",
      cookie: "(masked)",
      "x-patchbay-csrf": "(masked)",
      "sec-fetch-mode": "cors",
      "content-length": "3",
      accept: "*/*",
      "if-match": '"a-1"',
    };
    expect(line({ request: { headers, body: null } })).toEqual([
      "curl 'http://h/client/v4/accounts'",
      '-H "Authorization: Bearer $CLOUDFLARE_API_TOKEN"',
      `-H 'if-match: "a-1"'`,
    ]);
  });
});

describe("a body with what was wrong in it", () => {
  const mark = (pointer: string): Mark => ({ pointer, kind: "problem", text: pointer });
  const marked = (text: string, ...pointers: string[]) => {
    const told = markJson(text, pointers.map(mark));
    const lines = told?.lines.flatMap(({ text: line, marks }) =>
      marks.map(({ pointer }) => `${line.trim()} ← ${pointer}`),
    );
    return { lines, others: told?.others.map(({ pointer }) => pointer) };
  };

  test("has a mark where its pointer leads, also through names with a slash or tilde", () => {
    expect(marked('{"a":[{"b":1},{"c/d":{"e~f":2}}],"g":[]}', "/a/0/b", "/a/1/c~1d/e~0f", "/g")).toEqual({
      lines: ['"b": 1 ← /a/0/b', '"e~f": 2 ← /a/1/c~1d/e~0f', '"g": [] ← /g'],
      others: [],
    });
  });

  test("has a mark of what is missing at what should hold it, and of the whole before it", () => {
    expect(marked('[{"a":1}]', "/0/name", "/7", "")).toEqual({ lines: ["{ ← /0/name"], others: ["/7", ""] });
    expect(marked("3", "")).toEqual({ lines: [], others: [""] });
  });

  test("is printed as it means, line by line", () => {
    const value = { a: [1, { b: "ü\n" }], c: {}, d: null };
    const lines = markJson(JSON.stringify(value), [])?.lines.map(({ text }) => text);
    expect(lines?.join("\n")).toBe(JSON.stringify(value, null, 2));
  });

  test("is left as it came where it is no JSON", () => {
    expect(markJson('{"a":', [mark("/a")])).toBeUndefined();
  });
});

describe("health that is carried on", () => {
  const history = (minutes: ShownMinute[], transitions: ShownTransition[]): InterconnectHistory => {
    const standing = { time: ago(0), epoch: "e", revision: 1, id: "i", name: "n", state: "healthy" } as const;
    return { ...standing, since: null, reason: "", edges: [], from: ago(60), minutes, transitions };
  };

  test("has what was and what is new, each once, in order, and nothing of before", () => {
    const known = history(
      [minute(60), minute(3), minute(2)],
      [transition(59, "down"), transition(3, "down")],
    );
    const fresh = history(
      [minute(2, "ord-1", 9), minute(1)],
      [transition(3, "down"), transition(1, "healthy")],
    );
    const { minutes, transitions } = together(known, fresh, NOON - 30 * 60_000);
    expect(minutes).toEqual([minute(3), minute(2, "ord-1", 9), minute(1)]);
    expect(transitions).toEqual([transition(3, "down"), transition(1, "healthy")]);
  });

  test("is a column of numbers with a place for every minute", () => {
    const told = history([minute(5), minute(2), minute(1), minute(2, "cust")], []);
    const columns = columnsOf(told, NOON - 5 * 60_000);
    expect(columns.times).toEqual([5, 4, 3, 2, 1].map((minutes) => NOON / 1000 - minutes * 60));
    expect(columns.edges.map(({ edge, median }) => [edge, median])).toEqual([
      ["cust", [null, null, null, 2, null]],
      ["ord-1", [5, null, null, 2, 1]],
    ]);
    expect(columns.edges[1]?.loss).toEqual([25, null, null, 25, 25]);
    expect(lonely(columns.edges[1]?.median ?? [])).toEqual([0]);
    expect(summaryOf(columns.edges.map(({ p99 }) => p99))).toEqual({ least: 2, greatest: 10 });
    expect(summaryOf([[null]])).toBeUndefined();
  });

  test("draws no more edges than can be told apart, and says how many it left out", () => {
    const names = Array.from({ length: MOST_EDGES_DRAWN + 2 }, (_, number) => `edge-${number}`);
    const columns = columnsOf(
      history(
        names.map((edge) => minute(1, edge)),
        [],
      ),
      NOON - 60_000,
    );
    expect(columns.edges.map(({ edge }) => edge)).toEqual(names.slice(0, MOST_EDGES_DRAWN));
    expect(columns.undrawn).toBe(2);
  });
});

describe("what became of a change", () => {
  const token = { type: "token", id: "1", name: "network team" } as const;
  const deadline = { type: "system", id: "deadline", name: "deadline" } as const;
  type Wait = ChangeRecord["objects"][number];
  const pending = (action: Wait["action"], fields: Wait["fields"]): Wait => ({
    kind: "pending_change",
    id: "pending",
    action,
    fields,
  });
  const begins = (confirmBy: string) => pending("create", { confirm_by: { after: confirmBy } });
  const ends = (revision: number) => pending("delete", { revision: { before: revision } });
  const record = (revision: number, told: Partial<ChangeRecord> = {}): ChangeRecord => ({
    revision,
    time: ago(60 - revision),
    actor: token,
    operation: "updateInterconnect",
    request_id: "0",
    objects: [],
    ...told,
  });
  /** In words, by revision. */
  const told = (...records: readonly ChangeRecord[]) => {
    const outcomes = outcomesOf(records.flatMap((one) => markOf(one) ?? []));
    return Object.fromEntries(
      [...outcomes].map(([revision, one]) => [
        revision,
        one.what === "waiting" ? `waits until ${one.confirmBy}` : `${tellEnd(one)} in ${one.revision}`,
      ]),
    );
  };

  test("is nothing as long as nobody says anything of it", () => {
    expect(told(record(1), record(2))).toEqual({});
  });

  test("is a wait, a longer one, and then its end", () => {
    const begun = record(2, { objects: [begins("12:05")] });
    const extended = record(3, { objects: [pending("update", { confirm_by: { after: "12:30" } })] });
    expect(told(begun)).toEqual({ 2: "waits until 12:05" });
    expect(told(extended, begun)).toEqual({ 2: "waits until 12:30" });
    expect(told(begun, extended, record(4, { objects: [ends(2)] }))).toEqual({
      2: "confirmed by network team in 4",
    });
    const undone = record(4, { actor: deadline, reverts: 2, objects: [ends(2)] });
    expect(told(begun, extended, undone)).toEqual({ 2: "undone: not confirmed in time in 4" });
  });

  test("is in force again once its undo was undone", () => {
    const [undone, redone] = [record(3, { reverts: 2 }), record(4, { reverts: 3 })];
    expect(told(undone)).toEqual({ 2: "undone by network team in 3" });
    expect(told(undone, redone)).toEqual({ 3: "undone by network team in 4" });
    expect(told(undone, redone, record(5, { reverts: 4 }))).toEqual({
      2: "undone by network team in 3",
      4: "undone by network team in 5",
    });
  });
});

test("minutes to confirm are read with a point or a comma, within the server's bounds", () => {
  const read = (minutes: string) => readConditions({ reason: " why ", minutes, revertOn: "" });
  expect(read("2,5")).toEqual({ reason: "why", confirmWithin: 150, revertOn: undefined });
  expect(read(" ")).toEqual({ reason: "why", confirmWithin: undefined, revertOn: undefined });
  for (const wrong of ["soon", "-1", "0", "1e9"]) expect(read(wrong)).toContain("a number of minutes");
});
