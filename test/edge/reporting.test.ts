import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { afterAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import type { Minute, Transition } from "../../src/contract/health.ts";
import { Client } from "../../src/edge/follow/client.ts";
import { HEARTBEAT, Reporter, type Standing } from "../../src/edge/report/reporter.ts";
import { Spool } from "../../src/edge/report/spool.ts";
import { ACCOUNT, AMS, demo, ORD, OWN, startTestServer } from "../harness/server.ts";
import { temporaryDirectory } from "../harness/temporary.ts";

const server = await startTestServer();
afterAll(() => server.close());
beforeEach(() => server.reset());

/** A way to the server that can be shut. */
async function gate() {
  const sockets = new Set<Socket>();
  const { port, hostname } = new URL(server.url);
  let isOpen = true;
  const listener = createServer((near) => {
    if (!isOpen) {
      near.destroy();
      return;
    }
    const far = connect(Number(port), hostname);
    for (const one of [near, far]) {
      sockets.add(one);
      one.on("error", () => undefined);
      one.on("close", () => {
        near.destroy();
        far.destroy();
        sockets.delete(one);
      });
    }
    near.pipe(far).pipe(near);
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const address = listener.address();
  onTestFinished(() => {
    isOpen = false;
    for (const one of sockets) one.destroy();
    listener.close();
  });
  return {
    url: `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`,
    shut() {
      isOpen = false;
      for (const one of sockets) one.destroy();
    },
    open() {
      isOpen = true;
    },
  };
}

const since = () => new Date(Date.now() - 60_000).toISOString();
const state = (interconnect: string): Standing["states"][number] => ({
  interconnect,
  state: "healthy",
  since: since(),
  reason: "a probe was answered",
});

function standing(states: Standing["states"]): Standing {
  return {
    edge: "ord-1",
    site: "ord",
    role: "provider",
    driver: "kernel",
    version: "0",
    configuration: { status: "applied", epoch: "e", revision: 1, problems: [] },
    ports: [],
    states,
  };
}

function transition(interconnect: string, to: Transition["to"], ago = 1_000): Transition {
  const time = new Date(Date.now() - ago).toISOString();
  return { interconnect, time, from: "healthy", to, reason: "3 probes in a row without an answer" };
}

function minute(number: number): Minute {
  const time = Math.floor(Date.now() / 60_000) * 60_000 - number * 60_000;
  return {
    interconnect: ORD,
    minute: new Date(time).toISOString(),
    sent: 60,
    lost: number % 60,
    latency: { min: 0.1, median: 0.2, p99: 0.3 },
    jitter: 0.05,
  };
}

async function reporting(url: string, spool: Spool, states: Standing["states"] = [state(ORD), state(AMS)]) {
  let news = Promise.withResolvers<void>();
  const heard: (string | undefined)[] = [];
  const reporter = new Reporter({
    client: new Client({ server: url, account: ACCOUNT, token: demo.token }),
    spool,
    standing: () => standing(states),
    heard: (trouble) => {
      heard.push(trouble);
      news.resolve();
      news = Promise.withResolvers();
    },
  });
  onTestFinished(() => reporter[Symbol.asyncDispose]());
  const until = async (holds: () => boolean) => {
    while (!holds()) await news.promise;
  };
  await until(() => heard.length > 0);
  return { reporter, heard, until };
}

const spoolIn = (directory: string) => new Spool(directory, () => undefined);
const stateOf = async (id: string) => {
  const { body } = await server.ask("GET", `${OWN}/health`);
  return body.result.interconnects.find((one: { id: string }) => one.id === id);
};
const history = async () =>
  (await server.ask("GET", `${OWN}/health/${ORD}?since=${new Date(Date.now() - 86_400_000).toISOString()}`))
    .body.result;

describe("reporting", () => {
  test("tells all states at the start, and a transition at once", async () => {
    const { reporter, heard, until } = await reporting(server.url, spoolIn(temporaryDirectory()));
    expect(await stateOf(ORD)).toMatchObject({ state: "healthy" });
    const before = heard.length;
    const began = performance.now();
    reporter.transition(transition(ORD, "down"));
    await until(() => heard.length > before);
    // It did not wait for the next report.
    expect(performance.now() - began).toBeLessThan(HEARTBEAT * 0.75);
    expect(await stateOf(ORD)).toMatchObject({ state: "down", reason: expect.stringContaining("3 probes") });
    expect(await stateOf(AMS)).toMatchObject({ state: "healthy" });
  });

  test("a state counts at once, also where a clock that jumped dates its transition wrongly", async () => {
    const states = [state(ORD)];
    const { reporter, heard, until } = await reporting(server.url, spoolIn(temporaryDirectory()), states);
    // An hour ahead, then right again, which is before what was told last; and an hour behind.
    for (const [to, ago] of [
      ["down", -3_600_000],
      ["degraded", 1_000],
      ["down", 3_600_000],
    ] as const) {
      const told = transition(ORD, to, ago);
      states[0] = { interconnect: ORD, state: to, since: told.time, reason: told.reason };
      const before = heard.length;
      reporter.transition(told);
      await until(() => heard.length > before);
      expect(await stateOf(ORD)).toMatchObject({ state: to });
    }
    expect((await history()).transitions).toMatchObject([{ to: "down" }, { to: "degraded" }]);
  });

  test("while the server is away keeps what there is, also over a restart, and tells it all later", async () => {
    const way = await gate();
    const directory = temporaryDirectory();
    const first = await reporting(way.url, spoolIn(directory));
    way.shut();
    first.reporter.transition(transition(ORD, "down", 5_000));
    first.reporter.minutes([1, 2, 3].map(minute));
    await first.until(() => first.heard.at(-1) !== undefined);
    await first.reporter[Symbol.asyncDispose]();
    way.open();
    const spool = spoolIn(directory);
    expect(spool.size).toBe(4);
    const second = await reporting(way.url, spool);
    await second.until(() => spool.size === 0);
    const { transitions, minutes } = await history();
    expect(transitions).toMatchObject([{ edge: "ord-1", to: "down" }]);
    expect(minutes.map(({ lost }: { lost: number }) => lost)).toEqual([3, 2, 1]);
  });

  test("what was taken and told again changes nothing", async () => {
    const directory = temporaryDirectory();
    const { reporter, until } = await reporting(server.url, spoolIn(directory));
    const items = [minute(1), minute(2)];
    const down = transition(ORD, "down");
    const spool = spoolIn(temporaryDirectory());
    reporter.minutes(items);
    reporter.transition(down);
    await until(() => true);
    const again = await reporting(server.url, spool);
    again.reporter.minutes(items);
    again.reporter.transition(down);
    await again.until(() => spool.size === 0);
    const { transitions, minutes } = await history();
    expect(transitions).toHaveLength(1);
    expect(minutes).toHaveLength(2);
  });

  test("goes on after something that the server can make nothing of", async () => {
    const spool = spoolIn(temporaryDirectory());
    const { reporter, until, heard } = await reporting(server.url, spool);
    reporter.transition({ ...transition(ORD, "down"), reason: "x".repeat(501) });
    await until(() => heard.at(-1) !== undefined);
    expect(heard.at(-1)).toMatch(/500|reason|long/);
    expect(spool.size).toBe(0);
  });
});
