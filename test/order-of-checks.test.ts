import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { askRaw, rawVerdict } from "./harness/raw.ts";
import { ACCOUNT, demo, ORD, OTHER_ACCOUNT, startTestServer, type TestServer } from "./harness/server.ts";
import { untouched } from "./harness/standing.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

describe("of several things that are wrong, the first of these is told", () => {
  /** Each row is wrong in its own way and in all ways that follow. */
  const steps = [
    { what: "a foreign Host", verdict: "403 990009", with: { headers: { host: "evil.example" } } },
    { what: "a foreign Origin", verdict: "403 990010", with: { headers: { origin: "http://evil.example" } } },
    { what: "a method the path lacks", verdict: "405 7001", with: { method: "POST" } },
    { what: "a malformed credential", verdict: "400 6003", with: { headers: { authorization: "Bearer x" } } },
    {
      what: "a credential nobody has",
      verdict: "403 9109",
      with: { headers: { authorization: `Bearer ${"a".repeat(40)}` } },
    },
    { what: "an account that is no account", verdict: "404 7003", with: { account: "abc" } },
    {
      what: "an account that is not the token's",
      verdict: "403 10000",
      with: {
        headers: { authorization: "Bearer demo-wan-write-token-0000000000000000000" },
        account: OTHER_ACCOUNT,
      },
    },
    { what: "an account that does not exist", verdict: "404 7003", with: { account: "f".repeat(32) } },
    { what: "an unknown query parameter", verdict: "400 990012", with: { query: "?validate=true" } },
    {
      what: "a value of the target header",
      verdict: "400 990013",
      with: { headers: { "x-magic-new-hc-target": "yes" } },
    },
    { what: "a value of a query parameter", verdict: "400 990011", with: { query: "?validate_only=yes" } },
    { what: "a malformed condition", verdict: "400 990013", with: { headers: { "if-match": "x" } } },
    { what: "the media type", verdict: "415 990008", with: { headers: { "content-type": "text/plain" } } },
    { what: "a body that is not JSON", verdict: "400 1022", with: { body: "{" } },
    { what: "an unknown interconnect", verdict: "404 990024", with: { id: "f".repeat(32) } },
    {
      what: "a condition that does not hold",
      verdict: "412 990014",
      with: { headers: { "if-match": '"x"' } },
    },
    { what: "what the body says", verdict: "400 990023", with: { body: '{"mtu":1}' } },
  ];
  interface Wrong {
    readonly method?: string;
    readonly account?: string;
    readonly id?: string;
    readonly query?: string;
    readonly body?: string;
    readonly headers?: Readonly<Record<string, string>>;
  }

  test.each(steps.map(({ what, verdict }, index) => ({ what, verdict, index })))(
    "$what: $verdict",
    async ({ index, verdict }) => {
      // What is wrong later is laid down first, so that what is wrong earlier stands.
      let wrong: Wrong = {};
      for (const step of steps.slice(index).reverse()) {
        const headers = { ...wrong.headers, ...("headers" in step.with ? step.with.headers : {}) };
        wrong = { ...wrong, ...step.with, headers };
      }
      const { method = "PUT", account = ACCOUNT, id = ORD, query = "", headers = {}, body = "{}" } = wrong;
      const path = `/client/v4/accounts/${account}/magic/cf_interconnects/${id}${query}`;
      const { host = "localhost", ...rest } = headers;
      const lines = { authorization: `Bearer ${demo.token}`, "content-type": "application/json", ...rest };
      const sent = Object.entries(lines).map(([name, value]) => `${name}: ${value}`);
      const asked = { method, path, host, token: null, type: null, headers: sent, body };
      const reply = await untouched(server, () => askRaw(server.url, asked));
      expect(rawVerdict(reply)).toBe(verdict);
    },
  );
});
