import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  ACCOUNT,
  AMS,
  type Ask,
  CNI,
  demo,
  LIST,
  ORD,
  OTHER_ACCOUNT,
  OWN,
  one,
  type Reply,
  ROUTES,
  SIN,
  startTestServer,
  type TestServer,
} from "./harness/server.ts";
import { verdict } from "./harness/standing.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
beforeEach(() => server.reset());
afterAll(() => server.close());

const put = (path: string, body: unknown, asked: Ask = {}) => server.ask("PUT", path, { ...asked, body });
const changes = (query = "") => server.ask("GET", `${OWN}/changes${query}`);
const revisions = ({ body }: Reply): number[] =>
  body.result.map(({ revision }: { revision: number }) => revision);

/** Makes changes of the description, one revision each. */
async function make(count: number): Promise<void> {
  for (let i = 1; i <= count; i++) await put(one(ORD), { description: `change ${i}` });
}

describe("a record tells", () => {
  test("what had which value before and has which after, by dotted path", async () => {
    await put(one(ORD), { bgp: { customer_asn: 65001, extra_prefixes: ["10.0.0.0/8"] } });
    await put(one(ORD), {
      mtu: 1400,
      description: "",
      interface_address6: "",
      health_check: { rate: "high", target: "" },
      bgp: { customer_asn: 65002, extra_prefixes: [], import_filter_id: "a" },
    });
    const { body } = await server.ask("GET", `${OWN}/changes/3`);
    expect(body.result.objects).toEqual([
      {
        kind: "interconnect",
        id: ORD,
        name: "pni_ord",
        action: "update",
        fields: {
          mtu: { before: 1476, after: 1400 },
          description: { before: "Tunnel for Interconnect to ORD", after: "" },
          interface_address6: { before: "2606:54c1:7:0:a9fe:12d2:1:200/127" },
          "health_check.rate": { before: "low", after: "high" },
          "health_check.target": { before: "203.0.113.1", after: "" },
          "bgp.customer_asn": { before: 65001, after: 65002 },
          "bgp.extra_prefixes": { before: ["10.0.0.0/8"] },
          "bgp.import_filter_id": { after: "a" },
        },
      },
    ]);
  });

  test("a new name under the name it has now", async () => {
    await put(one(ORD), { name: "renamed" });
    const { body } = await server.ask("GET", `${OWN}/changes/2`);
    expect(body.result.objects).toMatchObject([
      { name: "renamed", fields: { name: { before: "pni_ord", after: "renamed" } } },
    ]);
  });

  test("every object of a bulk update, and only those that changed", async () => {
    await put(LIST, { interconnects: [{ id: SIN, mtu: 1400 }, { id: ORD }, { id: AMS, mtu: 1400 }] });
    const { body } = await server.ask("GET", `${OWN}/changes/2`);
    expect(body.result.operation).toBe("updateInterconnects");
    expect(body.result.objects.map(({ id }: { id: string }) => id)).toEqual([SIN, AMS]);
  });

  test.each([
    ["a token", {}, { type: "token", id: "ed17574386854bf78a67040be0a770b0", name: "everything" }],
    [
      "a user by key",
      { token: null, headers: { "x-auth-email": demo.email, "x-auth-key": demo.key } },
      { type: "user", id: "7c5dae5552338874e5053f2534d2767a", name: demo.email },
    ],
  ])("who made it, %s, in which request and when", async (_, asked, actor) => {
    const reply = await put(one(ORD), { mtu: 1400 }, asked);
    const { body } = await server.ask("GET", `${OWN}/changes/2`);
    expect(body.result).toMatchObject({
      revision: 2,
      actor,
      operation: "updateInterconnect",
      request_id: reply.headers.get("cf-ray"),
      address: "127.0.0.1",
      time: reply.body.result.modified_interconnect.modified_on,
    });
    expect(JSON.stringify(body)).not.toContain(demo.key);
  });

  test("the seed too, as the first of all", async () => {
    const { body } = await server.ask("GET", `${OWN}/changes/1`);
    expect(body.result).toMatchObject({
      revision: 1,
      operation: "seed",
      actor: { type: "system", id: "seed", name: "seed" },
    });
    const made = body.result.objects.map(
      ({ kind, action }: { kind: string; action: string }) => `${action} ${kind}`,
    );
    expect(made).toEqual([
      "create settings",
      "create cni_settings",
      ...Array.from({ length: 4 }, () => "create slot"),
      "create port",
      "create port",
      "create interconnect",
      "create interconnect",
      "create interconnect",
      "create route",
    ]);
  });

  test("nothing of what was refused, only validated, or changed no value", async () => {
    await put(one(ORD), { mtu: 1 });
    await put(`${one(ORD)}?validate_only=true`, { mtu: 1400 });
    await put(one(ORD), { mtu: 1476 });
    await put(LIST, {});
    expect(revisions(await changes())).toEqual([1]);
  });
});

describe("the log is read", () => {
  test("newest first, page by page, with a cursor that new changes do not move", async () => {
    await make(7);
    const first = await changes("?limit=3");
    expect(revisions(first)).toEqual([8, 7, 6]);
    expect(first.body.result_info).toMatchObject({ count: 3, revision: 8 });
    await make(1);
    const second = await changes(`?limit=3&cursor=${first.body.result_info.cursor}`);
    expect(revisions(second)).toEqual([5, 4, 3]);
    const third = await changes(`?limit=3&cursor=${second.body.result_info.cursor}`);
    expect(revisions(third)).toEqual([2, 1]);
    expect(third.body.result_info).not.toHaveProperty("cursor");
  });

  test("twenty at a time unless another limit up to a hundred is asked for", async () => {
    await make(25);
    expect(revisions(await changes())).toHaveLength(20);
    expect(revisions(await changes("?limit=100"))).toHaveLength(26);
    expect(revisions(await changes("?limit=1"))).toEqual([26]);
  });

  test("a page that ends with the first change has no cursor", async () => {
    await make(2);
    const { body } = await changes("?limit=3");
    expect(body.result_info).not.toHaveProperty("cursor");
  });

  test("oldest first after a revision", async () => {
    await make(4);
    expect(revisions(await changes("?after=0"))).toEqual([1, 2, 3, 4, 5]);
    expect(revisions(await changes("?after=2&limit=2"))).toEqual([3, 4]);
    expect(revisions(await changes("?after=4&limit=2"))).toEqual([5]);
    const { body } = await changes("?after=5");
    expect(body.result).toEqual([]);
    expect(body.result_info).toMatchObject({ count: 0, revision: 5 });
  });

  test("one by its revision", async () => {
    await make(1);
    const [newest] = (await changes()).body.result;
    const { body } = await server.ask("GET", `${OWN}/changes/2`);
    expect(body.result).toEqual(newest);
  });

  test.each(["0", "3", "99", "-1", "x", "1.5", "1e0", "9".repeat(30), "%00"])(
    "there is no change %s: 404",
    async (revision) => {
      await make(1);
      const reply = await server.ask("GET", `${OWN}/changes/${revision}`);
      expect(verdict(reply)).toBe("404 990036");
      expect(reply.body.errors[0].message).toContain("the newest is 2.");
    },
  );

  test.each([
    ["?limit=0", "a whole number from 1 to 100"],
    ["?limit=101", "a whole number from 1 to 100"],
    ["?limit=", "a whole number"],
    ["?limit=1.5", "a whole number"],
    ["?limit=1e1", "a whole number"],
    ["?after=-1", "a whole number"],
    ["?after=x", "a whole number"],
    [`?after=${"9".repeat(20)}`, "a whole number"],
    ["?after=1&wait=61", "a whole number from 0 to 60"],
    ["?after=1&wait=-1", "a whole number"],
    ["?wait=1", "there only with after"],
    ["?epoch=0000000000000000", "there only with after"],
    ["?after=1&cursor=x", "there without it"],
    ["?after=1&after=2", "there once"],
  ])("%s is refused", async (query, says) => {
    const reply = await changes(query);
    expect(verdict(reply)).toBe("400 990011");
    expect(reply.body.errors[0].message).toContain(says);
  });

  test("a cursor that was made up is refused", async () => {
    const made = (text: string) => Buffer.from(text).toString("base64url");
    for (const cursor of ["x", "", made("x"), made("a:b"), made(":1:2"), made("a:-1")]) {
      expect(verdict(await changes(`?cursor=${cursor}`))).toBe("400 990040");
    }
  });

  test("another account's log is its own", async () => {
    await put(`/client/v4/accounts/${OTHER_ACCOUNT}/magic/cf_interconnects`, {
      interconnects: [{ id: "7d793037a0760186574b0282f2f435e7", mtu: 1400 }],
    });
    expect(revisions(await changes())).toEqual([1]);
    const other = await server.ask("GET", `/patchbay/v1/accounts/${OTHER_ACCOUNT}/changes`);
    expect(revisions(other)).toEqual([2, 1]);
  });
});

describe("a follower", () => {
  /** Fails if the answer comes before another request, sent later, has got its own. */
  async function waiting(follower: Promise<Reply>): Promise<void> {
    const first = await Promise.race([follower.then(() => "answered"), changes().then(() => "waiting")]);
    expect(first).toBe("waiting");
  }

  test("is answered as soon as there is a change", async () => {
    const follower = changes("?after=1&wait=60");
    await waiting(follower);
    await put(one(ORD), { mtu: 1400 });
    expect(revisions(await follower)).toEqual([2]);
  });

  test("is answered at once if there was one before it came", async () => {
    await make(2);
    expect(revisions(await changes("?after=1&wait=60"))).toEqual([2, 3]);
  });

  test("is one of many, all of which are answered", async () => {
    const followers = Array.from({ length: 30 }, () => changes("?after=1&wait=60"));
    await Promise.all(followers.map(waiting));
    await put(LIST, { interconnects: [{ id: ORD, mtu: 1400 }] });
    for (const reply of await Promise.all(followers)) expect(revisions(reply)).toEqual([2]);
  });

  test("reads every change once and in order, however fast they come", async () => {
    const seen: number[] = [];
    const follow = async () => {
      while (seen.length < 40)
        seen.push(...revisions(await changes(`?after=${seen.length + 1}&wait=60&limit=7`)));
    };
    const writers = Array.from({ length: 40 }, (_, index) =>
      put(one(ORD), { description: `by writer ${index}` }),
    );
    await Promise.all([follow(), ...writers]);
    expect(seen).toEqual(Array.from({ length: 40 }, (_, index) => index + 2));
  });

  test("is not disturbed by refusals, by validate_only, or by another account", async () => {
    const follower = changes("?after=1&wait=60");
    await put(one(ORD), { mtu: 1 });
    await put(`${one(ORD)}?validate_only=true`, { mtu: 1400 });
    await put(`/client/v4/accounts/${OTHER_ACCOUNT}/magic/cf_interconnects`, {
      interconnects: [{ id: "7d793037a0760186574b0282f2f435e7", mtu: 1400 }],
    });
    await waiting(follower);
    await put(one(ORD), { mtu: 1300 });
    expect(revisions(await follower)).toEqual([2]);
  });

  test("waits no longer than it wants to, and then gets an empty list", async () => {
    const start = performance.now();
    const reply = await changes("?after=1&wait=1");
    expect(performance.now() - start).toBeGreaterThan(950);
    expect(reply.status).toBe(200);
    expect(reply.body.result).toEqual([]);
    expect(reply.body.result_info).toMatchObject({ count: 0, revision: 1 });
  });

  test("is let go with an empty list when the server stops", async () => {
    await using stopping = await startTestServer();
    const path = `${OWN}/changes?after=1&wait=60`;
    const follower = stopping.ask("GET", path);
    const [reply] = await Promise.all([
      follower,
      stopping.ask("GET", OWN.concat("/state")).then(() => stopping.close()),
    ]);
    expect(reply.body.result).toEqual([]);
    expect(reply.headers.get("connection")).toBe("close");
  });

  test("that names its epoch is told when that is over, waiting or not", async () => {
    const { epoch } = (await server.ask("GET", `${OWN}/state`)).body.result;
    const query = `?after=1&wait=60&epoch=${epoch}`;
    const follower = changes(query);
    await waiting(follower);
    await server.reset();
    for (const reply of [await follower, await changes(query), await changes(`?after=0&epoch=${epoch}`)]) {
      expect(verdict(reply)).toBe("410 990037");
      expect(reply.headers.get("x-should-retry")).toBe("false");
      expect(reply.body.errors[0].message).toContain("the account is now at revision 1 of epoch ");
    }
  });

  test("of a revision that this history does not have is told so, though it names no epoch", async () => {
    await make(3);
    const follower = changes("?after=4&wait=60");
    await waiting(follower);
    await server.reset();
    expect(verdict(await follower)).toBe("410 990037");
    expect(verdict(await changes("?after=2"))).toBe("410 990037");
    expect(verdict(await changes("?after=1"))).toBe("200");
  });

  test("with a cursor of a history that is over is told so", async () => {
    await make(3);
    const { cursor } = (await changes("?limit=1")).body.result_info;
    await server.reset();
    expect(verdict(await changes(`?cursor=${cursor}`))).toBe("410 990037");
  });
});

describe("md5_key", () => {
  const md5_key = "not-to-be-shown";

  test("is in clear where the vendor shows it, and masked in log and state", async () => {
    const updated = await put(one(ORD), { bgp: { md5_key } });
    expect(updated.body.result.modified_interconnect.bgp).toEqual({ md5_key });
    await put(one(ORD), { bgp: { md5_key: "another-secret" } });
    await put(one(ORD), { bgp: { md5_key: "" } });
    const fields = (await changes("?after=1")).body.result.map(
      ({ objects: [object] }: { objects: { fields: object }[] }) => object?.fields,
    );
    expect(fields).toEqual([
      { "bgp.md5_key": { after: "(masked)" } },
      { "bgp.md5_key": { before: "(masked)", after: "(masked)" } },
      { "bgp.md5_key": { before: "(masked)" } },
    ]);
  });

  test("wherever Patchbay's own calls show the account", async () => {
    await put(one(ORD), { bgp: { md5_key } });
    expect((await server.ask("GET", one(ORD))).body.result.interconnect.bgp.md5_key).toBe(md5_key);
    expect((await server.ask("GET", LIST)).body.result.interconnects[0].bgp.md5_key).toBe(md5_key);
    for (const path of ["/state", "/changes", "/changes?after=0", "/changes/2"]) {
      const { body } = await server.ask("GET", OWN + path);
      expect(JSON.stringify(body)).not.toContain(md5_key);
      expect(JSON.stringify(body)).toContain("(masked)");
    }
  });
});

describe("the state", () => {
  test("holds what the list holds, with settings, epoch and revision", async () => {
    await put(LIST, {
      interconnects: [
        { id: SIN, name: "x" },
        { id: ORD, mtu: 1400 },
      ],
    });
    const list = await server.ask("GET", LIST, { headers: { "x-magic-new-hc-target": "true" } });
    const { body, headers } = await server.ask("GET", `${OWN}/state`);
    expect(body.result).toEqual({
      account_id: ACCOUNT,
      epoch: (await changes()).body.result_info.epoch,
      revision: 2,
      pending_change: null,
      settings: {
        flags: ["coupler_integration"],
        authorized_prefixes: ["198.51.100.0/24"],
        virtual_subnet6: "2606:54c1:7:0:a9fe:12d2::/127",
        pools: { link: ["192.0.2.128/25"], interface: ["10.213.1.0/24"] },
      },
      cni_settings: { default_asn: 65000 },
      interconnects: list.body.result.interconnects,
      routes: (await server.ask("GET", ROUTES)).body.result.routes,
      slots: (await server.ask("GET", `${OWN}/slots`)).body.result,
      ports: [expect.objectContaining({ type: "direct" }), expect.objectContaining({ type: "gcp_partner" })],
      cnis: (await server.ask("GET", `${CNI}/cnis`)).body.items,
      links: [0, 2, 4].map((end) => ({
        interconnect: [ORD, AMS, SIN][end / 2],
        provider: `192.0.2.${end}/31`,
        customer: `192.0.2.${end + 1}/31`,
      })),
    });
    expect(headers.get("etag")).toBe(`"${body.result.epoch}-2"`);
  });
});
