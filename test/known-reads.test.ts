import type { IncomingMessage } from "node:http";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { DIRECTORY_ID, tokenKind } from "../src/account/directory.ts";
import { State } from "../src/account/state.ts";
import { Tokens } from "../src/server/auth.ts";
import { type KnownRead, KnownReads } from "../src/server/known-reads.ts";
import { hashSecret } from "../src/store/secrets.ts";
import { AMS, LIST, ORD, one, type Reply, startTestServer, type TestServer } from "./harness/server.ts";
import { verdict } from "./harness/standing.ts";

/** The same read, sent so that it is never taken for one that was answered before. */
const anew = (headers: Record<string, string> = {}) => ({ headers: { ...headers, "if-match": "*" } });

/** What is compared of two answers: all but what is different each time. */
function told({ status, headers, body }: Reply) {
  const kept = [...headers].filter(([name]) => !["cf-ray", "date", "ratelimit"].includes(name));
  return { status, headers: kept, body };
}

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
beforeEach(() => server.reset());
afterAll(() => server.close());

const again = async (path: string, headers: Record<string, string> = {}) => {
  await server.ask("GET", path, { headers });
  return server.ask("GET", path, { headers });
};

describe("a read that was answered before", () => {
  test.each([{}, { "x-magic-new-hc-target": "true" }, { "x-magic-new-hc-target": "false" }])(
    "is answered as the first time, with %o",
    async (headers) => {
      const known = await again(one(ORD), headers);
      expect(told(known)).toEqual(told(await server.ask("GET", one(ORD), anew(headers))));
      expect(known.headers.get("cf-ray")).toMatch(/^[0-9a-f]{16}-PBY$/);
    },
  );

  test("tells the newest version, also when that is an earlier one's twin", async () => {
    for (const mtu of [1400, 1300, 1400]) {
      await again(one(ORD));
      await server.ask("PUT", one(ORD), { body: { mtu } });
      const read = await server.ask("GET", one(ORD));
      expect(read.body.result.interconnect.mtu).toBe(mtu);
      expect(told(read)).toEqual(told(await server.ask("GET", one(ORD), anew())));
    }
  });

  test("tells of the world that is there after a reset", async () => {
    await server.ask("PUT", one(ORD), { body: { mtu: 1400 } });
    const before = await again(one(ORD));
    await server.reset();
    const after = await server.ask("GET", one(ORD));
    expect(after.headers.get("etag")).not.toBe(before.headers.get("etag"));
    expect(told(after)).toEqual(told(await server.ask("GET", one(ORD), anew())));
  });

  test.each([
    ["a condition that holds", { "if-none-match": '"other"' }, "200"],
    ["a condition that does not", { "if-match": '"other"' }, "412 990014"],
    ["a foreign origin", { origin: "http://example.com" }, "403 990010"],
    ["a header that means nothing", { "x-magic-new-hc-target": "maybe" }, "400 990013"],
  ])("is judged anew with %s", async (_, headers, expected) => {
    await again(one(ORD));
    expect(verdict(await server.ask("GET", one(ORD), { headers }))).toBe(expected);
  });

  test("is not told to whoever may not read it", async () => {
    await again(one(ORD));
    const as = async (token: string | null) => verdict(await server.ask("GET", one(ORD), { token }));
    expect(await as(null)).toBe("400 9106");
    expect(await as("demo-other-account-token-000000000000000")).toBe("403 10000");
    expect(await as("demo-expired-token-000000000000000000000")).toBe("403 9109");
    expect(await as("demo-wrong-address-token-000000000000000")).toBe("403 9109");
    expect(await as("demo-magic-read-only-token-0000000000000")).toBe("200");
  });

  test("is not one with another query, path or method", async () => {
    await again(one(ORD));
    expect(verdict(await server.ask("GET", `${one(ORD)}?mtu=1`))).toBe("400 990012");
    expect((await again(one(AMS))).body.result.interconnect.id).toBe(AMS);
    expect(verdict(await server.ask("POST", one(ORD)))).toBe("405 7001");
  });
});

test("with a quota each read counts, and the last of them is refused", async () => {
  await using limited = await startTestServer({ rateLimit: 5 });
  const verdicts: string[] = [];
  const left: (string | null)[] = [];
  for (let count = 0; count < 7; count++) {
    const reply = await limited.ask("GET", one(ORD));
    verdicts.push(verdict(reply));
    left.push(/r=(\d+)/.exec(reply.headers.get("ratelimit") ?? "")?.[1] ?? null);
  }
  expect(verdicts).toEqual(["200", "200", "200", "200", "200", "429 971", "429 971"]);
  expect(left).toEqual(["4", "3", "2", "1", "0", "0", "0"]);
});

test("each read is counted and logged, the known ones too", async () => {
  const lines: string[] = [];
  const logTo = { write: (line: string) => void lines.push(line) };
  await using watched = await startTestServer({ metricsPort: 0, logLevel: "debug" }, { logTo });
  for (let count = 0; count < 3; count++) await watched.ask("GET", one(ORD));
  const metrics = await (await fetch(`${watched.metricsUrl}/metrics`)).text();
  expect(metrics).toContain('patchbay_requests_total{operation="getInterconnect",status="200"} 3');
  const logged = lines
    .map((line) => JSON.parse(line))
    .filter(({ operation }) => operation === "getInterconnect");
  expect(new Set(logged.map(({ request_id }) => request_id)).size).toBe(3);
  expect(logged.map(({ url, status }) => `${url} ${status}`)).toEqual(Array(3).fill(`${one(ORD)} 200`));
});

test("whoever may read, reads the same", async () => {
  const { result } = (await server.ask("GET", LIST)).body;
  for (const { id } of result.interconnects) {
    const first = await server.ask("GET", one(id));
    const second = await server.ask("GET", one(id), { token: "demo-magic-read-only-token-0000000000000" });
    expect(told(second)).toEqual(told(first));
  }
});

describe("what a server remembers of reads", () => {
  test.each(["?", "?&&&", "?x=1", "%"])("has one spelling of an address, not one with %s", (spelling) => {
    const version = {};
    const state = { durableOf: () => version };
    const account = { state };
    const known = {
      account: new WeakRef(account),
      state: new WeakRef(state),
      version,
    } as unknown as KnownRead;
    const reads = new KnownReads();
    const request = (url: string) => ({ method: "GET", url, headers: {} }) as IncomingMessage;
    for (const url of [one(ORD), one(ORD) + spelling]) reads.remember(request(url), known);
    expect(reads.find(request(one(ORD)))?.known).toBe(known);
    expect(reads.find(request(one(ORD) + spelling))).toBeUndefined();
  });

  test("of a token is one entry, however the header spells it", () => {
    const token = "t".repeat(40);
    const directory = new State(DIRECTORY_ID, "0".repeat(16));
    directory.restore(
      tokenKind,
      "1",
      { name: "one", hash: hashSecret(token), status: "active", policies: [] },
      1,
    );
    directory.restoreRevisions(1, new Map());
    const tokens = new Tokens();
    const find = (authorization: string) =>
      tokens.find({ headers: { authorization }, session: undefined, address: "", now: 0 }, directory);
    const known = find(`Bearer ${token}`);
    expect(known).toBeDefined();
    for (const spelling of [`bearer ${token}`, `Bearer    ${token}`, `BEARER ${token}`])
      expect(find(spelling)).toBe(known);
  });
});
