/** What pages compute, without a browser. */

import { describe, expect, test } from "vitest";
import type { InterconnectHistory, ShownMinute, ShownTransition } from "../../src/contract/health.ts";
import type { SeenRequest } from "../../src/contract/inspector.ts";
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
