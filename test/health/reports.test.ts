import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { currentOf, HEALTH, minuteOf, report, reportOf, transitionOf } from "../harness/edge-report.ts";
import { AMS, LIST, ORD, OWN, one, problems, SIN, startTestServer } from "../harness/server.ts";
import { SetClock } from "../harness/set-clock.ts";
import { untouched, verdict } from "../harness/standing.ts";

const NOON = "2026-03-01T12:00:00.000Z";
const clock = new SetClock(NOON);
const server = await startTestServer({}, { clock });
afterAll(() => server.close());
beforeEach(async () => {
  clock.set(NOON);
  await server.reset();
});

/** So many seconds after noon, or before it. */
const at = (seconds: number) => new Date(Date.parse(NOON) + seconds * 1000).toISOString();
const health = async () => (await server.ask("GET", HEALTH)).body.result;
const of = async (id: string, since = "") => (await server.ask("GET", `${HEALTH}/${id}${since}`)).body.result;
const ord = async () => (await health()).interconnects.find(({ id }: { id: string }) => id === ORD);

describe("a report", () => {
  test("is answered with when it came and when the next is due, and moves no revision", async () => {
    const reply = await untouched(server, () => report(server));
    expect(verdict(reply)).toBe("200");
    expect(reply.body).toMatchObject({ result: { received: NOON, stale_after: 20 }, messages: [] });
  });

  test("that tells of a state is seen at once, by whoever may read of interconnects", async () => {
    await report(server, { states: [currentOf("degraded", at(-5))] });
    const reply = await server.ask("GET", HEALTH, { token: "demo-magic-read-only-token-0000000000000" });
    const shown = { state: "degraded", since: at(-5), reason: "it is degraded" };
    const edge = { edge: "ord-1", site: "ord", role: "provider", ...shown, last_minute: null };
    expect(reply.body.result.interconnects[0]).toEqual({ id: ORD, name: "pni_ord", ...shown, edges: [edge] });
  });

  test("that tells of a transition alone moves the state", async () => {
    await report(server, { states: [currentOf("healthy", at(-60)), currentOf("healthy", at(-60), AMS)] });
    await report(server, { transitions: [transitionOf("down", at(-1), { from: "healthy" })] });
    expect(await ord()).toMatchObject({ state: "down", since: at(-1), reason: "it became down" });
    expect(await of(AMS)).toMatchObject({ state: "healthy" });
  });

  test("that tells of states replaces all that was said of them", async () => {
    await report(server, { states: [currentOf("down", at(-9)), currentOf("healthy", at(-9), AMS)] });
    await report(server, { states: [currentOf("healthy", at(-9), AMS)] });
    expect(await ord()).toMatchObject({ state: "unknown", edges: [] });
    expect(await of(AMS)).toMatchObject({ state: "healthy" });
  });

  test("that tells of states and of how they came about ends with the states", async () => {
    const transitions = [transitionOf("down", at(-30)), transitionOf("degraded", at(-20))];
    await report(server, { states: [currentOf("healthy", at(-10))], transitions });
    expect(await of(ORD)).toMatchObject({ state: "healthy", since: at(-10), transitions: [{}, {}] });
  });

  test("that comes twice is kept once", async () => {
    const said = {
      transitions: [transitionOf("healthy", at(-90)), transitionOf("down", at(-30), { from: "healthy" })],
      minutes: [minuteOf(at(-120)), minuteOf(at(-60), { sent: 60, lost: 60, latency: null, jitter: null })],
    };
    await report(server, said);
    const once = await of(ORD);
    await report(server, said);
    expect(await of(ORD)).toEqual(once);
    expect(once).toMatchObject({
      state: "down",
      since: at(-30),
      minutes: [
        {
          edge: "ord-1",
          minute: at(-120),
          sent: 6,
          lost: 1,
          latency: { min: 0.42, median: 0.51, p99: 1.9 },
          jitter: 0.08,
        },
        { edge: "ord-1", minute: at(-60), sent: 60, lost: 60, latency: null, jitter: null },
      ],
      transitions: [
        { edge: "ord-1", time: at(-90), from: null, to: "healthy", reason: "it became healthy" },
        { edge: "ord-1", time: at(-30), from: "healthy", to: "down" },
      ],
    });
    expect(once.edges).toMatchObject([{ last_minute: { minute: at(-60), sent: 60 } }]);
  });

  test("of two edges is two series, and the worse of the provider's states counts", async () => {
    await report(server, { states: [currentOf("healthy", at(-60))], minutes: [minuteOf(at(-60))] });
    await report(server, {
      edge: "ord-2",
      states: [currentOf("degraded", at(-9))],
      minutes: [minuteOf(at(-60))],
    });
    await report(server, { edge: "site-1", role: "customer", states: [currentOf("down", at(-9))] });
    const shown = await of(ORD);
    expect(shown).toMatchObject({
      state: "degraded",
      since: at(-9),
      minutes: [{ edge: "ord-1" }, { edge: "ord-2" }],
    });
    expect(shown.edges).toMatchObject([
      { state: "healthy" },
      { state: "degraded" },
      { role: "customer", state: "down" },
    ]);
  });

  test("leaves out what the account does not have, and what is of no time that is kept", async () => {
    const strange = "f".repeat(32);
    const reply = await report(server, {
      states: [currentOf("healthy", at(-9)), currentOf("down", at(-9), strange)],
      transitions: [
        transitionOf("down", at(-9), { interconnect: strange }),
        transitionOf("down", at(-8 * 86_400)),
      ],
      minutes: [minuteOf(at(3600)), minuteOf(at(-60))],
    });
    expect(verdict(reply)).toBe("200");
    const [first, second] = reply.body.messages;
    expect(first).toMatchObject({ code: 990910, message: expect.stringContaining(strange) });
    expect(second).toMatchObject({
      code: 990911,
      message: expect.stringMatching(/^2 minutes and transitions/),
    });
    expect(await of(ORD, `?since=${at(-8 * 86_400)}`)).toMatchObject({
      state: "healthy",
      minutes: [{ minute: at(-60) }],
      transitions: [],
    });
  });

  test.each([
    [{ ...reportOf(), edge: "no name" }, "/edge"],
    [{ ...reportOf(), role: "both" }, "/role"],
    [reportOf({ transitions: [transitionOf("down", "yesterday")] }), "/transitions/0/time"],
    [reportOf({ states: [currentOf("down", "2026-02-30T99:00:00Z")] }), "/states/0/since"],
    [reportOf({ minutes: [minuteOf(NOON, { lost: -1 })] }), "/minutes/0/lost"],
    [{ ...reportOf(), minutes: undefined }, ""],
    [{ ...reportOf(), said: 1 }, "/said"],
  ])("is refused with where it is wrong: %#", async (body, pointer) => {
    const reply = await server.ask("POST", `${HEALTH}/reports`, { body });
    expect(reply.status).toBe(400);
    expect(problems(reply)[0]).toMatch(new RegExp(` ?${pointer}$`));
    expect((await health()).edges).toEqual([]);
  });

  test("under too many names is refused, and those that are known go on", async () => {
    for (let number = 1; number <= 100; number++) await report(server, { edge: `edge-${number}` });
    expect(verdict(await report(server, { edge: "one-more" }))).toBe("409 990140");
    expect(verdict(await report(server, { edge: "edge-7" }))).toBe("200");
    expect((await health()).edges).toHaveLength(100);
  });

  test("is forgotten with the world that it was of", async () => {
    await report(server, { states: [currentOf("healthy", at(-9))], minutes: [minuteOf(at(-60))] });
    await server.reset();
    expect(await health()).toMatchObject({ edges: [] });
    expect(await of(ORD)).toMatchObject({ state: "unknown", minutes: [] });
  });
});

describe("what is never healthy:", () => {
  test("an interconnect of which no edge told", async () => {
    expect(await ord()).toMatchObject({
      state: "unknown",
      since: null,
      reason: "no provider edge reports it",
    });
  });

  test("one of which only the customer's end tells", async () => {
    await report(server, { role: "customer", states: [currentOf("healthy", at(-9))] });
    expect(await ord()).toMatchObject({ state: "unknown", reason: "no provider edge reports it" });
  });

  test("one whose edge was not heard of for more than 20 seconds, until it is again", async () => {
    await report(server, { states: [currentOf("healthy", at(-9))] });
    clock.pass(20);
    expect(await ord()).toMatchObject({ state: "healthy" });
    clock.pass(14);
    const reason = "edge ord-1 has not reported for 34 s";
    expect(await ord()).toMatchObject({
      state: "unknown",
      reason,
      edges: [{ state: "unknown", reason, since: at(-9) }],
    });
    expect((await health()).edges).toMatchObject([{ edge: "ord-1", seen_on: NOON, stale: true }]);
    await report(server);
    expect(await ord()).toMatchObject({ state: "healthy", since: at(-9) });
  });

  test("one whose checks are off, whatever was said of it", async () => {
    await report(server, { states: [currentOf("healthy", at(-9))] });
    await server.ask("PUT", one(ORD), { body: { health_check: { enabled: false } } });
    expect(await ord()).toMatchObject({ state: "unknown", reason: "health checks are off" });
  });

  test("a stale edge's word does not outweigh another's that is fresh", async () => {
    await report(server, { states: [currentOf("down", at(-9))] });
    clock.pass(30);
    await report(server, { edge: "ord-2", states: [currentOf("healthy", at(-9))] });
    expect(await ord()).toMatchObject({
      state: "healthy",
      edges: [{ state: "unknown" }, { state: "healthy" }],
    });
  });
});

describe("an edge's configuration", () => {
  const configured = async (status: "modified" | "applied" | "error", revision: number, epoch?: string) => {
    const own = (await health()).epoch;
    await report(server, { configuration: { status, revision, epoch: epoch ?? own, problems: [] } });
    return (await health()).edges[0].configuration;
  };

  test.each(["applied", "error", "modified"] as const)(
    "of the account's revision is as told: %s",
    async (status) => {
      expect(await configured(status, 1)).toMatchObject({ status, revision: 1 });
    },
  );

  test("of an earlier revision or of another epoch is modified", async () => {
    expect(await configured("applied", 1)).toMatchObject({ status: "applied" });
    await server.ask("PUT", one(ORD), { body: { mtu: 1300 } });
    expect((await health()).edges[0].configuration).toMatchObject({ status: "modified", revision: 1 });
    expect(await configured("applied", 2)).toMatchObject({ status: "applied" });
    expect(await configured("applied", 2, "another")).toMatchObject({ status: "modified", epoch: "another" });
  });

  test("tells what could not be made", async () => {
    const problems = [{ interconnect: ORD, reason: "device is there already" }];
    await report(server, {
      configuration: { status: "error", epoch: (await health()).epoch, revision: 1, problems },
    });
    expect((await health()).edges).toMatchObject([{ configuration: { status: "error", problems } }]);
  });
});

describe("the history of an interconnect", () => {
  test("is an hour's unless said, and a week's at most", async () => {
    const minutes = [-86_400, -7200, -3600, -3540, -60].map((seconds) => minuteOf(at(seconds)));
    await report(server, { minutes, transitions: [transitionOf("healthy", at(-7000))] });
    const times = async (since?: string) => {
      const shown = await of(ORD, since === undefined ? "" : `?since=${since}`);
      return { from: shown.from, minutes: shown.minutes.length, transitions: shown.transitions.length };
    };
    expect(await times()).toEqual({ from: at(-3600), minutes: 3, transitions: 0 });
    expect(await times(at(-7200))).toEqual({ from: at(-7200), minutes: 4, transitions: 1 });
    expect(await times("2020-01-01")).toEqual({ from: at(-7 * 86_400), minutes: 5, transitions: 1 });
  });

  test("of no interconnect, and from no time, is refused", async () => {
    expect(verdict(await server.ask("GET", `${HEALTH}/${"f".repeat(32)}`))).toBe("404 990024");
    expect((await server.ask("GET", `${HEALTH}/${ORD}?since=soon`)).status).toBe(400);
  });
});

test("the state tells the links below interconnects, which the vendor's view does not", async () => {
  const { links } = (await server.ask("GET", `${OWN}/state`)).body.result;
  expect(links).toEqual([
    { interconnect: ORD, provider: "192.0.2.0/31", customer: "192.0.2.1/31" },
    { interconnect: AMS, provider: "192.0.2.2/31", customer: "192.0.2.3/31" },
    { interconnect: SIN, provider: "192.0.2.4/31", customer: "192.0.2.5/31" },
  ]);
  const listed = (await server.ask("GET", LIST)).body.result.interconnects;
  expect(JSON.stringify(listed)).not.toContain("192.0.2.4/31");
});

describe("of interconnects that are named", () => {
  const named = async (...ids: string[]) =>
    (await server.ask("GET", `${HEALTH}?${ids.map((id) => `interconnect=${id}`).join("&")}`)).body.result
      .interconnects;

  test("the last hour is told too, in the order of their names in the query", async () => {
    const minutes = [minuteOf(at(-3660)), minuteOf(at(-120), { lost: 0 }), minuteOf(at(-60))];
    await report(server, { minutes: [...minutes, minuteOf(at(-60), { interconnect: AMS })] });
    const told = await named(AMS, ORD, ORD, "f".repeat(32));
    expect(told.map(({ id }: { id: string }) => id)).toEqual([AMS, ORD]);
    expect(told[1].minutes).toEqual([
      { edge: "ord-1", ...without(minutes[1]) },
      { edge: "ord-1", ...without(minutes[2]) },
    ]);
    expect(await named(SIN)).toMatchObject([{ id: SIN, minutes: [] }]);
    expect(await ord()).not.toHaveProperty("minutes");
  });

  test("the newest are told of more minutes than are told", async () => {
    const hour = Array.from({ length: 60 }, (_, n) => minuteOf(at(-60 * (n + 1))));
    for (const edge of ["a", "b", "c", "d"]) await report(server, { edge, minutes: hour });
    const [{ minutes }] = await named(ORD);
    expect(minutes).toHaveLength(200);
    expect(minutes[0].minute).toBe(at(-60 * 50));
    expect(minutes.at(-1)).toMatchObject({ minute: at(-60), edge: "d" });
  });

  test.each([
    ["interconnect=", "empty"],
    [Array.from({ length: 101 }, (_, n) => `interconnect=${n}`).join("&"), "there 101 times"],
  ])("there are 100 at most, and none without a name", async (query, words) => {
    for (const path of [HEALTH, `${OWN}/last-changes`]) {
      const reply = await server.ask("GET", `${path}?${query}`);
      expect(reply.status).toBe(400);
      expect(JSON.stringify(reply.body.errors)).toContain(words);
    }
  });
});

function without({ interconnect: _, ...minute }: ReturnType<typeof minuteOf> = minuteOf("")) {
  return minute;
}
