import { Writable } from "node:stream";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import {
  askRaw,
  RawConnection,
  type RawReply,
  type RawRequest,
  rawRequest,
  rawVerdict,
} from "./harness/raw.ts";
import { ACCOUNT, LIST, ORD, one, startTestServer, type TestServer } from "./harness/server.ts";
import { standing } from "./harness/standing.ts";

let server: TestServer;
let seeded: unknown;
const logged: string[] = [];
const logTo = new Writable({
  write(line, _, done) {
    logged.push(String(line));
    done();
  },
});

beforeAll(async () => {
  server = await startTestServer({ logLevel: "warn" }, { logTo });
  seeded = await standing(server);
});
afterEach(async () => {
  // Whatever was sent: nothing was changed, and nothing happened that the server did not foresee.
  expect(await standing(server)).toEqual(seeded);
  expect(logged).toEqual([]);
});
afterAll(() => server.close());

const ask = (request: RawRequest | string) => askRaw(server.url, request);
const told = async (request: RawRequest | string) => rawVerdict(await ask(request));
const message = (reply: RawReply | undefined): string => reply?.body.errors[0].message;

describe("methods", () => {
  test.each(["FOO", "get", "GETT", "BREW", "\u0001"])(
    "%j is none: 400, and the connection is closed",
    async (method) => {
      using connection = new RawConnection(server.url);
      await connection.send(rawRequest({ method, path: LIST }));
      const reply = await connection.reply();
      expect(rawVerdict(reply)).toBe("400 990005");
      expect(reply?.headers["connection"]).toBe("close");
      expect(reply?.body.errors[0].documentation_url).toBe("/docs/errors/990005");
      await connection.closed;
    },
  );

  test.each(["DELETE", "PATCH", "POST", "OPTIONS", "TRACE", "PROPFIND", "QUERY", "LOCK"])(
    "%s: 405",
    async (method) => {
      const reply = await ask({ method, path: LIST });
      expect(rawVerdict(reply)).toBe("405 7001");
      expect(reply?.headers["allow"]).toBe("GET, PUT");
    },
  );

  test("a body does not keep a wrong method or path from being told at once", async () => {
    const headers = ["Content-Length: 10000000", "Content-Type: text/plain"];
    expect(await told({ method: "POST", path: LIST, headers })).toBe("405 7001");
    expect(await told({ method: "POST", path: "/nothing", headers })).toBe("404 10404");
    expect(await told({ method: "QUERY", path: "/nothing" })).toBe("404 10404");
  });

  test("CONNECT leads nowhere: it is refused after the answers due before it, and the connection closed", async () => {
    using connection = new RawConnection(server.url);
    const connect = rawRequest({ method: "CONNECT", path: "localhost:80" });
    await connection.send(Buffer.concat([rawRequest({ path: LIST }), connect, rawRequest({ path: LIST })]));
    const [first, second] = [await connection.reply(), await connection.reply()];
    expect([rawVerdict(first), rawVerdict(second)]).toEqual(["200", "405 7001"]);
    expect(second?.headers).toMatchObject({ allow: "GET, POST, PUT, DELETE", connection: "close" });
    expect(second?.body.errors[0].message).toBe("Method CONNECT not available for that URI.");
    await connection.closed;
  });

  test("CONNECT by who breaks off troubles nobody", async () => {
    for (let i = 0; i < 20; i++) {
      using connection = new RawConnection(server.url);
      await connection.send("CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n");
      connection.reset();
    }
    expect(await told({ path: LIST })).toBe("200");
  });

  test("OPTIONS * and no cross-origin permission anywhere", async () => {
    expect(await told({ method: "OPTIONS", path: "*" })).toBe("404 10404");
    const preflight = await ask({
      method: "OPTIONS",
      path: LIST,
      headers: ["Access-Control-Request-Method: PUT", "Access-Control-Request-Headers: authorization"],
    });
    const allowed = Object.keys(preflight?.headers ?? {}).filter((name) => name.startsWith("access-control"));
    expect(allowed).toEqual([]);
  });
});

describe("identifiers in the path", () => {
  const encoded = (text: string) =>
    [...text].map((character) => `%${character.charCodeAt(0).toString(16)}`).join("");

  test.each([
    ["as it is", ORD],
    ["with every digit encoded", encoded(ORD)],
    ["with one digit encoded", `%63${ORD.slice(1)}`],
  ])("%s: found", async (_, id) => {
    const reply = await ask({ path: one(id) });
    expect(reply?.body.result.interconnect.id).toBe(ORD);
  });

  test.each([
    ["", "404 990024"],
    ["%00", "404 990024"],
    [`${ORD}%00`, "404 990024"],
    [`${ORD}%2F`, "404 990024"],
    [`${ORD}%20`, "404 990024"],
    [`%2563${ORD.slice(1)}`, "404 990024"],
    [ORD.toUpperCase(), "404 990024"],
    ["a%0d%0aset-cookie:%20x=1", "404 990024"],
    ["..", "404 990024"],
    ["%2e%2e", "404 990024"],
    ["%F0%9F%92%A5", "404 990024"],
    ["__proto__", "404 990024"],
    ["constructor", "404 990024"],
    [`${ORD}/x`, "404 7003"],
    [`../${ORD}`, "404 7003"],
    ["x".repeat(500), "404 990024"],
    ["x".repeat(501), "404 7003"],
    ["%", "404 7003"],
    ["%zz", "404 7003"],
    [`${ORD}%`, "404 7003"],
    ["%u0063", "404 7003"],
    ["%C0%AF", "404 7003"],
    ["%E0%80%80", "404 7003"],
    ["%FF", "404 7003"],
    ["é", "400 990005"],
  ])("%s: %s", async (id, verdict) => {
    expect(await told({ path: one(id) })).toBe(verdict);
    expect(await told({ method: "PUT", path: one(id), body: '{"mtu":1400}' })).toBe(verdict);
  });

  test("a name in place of the identifier is a near miss", async () => {
    const reply = await ask({ path: one("pni_ord") });
    expect(message(reply)).toBe(
      `There is no interconnect pni_ord in this account. That is the name of ${ORD}.`,
    );
  });

  test.each([
    "%00",
    "%",
    "%zz",
    ACCOUNT.toUpperCase(),
    `${ACCOUNT}%2F`,
    `${ACCOUNT}%00`,
    "*",
    "..",
    "directory",
  ])("an account %s is none", async (id) => {
    expect(await told({ path: `/client/v4/accounts/${id}/magic/cf_interconnects` })).toBe("404 7003");
    expect(await told({ path: `/patchbay/v1/accounts/${id}/state` })).toBe("404 7003");
  });

  test("a path that cannot be decoded is refused without a credential too, and has no page", async () => {
    expect(await told({ path: "/%", token: null })).toBe("404 7003");
    expect(await told({ path: "/%", token: null, host: "evil.example" })).toBe("403 990009");
    expect(await told({ path: "/docs/errors/%zz", token: null })).toBe("404 7003");
    expect(await told({ path: "/docs/errors/..%2f..%2fREADME", token: null })).toBe("404 10404");
  });

  test.each([
    "//",
    `/${LIST}`,
    `${LIST}/${ORD}/`,
    `${LIST}//${ORD}`,
    LIST.toUpperCase(),
    "/client/v4/../v4",
    "/.",
  ])("no other spelling of a path is taken for it: %s", async (path) => {
    expect(await told({ path })).toMatch(/^404 (7003|10404)$/);
  });
});

describe("the query", () => {
  const put = (query: string) => told({ method: "PUT", path: `${LIST}${query}`, body: "{}" });

  test.each([
    ["?validate_only=true", "200"],
    ["?validate_only=1", "200"],
    ["?validate_only=false", "200"],
    ["?validate_only=0", "200"],
    ["?validate%5Fonly=%74rue", "200"],
    ["?", "200"],
    ["?&&", "200"],
    ["?validate_only", "400 990011"],
    ["?validate_only=", "400 990011"],
    ["?validate_only=TRUE", "400 990011"],
    ["?validate_only=yes", "400 990011"],
    ["?validate_only=true%00", "400 990011"],
    ["?validate_only=true&validate_only=true", "400 990011"],
    ["?validate_only[]=true", "400 990012"],
    ["?validate-only=true", "400 990012"],
    ["?Validate_only=true", "400 990012"],
    ["?validate_only=true&page=1", "400 990012"],
    ["?__proto__=1", "400 990012"],
    ["?%zz=1", "400 990012"],
    ["?%00=1", "400 990012"],
  ])("%s: %s", async (query, verdict) => {
    expect(await put(query)).toBe(verdict);
  });

  test("a misspelt parameter is told the right one", async () => {
    const reply = await ask({ method: "PUT", path: `${LIST}?validate_onyl=true`, body: "{}" });
    expect(message(reply)).toBe(
      "There is no query parameter validate_onyl here. Did you mean validate_only?",
    );
  });

  test("a parameter of one operation is not one of another", async () => {
    expect(await told({ path: `${LIST}?validate_only=true` })).toBe("400 990012");
    expect(await told({ path: `${LIST}?limit=1` })).toBe("400 990012");
    expect(await told({ path: `/client/v4/user/tokens/verify?x=1` })).toBe("400 990012");
  });
});

describe("the header x-magic-new-hc-target", () => {
  test.each(["true", "false"])("%s is one of its values", async (value) => {
    for (const path of [LIST, one(ORD)]) {
      expect(await told({ path, headers: [`X-Magic-New-HC-Target: ${value}`] })).toBe("200");
    }
  });

  test.each(["", "1", "TRUE", "yes", "true, true", "\xff"])("%j is none", async (value) => {
    for (const request of [{ path: LIST }, { path: one(ORD) }, { method: "PUT", path: LIST, body: "{}" }]) {
      const reply = await ask({ ...request, headers: [`X-Magic-New-HC-Target: ${value}`] });
      expect(rawVerdict(reply)).toBe("400 990013");
      expect(message(reply)).toContain("must be true or false");
    }
  });

  test("twice is none", async () => {
    const header = "X-Magic-New-HC-Target: true";
    expect(await told({ path: LIST, headers: [header, header] })).toBe("400 990013");
  });
});

describe("the content type of a body", () => {
  test.each([
    "application/json",
    "application/json; charset=utf-8",
    "APPLICATION/JSON",
    "application/merge-patch+json",
  ])("%s is read", async (type) => {
    expect(await told({ method: "PUT", path: LIST, body: "{}", type })).toBe("200");
  });

  test.each([
    null,
    "",
    "foo",
    "text/plain",
    "text/json",
    "application/jsonx",
    "application/xml",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/json, application/json",
    "*/*",
  ])("%j: 415", async (type) => {
    expect(await told({ method: "PUT", path: LIST, body: "{}", type })).toBe("415 990008");
    expect(await told({ method: "PUT", path: one(ORD), body: '{"mtu":1400}', type })).toBe("415 990008");
    expect(await told({ method: "POST", path: "/patchbay/v1/reset", body: "{}", type })).toBe("415 990008");
  });

  test("a body that is packed is not taken for what is in it", async () => {
    const headers = ["Content-Encoding: gzip"];
    expect(await told({ method: "PUT", path: LIST, body: "\x1f\x8b", headers })).toBe("400 1022");
  });
});
