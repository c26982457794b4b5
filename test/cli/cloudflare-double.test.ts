import { readFileSync } from "node:fs";
import Cloudflare from "cloudflare";
import { describe, expect, test } from "vitest";
import {
  type CloudflareDouble,
  DOUBLE_ACCOUNT,
  DOUBLE_TOKEN,
  startCloudflareDouble,
} from "../harness/cloudflare-double.ts";
import { AMS, ORD, type Reply, SIN, startTestServer } from "../harness/server.ts";

const account_id = DOUBLE_ACCOUNT;
const LIST = `/client/v4/accounts/${DOUBLE_ACCOUNT}/magic/cf_interconnects`;

const clientOf = ({ baseUrl, token }: CloudflareDouble) =>
  new Cloudflare({ apiToken: token, baseURL: baseUrl, maxRetries: 0 });

/** One request and its answer, read but not judged. */
async function ask(
  { url }: { url: string },
  method: string,
  path: string,
  asked: { token?: string | null; headers?: Record<string, string>; body?: unknown } = {},
): Promise<Reply> {
  const { token = DOUBLE_TOKEN, headers = {}, body } = asked;
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

test("the double is made of nothing of Patchbay's", () => {
  for (const file of [
    "cloudflare-double.ts",
    "cloudflare-double-interconnects.ts",
    "cloudflare-double-world.ts",
  ]) {
    const source = readFileSync(new URL(`../harness/${file}`, import.meta.url), "utf8");
    const imported = [...source.matchAll(/from "([^"]+)"/g)].map(([, name]) => name);
    expect(
      imported.filter((name) => !name?.startsWith("node:") && !name?.includes("/cloudflare-double")),
    ).toEqual([]);
  }
});

describe("the official client drives the double:", () => {
  test("it lists, gets, updates one and updates many", async () => {
    await using double = await startCloudflareDouble();
    const { cfInterconnects } = clientOf(double).magicTransit;
    const list = await cfInterconnects.list({ account_id });
    expect(list.interconnects?.map(({ id }) => id)).toEqual([ORD, AMS, SIN]);
    const one = await cfInterconnects.update(ORD, { account_id, health_check: { rate: "high" } });
    expect(one.modified_interconnect).toMatchObject({
      mtu: 1476,
      health_check: { rate: "high", type: "request", target: "203.0.113.1" },
    });
    const many = await cfInterconnects.bulkUpdate({
      account_id,
      body: {
        interconnects: [
          { id: SIN, mtu: 1450 },
          { id: ORD, description: "" },
        ],
      },
    });
    expect(many.modified_interconnects?.map(({ id }) => id)).toEqual([SIN, ORD]);
    const { interconnect } = await cfInterconnects.get(SIN, { account_id });
    expect(interconnect).toMatchObject({ mtu: 1450, bgp: { customer_asn: 65010 } });
  });

  test("it speaks both forms of the target, validates only, and verifies its token", async () => {
    await using double = await startCloudflareDouble();
    const client = clientOf(double);
    const { cfInterconnects } = client.magicTransit;
    const header = { "x-magic-new-hc-target": true };
    await cfInterconnects.update(ORD, { account_id, ...header, health_check: { target: { saved: "" } } });
    const object = await cfInterconnects.get(ORD, { account_id, ...header });
    expect(object.interconnect?.health_check?.target).toEqual({ effective: "192.0.2.1", saved: "" });
    const wrong = cfInterconnects.update(ORD, { account_id, health_check: { target: { saved: "" } } });
    await expect(wrong).rejects.toMatchObject({ status: 400, errors: [{ code: 1022 }] });
    const query = { validate_only: true };
    const dry = await cfInterconnects.update(ORD, { account_id, mtu: 1300 }, { query });
    expect(dry.modified_interconnect?.mtu).toBe(1300);
    expect(double.interconnects()[0]?.mtu).toBe(1476);
    expect(await client.user.tokens.verify()).toMatchObject({ status: "active" });
  });
});

describe("the double answers as the vendor documents", () => {
  test("a null, a read-only field, an update of many of which one is wrong", async () => {
    await using double = await startCloudflareDouble();
    const before = double.interconnects();
    const refusal = await ask(double, "PUT", `${LIST}/${ORD}`, { body: { description: null } });
    expect([refusal.status, refusal.body]).toEqual([
      400,
      {
        result: null,
        success: false,
        errors: [{ code: 1022, message: expect.stringContaining("is not permitted to be null") }],
        messages: [],
      },
    ]);
    const body = {
      interconnects: [
        { id: ORD, mtu: 1300 },
        { id: SIN, mtu: 1 },
      ],
    };
    expect((await ask(double, "PUT", LIST, { body })).status).toBe(400);
    expect(double.interconnects()).toEqual(before);
    const gre = await ask(double, "PUT", `${LIST}/${AMS}`, {
      body: { gre: { cloudflare_endpoint: "1.1.1.1" } },
    });
    expect(gre.status).toBe(400);
  });

  test("no etag, no condition, no path of Patchbay's, no header it does not know", async () => {
    await using double = await startCloudflareDouble();
    const headers = { "if-match": '"something else"', "x-patchbay-confirm-within": "60" };
    const changed = await ask(double, "PUT", `${LIST}/${ORD}`, { headers, body: { mtu: 1400 } });
    expect(changed.status).toBe(200);
    expect(changed.headers.has("etag")).toBe(false);
    expect([...changed.headers.keys()].filter((name) => name.startsWith("x-patchbay"))).toEqual([]);
    const own = await ask(double, "GET", `/patchbay/v1/accounts/${DOUBLE_ACCOUNT}/changes`);
    expect([own.status, own.body.errors[0].code]).toEqual([404, 7003]);
    expect((await ask(double, "GET", "/patchbay/v1/changes")).body.errors[0].code).toBe(10404);
    expect(double.requests.map(({ method }) => method)).toEqual(["PUT", "GET", "GET"]);
    expect(double.requests[0]?.body).toEqual({ mtu: 1400 });
  });

  test.each([
    ["none", null, 400, 9106],
    ["one that is none", "short", 400, 6003],
    ["an unknown one", "x".repeat(40), 403, 9109],
    ["a disabled one", "d".repeat(40), 403, 9109],
    ["one that may only read", "r".repeat(40), 403, 10000],
  ])("a credential: %s", async (_, token, status, code) => {
    await using double = await startCloudflareDouble({
      tokens: [
        { value: "d".repeat(40), status: "disabled" },
        { value: "r".repeat(40), may: ["read"] },
      ],
    });
    const answer = await ask(double, "PUT", LIST, { token, body: {} });
    expect([answer.status, answer.body.errors[0].code]).toEqual([status, code]);
  });

  test("its rate limit blocks everything for as long again, and then no more", async () => {
    let now = 1_000_000;
    const rateLimit = { requests: 2, seconds: 300 };
    await using double = await startCloudflareDouble({ rateLimit, clock: () => now });
    const first = await ask(double, "GET", LIST);
    expect(first.headers.get("ratelimit")).toBe('"default";r=1;t=300');
    expect(first.headers.get("ratelimit-policy")).toBe('"default";q=2;w=300');
    now += 200_000;
    expect((await ask(double, "GET", LIST)).status).toBe(200);
    const over = await ask(double, "GET", LIST);
    expect([over.status, over.body.errors[0].code, over.headers.get("retry-after")]).toEqual([
      429,
      971,
      "300",
    ]);
    now += 299_000;
    expect((await ask(double, "GET", LIST)).headers.get("retry-after")).toBe("1");
    now += 2_000;
    expect((await ask(double, "GET", LIST)).status).toBe(200);
  });
});

/** An answer without what the vendor does not promise: times, and the old name of a field that has a new one. */
function comparable(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (key, inner) =>
    ["created_on", "modified_on", "as_no"].includes(key) ? undefined : inner,
  );
}

describe("the double and Patchbay answer the same", () => {
  const both = { text: {}, object: { "x-magic-new-hc-target": "true" } };
  test.each(Object.entries(both))("with the target as %s", async (form, headers) => {
    await using double = await startCloudflareDouble();
    await using server = await startTestServer();
    const target = (saved: string) => (form === "text" ? saved : { saved });
    const requests: [method: string, path: string, body?: unknown][] = [
      ["GET", LIST],
      ["GET", `${LIST}/${AMS}`],
      ["PUT", `${LIST}/${ORD}`, { description: "", health_check: { target: target("") } }],
      ["PUT", `${LIST}/${AMS}`, { health_check: { direction: "unidirectional" } }],
      ["PUT", `${LIST}?validate_only=true`, { interconnects: [{ id: SIN, mtu: 1400 }] }],
      [
        "PUT",
        LIST,
        {
          interconnects: [
            { id: SIN, name: "pni_ord", bgp: { customer_asn: 65020 } },
            { id: ORD, name: "pni_sin", health_check: { rate: "high", target: target("203.0.113.7") } },
          ],
        },
      ],
      ["GET", LIST],
    ];
    for (const [method, path, body] of requests) {
      const theirs = await ask(double, method, path, { headers, body });
      const ours = await server.ask(method, path, { headers, ...(body === undefined ? {} : { body }) });
      expect([theirs.status, comparable(theirs.body.result)]).toEqual([
        ours.status,
        comparable(ours.body.result),
      ]);
    }
  });
});
