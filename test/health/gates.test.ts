import { afterAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import type { HealthReport } from "../../src/contract/health.ts";
import { currentOf, report as reportTo, transitionOf } from "../harness/edge-report.ts";
import {
  AMS,
  type Ask,
  CNI,
  LIST,
  ORD,
  OWN,
  one,
  ROUTES,
  SIN,
  startTestServer,
  type TestServer,
} from "../harness/server.ts";
import { SetClock } from "../harness/set-clock.ts";
import { untouched, verdict } from "../harness/standing.ts";
import { temporaryDirectory } from "../harness/temporary.ts";

const NOON = "2026-03-01T12:00:00.000Z";
const clock = new SetClock(NOON);
const server = await startTestServer({ healthSettle: 10 }, { clock });
afterAll(() => server.close());
beforeEach(async () => {
  clock.set(NOON);
  await server.reset();
});

/** So many seconds after noon, or before it. */
const at = (seconds: number) => new Date(Date.parse(NOON) + seconds * 1000).toISOString();
const waiting = (on?: string, seconds = 60): Record<string, string> => ({
  "x-patchbay-confirm-within": String(seconds),
  ...(on === undefined ? {} : { "x-patchbay-revert-on": on }),
});
/** A change of one interconnect that health decides about. */
const change = (on = "down", id: string = ORD, to: Pick<TestServer, "ask"> = server) =>
  to.ask("PUT", one(id), { body: { mtu: 1300 }, headers: waiting(on) });
const mtu = async (id: string = ORD) => (await server.ask("GET", one(id))).body.result.interconnect.mtu;
const state = async () => (await server.ask("GET", `${OWN}/state`)).body.result;
const on = (n: number, what: string, asked: Ask = {}) =>
  server.ask("POST", `${OWN}/changes/${n}/${what}`, asked);

/** The next change after a revision, as soon as there is one. */
async function next(after: number, of: Pick<TestServer, "ask"> = server) {
  const { body } = await of.ask("GET", `${OWN}/changes?after=${after}&wait=30`);
  return body.result[0];
}

/** What an edge reports, which has made real what the account is, unless said. */
async function report(said: Partial<HealthReport> = {}, to: Pick<TestServer, "ask"> = server) {
  const { epoch, revision } = (await to.ask("GET", `${OWN}/state`)).body.result;
  return reportTo(to, { configuration: { status: "applied", epoch, revision, problems: [] }, ...said });
}
const healthy = (since: number, ...ids: string[]) =>
  (ids.length > 0 ? ids : [ORD]).map((id) => currentOf("healthy", at(since), id));
const down = (seconds: number, id: string = ORD) => ({
  transitions: [transitionOf("down", at(seconds), { from: "healthy", interconnect: id })],
});

/** Nothing was decided, once everything that was asked before has had its effect. */
async function stillWaits(revision = 2): Promise<void> {
  await report({ edge: "onlooker", role: "customer" });
  expect((await state()).pending_change).toMatchObject({ revision });
}

describe("x-patchbay-revert-on", () => {
  test.each([
    [{ "x-patchbay-revert-on": "down" }, "400 990142"],
    [waiting("unknown"), "400 990013"],
    [waiting(""), "400 990013"],
  ])("is refused where it means nothing: %o", async (headers, expected) => {
    const reply = await untouched(server, () =>
      server.ask("PUT", one(ORD), { body: { mtu: 1300 }, headers }),
    );
    expect(verdict(reply)).toBe(expected);
  });

  test("is refused where there is nothing to wait", async () => {
    const headers = { "x-patchbay-revert-on": "down" };
    expect(verdict(await on(1, "confirm", { headers }))).toBe("400 990137");
  });

  test("is told by the answer, the state and the log, with how many are watched", async () => {
    await report({ states: healthy(-60, ORD, AMS) });
    const reply = await server.ask("PUT", LIST, {
      body: [ORD, AMS, SIN].map((id) => ({ id, mtu: 1300 })),
      headers: waiting("degraded"),
    });
    expect(reply.body.messages).toEqual([]);
    expect(Object.fromEntries(reply.headers)).toMatchObject({
      "x-patchbay-confirm-by": at(60),
      "x-patchbay-revert-on": "degraded",
      "x-patchbay-watched": "2",
    });
    expect((await state()).pending_change).toMatchObject({ revision: 2, revert_on: "degraded" });
    const { objects } = (await server.ask("GET", `${OWN}/changes/2`)).body.result;
    expect(objects.at(-1)).toMatchObject({
      kind: "pending_change",
      fields: { revert_on: { after: "degraded" } },
    });
  });

  test("is taken by every operation that may wait, and says so where it decides nothing", async () => {
    await report({ states: healthy(-60, ORD, AMS, SIN) });
    const headers = waiting("down");
    const facility = { name: "A building", address: ["1 Street"] };
    const asked: [string, string, unknown][] = [
      ["POST", ROUTES, { prefix: "192.0.2.0/24", nexthop: "10.213.0.9", priority: 7 }],
      ["DELETE", ROUTES, undefined],
      ["PUT", `${OWN}/settings`, { authorized_prefixes: ["198.51.100.0/24", "10.1.0.0/16"] }],
      ["POST", `${OWN}/slots`, { site: "FRA", speed: "10G", facility }],
      ["POST", `${OWN}/interconnects`, { name: "new", version: "1", interface_address: "10.213.9.0/31" }],
    ];
    for (const [method, path, body] of asked) {
      const reply = await server.ask(method, path, body === undefined ? { headers } : { body, headers });
      expect([path, verdict(reply), reply.headers.get("x-patchbay-watched")]).toEqual([path, "200", "0"]);
      expect(reply.body.messages).toMatchObject([{ code: 990912 }]);
      const { revision } = (await state()).pending_change;
      expect(verdict(await on(revision, "confirm"))).toBe("200");
    }
    const settings = await server.ask("PUT", `${CNI}/settings`, { body: { default_asn: 65001 }, headers });
    expect([settings.headers.get("x-patchbay-watched"), settings.body.messages]).toEqual(["0", undefined]);
  });

  test("that is only judged watches nothing", async () => {
    const reply = await server.ask("PUT", `${one(ORD)}?validate_only=true`, {
      body: { mtu: 1300 },
      headers: waiting("down"),
    });
    expect(reply.headers.get("x-patchbay-watched")).toBeNull();
    expect(reply.body.messages).toMatchObject([{ code: 990900 }]);
  });
});

describe("a change is undone at once", () => {
  test("when what it touched is reported down by a provider edge", async () => {
    await report({ states: healthy(-60) });
    await change();
    clock.pass(3);
    await report(down(2));
    expect(await next(2)).toMatchObject({
      revision: 3,
      operation: "revertChange",
      reverts: 2,
      actor: { type: "system", id: "health", name: "pni_ord is down at edge ord-1" },
    });
    expect(await mtu()).toBe(1476);
    expect((await state()).pending_change).toBeNull();
    expect(verdict(await server.ask("PUT", one(ORD), { body: { mtu: 1400 } }))).toBe("200");
  });

  test("by states alone, too, and by one that fell and rose again meanwhile", async () => {
    await report({ states: healthy(-60) });
    await change();
    await report({ states: [currentOf("down", at(1))] });
    expect(await next(2)).toMatchObject({ reverts: 2 });
    await report({ states: healthy(2) });
    clock.pass(5);
    await server.ask("PUT", one(ORD), { body: { mtu: 1310 }, headers: waiting("down") });
    await report({ states: healthy(8), transitions: [transitionOf("down", at(7), { from: "healthy" })] });
    expect(await next(4)).toMatchObject({ revision: 5, reverts: 4 });
  });

  test.each([
    ["degraded", "degraded", true],
    ["degraded", "down", true],
    ["down", "degraded", false],
  ] as const)("with revert-on: %s by what is %s: %s", async (threshold, to, undone) => {
    await report({ states: healthy(-60) });
    await change(threshold);
    await report({ transitions: [transitionOf(to, at(1), { from: "healthy" })] });
    if (undone) expect(await next(2)).toMatchObject({ actor: { name: `pni_ord is ${to} at edge ord-1` } });
    else await stillWaits();
  });

  test("also after it was given more time", async () => {
    await report({ states: healthy(-60) });
    await change();
    await on(2, "extend", { body: { confirm_within: 600 } });
    await report(down(1));
    expect(await next(3)).toMatchObject({ revision: 4, operation: "revertChange", reverts: 2 });
    expect(await mtu()).toBe(1476);
  });

  test("of many, by one of them, as a whole", async () => {
    await report({ states: healthy(-60, ORD, AMS, SIN) });
    await server.ask("PUT", LIST, {
      body: [ORD, AMS].map((id) => ({ id, mtu: 1300 })),
      headers: waiting("down"),
    });
    await report(down(1, AMS));
    expect(await next(2)).toMatchObject({ actor: { name: "pni_ams is down at edge ord-1" } });
    expect([await mtu(ORD), await mtu(AMS)]).toEqual([1476, 1476]);
  });

  test("only by as many edges as are to agree", async () => {
    await using two = await startTestServer({ healthQuorum: 2 }, { clock });
    for (const edge of ["ord-1", "ord-2"]) await report({ edge, states: healthy(-60) }, two);
    await change("down", ORD, two);
    await report({ ...down(1), edge: "ord-1" }, two);
    await report({ edge: "onlooker", role: "customer" }, two);
    expect((await two.ask("GET", `${OWN}/state`)).body.result.pending_change).not.toBeNull();
    await report({ ...down(2), edge: "ord-2" }, two);
    expect(await next(2, two)).toMatchObject({ reverts: 2 });
  });
});

describe("a change is not undone by", () => {
  test("what it did not touch", async () => {
    await report({ states: healthy(-60, ORD, AMS) });
    await change();
    await report(down(1, AMS));
    await stillWaits();
  });

  test("what was down before, of which the answer tells", async () => {
    await report({ states: [currentOf("down", at(-60))] });
    const reply = await change();
    expect(reply.body.messages).toMatchObject([{ code: 990912 }]);
    expect(reply.headers.get("x-patchbay-watched")).toBe("0");
    await report({
      transitions: [transitionOf("degraded", at(1), { from: "down" }), ...down(2).transitions],
    });
    await stillWaits();
    clock.pass(60);
    expect(await next(2)).toMatchObject({ operation: "expireChange" });
  });

  test("what fell before it was made, and was heard of later", async () => {
    await report({ states: healthy(-60) });
    await change();
    clock.pass(3);
    await report(down(-1));
    await stillWaits();
  });

  test("what the customer's end says", async () => {
    await report({ states: healthy(-60) });
    await report({ edge: "site-1", role: "customer", states: healthy(-60) });
    await change();
    await report({ edge: "site-1", role: "customer", ...down(1) });
    await stillWaits();
  });

  test("anything, once it is confirmed; nor is one that waits for nobody's health", async () => {
    await report({ states: healthy(-60) });
    await change();
    await on(2, "confirm");
    await report(down(1));
    await report({ states: healthy(2) });
    clock.pass(5);
    await server.ask("PUT", one(ORD), { body: { mtu: 1310 }, headers: waiting() });
    await report(down(7));
    await stillWaits(4);
  });
});

describe("a change is confirmed by itself", () => {
  /** ORD is healthy, and was changed; an edge has made that real. */
  async function changed(): Promise<void> {
    await report({ states: healthy(-60) });
    await change();
    await report({ states: healthy(-60) });
  }

  test("when all it touched is healthy with it for as long as is to be, and not before", async () => {
    await changed();
    clock.pass(9);
    await report();
    await stillWaits();
    clock.pass(1);
    await report();
    expect(await next(2)).toMatchObject({
      operation: "confirmChange",
      actor: { type: "system", id: "health", name: "all that it touched is healthy for 10 s" },
    });
    expect(await mtu()).toBe(1300);
  });

  test("not while the edge has not made it real, or some of it could not be", async () => {
    await report({ states: healthy(-60) });
    await change();
    const { epoch } = await state();
    for (const [status, revision] of [
      ["applied", 1],
      ["modified", 2],
      ["error", 2],
    ] as const) {
      clock.pass(15);
      await report({ configuration: { status, epoch, revision, problems: [] } });
      await stillWaits();
    }
    await report();
    await stillWaits();
    clock.pass(10);
    await report();
    expect(await next(2)).toMatchObject({ operation: "confirmChange" });
  });

  test("not while it is degraded, and the time begins anew when it is healthy again", async () => {
    await changed();
    clock.pass(8);
    await report({ transitions: [transitionOf("degraded", at(7), { from: "healthy" })] });
    clock.pass(8);
    await report({ transitions: [transitionOf("healthy", at(15), { from: "degraded" })] });
    await stillWaits();
    clock.pass(9);
    await report();
    await stillWaits();
    clock.pass(1);
    await report();
    expect(await next(2)).toMatchObject({ operation: "confirmChange" });
  });

  test("not by the silence of the edge that saw it healthy", async () => {
    await changed();
    clock.pass(25);
    await report({ edge: "ord-2", states: healthy(-60) });
    clock.pass(15);
    await report({ edge: "ord-2", states: healthy(-60) });
    await stillWaits();
    clock.pass(20);
    expect(await next(2)).toMatchObject({ operation: "expireChange" });
  });

  test("not while another edge that tells of it has not made it real, but without one that does not", async () => {
    await report({ states: healthy(-60) });
    const before = (await state()).epoch;
    const behind = {
      status: "modified" as const,
      epoch: before,
      revision: 1,
      problems: [],
    } satisfies HealthReport["configuration"];
    await change();
    await report({ states: healthy(-60) });
    await report({ edge: "ord-2", states: healthy(1), configuration: behind });
    clock.pass(15);
    await report({ edge: "ord-2", configuration: behind });
    await report();
    await stillWaits();
    await report({ edge: "ord-2", states: [], configuration: behind });
    await report();
    expect(await next(2)).toMatchObject({ operation: "confirmChange" });
  });

  test("not by the others when the edge tells of one of them no more", async () => {
    await report({ states: healthy(-60, ORD, AMS) });
    await server.ask("PUT", LIST, {
      body: [ORD, AMS].map((id) => ({ id, mtu: 1300 })),
      headers: waiting("down"),
    });
    for (let times = 1; times <= 3; times++) {
      await report({ states: healthy(-60, ORD) });
      clock.pass(11);
    }
    await report({ states: healthy(-60, ORD) });
    await stillWaits();
  });

  test("not when its checks are off with it", async () => {
    await report({ states: healthy(-60) });
    await server.ask("PUT", one(ORD), {
      body: { health_check: { enabled: false } },
      headers: waiting("down"),
    });
    await report({ states: [] });
    clock.pass(15);
    await report({ states: [] });
    await stillWaits();
  });

  test("never later than it was given time for", async () => {
    await changed();
    clock.pass(60);
    await report();
    expect(await next(2)).toMatchObject({ operation: "expireChange" });
  });
});

test("a server that was away meanwhile decides the same", async () => {
  const data = temporaryDirectory();
  const start = () => startTestServer({ data, healthSettle: 10 }, { clock });
  const first = await start();
  await report({ states: healthy(-60) }, first);
  await change("down", ORD, first);
  await report({ states: healthy(-60) }, first);
  await first.close();
  clock.pass(10);
  // What would settle it came before: only the time is over.
  await using second = await start();
  expect(await next(2, second)).toMatchObject({ operation: "confirmChange" });
  clock.pass(5);
  await second.ask("PUT", one(ORD), { body: { mtu: 1310 }, headers: waiting("down") });
  const { epoch } = (await second.ask("GET", `${OWN}/state`)).body.result;
  await second.close();
  await using third = await start();
  onTestFinished(() => third.close());
  const configuration = {
    status: "modified" as const,
    epoch,
    revision: 3,
    problems: [],
  } satisfies HealthReport["configuration"];
  await reportTo(third, { configuration, ...down(16) });
  expect(await next(4, third)).toMatchObject({ revision: 5, reverts: 4, actor: { id: "health" } });
});
