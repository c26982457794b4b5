import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { MOST_PIPELINED } from "../src/contract/limits.ts";
import { heldMemory } from "./harness/memory.ts";
import { RawConnection, type RawRequest, rawRequest, rawVerdict } from "./harness/raw.ts";
import { makeSeed, OWN_TOKEN } from "./harness/seeds.ts";
import { codes, LIST, one, startTestServer, type TestServer } from "./harness/server.ts";
import { StallMonitor } from "./harness/stall-monitor.ts";
import { temporaryDirectoryForAll } from "./harness/temporary.ts";
import { idOf } from "./harness/worlds.ts";

const MB = 1024 * 1024;
/** Of all bodies and responses under way. A list has about 0.8 MB. */
const BUDGET = 24 * MB;
/** A step of the loop may take longer here than in a server: the clients run in the same thread. */
const LONGEST_STEP = 150;

const POLL = { timeout: 30_000, interval: 20 };

const token = OWN_TOKEN;
const seed = join(temporaryDirectoryForAll(), "seed.yaml");
let server: TestServer;

beforeAll(async () => {
  writeFileSync(seed, makeSeed(1500));
  server = await startTestServer(
    { seed, metricsPort: 0 },
    { patience: { writing: 400, check: 20, request: 20_000 }, bytesUnderWay: BUDGET },
  );
  // What the server keeps after the first request of a kind is no growth.
  expect((await server.ask("GET", LIST, { token })).status).toBe(200);
  await fetch(`${server.url}/docs`, { headers: { accept: "text/html" } }).then((page) => page.text());
});
afterAll(() => server.close());

async function figure(name: string): Promise<number> {
  const text = await (await fetch(`${server.metricsUrl}/metrics`)).text();
  return Number(new RegExp(`^patchbay_${name} (\\d+)$`, "m").exec(text)?.[1]);
}

/** Waits until the server has closed every connection but those of the test's own client. */
async function allEnded(before: number): Promise<void> {
  await expect.poll(() => figure("connections"), POLL).toBeLessThanOrEqual(before);
  expect(await figure("bytes_under_way")).toBe(0);
}

/** Sends requests on a connection and never reads. */
async function sendUnread(requests: readonly RawRequest[]): Promise<RawConnection> {
  const connection = new RawConnection(server.url);
  connection.socket.pause();
  await connection.send(Buffer.concat(requests.map(rawRequest)));
  return connection;
}

const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));

test("pipelined requests: each read shows what the update before it changed", async () => {
  using connection = new RawConnection(server.url);
  const mtus = Array.from({ length: 100 }, (_, number) => 1300 + number);
  const path = one(idOf(0));
  const pairs = mtus.flatMap((mtu) => [
    rawRequest({ method: "PUT", path, token, body: JSON.stringify({ mtu }) }),
    rawRequest({ path, token }),
  ]);
  await connection.send(Buffer.concat(pairs));
  const seen: number[] = [];
  for (const _ of mtus) {
    await connection.reply();
    seen.push((await connection.reply())?.body.result.interconnect.mtu);
  }
  expect(seen).toEqual(mtus);
});

describe("a client that does not read", () => {
  test.each([
    [
      "pages under many host names, without a credential",
      10,
      (connection: number) =>
        times(MOST_PIPELINED, (number) => ({
          path: "/docs",
          host: `${connection}-${number}.localhost`,
          headers: ["accept: text/html"],
          token: null,
        })),
    ],
    ["pipelined lists", 2, () => times(MOST_PIPELINED, () => ({ path: LIST, token }))],
    ["lists on many connections", 20, () => times(20, () => ({ path: LIST, token }))],
  ])("%s: memory stays bounded, others are answered, and the connections end", async (_, count, requests) => {
    await server.ask("GET", LIST, { token });
    const open = await figure("connections");
    const held = heldMemory();
    using monitor = StallMonitor.start();
    const connections = await Promise.all(times(count, (index) => sendUnread(requests(index))));
    // Answered after all of those have arrived.
    const other = await server.ask("GET", one(idOf(0)), { token });
    expect(other.status).toBe(200);
    expect(await figure("bytes_under_way")).toBeLessThanOrEqual(BUDGET);
    const { longest } = monitor;
    expect(heldMemory() - held).toBeLessThan(BUDGET + 20 * MB);
    expect(longest).toBeLessThan(LONGEST_STEP);
    await allEnded(open);
    for (const connection of connections) connection.reset();
  });

  test("a connection with more requests than may wait is closed", async () => {
    const open = await figure("connections");
    const connection = await sendUnread(times(MOST_PIPELINED + 200, () => ({ path: LIST, token })));
    await allEnded(open);
    connection.reset();
  });

  test("on the metrics port is closed as well", async () => {
    using connection = new RawConnection(server.metricsUrl ?? "");
    connection.socket.pause();
    const closed = new Promise((resolve) => connection.socket.once("close", resolve));
    await connection.send(Buffer.concat(times(MOST_PIPELINED + 2, () => rawRequest({ path: "/metrics" }))));
    // A paused socket learns of the end when it writes.
    const knock = setInterval(() => connection.socket.write("x"), 50);
    await closed;
    clearInterval(knock);
  });

  test("but reads slowly gets everything", async () => {
    const connection = new RawConnection(server.url);
    const requests = times(20, () => rawRequest({ path: LIST, token }));
    await connection.send(Buffer.concat(requests));
    const step = setInterval(() => {
      if (connection.socket.isPaused()) connection.socket.resume();
      else connection.socket.pause();
    }, 20);
    for (const _ of requests) expect(rawVerdict(await connection.reply())).toBe("200");
    clearInterval(step);
    connection.reset();
  });
});

describe("when bodies and responses under way fill the budget", () => {
  const SIZE = 4_600_000;
  const uploads: RawConnection[] = [];
  const body = `{"interconnects":[]}${" ".repeat(SIZE - 20)}`;

  beforeAll(async () => {
    // Three quarters are for large messages: the fifth upload does not fit.
    for (let index = 0; index < 5; index++) {
      const connection = new RawConnection(server.url);
      uploads.push(connection);
      const request = rawRequest({ method: "PUT", path: LIST, token, body });
      await connection.send(request.subarray(0, -1));
      const arrived = index < 4 ? (index + 1) * (SIZE - 1) : 0;
      await vi.waitFor(
        async () => expect(await figure("bytes_under_way")).toBeGreaterThanOrEqual(arrived),
        POLL,
      );
    }
  });
  afterAll(() => {
    for (const connection of uploads) connection.reset();
  });

  test("a further upload is refused with 503, and told when to come again", async () => {
    const reply = await uploads[4]?.reply();
    expect([rawVerdict(reply), reply?.headers["retry-after"]]).toEqual(["503 990062", "1"]);
    expect(await figure("bytes_under_way")).toBeGreaterThanOrEqual(4 * SIZE - 4);
    expect(await figure("bytes_under_way")).toBeLessThanOrEqual(BUDGET * 0.75);
  });

  test("a list is refused with 503, and what is small is answered", async () => {
    const list = await server.ask("GET", LIST, { token });
    expect([list.status, codes(list), list.headers.get("retry-after")]).toEqual([503, [990062], "1"]);
    expect((await server.ask("GET", one(idOf(0)), { token })).status).toBe(200);
    const update = { token, body: { description: "small" } };
    expect((await server.ask("PUT", one(idOf(0)), update)).status).toBe(200);
  });

  test("an accepted change is answered as such, however large the response", async () => {
    const interconnects = times(200, (number) => ({ id: idOf(number), mtu: 1400 }));
    const reply = await server.ask("PUT", LIST, { token, body: { interconnects } });
    expect([reply.status, reply.body.result.modified_interconnects.length]).toEqual([200, 200]);
  });

  test("everything is answered again once they are through", async () => {
    await uploads[0]?.send("x");
    expect((await uploads[0]?.reply())?.status).toBe(400);
    for (const connection of uploads) connection.reset();
    await expect.poll(() => figure("bytes_under_way"), POLL).toBe(0);
    expect((await server.ask("GET", LIST, { token })).status).toBe(200);
  });
});
