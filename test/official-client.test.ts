import Cloudflare from "cloudflare";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clientOf } from "./harness/client.ts";
import { ACCOUNT, AMS, demo, ORD, SIN, startTestServer, type TestServer } from "./harness/server.ts";

const account_id = ACCOUNT;

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const credentials = {
  token: {},
  "email and key": { apiToken: null, apiEmail: demo.email, apiKey: demo.key },
};

describe.each(Object.entries(credentials))("the official client with %s", (_, options) => {
  test("lists, gets, updates one and updates many", async () => {
    await server.reset();
    const { magicTransit } = clientOf(server, options);
    const { cfInterconnects } = magicTransit;

    const list = await cfInterconnects.list({ account_id });
    expect(list.interconnects?.map(({ id }) => id)).toEqual([ORD, AMS, SIN]);

    const { modified, modified_interconnect } = await cfInterconnects.update(ORD, { account_id, mtu: 1400 });
    expect(modified).toBe(true);
    expect(modified_interconnect).toMatchObject({ id: ORD, mtu: 1400, name: "pni_ord" });

    const many = await cfInterconnects.bulkUpdate({
      account_id,
      body: {
        interconnects: [
          { id: SIN, mtu: 1450 },
          { id: ORD, description: "both at once" },
        ],
      },
    });
    expect(many.modified).toBe(true);
    expect(many.modified_interconnects?.map(({ id }) => id)).toEqual([SIN, ORD]);

    const one = await cfInterconnects.get(ORD, { account_id });
    expect(one.interconnect).toMatchObject({ id: ORD, mtu: 1400, description: "both at once" });
  });

  test("speaks both forms of the health-check target", async () => {
    await server.reset();
    const { cfInterconnects } = clientOf(server, options).magicTransit;
    const header = { "x-magic-new-hc-target": true };
    await cfInterconnects.update(ORD, { account_id, ...header, health_check: { target: { saved: "" } } });
    const one = await cfInterconnects.get(ORD, { account_id, ...header });
    expect(one.interconnect?.health_check?.target).toEqual({ effective: "192.0.2.1", saved: "" });
    const text = await cfInterconnects.get(ORD, { account_id });
    expect(text.interconnect?.health_check?.target).toBe("");
  });

  test("raises its own error classes", async () => {
    const { cfInterconnects } = clientOf(server, options).magicTransit;
    const missing = cfInterconnects.get("0".repeat(32), { account_id });
    await expect(missing).rejects.toBeInstanceOf(Cloudflare.NotFoundError);
    const wrong = cfInterconnects.update(ORD, { account_id, mtu: 1 });
    await expect(wrong).rejects.toBeInstanceOf(Cloudflare.BadRequestError);
    await expect(wrong).rejects.toMatchObject({ errors: [{ code: 990023, source: { pointer: "/mtu" } }] });
  });
});

test("verifies its token", async () => {
  const verified = await clientOf(server).user.tokens.verify();
  expect(verified).toMatchObject({ status: "active" });
});

test("takes the page's own example, a bulk update with an empty object", async () => {
  const answer = await clientOf(server).magicTransit.cfInterconnects.bulkUpdate({ account_id, body: {} });
  expect(answer).toEqual({ modified: false, modified_interconnects: [] });
});

test("validates only when asked to", async () => {
  await server.reset();
  const { cfInterconnects } = clientOf(server).magicTransit;
  const query = { validate_only: true };
  const dry = await cfInterconnects.update(ORD, { account_id, mtu: 1300 }, { query });
  expect(dry.modified_interconnect?.mtu).toBe(1300);
  const stored = await cfInterconnects.get(ORD, { account_id });
  expect(stored.interconnect?.mtu).toBe(1476);
});

describe("through the client's own retries", () => {
  /** Lets the request through, and loses the answer on the way back. */
  function losing(times: number) {
    let lost = 0;
    const requests: string[] = [];
    const lossy: typeof fetch = async (input, init) => {
      requests.push(String(init?.method));
      const response = await fetch(input, init);
      if (lost++ < times) {
        await response.arrayBuffer();
        throw new TypeError("fetch failed");
      }
      return response;
    };
    return { lossy, requests };
  }

  test("an update whose answer was lost is made once, however often it is sent", async () => {
    await server.reset();
    const { lossy, requests } = losing(2);
    const { cfInterconnects } = clientOf(server, { fetch: lossy, maxRetries: 3 }).magicTransit;
    const body = {
      interconnects: [
        { id: ORD, mtu: 1390 },
        { id: SIN, description: "again" },
      ],
    };
    const answer = await cfInterconnects.bulkUpdate({ account_id, body });
    expect(requests).toHaveLength(3);
    expect(answer.modified).toBe(true);
    expect(answer.modified_interconnects?.map(({ mtu }) => mtu)).toEqual([1390, 1500]);
    const changes = await server.ask("GET", `/patchbay/v1/accounts/${ACCOUNT}/changes`);
    expect(changes.body.result.map(({ revision }: { revision: number }) => revision)).toEqual([2, 1]);
  });
});
