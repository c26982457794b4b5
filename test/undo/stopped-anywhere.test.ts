/**
 * A server that stops at any moment of a confirmed change: each of its commits is copied from under it, as it was
 * before and as it is after, and a second server is started on the copy, at any time. What it then tells is what was
 * promised.
 */

import { cpSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import type { ChangeRecord } from "../../src/account/change.ts";
import { SqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { serve } from "../harness/command.ts";
import { FaultyStore } from "../harness/faulty-store.ts";
import { ask, ORD, OWN, one, startTestServer, type TestServer } from "../harness/server.ts";
import { SetClock } from "../harness/set-clock.ts";
import { temporaryDirectory } from "../harness/temporary.ts";

const AT_FIRST = 1476;
const CHANGED = 1300;
const WAIT = 60;

interface Copy {
  readonly directory: string;
  /** The newest record that stands in it. */
  readonly newest: string;
  /** When the copy was made. */
  readonly at: string;
}

/** Copies the data around every commit of a whole story. */
async function copiesOf(root: string, story: (server: TestServer, clock: SetClock) => Promise<void>) {
  const clock = new SetClock("2026-03-01T12:00:00Z");
  const data = join(root, "data");
  const store = new FaultyStore(await SqliteStore.open(data));
  const copies: Copy[] = [];
  let newest = "seed";
  const copy = () => {
    const directory = join(root, `copy-${copies.length}`);
    cpSync(data, directory, { recursive: true });
    copies.push({ directory, newest, at: clock.timestamp() });
  };
  store.onCommit = async ({ changes }, proceed) => {
    copy();
    await proceed();
    newest = changes.at(-1)?.record.operation ?? newest;
    copy();
  };
  await using server = await startTestServer({}, { clock, store });
  await story(server, clock);
  return copies;
}

const waiting = (server: TestServer) =>
  server.ask("PUT", one(ORD), {
    body: { mtu: CHANGED },
    headers: { "x-patchbay-confirm-within": String(WAIT) },
  });

async function undone(server: TestServer, after: number): Promise<ChangeRecord> {
  const { body } = await server.ask("GET", `${OWN}/changes?after=${after}&wait=30`);
  return body.result[0];
}

const stories: Record<string, (server: TestServer, clock: SetClock) => Promise<void>> = {
  confirmed: async (server, clock) => {
    await waiting(server);
    clock.pass(WAIT / 2);
    await server.ask("POST", `${OWN}/changes/2/confirm`);
  },
  "given more time, then confirmed": async (server, clock) => {
    await waiting(server);
    clock.pass(WAIT / 2);
    await server.ask("POST", `${OWN}/changes/2/extend`, { body: { confirm_within: WAIT } });
    clock.pass(WAIT / 2);
    await server.ask("POST", `${OWN}/changes/2/confirm`);
  },
  reverted: async (server, clock) => {
    await waiting(server);
    clock.pass(WAIT / 2);
    await server.ask("POST", `${OWN}/changes/2/revert`);
  },
  forgotten: async (server, clock) => {
    await waiting(server);
    clock.pass(WAIT);
    expect(await undone(server, 2)).toMatchObject({ operation: "expireChange" });
  },
};

/** What stands after a start, at a time, from a copy that ends with this record. */
function promised(newest: string, late: boolean): { mtu: number; waits: boolean; ends: string } {
  switch (newest) {
    case "seed":
      return { mtu: AT_FIRST, waits: false, ends: "seed" };
    case "confirmChange":
      return { mtu: CHANGED, waits: false, ends: "confirmChange" };
    case "revertChange":
    case "expireChange":
      return { mtu: AT_FIRST, waits: false, ends: newest };
    default:
      return late
        ? { mtu: AT_FIRST, waits: false, ends: "expireChange" }
        : { mtu: CHANGED, waits: true, ends: newest };
  }
}

test.each(Object.keys(stories))("a change that is %s, stopped at each of its commits", async (name) => {
  const root = temporaryDirectory();
  const story = stories[name];
  if (!story) throw new Error(name);
  const copies = await copiesOf(root, story);
  expect(copies.length).toBeGreaterThanOrEqual(4);
  for (const { directory, newest, at } of copies) {
    for (const later of [0, 1, 10 * WAIT]) {
      const place = `${directory}-${later}`;
      cpSync(directory, place, { recursive: true });
      const clock = new SetClock(at);
      clock.pass(later);
      await using server = await startTestServer({ data: place }, { clock });
      const { body: state } = await server.ask("GET", `${OWN}/state`);
      const { body: got } = await server.ask("GET", one(ORD));
      const { body: log } = await server.ask("GET", `${OWN}/changes?limit=1`);
      // A copy of the moment at which the time was over is due, too.
      const due =
        newest === "updateInterconnect" && Date.parse(at) - 60_000 >= Date.parse("2026-03-01T12:00:00Z");
      const about = `${newest}, ${later} s later`;
      expect(
        {
          mtu: got.result.interconnect.mtu,
          waits: state.result.pending_change !== null,
          ends: log.result[0].operation,
        },
        about,
      ).toEqual(promised(newest, later > WAIT || due));
    }
  }
});

test("killed and started again, the server undoes on time, also what was due while nobody was there", async () => {
  const token = "Sn3lZJTBX6kkg7OdcBUAxOO963GEIyGQqnFTOFYY";
  const headers = { "x-patchbay-confirm-within": "5" };
  const change = (url: string) => ask(url, "PUT", one(ORD), { token, headers, body: { mtu: CHANGED } });
  const mtu = async (url: string) => (await ask(url, "GET", one(ORD))).body.result.interconnect.mtu;
  const args = () => [
    "--port",
    "0",
    "--metrics-port",
    "off",
    "--log-level",
    "silent",
    "--data",
    temporaryDirectory(),
  ];
  const [soon, late] = [args(), args()];
  const [first, second] = await Promise.all([serve(soon), serve(late)]);
  const [made, other] = await Promise.all([change(first.url), change(second.url)]);
  await Promise.all([first.end("SIGKILL"), second.end("SIGKILL")]);
  const by = Date.parse(made.headers.get("x-patchbay-confirm-by") ?? "");
  const again = await serve(soon);
  if (Date.now() < by - 500) expect(await mtu(again.url)).toBe(CHANGED);
  const { body } = await ask(again.url, "GET", `${OWN}/changes?after=2&wait=30`);
  expect(body.result).toMatchObject([{ operation: "expireChange", reverts: 2, revision: 3 }]);
  const late_by = Date.parse(body.result[0].time) - by;
  expect(late_by).toBeGreaterThanOrEqual(0);
  expect(late_by).toBeLessThan(5_000);
  expect(await mtu(again.url)).toBe(AT_FIRST);
  // When the other is overdue, it has undone its change before its first answer.
  await setTimeout(Math.max(0, Date.parse(other.headers.get("x-patchbay-confirm-by") ?? "") - Date.now()));
  const overdue = await serve(late);
  expect(await mtu(overdue.url)).toBe(AT_FIRST);
});
