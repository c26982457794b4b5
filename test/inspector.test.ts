import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { SeenRequest } from "../src/contract/inspector.ts";
import { operations } from "../src/contract/operations.ts";
import { secretMembers } from "../src/contract/secret.ts";
import { askRaw } from "./harness/raw.ts";
import {
  ACCOUNT,
  type Ask,
  codes,
  demo,
  LIST,
  ORD,
  one,
  ROUTES,
  SIN,
  startTestServer,
  type TestServer,
} from "./harness/server.ts";
import { verdict } from "./harness/standing.ts";

const REQUESTS = "/patchbay/v1/requests";
const MASK = "(masked)";

/** Names of all members of bodies that schemas know. */
function membersOf(schemas: unknown, found = new Set<string>(), seen = new Set()): ReadonlySet<string> {
  if (typeof schemas !== "object" || schemas === null || seen.has(schemas)) return found;
  seen.add(schemas);
  for (const [keyword, inner] of Object.entries(schemas)) {
    if (keyword === "properties") for (const name of Object.keys(Object(inner))) found.add(name);
    membersOf(inner, found, seen);
  }
  return found;
}

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
beforeEach(() => server.reset());
afterAll(() => server.close());

const listOf = async (query = "", at = server): Promise<SeenRequest[]> =>
  (await at.ask("GET", REQUESTS + query)).body.result.requests;

/** The request that was answered last. */
async function last(): Promise<SeenRequest> {
  const found = (await listOf()).at(-1);
  if (!found) throw new Error("Nothing was seen.");
  return found;
}

describe("a request that was answered", () => {
  test("is shown as it came and as it was answered", async () => {
    const sent = '{ "mtu": 1400,\n  "description": "é" }';
    const reply = await server.ask("PUT", `${one(ORD)}?validate_only=true`, { body: sent });
    const seen = await last();
    expect(seen).toEqual({
      number: expect.any(Number),
      time: expect.stringMatching(/^\d{4}-.*Z$/),
      method: "PUT",
      path: `${one(ORD)}?validate_only=true`,
      operation: "updateInterconnect",
      status: 200,
      duration_ms: expect.any(Number),
      fault: null,
      request: {
        headers: expect.objectContaining({
          authorization: `Bearer ${MASK}`,
          "content-type": "application/json",
          host: new URL(server.url).host,
        }),
        body: { text: sent, bytes: Buffer.byteLength(sent) },
      },
      response: {
        headers: expect.objectContaining({
          "content-type": "application/json",
          "cf-ray": reply.headers.get("cf-ray"),
        }),
        body: { text: JSON.stringify(reply.body), bytes: Buffer.byteLength(JSON.stringify(reply.body)) },
      },
      problems: [],
      ignored: [],
    });
    expect(seen.duration_ms).toBeGreaterThan(0);
  });

  test("is shown by the short way too, and without a body where there is none", async () => {
    for (let round = 0; round < 3; round++) await server.ask("GET", one(ORD));
    const seen = (await listOf()).slice(-3);
    expect(seen.map(({ operation, status }) => [operation, status])).toEqual(
      Array.from({ length: 3 }, () => ["getInterconnect", 200]),
    );
    expect(seen[2]?.request.body).toBeNull();
    expect(seen[2]?.response.body).toEqual(seen[0]?.response.body);
  });

  test("is shown with what was wrong with it", async () => {
    const body = { mtu: 1, description: 2 };
    const reply = await server.ask("PUT", one(ORD), { body });
    const { status, problems, ignored } = await last();
    expect([status, problems, ignored]).toEqual([400, reply.body.errors, []]);
  });

  test("is shown with ten problems, if there are more", async () => {
    const interconnects = Array.from({ length: 30 }, () => ({ id: ORD, nothing: 1 }));
    const reply = await server.ask("PUT", LIST, { body: { interconnects } });
    expect((await last()).problems).toEqual(reply.body.errors.slice(0, 10));
  });

  test.each([
    ["nobody's", { token: null }, 400],
    ["of a token that nobody has", { token: "z".repeat(40) }, 403],
  ] satisfies [string, Ask, number][])("is shown if it is %s", async (_, asked, status) => {
    await server.ask("GET", LIST, asked);
    expect(await last()).toMatchObject({ operation: "listInterconnects", status });
  });

  test("is shown if its path names nothing", async () => {
    await server.ask("POST", "/client/v4/zones?x=1", { body: {} });
    expect(await last()).toMatchObject({
      path: "/client/v4/zones?x=1",
      operation: null,
      status: 404,
      problems: [{ code: 10404 }],
    });
  });

  test("is not shown if it asks for this, or for a page", async () => {
    await server.ask("GET", LIST);
    const { number } = await last();
    await fetch(`${server.url}/docs/errors`);
    await fetch(`${server.url}/clientele`);
    expect((await last()).number).toBe(number);
  });

  test("is shown with what a fault did to it", async () => {
    for (const what of [{ status: 429 }, { status: 502 }, { drop: "before" }])
      await server.ask("PUT", "/patchbay/v1/faults", { body: { operation: "listRoutes", ...what } });
    for (let round = 0; round < 3; round++) await server.ask("GET", ROUTES).catch(() => undefined);
    const seen = (await listOf()).slice(-3);
    expect(seen).toMatchObject([
      { operation: "listRoutes", status: 429, fault: "status=429", problems: [{ code: 971 }] },
      { operation: "listRoutes", status: 502, fault: "status=502", problems: [] },
      { operation: "listRoutes", status: null, fault: "drop=before", response: { headers: {}, body: null } },
    ]);
    expect(seen[1]?.response.body?.text).toContain("502 Bad Gateway");
  });

  test("is shown without what is no text", async () => {
    await server.ask("GET", `/client/v4/accounts/${ACCOUNT}/cni/interconnects/sin-c1d7e5a24b98/loa`);
    const { body } = (await last()).response;
    expect(body?.text).toBeNull();
    expect(body?.bytes).toBeGreaterThan(1000);
  });
});

describe("what nothing is taken from", () => {
  test("is told of a body that was accepted", async () => {
    const { interconnect } = (await server.ask("GET", one(ORD))).body.result;
    await server.ask("PUT", one(ORD), { body: { ...interconnect, mtu: 1400 } });
    expect((await last()).ignored).toEqual([
      "/colo_name",
      "/created_on",
      "/modified_on",
      "/version",
      "/virtual_port_reservation_id",
    ]);
  });

  test("is told in each element, with the target as an object too", async () => {
    const headers = { "x-magic-new-hc-target": "true" };
    const update = { mtu: 1400, health_check: { target: { effective: "x", saved: "203.0.113.1" } } };
    const elements = [
      { id: SIN, modified_on: "x" },
      { id: ORD, ...update },
    ];
    const ignored = ["/0/modified_on", "/1/health_check/target/effective"];
    expect((await server.ask("PUT", LIST, { headers, body: { interconnects: elements } })).status).toBe(200);
    expect((await last()).ignored).toEqual(ignored.map((pointer) => `/interconnects${pointer}`));
    expect((await server.ask("PUT", LIST, { headers, body: elements })).status).toBe(200);
    expect((await last()).ignored).toEqual(ignored);
  });

  test("is not looked for in a body larger than 256 KiB", async () => {
    const body = JSON.stringify({ mtu: 1400, modified_on: "x" }).padEnd(256 * 1024 + 1);
    expect((await server.ask("PUT", one(ORD), { body })).status).toBe(200);
    expect((await last()).ignored).toBeNull();
  });

  test("is never what is unknown, which is refused", async () => {
    await server.ask("PUT", one(ORD), { body: { mtux: 1400 } });
    expect(await last()).toMatchObject({ status: 400, problems: [{ code: 990020 }], ignored: [] });
  });
});

describe("secrets are masked", () => {
  /** All that was seen since, as it is sent. */
  async function text(act: () => Promise<unknown>): Promise<string> {
    await server.ask("GET", LIST);
    const { number } = await last();
    await act();
    return JSON.stringify(await listOf(`?since=${number}`));
  }

  test("in headers", async () => {
    const told = await text(async () => {
      const session = await server.ask("POST", "/patchbay/v1/session", { body: { remember: true } });
      const cookie = session.headers.get("set-cookie")?.split(";")[0] ?? "";
      const csrf = session.body.result.csrf;
      await server.ask("DELETE", "/patchbay/v1/session", {
        token: null,
        headers: { cookie, "x-patchbay-csrf": csrf },
      });
      expect(await last()).toMatchObject({
        request: { headers: { cookie: MASK, "x-patchbay-csrf": MASK } },
        response: { headers: { "set-cookie": MASK } },
      });
      await server.ask("GET", LIST, {
        token: null,
        headers: { "x-auth-email": demo.email, "x-auth-key": demo.key },
      });
      await server.ask("GET", LIST, { token: null, headers: { authorization: "Basic dXNlcjpwYXNz" } });
      await server.ask("GET", LIST, { token: null, headers: { authorization: demo.token } });
      await server.ask("GET", `${LIST}?token=${demo.token}`, {
        headers: { "x-other": demo.token, "if-match": demo.token },
      });
      expect(await server.ask("GET", `/client/v4/${demo.token}/x`)).toMatchObject({ status: 404 });
      return csrf;
    });
    for (const secret of [demo.token, demo.key, "dXNlcjpwYXNz"]) expect(told).not.toContain(secret);
    expect(told).toContain("Basic (masked)");
  });

  test("in the answers that tell them once", async () => {
    const secrets: string[] = [];
    const told = await text(async () => {
      const body = { name: "made", policies: [] };
      const made = await server.ask("POST", "/patchbay/v1/tokens", { body });
      const rolled = await server.ask("PUT", `/patchbay/v1/tokens/${made.body.result.id}/value`, {
        body: {},
      });
      const user = await server.ask("POST", "/patchbay/v1/users", {
        body: { email: "new@example.net", accounts: [] },
      });
      secrets.push(made.body.result.value, rolled.body.result, user.body.result.key);
    });
    expect(secrets.every((secret) => /^cf.{45,}/.test(secret))).toBe(true);
    for (const secret of secrets) expect(told).not.toContain(secret);
  });

  test("in paths and in headers of other products, keys that look like identifiers among them", async () => {
    const hex = "0123456789abcdef0123456789abcdef01234";
    const encoded = `%${demo.key.charCodeAt(0).toString(16)}${demo.key.slice(1)}`;
    const told = await text(async () => {
      const headers = { "x-api-key": "plain-word", "x-vault-token": "other-word", "x-other": demo.key };
      await server.ask("GET", LIST, { headers });
      for (const word of [demo.key, encoded, hex]) {
        await server.ask("GET", `${LIST}?key=${word}`);
        await server.ask("GET", `${LIST}/${word}`);
      }
    });
    for (const secret of ["plain-word", "other-word", demo.key, encoded, demo.key.slice(1), hex])
      expect(told).not.toContain(secret);
    // Identifiers are no secrets.
    expect(told).toContain(ACCOUNT);
  });

  test("in bodies, by every member that a schema calls a secret", async () => {
    const names = [...secretMembers(operations)];
    expect(names.sort()).toEqual(["csrf", "key", "md5_key", "pairing_key", "value"]);
    const told = await text(async () => {
      for (const name of names)
        await server.ask("PUT", one(SIN), { body: { [name]: "hidden-1", bgp: [{ [name]: "hidden-2" }] } });
      await server.ask("POST", `/client/v4/accounts/${ACCOUNT}/cni/interconnects`, {
        body: {
          account: ACCOUNT,
          type: "gcp_partner",
          bandwidth: "1g",
          pairing_key: "7e51371e-72a3-40b5-b844-000000000001/us-central1/2",
        },
      });
    });
    for (const secret of ["hidden-1", "hidden-2", "7e51371e"]) expect(told).not.toContain(secret);
  });

  test("every member that sounds like a secret is one, or is known not to be", () => {
    // What a session says of its token, and the audit log of tokens.
    const known = ["credential", "token_id", "token_name"];
    const sounding = [...membersOf(operations)].filter((name) =>
      /(?:^|_)(?:key|token|secret|password|csrf|credential)/i.test(name),
    );
    const secrets = secretMembers(operations);
    expect(sounding.filter((name) => !secrets.has(name) && !known.includes(name))).toEqual([]);
  });

  test("of a body that is no JSON, the refusal has no excerpt", async () => {
    const told = await text(async () => {
      const reply = await server.ask("PUT", one(SIN), { body: '{"bgp":{"md5_key":"s3cret","m":abc}}' });
      expect(JSON.stringify(reply.body)).not.toContain("cret");
      expect(reply.body.errors[0].message).toContain("line 1, column 32: expected a value");
    });
    expect(told).not.toContain("cret\\");
  });

  const md5 = "a-shared-secret-of-bgp";
  test.each([
    ["as it should be", { bgp: { md5_key: md5 } }],
    ["by an escaped name", `{"bgp":{"md5\\u005fkey":"${md5}"}}`],
    ["with other white space", `{"bgp":{"md5_key" :\n "${md5}"}}`],
    ["as a list", { bgp: { md5_key: [["x"], { y: md5 }, md5] } }],
    ["with quotes in it", { bgp: { md5_key: `x"},${md5}` } }],
    ["too long to be kept", { bgp: { md5_key: md5.repeat(2_000) } }],
    ["where the body is cut off", { description: "x".repeat(16_360), bgp: { md5_key: md5.repeat(40) } }],
    ["in what is no JSON", `{"a: 1, "md5_key": "${md5}"}`],
    ["in what ends early", `{"bgp":{"md5_key":"${md5}`],
  ])("of a body, %s", async (_, bgp) => {
    const told = await text(() => server.ask("PUT", one(SIN), { body: bgp }));
    expect(told).not.toContain(md5.slice(0, 12));
    expect(told).toContain("updateInterconnect");
  });

  test("and nothing else of a body that is JSON", async () => {
    const body = '{"description":"key: value, \\"md5_key\\": \\"x\\"","mtu":1400}';
    expect((await server.ask("PUT", one(ORD), { body })).status).toBe(200);
    expect((await last()).request.body?.text).toBe(body);
  });
});

describe("what is kept is bounded", () => {
  test("to the first 16 KiB of a body, in whole characters", async () => {
    const body = `{"description":"${"é".repeat(20_000)}"}`;
    await server.ask("PUT", one(ORD), { body });
    const { request } = await last();
    expect(request.body?.bytes).toBe(Buffer.byteLength(body));
    expect(request.body?.text).toBe(body.slice(0, 16 + (16 * 1024 - 16) / 2));
  });

  test("to the newest 200", async () => {
    await using small = await startTestServer();
    for (let count = 0; count < 201; count++) await small.ask("GET", LIST);
    const numbers = (await listOf("", small)).map(({ number }) => number);
    expect(numbers).toEqual(Array.from({ length: 200 }, (_, index) => index + 2));
  });
});

describe("who follows", () => {
  test("is told of what came after a number", async () => {
    await server.ask("GET", LIST);
    const { number } = await last();
    await server.ask("GET", ROUTES);
    await server.ask("GET", LIST);
    expect((await listOf(`?since=${number}`)).map(({ operation }) => operation)).toEqual([
      "listRoutes",
      "listInterconnects",
    ]);
    expect(await listOf(`?since=${number + 2}`)).toEqual([]);
  });

  test("is told of everything by a server that has not come so far", async () => {
    await server.ask("GET", LIST);
    const { number } = await last();
    expect((await listOf(`?since=${number + 1}`)).at(-1)?.number).toBe(number);
  });

  test("is told of a request as soon as it is answered", async () => {
    await server.ask("GET", LIST);
    const { number } = await last();
    const begun = performance.now();
    const followed = listOf(`?since=${number}&wait=30`);
    await server.ask("GET", REQUESTS);
    await server.ask("GET", ROUTES);
    expect((await followed).map(({ operation }) => operation)).toEqual(["listRoutes"]);
    expect(performance.now() - begun).toBeLessThan(10_000);
  });

  test("is answered when the time is over", async () => {
    await server.ask("GET", LIST);
    const { number } = await last();
    const begun = performance.now();
    expect(await listOf(`?since=${number}&wait=1`)).toEqual([]);
    expect(performance.now() - begun).toBeGreaterThan(900);
  });

  test("is answered when the server stops", async () => {
    const stopping = await startTestServer();
    const followed = listOf("?wait=60&since=0", stopping);
    await new Promise((resolve) => setTimeout(resolve, 100));
    await stopping.close();
    expect(await followed).toEqual([]);
  });

  test("is told no more once the token is gone", async () => {
    const made = await server.ask("POST", "/patchbay/v1/tokens", {
      body: {
        name: "short",
        policies: [
          {
            effect: "allow",
            resources: { "com.cloudflare.api.account.*": "*" },
            permission_groups: [{ id: "70617463686261790000000000000001" }],
          },
        ],
      },
    });
    const { id, value } = made.body.result;
    const { number } = await last();
    const followed = server.ask("GET", `${REQUESTS}?since=${number}&wait=30`, { token: value });
    await new Promise((resolve) => setTimeout(resolve, 100));
    await server.ask("DELETE", `/patchbay/v1/tokens/${id}`);
    expect(verdict(await followed)).toBe("403 9109");
  });

  test.each(["since=-1", "since=x", "since=1.5", "wait=61", "wait=x", "since=1&since=2"])(
    "is refused with %s",
    async (query) => {
      expect(codes(await server.ask("GET", `${REQUESTS}?${query}`))).toEqual([990011]);
    },
  );
});

test("a server that is no sandbox keeps nothing, and says so", async () => {
  await using serious = await startTestServer({ sandbox: false });
  expect(verdict(await serious.ask("GET", REQUESTS))).toBe("403 990038");
});

test("what was never a request is not shown", async () => {
  await server.ask("GET", LIST);
  const { number } = await last();
  expect((await askRaw(server.url, "NONSENSE\r\n\r\n"))?.status).toBe(400);
  expect((await last()).number).toBe(number);
});
