import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { askRaw, type RawRequest, rawVerdict } from "./harness/raw.ts";
import { ACCOUNT, demo, LIST, ORD, one, startTestServer, type TestServer } from "./harness/server.ts";
import { untouched } from "./harness/standing.ts";

let server: TestServer;
let port: string;
beforeAll(async () => {
  server = await startTestServer();
  port = new URL(server.url).port;
});
afterAll(() => server.close());

const change = { method: "PUT", path: one(ORD), body: '{"mtu":1400}' };
const reset = { method: "POST", path: "/patchbay/v1/reset" };
const ask = (request: Partial<RawRequest>) => askRaw(server.url, { path: LIST, ...request });
const told = async (request: Partial<RawRequest>) => rawVerdict(await ask(request));

describe("a server on this machine answers to this machine's names alone", () => {
  test.each([
    "localhost",
    "LOCALHOST",
    "127.0.0.1",
    "127.0.0.2",
    "[::1]",
    "patchbay.localhost",
    "localhost:8787",
    "127.0.0.1:1",
    "[::1]:65535",
  ])("Host: %s is one of them", async (host) => {
    expect(await told({ host })).toBe("200");
  });

  test.each([
    "evil.example",
    "evil.example:8787",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "evil-localhost",
    "notlocalhost",
    "localhost.",
    "0.0.0.0",
    "128.0.0.1",
    "10.0.0.1",
    "[::2]",
    "[::ffff:10.0.0.1]",
    "2130706433",
    "",
    "localhost@evil.example",
    "localhost/evil",
    "localhost:port",
    "localhost:123456",
    "a b",
    "local\thost",
  ])("Host: %j is not", async (host) => {
    for (const request of [
      {},
      change,
      reset,
      { path: "/" },
      { path: "/docs/errors" },
      { path: "/nothing" },
      { path: "/%" },
    ]) {
      const reply = await untouched(server, () => ask({ ...request, host }));
      expect(rawVerdict(reply)).toBe("403 990009");
      expect(reply?.body.errors[0].message).toContain(`does not answer for the host ${host}`);
    }
  });

  test("by the target, where it is in absolute form: whatever Host says", async () => {
    const at = (base: string, host?: string | null) =>
      told({ path: `${base}${LIST}`, ...(host === undefined ? {} : { host }) });
    expect(await at("http://localhost")).toBe("200");
    expect(await at("HTTPS://127.0.0.1:8787")).toBe("200");
    expect(await at("http://localhost", "evil.example")).toBe("200");
    for (const base of [
      "http://evil.example",
      "http://localhost@evil.example",
      "http://localhost.evil.example",
      "http://evil.example?x=",
      "http://",
    ]) {
      const reply = await untouched(server, () => ask({ ...change, path: `${base}${LIST}` }));
      expect(rawVerdict(reply)).toBe("403 990009");
    }
    expect(await at("http://localhost", null)).toBe("400 990005");
    expect(await told({ path: `http://localhost${LIST}`, headers: ["Host: localhost"] })).toBe("400 990005");
    // A page of the host that the target names sent it.
    expect(await told({ path: `http://localhost:1${LIST}`, headers: ["Origin: http://localhost:1"] })).toBe(
      "200",
    );
    // What follows the question mark is no path.
    const page = await ask({ path: `http://localhost?x=${LIST}` });
    expect([page?.status, page?.headers["content-type"]]).toEqual([200, "text/markdown; charset=utf-8"]);
  });

  test("whatever credential comes with it", async () => {
    const headers = [`X-Auth-Email: ${demo.email}`, `X-Auth-Key: ${demo.key}`];
    expect(await told({ ...change, host: "evil.example", token: null, headers })).toBe("403 990009");
    expect(await told({ ...change, host: "evil.example", token: null })).toBe("403 990009");
  });

  test("two lines are refused, in either order and if they are the same: none of them is chosen", async () => {
    for (const [host, second] of [
      ["evil.example", "localhost"],
      ["localhost", "evil.example"],
      ["localhost", "localhost"],
    ] as const) {
      const reply = await untouched(server, () => ask({ ...change, host, headers: [`Host: ${second}`] }));
      expect(rawVerdict(reply)).toBe("400 990005");
      expect(reply?.body.errors[0].message).toBe(
        "The request is not valid HTTP: there is more than one Host.",
      );
    }
  });

  test("what a proxy would say of the host does not count", async () => {
    expect(await told({ host: "evil.example", headers: ["X-Forwarded-Host: localhost"] })).toBe("403 990009");
    expect(await told({ host: "localhost", headers: ["X-Forwarded-Host: evil.example"] })).toBe("200");
  });
});

describe("a page of another origin is not answered", () => {
  test.each([
    "http://evil.example",
    "https://evil.example",
    "http://localhost.evil.example",
    "null",
    "",
    "file://",
    "http://localhost:3000",
    "http://127.0.0.1:1",
    "http://localhost/",
    "localhost",
    "chrome-extension://abcdef",
  ])("Origin: %j", async (origin) => {
    for (const request of [{}, change, reset, { method: "OPTIONS" }, { path: "/" }, { path: "/nothing" }]) {
      const reply = await untouched(server, () => ask({ ...request, headers: [`Origin: ${origin}`] }));
      expect(rawVerdict(reply)).toBe("403 990010");
    }
  });

  test("a page of this server is, by the very name it was reached by", async () => {
    for (const host of [`localhost:${port}`, `127.0.0.1:${port}`]) {
      expect(await told({ host, headers: [`Origin: http://${host}`] })).toBe("200");
      expect(await told({ host, headers: [`Origin: https://${host}`] })).toBe("200");
    }
    expect(await told({ host: `localhost:${port}`, headers: [`Origin: http://127.0.0.1:${port}`] })).toBe(
      "403 990010",
    );
  });

  test("a form of another origin cannot make a change: what it can send is not read", async () => {
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]) {
      expect(await untouched(server, () => told({ ...change, type }))).toBe("415 990008");
    }
  });

  test("nothing tells a browser that others may read the answers", async () => {
    const requests = [
      {},
      { path: "/" },
      { headers: ["Origin: http://evil.example"] },
      { token: null },
      { path: "/%" },
    ];
    for (const request of requests) {
      const names = Object.keys((await ask(request))?.headers ?? {});
      expect(names.filter((name) => name.startsWith("access-control"))).toEqual([]);
    }
  });
});

test("a server that others may reach answers to any host, but to no page of another origin", async () => {
  const text = `
accounts: [{ id: ${ACCOUNT}, name: one }]
tokens:
  - id: "${"1".repeat(32)}"
    name: own
    value: ${"t".repeat(40)}
    policies: [{ effect: allow, accounts: ["*"], permission_groups: [Magic WAN Read] }]`;
  await using open = await startTestServer({ host: "0.0.0.0" }, { seed: { name: "own", text } });
  const base = open.url.replace("0.0.0.0", "127.0.0.1");
  const token = "t".repeat(40);
  expect(rawVerdict(await askRaw(base, { path: LIST, token, host: "edge.example.net" }))).toBe("200");
  const headers = ["Origin: http://evil.example"];
  expect(rawVerdict(await askRaw(base, { path: LIST, token, host: "edge.example.net", headers }))).toBe(
    "403 990010",
  );
});
