/** Two servers on one PostgreSQL: what one is told, the other knows, and decides by. */

import { beforeEach, expect, onTestFinished, test } from "vitest";
import { currentOf, HEALTH, minuteOf, report as reportTo, transitionOf } from "../harness/edge-report.ts";
import { freshDatabase } from "../harness/postgres.ts";
import { AMS, ORD, OWN, one, startTestServer, type TestServer } from "../harness/server.ts";

let first: TestServer;
let other: TestServer;

beforeEach(async () => {
  const database = await freshDatabase();
  const start = async () => {
    const server = await startTestServer({ database, healthSettle: 1 });
    onTestFinished(() => server.close());
    return server;
  };
  first = await start();
  other = await start();
});

const at = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString();
const state = async (server: TestServer) => (await server.ask("GET", `${OWN}/state`)).body.result;

/** What an edge reports to a server, which has made real what the account is. */
async function report(server: TestServer, said: Parameters<typeof reportTo>[1]): Promise<void> {
  const { epoch, revision } = await state(server);
  await reportTo(server, { configuration: { status: "applied", epoch, revision, problems: [] }, ...said });
}

const change = (server: TestServer) =>
  server.ask("PUT", one(ORD), {
    body: { mtu: 1300 },
    headers: { "x-patchbay-confirm-within": "60", "x-patchbay-revert-on": "down" },
  });
async function next(server: TestServer, after: number) {
  return (await server.ask("GET", `${OWN}/changes?after=${after}&wait=30`)).body.result[0];
}

test("what is reported to one is shown by the other, and gone with the world for both", async () => {
  const minute = at(-60).replace(/:\d\d\.\d+Z/, ":00.000Z");
  await report(first, { states: [currentOf("degraded", at(-5))], minutes: [minuteOf(minute)] });
  await report(other, { edge: "ord-2", states: [currentOf("down", at(-5), AMS)] });
  for (const server of [first, other]) {
    const shown = (await server.ask("GET", HEALTH)).body.result;
    expect(shown.edges).toMatchObject([{ edge: "ord-1", stale: false }, { edge: "ord-2" }]);
    expect(shown.interconnects).toMatchObject([
      { state: "degraded" },
      { state: "down" },
      { state: "unknown" },
    ]);
    const history = (await server.ask("GET", `${HEALTH}/${ORD}`)).body.result;
    expect(history.minutes).toMatchObject([{ edge: "ord-1", sent: 6 }]);
  }
  await other.reset();
  expect((await first.ask("GET", HEALTH)).body.result).toMatchObject({
    edges: [],
    interconnects: [{}, {}, {}],
  });
});

test("a change made at one is undone by what is reported to the other", async () => {
  await report(other, { states: [currentOf("healthy", at(-60))] });
  const reply = await change(first);
  expect(reply.headers.get("x-patchbay-watched")).toBe("1");
  await report(other, { transitions: [transitionOf("down", at(0.1), { from: "healthy" })] });
  const undone = { reverts: 2, actor: { id: "health", name: "pni_ord is down at edge ord-1" } };
  expect(await next(first, 2)).toMatchObject(undone);
  expect((await first.ask("GET", one(ORD))).body.result.interconnect.mtu).toBe(1476);
});

test("a change whose server is gone is undone, and another confirmed, by the one that is left", async () => {
  await report(other, { states: [currentOf("healthy", at(-60))] });
  await change(first);
  await first.close();
  await report(other, { states: [currentOf("down", at(0.1))] });
  expect(await next(other, 2)).toMatchObject({ reverts: 2, actor: { id: "health" } });
  await report(other, { states: [currentOf("healthy", at(0.2))] });
  // Later than what is told, by the database's clock.
  await new Promise((resolve) => setTimeout(resolve, 300));
  const reply = await change(other);
  expect(reply.headers.get("x-patchbay-watched")).toBe("1");
  await report(other, { states: [currentOf("healthy", at(-60))] });
  expect(await next(other, 4)).toMatchObject({ operation: "confirmChange", actor: { id: "health" } });
});
