import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { DRAIN_DELAY, readConfig } from "../../src/server/config.ts";
import { serve } from "../../src/server/serve.ts";
import { LIST, OWN, startTestServer } from "../harness/server.ts";
import { temporaryDirectory } from "../harness/temporary.ts";
import { FakeTerminal } from "../harness/terminal.ts";

/** Longer than any test. */
const LONG = 3_600;

test("while a server drains, it reports not ready, answers requests, and closes each connection after the response", async () => {
  await using server = await startTestServer({ drainDelay: LONG, metricsPort: 0 });
  expect((await fetch(`${server.metricsUrl}/readyz`)).status).toBe(200);
  const before = await server.ask("GET", LIST);
  expect(before.headers.get("connection")).toBe("keep-alive");
  void server.drain();
  const ready = await fetch(`${server.metricsUrl}/readyz`);
  expect([ready.status, await ready.text()]).toEqual([503, "stopping\n"]);
  const during = await server.ask("GET", LIST);
  expect([during.status, during.headers.get("connection")]).toEqual([200, "close"]);
  expect((await server.ask("GET", `${OWN}/state`)).status).toBe(200);
});

test("a long poll waits while the server drains, and is answered when the server stops", async () => {
  const server = await startTestServer({ drainDelay: LONG });
  const polling = server.ask("GET", `${OWN}/changes?after=1&wait=30`);
  await server.ask("GET", LIST);
  void server.drain();
  expect((await server.ask("GET", LIST)).status).toBe(200);
  const first = await Promise.race([polling, setTimeout(0, "still waiting")]);
  expect(first).toBe("still waiting");
  await server.close();
  expect((await polling).status).toBe(200);
});

/** Runs `serve` in this process, and hands over its terminal when it listens. */
async function serveInProcess(options: Readonly<Record<string, string>>) {
  const terminal = new FakeTerminal();
  const listening = Promise.withResolvers<string>();
  terminal.hear = (stream, text) => {
    terminal.said[stream] += text;
    const url = /answers at (\S+)/.exec(text)?.[1];
    if (url !== undefined) listening.resolve(url);
  };
  const data = join(temporaryDirectory(), "data");
  const usual = { port: "0", metricsPort: "off", logLevel: "silent", data };
  const ended = serve({ ...usual, ...options }, {}, terminal);
  const url = await Promise.race([listening.promise, ended.then(() => "")]);
  return { terminal, ended, url };
}

test("SIGTERM drains before the server stops, and a second signal ends the delay", async () => {
  const { terminal, ended, url } = await serveInProcess({ drainDelay: String(LONG) });
  terminal.stops.get("SIGTERM")?.();
  await expect.poll(() => terminal.stops.size, { timeout: 30_000, interval: 10 }).toBe(2);
  expect((await fetch(url)).headers.get("connection")).toBe("close");
  terminal.stops.get("SIGTERM")?.();
  expect(await ended).toBe(0);
  await expect(fetch(url)).rejects.toThrow();
});

test("SIGINT stops the server without a delay", async () => {
  const { terminal, ended } = await serveInProcess({ drainDelay: String(LONG) });
  terminal.stops.get("SIGINT")?.();
  expect(await ended).toBe(0);
});

test("SIGTERM stops a server on loopback without a delay", async () => {
  const { terminal, ended } = await serveInProcess({});
  terminal.stops.get("SIGTERM")?.();
  expect(await ended).toBe(0);
});

test.each([
  [{ host: "127.0.0.1" }, 0],
  [{ host: "localhost" }, 0],
  [{ host: "0.0.0.0" }, DRAIN_DELAY],
  [{ host: "patchbay.example.net" }, DRAIN_DELAY],
  [{ host: "0.0.0.0", drainDelay: "0" }, 0],
  [{ host: "127.0.0.1", drainDelay: "15" }, 15],
])("the drain delay with %o is %d seconds", (options, seconds) => {
  expect(readConfig(options, {}).drainDelay).toBe(seconds);
});

test("the drain delay is read from the environment, and must be a number of seconds", () => {
  expect(readConfig({}, { PATCHBAY_DRAIN_DELAY: "7" }).drainDelay).toBe(7);
  expect(() => readConfig({ drainDelay: "soon" }, {})).toThrow(
    "--drain-delay is soon, but must be a number of seconds from 0 to 3600.",
  );
});
