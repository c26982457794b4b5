import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  AMS,
  codes,
  demo,
  LIST,
  ORD,
  OWN,
  one,
  SIN,
  startTestServer,
  type TestServer,
} from "./harness/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
beforeEach(() => server.reset());
afterAll(() => server.close());

const put = (id: string, body: unknown) => server.ask("PUT", one(id), { body });
const changes = (query = "") => server.ask("GET", `${OWN}/changes${query}`);
const revisions = (reply: { body: { result: { revision: number }[] } }) =>
  reply.body.result.map(({ revision }) => revision);

describe("a change's record", () => {
  test("tells who, when, by which request, and every field before and after", async () => {
    const answer = await put(ORD, {
      mtu: 1400,
      description: "new",
      interface_address6: "",
      health_check: { rate: "high", target: "" },
      bgp: { customer_asn: 65001 },
    });
    const { body } = await changes("?limit=1");
    expect(body.result).toEqual([
      {
        revision: 2,
        time: answer.body.result.modified_interconnect.modified_on,
        actor: { type: "token", id: "ed17574386854bf78a67040be0a770b0", name: "everything" },
        request_id: answer.headers.get("cf-ray"),
        operation: "updateInterconnect",
        objects: [
          {
            kind: "interconnect",
            id: ORD,
            name: "pni_ord",
            action: "update",
            fields: {
              mtu: { before: 1476, after: 1400 },
              description: { before: "Tunnel for Interconnect to ORD", after: "new" },
              interface_address6: { before: "2606:54c1:7:0:a9fe:12d2:1:200/127" },
              "health_check.rate": { before: "low", after: "high" },
              "health_check.target": { before: "203.0.113.1", after: "" },
              "bgp.customer_asn": { after: 65001 },
            },
          },
        ],
      },
    ]);
  });

  test("of a bulk update is one, with every object that changed and no other", async () => {
    const body = {
      interconnects: [
        { id: SIN, mtu: 1400 },
        { id: AMS, mtu: 1476 },
        { id: ORD, mtu: 1300 },
      ],
    };
    await server.ask("PUT", LIST, { body });
    const { result } = (await changes("?limit=1")).body;
    expect(result[0].operation).toBe("updateInterconnects");
    expect(result[0].objects.map(({ id }: { id: string }) => id)).toEqual([SIN, ORD]);
  });

  test("names the user when the change was made with a key", async () => {
    const headers = { "x-auth-email": demo.email, "x-auth-key": demo.key };
    await server.ask("PUT", one(ORD), { token: null, headers, body: { mtu: 1400 } });
    const { result } = (await changes("?limit=1")).body;
    expect(result[0].actor).toMatchObject({ type: "user", name: demo.email });
  });

  test("is not made by a refusal, a dry run, or an update without effect", async () => {
    await put(ORD, { mtu: 1 });
    await put(ORD, { mtu: 1476 });
    await server.ask("PUT", `${one(ORD)}?validate_only=1`, { body: { mtu: 1400 } });
    await server.ask("PUT", LIST, { body: {} });
    expect(revisions(await changes())).toEqual([1]);
  });

  test("of the seed creates everything", async () => {
    const { result } = (await server.ask("GET", `${OWN}/changes/1`)).body;
    expect(result.actor).toEqual({ type: "system", id: "seed", name: "seed" });
    expect(result.objects.map(({ action }: { action: string }) => action)).toEqual(
      new Array(4).fill("create"),
    );
    expect(result.objects[1].fields.name).toEqual({ after: "pni_ord" });
  });
});

describe("the list of changes", () => {
  beforeEach(async () => {
    for (let mtu = 1000; mtu < 1025; mtu++) await put(ORD, { mtu });
  });

  test("is newest first, in pages by cursor", async () => {
    const seen: number[] = [];
    let cursor = "";
    for (let page = 0; page < 3; page++) {
      const reply = await changes(`?limit=10${cursor}`);
      seen.push(...revisions(reply));
      cursor = `&cursor=${reply.body.result_info.cursor}`;
      expect(reply.body.result_info.cursor === undefined).toBe(page === 2);
    }
    expect(seen).toEqual(Array.from({ length: 26 }, (_, at) => 26 - at));
  });

  test("stays in place for a cursor while new changes come", async () => {
    const { cursor } = (await changes("?limit=5")).body.result_info;
    await put(ORD, { mtu: 1200 });
    expect(revisions(await changes(`?limit=5&cursor=${cursor}`))).toEqual([21, 20, 19, 18, 17]);
  });

  test("is oldest first after a revision, and says where the account stands", async () => {
    const reply = await changes("?after=3&limit=4");
    expect(revisions(reply)).toEqual([4, 5, 6, 7]);
    expect(reply.body.result_info).toMatchObject({ revision: 26, count: 4 });
    expect(revisions(await changes("?after=26"))).toEqual([]);
  });

  test("has each by revision", async () => {
    const { result } = (await server.ask("GET", `${OWN}/changes/7`)).body;
    expect(result).toEqual((await changes("?after=6&limit=1")).body.result[0]);
    for (const revision of ["0", "27", "x", "-1", "1.5", "9".repeat(30)]) {
      const reply = await server.ask("GET", `${OWN}/changes/${revision}`);
      expect(reply.status, revision).toBe(404);
      expect(codes(reply)).toEqual([990036]);
    }
  });

  test.each([
    ["?limit=0", 990011],
    ["?limit=101", 990011],
    ["?limit=x", 990011],
    ["?after=-1", 990011],
    ["?wait=5", 990011],
    ["?epoch=abc", 990011],
    ["?after=1&wait=61", 990011],
    ["?after=1&cursor=x", 990011],
    ["?cursor=x", 990040],
    ["?cursor=", 990040],
    [`?cursor=${Buffer.from("a:b").toString("base64url")}`, 990040],
    ["?limit=1&limit=2", 990011],
    ["?page=2", 990012],
  ])("refuses %s", async (query, code) => {
    const reply = await changes(query);
    expect(reply.status).toBe(400);
    expect(codes(reply)).toEqual([code]);
  });
});

describe("a follower", () => {
  test("gets the next change as soon as it is made, and so do all others", async () => {
    const waiting = Array.from({ length: 10 }, () => changes("?after=1&wait=60"));
    await put(ORD, { mtu: 1400 });
    for (const reply of await Promise.all(waiting)) expect(revisions(reply)).toEqual([2]);
  });

  test("gets what is there already without waiting", async () => {
    await put(ORD, { mtu: 1400 });
    expect(revisions(await changes("?after=1&wait=60"))).toEqual([2]);
  });

  test("gets an empty list when its time is over", async () => {
    const start = performance.now();
    const reply = await changes("?after=1&wait=1");
    expect(revisions(reply)).toEqual([]);
    expect(reply.status).toBe(200);
    expect(performance.now() - start).toBeGreaterThan(900);
  });

  test("misses nothing while changes stream in", async () => {
    const writing = (async () => {
      for (let mtu = 1000; mtu < 1100; mtu++) await put(ORD, { mtu });
    })();
    const seen: number[] = [];
    while (seen.at(-1) !== 101) {
      const after = seen.at(-1) ?? 1;
      seen.push(...revisions(await changes(`?after=${after}&wait=30&limit=7`)));
    }
    await writing;
    expect(seen).toEqual(Array.from({ length: 100 }, (_, at) => at + 2));
  });

  test("is told when the history it follows is gone", async () => {
    await put(ORD, { mtu: 1400 });
    const { epoch } = (await changes("?limit=1")).body.result_info;
    const { cursor } = (await changes("?limit=1")).body.result_info;
    const waiting = changes(`?after=2&wait=60&epoch=${epoch}`);
    await server.reset();
    const gone = await waiting;
    expect(gone.status).toBe(410);
    expect(gone.headers.get("x-should-retry")).toBe("false");
    expect(codes(gone)).toEqual([990037]);
    expect((await changes("?after=2")).status).toBe(410);
    expect((await changes(`?after=0&epoch=${epoch}`)).status).toBe(410);
    expect((await changes(`?cursor=${cursor}`)).status).toBe(410);
  });

  test("is let go when the server stops", async () => {
    const own = await startTestServer();
    const waiting = own.ask("GET", `${OWN}/changes?after=1&wait=60`);
    await own.ask("GET", `${OWN}/changes?after=0`);
    await own.close();
    expect((await waiting).body.result).toEqual([]);
  });
});

describe("the state", () => {
  test("has all objects, epoch and revision, and moves with them", async () => {
    await put(SIN, { mtu: 1400 });
    const { result } = (await server.ask("GET", `${OWN}/state`)).body;
    const list = await server.ask("GET", LIST, { headers: { "x-magic-new-hc-target": "true" } });
    expect(result.interconnects).toEqual(list.body.result.interconnects);
    expect(result).toMatchObject({
      account_id: demo.account,
      revision: 2,
      settings: { flags: ["coupler_integration"], authorized_prefixes: ["198.51.100.0/24"] },
    });
    expect((await changes(`?after=2&epoch=${result.epoch}`)).status).toBe(200);
  });
});

test("an MD5 key is in clear in the vendor's answers and masked everywhere else", async () => {
  const key = "correct-horse-battery";
  const answer = await put(ORD, { bgp: { md5_key: key } });
  expect(answer.body.result.modified_interconnect.bgp.md5_key).toBe(key);
  expect((await server.ask("GET", one(ORD))).body.result.interconnect.bgp.md5_key).toBe(key);
  await put(ORD, { bgp: { md5_key: "another" } });
  for (const path of [`${OWN}/changes`, `${OWN}/changes/2`, `${OWN}/changes?after=0`, `${OWN}/state`]) {
    const text = JSON.stringify((await server.ask("GET", path)).body);
    expect(text).toContain("(masked)");
    expect(text).not.toContain(key);
    expect(text).not.toContain("another");
  }
});

describe("reset", () => {
  test("goes back to the seed under new epochs, the log included", async () => {
    const before = (await server.ask("GET", `${OWN}/state`)).body.result;
    await put(ORD, { mtu: 1400 });
    const reply = await server.ask("POST", "/patchbay/v1/reset");
    expect(reply.status).toBe(200);
    const after = (await server.ask("GET", `${OWN}/state`)).body.result;
    expect(after.epoch).not.toBe(before.epoch);
    expect(reply.body.result.accounts).toContainEqual({ id: demo.account, epoch: after.epoch });
    expect({ ...after, epoch: before.epoch }).toEqual(before);
    expect(revisions(await changes())).toEqual([1]);
  });

  test("takes no body but an empty object", async () => {
    expect((await server.ask("POST", "/patchbay/v1/reset", { body: {} })).status).toBe(200);
    expect((await server.ask("POST", "/patchbay/v1/reset", { body: { hard: true } })).status).toBe(400);
  });

  test("survives writes that come at the same time: each is wholly before or wholly after", async () => {
    const writes = Array.from({ length: 40 }, (_, at) => put(ORD, { mtu: 1000 + at }));
    const resets = Array.from({ length: 3 }, () => server.ask("POST", "/patchbay/v1/reset"));
    for (const reply of await Promise.all([...writes, ...resets])) expect(reply.status).toBe(200);
    const seen = revisions(await changes("?after=0&limit=100"));
    expect(seen).toEqual(Array.from({ length: seen.length }, (_, at) => at + 1));
  });

  test("is refused by a server that is no sandbox", async () => {
    await using own = await startTestServer({ sandbox: false });
    const reply = await own.ask("POST", "/patchbay/v1/reset");
    expect(reply.status).toBe(403);
    expect(codes(reply)).toEqual([990038]);
  });
});
