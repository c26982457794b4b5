import fc from "fast-check";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import type { EdgeAccount } from "../../src/edge/account.ts";
import { Client } from "../../src/edge/follow/client.ts";
import { FollowedAccount } from "../../src/edge/follow/objects.ts";
import { followPatchbay } from "../../src/edge/follow/patchbay.ts";
import { ACCOUNT, AMS, CNI, demo, LIST, ORD, OWN, ROUTES, SIN, startTestServer } from "../harness/server.ts";

const server = await startTestServer();
afterAll(() => server.close());
beforeEach(() => server.reset());

const state = async () => (await server.ask("GET", `${OWN}/state`)).body.result;
const changes = async (after: number) =>
  (await server.ask("GET", `${OWN}/changes?after=${after}&limit=100`)).body.result;

async function begun(): Promise<FollowedAccount> {
  const followed = new FollowedAccount();
  followed.begin(await state());
  return followed;
}

/** What an edge would be told if it began now. */
const asItIs = async () => (await begun()).account;

/** A running follower, and what it was told, one after the other. */
function following(token: string = demo.token) {
  const ended = new AbortController();
  const told: EdgeAccount[] = [];
  const troubles: (string | undefined)[] = [];
  let news = Promise.withResolvers<void>();
  const heard = () => {
    news.resolve();
    news = Promise.withResolvers();
  };
  const client = new Client({ server: server.url, account: ACCOUNT, token });
  const done = followPatchbay(
    client,
    {
      account: (account) => {
        told.push(account);
        heard();
      },
      reached: (trouble) => {
        troubles.push(trouble);
        heard();
      },
    },
    ended.signal,
  );
  return {
    told,
    troubles,
    /** Resolves when something is so. */
    async until(holds: () => boolean) {
      while (!holds()) await news.promise;
    },
    async [Symbol.asyncDispose]() {
      ended.abort();
      await done;
    },
  };
}

describe("an account that an edge follows", () => {
  test("begins with links, ports, slots and effective targets", async () => {
    const { interconnects, routes } = (await begun()).account;
    expect(interconnects.find(({ id }) => id === ORD)).toEqual({
      id: ORD,
      name: "pni_ord",
      version: "1",
      interfaceAddress: "10.213.0.8/31",
      interfaceAddress6: "2606:54c1:7:0:a9fe:12d2:1:200/127",
      mtu: 1476,
      returnRouting: true,
      greEndpoint: "203.0.113.1",
      link: { provider: "192.0.2.0/31", customer: "192.0.2.1/31" },
      port: undefined,
      slot: undefined,
      healthCheck: {
        enabled: true,
        rate: "low",
        type: "request",
        direction: "unidirectional",
        target: "203.0.113.1",
        source: undefined,
      },
      bgp: undefined,
    });
    expect(interconnects.find(({ id }) => id === SIN)).toMatchObject({
      port: "sin-c1d7e5a24b98",
      slot: "9d4b6c1e-2f83-4a70-9e15-c7b8a6d5e4f3",
      greEndpoint: undefined,
      healthCheck: { target: "192.0.2.5" },
      bgp: { customerAsn: 65010, extraPrefixes: ["192.0.2.0/24"], hasKey: false },
    });
    expect(routes[0]).toMatchObject({ prefix: expect.any(String), nexthop: expect.any(String) });
  });

  test("is carried on by the log to what it would begin with", async () => {
    const followed = await begun();
    const slot = "182bd5e5-6e1a-4fe4-a799-aa6d9a6ab26e";
    const put = (body: unknown) => server.ask("PUT", LIST, { body });
    await put([
      { id: ORD, mtu: 1400, health_check: { rate: "high", target: "" } },
      { id: AMS, name: "pni_two" },
    ]);
    const port = await server.ask("POST", `${CNI}/interconnects`, {
      body: { account: ACCOUNT, slot_id: slot, type: "direct" },
    });
    expect(port.status).toBe(200);
    const cni = await server.ask("POST", `${CNI}/cnis`, {
      body: {
        account: ACCOUNT,
        interconnect: port.body.name,
        magic: { conduit_name: "pni_new", description: "", mtu: 1500 },
      },
    });
    expect(cni.status).toBe(200);
    const route = {
      prefix: "172.16.99.0/24",
      nexthop: "10.213.0.9",
      priority: 7,
      scope: { colo_regions: ["ENAM"] },
    };
    await server.ask("POST", ROUTES, { body: route });
    const records = await changes(followed.revision);
    expect(records).toHaveLength(4);
    for (const record of records) followed.apply(record);
    const now = await asItIs();
    expect(followed.account).toEqual(now);
    expect(now.interconnects.find(({ name }) => name === "pni_new")).toMatchObject({ slot, version: "2" });
    await server.ask("DELETE", `${CNI}/cnis/${cni.body.id}`);
    for (const record of await changes(followed.revision)) followed.apply(record);
    expect(followed.account).toEqual(await asItIs());
    expect(followed.account.interconnects.some(({ name }) => name === "pni_new")).toBe(false);
  });

  test("is so after any changes", async () => {
    const element = fc.record(
      {
        id: fc.constantFrom(ORD, AMS, SIN),
        mtu: fc.constantFrom(576, 1400, 1476),
        description: fc.constantFrom("", "a", "b"),
        health_check: fc.record(
          {
            rate: fc.constantFrom("low", "mid", "high"),
            type: fc.constantFrom("reply", "request"),
            enabled: fc.boolean(),
            target: fc.constantFrom("", "198.51.100.7"),
          },
          { requiredKeys: [] },
        ),
      },
      { requiredKeys: ["id"] },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(element, { minLength: 1, maxLength: 12 }), async (elements) => {
        const followed = await begun();
        for (const one of elements) await server.ask("PUT", LIST, { body: [one] });
        for (const record of await changes(followed.revision)) followed.apply(record);
        expect(followed.account).toEqual(await asItIs());
      }),
      { numRuns: 25 },
    );
  });

  test("does not go on with a record that does not follow", async () => {
    const followed = await begun();
    await server.ask("PUT", LIST, { body: [{ id: ORD, mtu: 1400 }] });
    await server.ask("PUT", LIST, { body: [{ id: ORD, mtu: 1300 }] });
    const [, second] = await changes(followed.revision);
    expect(() => followed.apply(second)).toThrow("does not follow revision 1");
  });
});

describe("following a server", () => {
  test("tells the account at once, and again after every change", async () => {
    await using edge = following();
    await edge.until(() => edge.told.length === 1);
    await server.ask("PUT", LIST, { body: [{ id: ORD, mtu: 1400 }] });
    await edge.until(() => edge.told.at(-1)?.revision === 2);
    expect(edge.told.at(-1)).toEqual(await asItIs());
    expect(edge.troubles).not.toContain(expect.any(String));
  });

  test("begins anew when history is another", async () => {
    await using edge = following();
    await server.ask("PUT", LIST, { body: [{ id: ORD, mtu: 1400 }] });
    await edge.until(() => edge.told.at(-1)?.revision === 2);
    const { epoch } = await state();
    await server.reset();
    await edge.until(() => edge.told.at(-1)?.epoch !== epoch && edge.told.at(-1)?.revision === 1);
    expect(edge.told.at(-1)).toEqual(await asItIs());
  });

  test("tells why it cannot, of a token that may not", async () => {
    await using edge = following("demo-wan-write-token-0000000000000000000");
    await edge.until(() => edge.troubles.length > 0);
    expect(edge.troubles[0]).toMatch(/permission|Authentication/i);
    expect(edge.told).toEqual([]);
  });
});
