import Cloudflare from "cloudflare";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clientOf } from "../harness/client.ts";
import { ACCOUNT, demo, ORD, one, startTestServer, type TestServer } from "../harness/server.ts";

const READ_ONLY = "demo-magic-read-only-token-0000000000000";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  for (let turn = 0; turn < 12; turn++) {
    const token = turn % 4 === 3 ? READ_ONLY : demo.token;
    await server.ask("PUT", one(ORD), { body: { description: `turn ${turn}` }, token });
  }
});
afterAll(() => server.close());

const window = { account_id: ACCOUNT, since: "2000-01-01", before: "2999-01-01T00:00:00+02:00" } as const;
const credentials = {
  token: {},
  "email and key": { apiToken: null, apiEmail: demo.email, apiKey: demo.key },
};

describe.each(Object.entries(credentials))("the official client with %s", (_, options) => {
  const list = (query: Partial<Cloudflare.Accounts.Logs.AuditListParams> = {}) =>
    clientOf(server, options).accounts.logs.audit.list({ ...window, ...query });

  test.each([1, 4, 100])("reads on by itself, by %i a page", async (limit) => {
    const entries = [];
    for await (const entry of list({ limit })) entries.push(entry);
    expect(entries).toHaveLength(14);
    expect(new Set(entries.map(({ id }) => id)).size).toBe(14);
    const pages = [];
    for await (const page of (await list({ limit, direction: "asc" })).iterPages()) pages.push(page.result);
    expect(pages).toHaveLength(Math.ceil(14 / limit));
    expect(pages.flat()).toEqual(entries.toReversed());
  });

  test("leaves out what it is told to, in the form it sends that in", async () => {
    const results = async (query: Partial<Cloudflare.Accounts.Logs.AuditListParams>) => {
      const found = [];
      for await (const { action } of list({ limit: 5, ...query })) found.push(action?.result);
      return found;
    };
    expect(await results({ action_result: { not: ["success"] } })).toEqual(Array(3).fill("failure"));
    expect(await results({ action_result: { not: ["failure"] } })).toEqual(Array(11).fill("success"));
    expect(await results({ raw_status_code: { not: [200, 403] } })).toEqual(Array(2).fill("success"));
    expect(await results({ actor_type: { not: ["system", "account", "user"] } })).toEqual([]);
    expect(
      await results({ actor_email: { not: ["a@example.com", "b@example.com"] }, limit: 1000 }),
    ).toHaveLength(14);
  });

  test("finds what it is told to, given as lists", async () => {
    // Its types know the form that leaves out alone, so lists go past them.
    const { account_id, ...times } = window;
    const query = { ...times, action_result: ["failure"], raw_method: ["PUT", "POST"], limit: 2 };
    const { audit } = clientOf(server, options).accounts.logs;
    const found = [];
    for await (const { actor } of audit.list({ account_id, ...times }, { query }))
      found.push(actor?.token_name);
    expect(found).toEqual(Array(3).fill("read only"));
  });

  test("raises its own error class for a window that is none", async () => {
    await expect(list({ before: "1999-01-01" })).rejects.toMatchObject({
      status: 400,
      errors: [{ code: 990091 }],
    });
    await expect(list({ product_category: ["zerotrust"] })).rejects.toBeInstanceOf(
      Cloudflare.BadRequestError,
    );
  });
});
