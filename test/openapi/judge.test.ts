import { describe, expect, test } from "vitest";
import { type Answered, judgeAnswer } from "../harness/contract.ts";
import { ACCOUNT, LIST, ORD, one, ROUTES } from "../harness/server.ts";

/** The judge of answers that all tests go by: it has to see what is wrong. */

const headers: Readonly<Record<string, string>> = {
  "cf-ray": "0123456789abcdef-PBY",
  "ratelimit-policy": '"default";q=1200;w=300',
  ratelimit: '"default";r=1199;t=300',
  etag: '"0123456789abcdef-1"',
  "retry-after": "1",
};

const failure = (...codes: number[]) => ({
  result: null,
  success: false,
  errors: codes.map((code) => ({ code, message: "…" })),
  messages: [],
});
const list = { result: { routes: [] }, success: true, errors: [], messages: [] };

function answered(status: number, body: unknown, other: Partial<Answered> = {}): Answered {
  return { status, body, contentType: "application/json", header: (name) => headers[name], ...other };
}

test("what the contract says passes", () => {
  judgeAnswer("GET", ROUTES, answered(200, list));
  judgeAnswer("GET", ROUTES, answered(304, undefined, { contentType: undefined }));
  judgeAnswer("GET", ROUTES, answered(403, failure(10000)));
  judgeAnswer("GET", ROUTES, answered(400, { success: false, errors: [{ code: 9106, message: "…" }] }));
  judgeAnswer("GET", `${ROUTES}?x=1`, answered(429, failure(971)));
  judgeAnswer("PUT", one(ORD), answered(400, failure(990023, 1022)));
  judgeAnswer("GET", "/nowhere", answered(404, failure(10404)));
});

describe("a fault is seen:", () => {
  const rows: [string, string, string, Answered, RegExp][] = [
    ["a status that is not told", "GET", ROUTES, answered(409, failure(990023)), /never answers 409/],
    ["success of what is no operation", "GET", "/client/v4/nothing", answered(200, list), /no operation/],
    [
      "a refusal of no operation in a form of its own",
      "GET",
      "/nowhere",
      answered(404, {}),
      /its body is another/,
    ],
    [
      "another content type",
      "GET",
      ROUTES,
      answered(200, list, { contentType: "text/plain" }),
      /content type/,
    ],
    ["no content type", "GET", ROUTES, answered(200, list, { contentType: null }), /content type/],
    ["a member too many", "GET", ROUTES, answered(200, { ...list, more: 1 }), /its body is another/],
    [
      "a member of another type",
      "GET",
      ROUTES,
      answered(200, { ...list, result: [] }),
      /its body is another/,
    ],
    ["no body", "GET", ROUTES, answered(200, undefined), /its body is another/],
    ["a body where there is none", "GET", ROUTES, answered(304, list), /its body is empty/],
    ["a refusal without reasons", "GET", ROUTES, answered(403, failure()), /its body is another/],
    [
      "a code of another status",
      "GET",
      ROUTES,
      answered(403, failure(990012)),
      /never refuses so with 990012 \(unknown_query\)/,
    ],
    [
      "a code of another operation",
      "GET",
      LIST,
      answered(400, failure(990043)),
      /never refuses so with 990043/,
    ],
    [
      "a code, after the first, that only another status has",
      "PUT",
      one(ORD),
      answered(400, failure(990023, 990024)),
      /never refuses so with 990024/,
    ],
    [
      "a first code that has another status",
      "POST",
      `/client/v4/accounts/${ACCOUNT}/cni/cnis`,
      answered(400, failure(990070)),
      /never refuses so with 990070/,
    ],
    [
      "no etag",
      "GET",
      `/client/v4/accounts/${ACCOUNT}/magic/routes`,
      answered(200, list, { header: (name) => (name === "etag" ? null : headers[name]) }),
      /it has the header etag/,
    ],
    [
      "no retry-after",
      "GET",
      ROUTES,
      answered(429, failure(971), { header: () => null }),
      /it has the header retry-after/,
    ],
  ];
  test.each(rows)("%s", (_, method, url, answer, fault) => {
    expect(() => judgeAnswer(method, url, answer)).toThrow(fault);
  });
});
