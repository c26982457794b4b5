import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  AMS,
  codes,
  LIST,
  ORD,
  OTHER_ACCOUNT,
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

async function tag(path: string): Promise<string> {
  const etag = (await server.ask("GET", path)).headers.get("etag");
  if (!etag) throw new Error(`${path} has no etag`);
  return etag;
}

const put = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  server.ask("PUT", path, { body, headers });

describe("an etag", () => {
  test("is strong, and the same for the same version", async () => {
    for (const path of [LIST, one(ORD), `${OWN}/state`]) {
      expect(await tag(path)).toMatch(/^"[0-9a-f]{16}-1"$/);
      expect(await tag(path)).toBe(await tag(path));
    }
  });

  test("of an object moves with that object alone, of the list with any", async () => {
    const before = { ord: await tag(one(ORD)), ams: await tag(one(AMS)), list: await tag(LIST) };
    const changed = await put(one(ORD), { mtu: 1400 });
    expect(changed.headers.get("etag")).toBe(await tag(one(ORD)));
    expect(await tag(one(ORD))).not.toBe(before.ord);
    expect(await tag(one(AMS))).toBe(before.ams);
    expect(await tag(LIST)).not.toBe(before.list);
  });

  test("does not move with an update that changes no value", async () => {
    const before = await tag(one(ORD));
    const same = await put(one(ORD), { mtu: 1476 });
    expect(same.headers.get("etag")).toBe(before);
    expect(await tag(LIST)).toBe(await tag(LIST));
  });

  test("of a bulk update is that of the list", async () => {
    const changed = await put(LIST, [{ id: ORD, mtu: 1400 }]);
    expect(changed.headers.get("etag")).toBe(await tag(LIST));
  });

  test("is not given for what validate_only did not keep", async () => {
    const dry = await put(`${one(ORD)}?validate_only=true`, { mtu: 1400 });
    expect(dry.headers.get("etag")).toBeNull();
  });

  test("never comes again after a reset", async () => {
    const before = await tag(one(ORD));
    await server.reset();
    expect(await tag(one(ORD))).not.toBe(before);
  });
});

describe("If-None-Match on GET", () => {
  test.each([LIST, one(ORD), `${OWN}/state`])(
    "answers 304 without a body while nothing moved: %s",
    async (path) => {
      const etag = await tag(path);
      for (const header of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
        const reply = await server.ask("GET", path, { headers: { "if-none-match": header } });
        expect(reply.status, header).toBe(304);
        expect(reply.body).toBeUndefined();
        expect(reply.headers.get("etag")).toBe(etag);
      }
      await put(one(ORD), { mtu: 1400 });
      expect((await server.ask("GET", path, { headers: { "if-none-match": etag } })).status).toBe(200);
    },
  );
});

describe("If-Match on PUT", () => {
  test("lets an update of one through only while the object stands", async () => {
    const etag = await tag(one(ORD));
    expect((await put(one(ORD), { mtu: 1400 }, { "if-match": etag })).status).toBe(200);
    const late = await put(one(ORD), { mtu: 1401 }, { "if-match": etag });
    expect(late.status).toBe(412);
    expect(codes(late)).toEqual([990014]);
    expect(late.body.errors[0].message).toContain(await tag(one(ORD)));
    expect((await server.ask("GET", one(ORD))).body.result.interconnect.mtu).toBe(1400);
  });

  test("does not mind changes to other objects", async () => {
    const etag = await tag(one(ORD));
    await put(one(SIN), { mtu: 1400 });
    expect((await put(one(ORD), { mtu: 1400 }, { "if-match": etag })).status).toBe(200);
  });

  test("lets a bulk update through only while the list stands", async () => {
    const etag = await tag(LIST);
    await put(one(SIN), { mtu: 1400 });
    expect((await put(LIST, [{ id: ORD, mtu: 1400 }], { "if-match": etag })).status).toBe(412);
    expect((await put(LIST, [{ id: ORD, mtu: 1400 }], { "if-match": await tag(LIST) })).status).toBe(200);
  });

  test("takes a list of tags and *", async () => {
    const etag = await tag(one(ORD));
    expect((await put(one(ORD), { mtu: 1400 }, { "if-match": `"a-1", ${etag}` })).status).toBe(200);
    expect((await put(one(ORD), { mtu: 1401 }, { "if-match": "*" })).status).toBe(200);
  });

  test("compares strongly: a weak tag never matches", async () => {
    expect((await put(one(ORD), { mtu: 1400 }, { "if-match": `W/${await tag(one(ORD))}` })).status).toBe(412);
  });

  test("is judged before the body's values, and after the object is found", async () => {
    expect((await put(one(ORD), { mtu: 1 }, { "if-match": '"stale-1"' })).status).toBe(412);
    expect((await put(one("0".repeat(32)), { mtu: 1 }, { "if-match": '"stale-1"' })).status).toBe(404);
  });

  test("is judged with validate_only too", async () => {
    const reply = await put(`${one(ORD)}?validate_only=true`, { mtu: 1400 }, { "if-match": '"stale-1"' });
    expect(reply.status).toBe(412);
  });
});

test("If-None-Match on PUT lets through only what is not as named", async () => {
  const etag = await tag(one(ORD));
  expect((await put(one(ORD), { mtu: 1400 }, { "if-none-match": etag })).status).toBe(412);
  expect((await put(one(ORD), { mtu: 1400 }, { "if-none-match": '"another-1"' })).status).toBe(200);
});

test.each(["x", "a-1", '"open', '"a" "b"', ",", '"a",,'])(
  "a malformed condition is refused: %s",
  async (header) => {
    for (const name of ["if-match", "if-none-match"]) {
      const reply = await put(one(ORD), { mtu: 1400 }, { [name]: header });
      expect(reply.status).toBe(400);
      expect(codes(reply)).toEqual([990013]);
    }
    expect((await server.ask("GET", one(ORD))).body.result.interconnect.mtu).toBe(1476);
  },
);

test.each([
  ["one", () => one(ORD), (mtu: number) => ({ mtu })],
  ["bulk", () => LIST, (mtu: number) => [{ id: ORD, mtu }]],
])("of many updates (%s) under the same condition, exactly one wins", async (_, path, body) => {
  for (let round = 0; round < 5; round++) {
    const etag = await tag(path());
    const racers = Array.from({ length: 16 }, (_, at) =>
      put(path(), body(1000 + round * 20 + at), { "if-match": etag }),
    );
    const statuses = (await Promise.all(racers)).map(({ status }) => status).sort();
    expect(statuses).toEqual([200, ...new Array(15).fill(412)]);
  }
});

test("an etag of one account means nothing in another", async () => {
  const other = `/client/v4/accounts/${OTHER_ACCOUNT}/magic/cf_interconnects`;
  expect((await put(other, [], { "if-match": await tag(LIST) })).status).toBe(412);
});
