import fc from "fast-check";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import type { EdgeAccount } from "../../src/edge/account.ts";
import { Client } from "../../src/edge/follow/client.ts";
import { followByPolling } from "../../src/edge/follow/cloudflare.ts";
import { FollowedAccount } from "../../src/edge/follow/objects.ts";
import { followPatchbay } from "../../src/edge/follow/patchbay.ts";
import { startCloudflareDouble } from "../harness/cloudflare-double.ts";
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

describe("following an API without a log, as a customer's router does", () => {
  test("asks again and again, and tells what changed and nothing else", async () => {
    await using double = await startCloudflareDouble();
    const ended = new AbortController();
    const told: EdgeAccount[] = [];
    let news = Promise.withResolvers<void>();
    const client = new Client({ server: double.url, account: double.account, token: double.token });
    const follower = {
      account: (account: EdgeAccount) => {
        told.push(account);
        news.resolve();
        news = Promise.withResolvers();
      },
      reached: (trouble: string | undefined) => expect(trouble).toBeUndefined(),
    };
    const done = followByPolling(client, 20, follower, ended.signal);
    while (told.length < 1) await news.promise;
    const [first] = told;
    expect(first?.interconnects.map(({ name }) => name)).toEqual(
      double.interconnects().map(({ name }) => name),
    );
    expect(first?.interconnects[0]).toMatchObject({
      interfaceAddress: "10.213.0.8/31",
      greEndpoint: "203.0.113.1",
      link: undefined,
      healthCheck: { direction: "unidirectional", target: "203.0.113.1" },
    });
    const asked = double.requests.length;
    while (double.requests.length < asked + 12) await new Promise(setImmediate);
    expect(told).toHaveLength(1);
    double.change(ORD, { mtu: 1300 });
    while (told.length < 2) await news.promise;
    expect(told[1]?.revision).toBe(2);
    expect(told[1]?.interconnects[0]).toEqual({ ...first?.interconnects[0], mtu: 1300 });
    ended.abort();
    await done;
  });

  test("takes the vendor's defaults for what is not told, and links and ports where they are", async () => {
    const answers: Readonly<Record<string, unknown>> = {
      "/magic/cf_interconnects": {
        interconnects: [{ id: ORD, name: "a", interface_address: "10.1.0.0/31" }],
      },
      "/cni/cnis": {
        items: [
          {
            id: "x",
            interconnect: "port-1",
            cust_ip: "192.0.2.1/31",
            p2p_ip: "192.0.2.0/31",
            magic: { conduit_name: "a" },
          },
        ],
        next: null,
      },
      "/cni/interconnects": { items: [{ name: "port-1", slot_id: "slot-1" }], next: null },
    };
    await using double = await startCloudflareDouble({
      meddle: ({ path }) => {
        const found = Object.entries(answers).find(([end]) => path.endsWith(end));
        if (!found) return undefined;
        const [end, body] = found;
        const isMagic = end.startsWith("/magic");
        return {
          status: 200,
          body: isMagic ? { result: body, success: true, errors: [], messages: [] } : body,
        };
      },
    });
    const ended = new AbortController();
    const client = new Client({ server: double.url, account: double.account, token: double.token });
    const account = await new Promise<EdgeAccount>((resolve, reject) => {
      const reached = (trouble: string | undefined) => trouble !== undefined && reject(new Error(trouble));
      void followByPolling(client, 10_000, { account: resolve, reached }, ended.signal);
    });
    ended.abort();
    expect(account.interconnects).toEqual([
      {
        id: ORD,
        name: "a",
        version: "2",
        interfaceAddress: "10.1.0.0/31",
        interfaceAddress6: undefined,
        mtu: 1476,
        returnRouting: false,
        greEndpoint: undefined,
        link: { provider: "192.0.2.0/31", customer: "192.0.2.1/31" },
        port: "port-1",
        slot: "slot-1",
        healthCheck: {
          enabled: true,
          rate: "mid",
          type: "reply",
          direction: "unidirectional",
          target: "192.0.2.1",
          source: undefined,
        },
        bgp: undefined,
      },
    ]);
  });
});
