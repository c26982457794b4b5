import Cloudflare from "cloudflare";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { clientOf } from "../harness/client.ts";
import { ACCOUNT, demo, ORD, OWN, startTestServer, type TestServer } from "../harness/server.ts";

const account_id = ACCOUNT;

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
beforeEach(() => server.reset());
afterAll(() => server.close());

const credentials = {
  token: {},
  "email and key": { apiToken: null, apiEmail: demo.email, apiKey: demo.key },
};

const arm = (operation: string, fault: object) =>
  server.ask("PUT", "/patchbay/v1/faults", { body: { operation, ...fault } });

/** Changes in the account's log, the seed's left out. */
async function changes(): Promise<{ operation: string }[]> {
  return (await server.ask("GET", `${OWN}/changes?after=1`)).body.result;
}

/** How often each armed fault struck. */
async function struck(): Promise<number[]> {
  const { body } = await server.ask("GET", "/patchbay/v1/faults");
  return body.result.faults.map((fault: { struck: number }) => fault.struck);
}

const failures = [
  ["429", { status: 429 }],
  ["409", { status: 409 }],
  ["500", { status: 500 }],
  ["502", { status: 502 }],
  ["503", { status: 503 }],
  ["504", { status: 504 }],
  ["a connection dropped before the change", { drop: "before" }],
  ["a connection dropped after the change", { drop: "after" }],
] as const;

describe.each(Object.entries(credentials))(
  "the official client with %s tries again by itself",
  (_, options) => {
    const client = () => clientOf(server, { maxRetries: 2, ...options }).magicTransit.cfInterconnects;

    test.each(failures)(
      "after %s twice: it succeeds, and exactly one change is made",
      async (_name, fault) => {
        await arm("updateInterconnects", { ...fault, times: 2 });
        const body = { interconnects: [{ id: ORD, mtu: 1400 }] };
        const many = await client().bulkUpdate({ account_id, body });
        expect(many.modified_interconnects?.map(({ mtu }) => mtu)).toEqual([1400]);
        expect((await changes()).map(({ operation }) => operation)).toEqual(["updateInterconnects"]);
        expect(await struck()).toEqual([2]);
      },
    );
  },
);

describe("the official client", () => {
  test.each([
    [400, Cloudflare.BadRequestError],
    [401, Cloudflare.AuthenticationError],
    [403, Cloudflare.PermissionDeniedError],
    [404, Cloudflare.NotFoundError],
  ])("does not try again after %i", async (status, kind) => {
    await arm("updateInterconnect", { status });
    const update = clientOf(server).magicTransit.cfInterconnects.update(ORD, { account_id, mtu: 1400 });
    await expect(update).rejects.toBeInstanceOf(kind);
    expect([await struck(), await changes()]).toEqual([[1], []]);
  });

  test("gives up when its attempts are used up, and nothing is changed", async () => {
    await arm("updateInterconnect", { status: 503, times: 2 });
    const { cfInterconnects } = clientOf(server, { maxRetries: 1 }).magicTransit;
    const update = cfInterconnects.update(ORD, { account_id, mtu: 1400 });
    await expect(update).rejects.toMatchObject({ status: 503 });
    expect([await struck(), await changes()]).toEqual([[2], []]);
  });

  test("that lost the answer to a create meets the refusal of the second", async () => {
    await arm("createRoutes", { drop: "after" });
    const { routes } = clientOf(server, { maxRetries: 1 }).magicTransit;
    const create = routes.create({ account_id, prefix: "192.0.2.0/24", nexthop: "10.213.0.9", priority: 7 });
    await expect(create).rejects.toMatchObject({ status: 400, errors: [{ code: 990045 }] });
    expect((await changes()).map(({ operation }) => operation)).toEqual(["createRoutes"]);
  });

  test("that does not wait as long as the answer takes tries again: one change, made at once", async () => {
    await arm("updateInterconnect", { latency_ms: 60_000 });
    const { cfInterconnects } = clientOf(server, { maxRetries: 1, timeout: 500 }).magicTransit;
    const changed = await cfInterconnects.update(ORD, { account_id, mtu: 1400 });
    expect(changed.modified_interconnect?.mtu).toBe(1400);
    expect(await changes()).toHaveLength(1);
  });
});
