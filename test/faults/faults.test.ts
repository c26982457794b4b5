import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { operations } from "../../src/contract/operations.ts";
import { RawConnection, rawRequest, rawVerdict } from "../harness/raw.ts";
import {
  ACCOUNT,
  type Ask,
  LIST,
  ORD,
  OWN,
  one,
  problems,
  type Reply,
  startTestServer,
  type TestServer,
} from "../harness/server.ts";
import { revision, untouched, verdict } from "../harness/standing.ts";

const FAULTS = "/patchbay/v1/faults";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ metricsPort: 0 });
});
beforeEach(() => server.reset());
afterAll(() => server.close());

const arm = (body: unknown, asked: Ask = {}) => server.ask("PUT", FAULTS, { body, ...asked });
const list = async () => (await server.ask("GET", FAULTS)).body.result.faults;
const get = () => server.ask("GET", one(ORD));
const change = (mtu: number) => server.ask("PUT", one(ORD), { body: { mtu } });
const mtu = async () => (await server.ask("GET", LIST)).body.result.interconnects[0].mtu;
const mark = ({ headers }: Reply) => headers.get("x-patchbay-fault");

/** The answers of many requests one after the other. */
async function inTurn(count: number, ask: () => Promise<Reply>): Promise<string[]> {
  const verdicts: string[] = [];
  for (let i = 0; i < count; i++) verdicts.push(verdict(await ask()));
  return verdicts;
}

/** An answer, or none. */
const orDropped = (asked: Promise<Reply>) => asked.then(verdict, () => "dropped");

describe("a status", () => {
  test.each([
    [400, "400 1022"],
    [401, "401 1000"],
    [403, "403 10000"],
    [404, "404 7003"],
    [409, "409 990105"],
    [429, "429 971"],
    [500, "500 990106"],
  ])("%i is answered in the envelope, and nothing is carried out", async (status, right) => {
    await arm({ operation: "updateInterconnect", status });
    const reply = await untouched(server, () => change(1400));
    expect(verdict(reply)).toBe(right);
    expect(mark(reply)).toBe(`status=${status}`);
    expect(reply.headers.get("retry-after")).toBe(status === 429 ? "1" : null);
    expect(reply.headers.get("cf-ray")).toMatch(/^[0-9a-f]{16}-PBY$/);
    expect(verdict(await change(1400))).toBe("200");
  });

  test.each([
    [502, "text/html", "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"],
    [503, "text/html", "<html>\r\n<head><title>503 Service Temporarily Unavailable</title></head>\r\n"],
    [504, "text/plain", "upstream request timeout"],
  ])("%i is what stands in front of the gateway says, in no envelope", async (status, type, begins) => {
    await arm({ operation: "updateInterconnect", status });
    const reply = await untouched(server, () => change(1400));
    expect(reply.status).toBe(status);
    expect(reply.headers.get("content-type")).toBe(type);
    expect(String(reply.body).startsWith(begins)).toBe(true);
    expect(mark(reply)).toBe(`status=${status}`);
  });

  test("tells the path as the gateway does", async () => {
    await arm({ operation: "getInterconnect", status: 404 });
    expect((await get()).body.errors[0].message).toContain(`Could not route to ${one(ORD)}, perhaps`);
  });
});

describe("a delay", () => {
  test("comes after the operation, which is carried out at once", async () => {
    await arm({ operation: "updateInterconnect", latency_ms: 60_000 });
    const asked = new AbortController();
    const waiting = fetch(server.url + one(ORD), {
      method: "PUT",
      headers: {
        authorization: "Bearer Sn3lZJTBX6kkg7OdcBUAxOO963GEIyGQqnFTOFYY",
        "content-type": "application/json",
      },
      body: '{"mtu":1400}',
      signal: asked.signal,
    }).catch(() => "given up");
    const followed = await server.ask("GET", `${OWN}/changes?after=1&wait=30`);
    expect(followed.body.result).toHaveLength(1);
    asked.abort();
    expect(await waiting).toBe("given up");
    expect(await mtu()).toBe(1400);
  });

  test("is as long as was said, is marked, and goes with a status", async () => {
    await arm({ operation: "getInterconnect", latency_ms: 120 });
    await arm({ operation: "getInterconnect", latency_ms: 120, status: 503 });
    for (const [right, marked] of [
      ["200", "latency_ms=120"],
      ["503", "status=503, latency_ms=120"],
    ]) {
      const start = performance.now();
      const reply = await get();
      expect(performance.now() - start).toBeGreaterThanOrEqual(119);
      expect([verdict(reply), mark(reply)]).toEqual([right, marked]);
    }
  });

  test("delays a refusal too", async () => {
    await arm({ operation: "updateInterconnect", latency_ms: 1 });
    const reply = await change(1);
    expect([verdict(reply), mark(reply)]).toEqual(["400 990023", "latency_ms=1"]);
  });

  test("does not keep the server from stopping", async () => {
    const stopping = await startTestServer();
    const body = { operation: "getInterconnect", latency_ms: 60_000 };
    await stopping.ask("PUT", FAULTS, { body });
    using connection = new RawConnection(stopping.url);
    await connection.send(rawRequest({ path: one(ORD) }));
    // Answered after that has arrived.
    await stopping.ask("GET", LIST);
    await stopping.close();
    expect(rawVerdict(await connection.reply())).toBe("200");
  });
});

describe("a connection that is dropped", () => {
  test("before the change leaves nothing changed, and after it the change", async () => {
    await arm({ operation: "updateInterconnect", drop: "before" });
    await arm({ operation: "updateInterconnect", drop: "after" });
    expect(await orDropped(change(1400))).toBe("dropped");
    expect([await revision(server), await mtu()]).toEqual([1, 1476]);
    expect(await orDropped(change(1400))).toBe("dropped");
    expect([await revision(server), await mtu()]).toEqual([2, 1400]);
    expect(verdict(await change(1300))).toBe("200");
  });

  test.each(["before", "after"])("%s: not one byte is sent", async (drop) => {
    await arm({ operation: "getInterconnect", drop, latency_ms: 10 });
    using connection = new RawConnection(server.url);
    await connection.send(rawRequest({ path: one(ORD) }));
    expect(await connection.reply()).toBeUndefined();
  });

  test("takes no other connection with it", async () => {
    using other = new RawConnection(server.url);
    await other.send(rawRequest({ path: one(ORD) }));
    expect(rawVerdict(await other.reply())).toBe("200");
    await arm({ operation: "getInterconnect", drop: "before" });
    expect(await orDropped(get())).toBe("dropped");
    await other.send(rawRequest({ path: one(ORD) }));
    expect(rawVerdict(await other.reply())).toBe("200");
  });
});

describe("a fault strikes", () => {
  test("once unless said, and as often as said", async () => {
    await arm({ operation: "getInterconnect", status: 429 });
    expect(await inTurn(3, get)).toEqual(["429 971", "200", "200"]);
    await arm({ operation: "getInterconnect", status: 429, times: 2 });
    expect(await inTurn(4, get)).toEqual(["429 971", "429 971", "200", "200"]);
  });

  test("after those that were armed before it", async () => {
    await arm({ operation: "getInterconnect", status: 429, times: 2 });
    await arm({ operation: "getInterconnect", status: 500 });
    await arm({ operation: "getInterconnect", drop: "before" });
    expect(await inTurn(3, get)).toEqual(["429 971", "429 971", "500 990106"]);
    expect(await orDropped(get())).toBe("dropped");
    expect(await inTurn(2, get)).toEqual(["200", "200"]);
  });

  test("its own operation alone", async () => {
    await arm({ operation: "updateInterconnects", status: 500 });
    expect(await inTurn(2, get)).toEqual(["200", "200"]);
    expect(verdict(await change(1400))).toBe("200");
    expect((await list())[0].struck).toBe(0);
    expect(verdict(await server.ask("PUT", LIST, { body: {} }))).toBe("500 990106");
  });

  test("every operation of the vendor's alike, where it is armed for all of them", async () => {
    await get();
    await arm({ operation: "*", status: 429, times: 3 });
    expect((await list())[0].left).toBe(3);
    expect(verdict(await get())).toBe("429 971");
    expect(verdict(await server.ask("GET", `${OWN}/state`))).toBe("200");
    expect(verdict(await change(1400))).toBe("429 971");
    expect(verdict(await server.ask("GET", "/client/v4/user/tokens/verify"))).toBe("429 971");
    expect(await inTurn(2, get)).toEqual(["200", "200"]);
  });

  test("in the order of arming, whether it is for one operation or for all", async () => {
    await arm({ operation: "getInterconnect", status: 500 });
    await arm({ operation: "*", status: 429, times: 2 });
    await arm({ operation: "getInterconnect", status: 409 });
    expect(await inTurn(5, get)).toEqual(["500 990106", "429 971", "429 971", "409 990105", "200"]);
  });

  test("exactly as often as said, however many requests come at once", async () => {
    await arm({ operation: "updateInterconnect", status: 500, times: 7 });
    await arm({ operation: "updateInterconnect", drop: "after", times: 5 });
    const asked = Array.from({ length: 40 }, (_, index) => orDropped(change(1400 + index)));
    const verdicts = await Promise.all(asked);
    const count = (wanted: string) => verdicts.filter((it) => it === wanted).length;
    expect([count("500 990106"), count("dropped"), count("200")]).toEqual([7, 5, 28]);
    expect(await revision(server)).toBe(1 + 33);
  });

  test("nobody who may not use the operation, and is not used up by them", async () => {
    await arm({ operation: "updateInterconnect", status: 500 });
    const ask = (asked: Ask) => server.ask("PUT", one(ORD), { body: { mtu: 1400 }, ...asked });
    expect(verdict(await ask({ token: null }))).toBe("400 9106");
    expect(verdict(await ask({ token: "demo-magic-read-only-token-0000000000000" }))).toBe("403 10000");
    expect(verdict(await server.ask("PUT", `${one(ORD)}?x=1`, { body: {} }))).toBe("400 990012");
    expect((await list())[0]).toMatchObject({ struck: 0, left: 1 });
    expect(verdict(await ask({}))).toBe("500 990106");
  });

  test.each(Object.keys(operations).filter((name) => !/fault/i.test(name)))("%s", async (operation) => {
    expect(verdict(await arm({ operation, status: 503 }))).toBe("200");
  });
});

describe("the list", () => {
  test("tells what is armed and how often it struck, until it is cleared", async () => {
    expect(await list()).toEqual([]);
    const armed = await arm({ operation: "getInterconnect", status: 429, latency_ms: 1, times: 3 });
    expect(armed.body.result).toEqual({
      id: 1,
      operation: "getInterconnect",
      status: 429,
      latency_ms: 1,
      times: 3,
      struck: 0,
      left: 3,
    });
    await arm({ operation: "updateInterconnects", drop: "after" });
    await inTurn(2, get);
    expect(await list()).toEqual([
      { id: 1, operation: "getInterconnect", status: 429, latency_ms: 1, times: 3, struck: 2, left: 1 },
      { id: 2, operation: "updateInterconnects", drop: "after", times: 1, struck: 0, left: 1 },
    ]);
    await inTurn(2, get);
    expect((await list())[0]).toMatchObject({ struck: 3, left: 0 });
    expect((await server.ask("DELETE", FAULTS)).body.result).toEqual({ faults: [] });
    expect(await list()).toEqual([]);
    expect(verdict(await server.ask("PUT", LIST, { body: {} }))).toBe("200");
  });

  test("is cleared by a reset, over HTTP or not", async () => {
    await arm({ operation: "getInterconnect", status: 500 });
    await server.ask("POST", "/patchbay/v1/reset");
    expect([await list(), verdict(await get())]).toEqual([[], "200"]);
    await arm({ operation: "getInterconnect", status: 500 });
    await server.reset();
    expect([await list(), verdict(await get())]).toEqual([[], "200"]);
  });

  test("gives up one fault by its id, and no other", async () => {
    for (const status of [429, 500, 503]) await arm({ operation: "getInterconnect", status, times: 2 });
    await get();
    const gone = await server.ask("DELETE", `${FAULTS}/2`);
    expect(gone.body.result).toMatchObject({ id: 2, status: 500, struck: 0, left: 2 });
    expect((await list()).map(({ id, struck }: { id: number; struck: number }) => [id, struck])).toEqual([
      [1, 1],
      [3, 0],
    ]);
    expect((await server.ask("DELETE", `${FAULTS}/1`)).body.result).toMatchObject({ struck: 1, left: 1 });
    expect((await get()).status).toBe(503);
  });

  test.each(["2", "0", "-1", "1.0", "x", "99999999999999999999", "%31%00"])(
    "has no fault %s, and loses none",
    async (id) => {
      await arm({ operation: "getInterconnect", status: 500 });
      expect(verdict(await server.ask("DELETE", `${FAULTS}/${id}`))).toBe("404 990107");
      expect(await list()).toHaveLength(1);
    },
  );

  test("gives no id twice before a reset", async () => {
    const id = async () => (await arm({ operation: "getInterconnect", status: 500 })).body.result.id;
    expect(await id()).toBe(1);
    await server.ask("DELETE", FAULTS);
    expect(await id()).toBe(2);
    await server.reset();
    expect(await id()).toBe(1);
  });

  test("is bounded", async () => {
    const fault = { operation: "getInterconnect", status: 500 };
    for (let i = 0; i < 1000; i++) await arm(fault);
    expect(verdict(await arm(fault))).toBe("400 990104");
    expect(await list()).toHaveLength(1000);
  });

  test("cannot be cleared in part: a body that says so is refused", async () => {
    await arm({ operation: "getInterconnect", status: 500 });
    for (const body of [{ operation: "getInterconnect" }, [], "null", "{"]) {
      expect(verdict(await server.ask("DELETE", FAULTS, { body }))).toBe("400 1022");
    }
    expect(await list()).toHaveLength(1);
    expect(verdict(await server.ask("DELETE", FAULTS, { body: {} }))).toBe("200");
  });
});

describe("what is armed is looked at", () => {
  test.each([
    ["updateInterconect", " Did you mean updateInterconnect?"],
    ["getinterconnect", " Did you mean getInterconnect?"],
    ["armFault", ""],
    ["clearFaults", ""],
    ["__proto__", ""],
    ["", ""],
    ["PUT /client/v4/accounts", " Known: listInterconnects, "],
  ])("an operation that is none is refused: %j", async (operation, hint) => {
    const reply = await arm({ operation, status: 500 });
    expect(problems(reply)).toEqual(["990101 /operation"]);
    const { message } = reply.body.errors[0];
    expect(message).toContain(`There is no operation "${operation}" that a fault can strike.${hint}`);
  });

  test.each([
    [{ operation: "getState" }, ["990102 "]],
    [{ operation: "getState", times: 2 }, ["990102 "]],
    [{ operation: "getState", status: 500, drop: "after" }, ["990103 /drop"]],
    [{ operation: "getState", status: 418 }, ["990023 /status"]],
    [{ operation: "getState", status: "500" }, ["990023 /status"]],
    [{ operation: "getState", latency_ms: 0 }, ["990023 /latency_ms"]],
    [{ operation: "getState", latency_ms: 60_001 }, ["990023 /latency_ms"]],
    [{ operation: "getState", drop: "during" }, ["990023 /drop"]],
    [{ operation: "getState", status: 500, times: 0 }, ["990023 /times"]],
    [{ operation: "getState", status: 500, times: 1_000_001 }, ["990023 /times"]],
    [{ operation: "getState", status: 500, tmies: 2 }, ["990020 /tmies"]],
    [{ status: 500 }, ["990022 "]],
    [
      { operation: "nothing", status: 1, drop: "x", latency_ms: "1", times: -1, a: 1 },
      [
        "1022 /latency_ms",
        "990020 /a",
        "990023 /drop",
        "990023 /status",
        "990023 /times",
        "990101 /operation",
      ],
    ],
  ])("%j: %j", async (body, right) => {
    const reply = await arm(body);
    expect(reply.status).toBe(400);
    expect(problems(reply).map(String).sort()).toEqual(right);
    expect(await list()).toEqual([]);
  });
});

describe("outside of a sandbox", () => {
  test("there are none: 403, whatever is asked", async () => {
    await using real = await startTestServer({ sandbox: false });
    const body = { operation: "getInterconnect", status: 500 };
    for (const reply of [
      await real.ask("GET", FAULTS),
      await real.ask("PUT", FAULTS, { body }),
      await real.ask("PUT", FAULTS, { body: "{" }),
      await real.ask("DELETE", FAULTS),
    ]) {
      expect(verdict(reply)).toBe("403 990038");
      expect(reply.body.errors[0].message).toContain("--sandbox");
    }
    expect((await real.ask("GET", one(ORD))).status).toBe(200);
  });

  test("who may not administer is told that, in a sandbox or not", async () => {
    const token = "demo-patchbay-edge-token-000000000000000";
    await using real = await startTestServer({ sandbox: false });
    for (const here of [server, real]) {
      expect(verdict(await here.ask("GET", FAULTS, { token }))).toBe("403 10000");
    }
  });
});

test("figures tell what was injected apart from what really happened", async () => {
  const figures = async () => (await fetch(`${server.metricsUrl}/metrics`)).text();
  const before = await figures();
  await arm({ operation: "getChange", status: 503, times: 2 });
  await arm({ operation: "getChange", drop: "after" });
  for (let i = 0; i < 3; i++) await orDropped(server.ask("GET", `${OWN}/changes/1`));
  const after = await figures();
  expect(after).toContain('patchbay_faults_total{operation="getChange",effect="status=503"} 2');
  expect(after).toContain('patchbay_faults_total{operation="getChange",effect="drop=after"} 1');
  expect(after).toContain('patchbay_requests_total{operation="fault",status="503"}');
  const real = (text: string) =>
    text
      .split("\n")
      .filter((line) => /^patchbay_requests_total.*status="5/.test(line) && !line.includes('"fault"'));
  expect(real(after)).toEqual(real(before));
  expect(after).not.toMatch(/operation="getChange",status/);
});

test("a fault of one account's operation strikes it for every account: it is the server that fails", async () => {
  await arm({ operation: "getState", status: 500 });
  expect(verdict(await server.ask("GET", `/patchbay/v1/accounts/${ACCOUNT}/state`))).toBe("500 990106");
});
