/** Clients that send much and read nothing, close their side early, or hold back the end of what they send. */

import { Server } from "node:net";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import {
  LISTEN_BACKLOG,
  MAX_BODY_BYTES,
  MAX_BODY_BYTES_UNDER_WAY,
  MAX_PUBLIC_BYTES_UNDER_WAY,
} from "../src/contract/limits.ts";
import { Budget } from "../src/server/network/budget.ts";
import { RawConnection, type RawReply, rawRequest, rawVerdict } from "./harness/raw.ts";
import { demo, LIST, ORD, OWN, one, startTestServer, type TestServer } from "./harness/server.ts";
import { StallMonitor } from "./harness/stall-monitor.ts";

/** Milliseconds for a response of which the client receives nothing more. */
const PATIENCE = 1_500;
const MIB = 1024 * 1024;

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({}, { patience: { response: PATIENCE } });
});
afterAll(() => server.close());

const docs = (host: string) =>
  rawRequest({ path: "/docs", host, token: null, headers: ["Accept: text/html"] });

/** Bytes that the process holds for objects and buffers. */
function held(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** A connection that never reads. */
async function deaf(bytes: Uint8Array): Promise<RawConnection> {
  const connection = new RawConnection(server.url);
  connection.socket.pause();
  await connection.send(bytes);
  return connection;
}

/** Resolves when the server has ended a connection that reads nothing: only what is written to it shows that. */
async function cut({ socket, closed }: RawConnection): Promise<void> {
  const writing = setInterval(() => socket.write(" "), 20);
  await closed;
  clearInterval(writing);
}

describe("requests that a client sends at once", () => {
  test("are answered in order, and a read after a write sees the write", async () => {
    using connection = new RawConnection(server.url);
    const requests = Array.from({ length: 100 }, (_, index) => [
      rawRequest({ method: "PUT", path: one(ORD), body: `{"mtu":${600 + index}}` }),
      rawRequest({ path: one(ORD) }),
    ]);
    await connection.send(Buffer.concat(requests.flat()));
    const seen: number[] = [];
    for (const _ of requests) {
      expect(rawVerdict(await connection.reply())).toBe("200");
      seen.push((await connection.reply())?.body.result.interconnect.mtu);
    }
    expect(seen).toEqual(requests.map((_, index) => 600 + index));
  });

  test("and whose responses it never reads are not all answered: memory stays flat, and the connection ends", async () => {
    await server.ask("GET", "/docs");
    const before = held();
    using monitor = StallMonitor.start();
    using connection = await deaf(
      Buffer.concat(Array.from({ length: 1_100 }, (_, index) => docs(`${index}.localhost`))),
    );
    for (let round = 0; round < 20; round++) expect((await server.ask("GET", one(ORD))).status).toBe(200);
    // One text is 1 MB, and without turns there would be 1,100.
    expect(held() - before).toBeLessThan(100 * MIB);
    expect(monitor.longest).toBeLessThan(250);
    await cut(connection);
  });

  test("behind one that asks for an upgrade are not swallowed: the connection ends", async () => {
    using connection = new RawConnection(server.url);
    const first = rawRequest({ path: one(ORD), headers: ["Connection: Upgrade", "Upgrade: x"] });
    await connection.send(Buffer.concat([first, rawRequest({ path: LIST })]));
    const reply = await connection.reply();
    expect(reply?.status).toBe(200);
    expect(reply?.headers["connection"]).toBe("close");
    await connection.closed;
  });

  test("before bytes that are no request are answered first", async () => {
    using connection = new RawConnection(server.url);
    const requests = [
      rawRequest({ path: one(ORD) }),
      rawRequest({ path: LIST }),
      rawRequest({ path: one(ORD) }),
    ];
    await connection.send(Buffer.concat([...requests, Buffer.from("\0\0\0\r\n\r\n")]));
    const verdicts = [];
    for (let reply = await connection.reply(); reply; reply = await connection.reply())
      verdicts.push(rawVerdict(reply));
    expect(verdicts).toEqual(["200", "200", "200", "400 990005"]);
  });
});

test("a client that closes its side is answered, at once by a long poll", async () => {
  using connection = new RawConnection(server.url);
  const { revision } = (await server.ask("GET", `${OWN}/state`)).body.result;
  await connection.send(rawRequest({ path: `${OWN}/changes?after=${revision}&wait=60` }));
  connection.socket.end();
  const reply = await connection.reply();
  expect([rawVerdict(reply), reply?.body.result]).toEqual(["200", []]);
});

test("a body that is too long is refused in a response that arrives", async () => {
  const body = Buffer.alloc(MAX_BODY_BYTES + 4 * MIB, " ");
  for (let round = 0; round < 5; round++)
    expect(
      (
        await fetch(server.url + LIST, {
          method: "PUT",
          body,
          headers: {
            "content-type": "application/json",
            authorization: `Bearer ${demo.token}`,
          },
        })
      ).status,
    ).toBe(413);
});

describe("a budget", () => {
  test("holds as many bytes as its limit, and none more", () => {
    const closes: (() => void)[] = [];
    const response = { once: (_: string, act: () => void) => closes.push(act) };
    const budget = new Budget(10);
    expect(budget.hold(10, response as never)).toBe(true);
    expect(budget.hold(1, response as never)).toBe(false);
    for (const close of closes) close();
    expect(budget.used).toBe(0);
    expect(budget.hold(10, response as never)).toBe(true);
  });

  test("of bodies under way keeps uploads out that hold back their end, and lets small requests in", async () => {
    const head = rawRequest({
      method: "PUT",
      path: LIST,
      headers: ["Content-Type: application/json", `Content-Length: ${MAX_BODY_BYTES}`],
    });
    const most = MAX_BODY_BYTES_UNDER_WAY / MAX_BODY_BYTES;
    const connections = await Promise.all(
      Array.from({ length: most }, async () => {
        const connection = new RawConnection(server.url);
        await connection.send(head);
        return connection;
      }),
    );
    try {
      using another = new RawConnection(server.url);
      let reply: RawReply | undefined;
      await another.send(head);
      reply = await another.reply();
      expect(rawVerdict(reply)).toBe("503 990048");
      expect(reply?.headers["retry-after"]).toBe("1");
      expect((await server.ask("PUT", one(ORD), { body: { mtu: 1400 } })).status).toBe(200);
      for (const connection of connections) connection.reset();
      // Once they are gone, there is room again.
      do {
        using next = new RawConnection(server.url);
        const body = " ".repeat(MAX_BODY_BYTES);
        await next.send(rawRequest({ method: "PUT", path: LIST, body }));
        reply = await next.reply();
      } while (reply?.status === 503);
      expect(rawVerdict(reply)).toBe("400 1022");
    } finally {
      for (const connection of connections) connection.reset();
    }
  });

  test("of public pages under way is not that of requests with a credential", async () => {
    const { length } = Buffer.from(
      await (await fetch(`${server.url}/docs`, { headers: { accept: "text/html" } })).text(),
    );
    const most = Math.floor(MAX_PUBLIC_BYTES_UNDER_WAY / length);
    const connections = await Promise.all(
      // What the system takes of a response is not held here: each asks for more than that.
      Array.from({ length: most }, () => deaf(Buffer.concat(Array(20).fill(docs("localhost"))))),
    );
    try {
      using last = new RawConnection(server.url);
      await last.send(docs("localhost"));
      expect((await last.reply())?.status).toBe(503);
      expect((await server.ask("GET", LIST)).status).toBe(200);
      await Promise.all(connections.map(cut));
      using next = new RawConnection(server.url);
      await next.send(docs("localhost"));
      expect((await next.reply())?.status).toBe(200);
    } finally {
      for (const connection of connections) connection.reset();
    }
  });
});

test("every listener lets as many connections wait as the limit says", async () => {
  const listen = vi.spyOn(Server.prototype, "listen");
  await using another = await startTestServer({ metricsPort: 0 });
  const backlogs = listen.mock.calls.map((call) => {
    const [first, , third]: readonly unknown[] = call;
    return typeof first === "object" && first !== null ? Reflect.get(first, "backlog") : third;
  });
  listen.mockRestore();
  expect(another.metricsUrl).toBeDefined();
  expect(backlogs.length).toBeGreaterThanOrEqual(2);
  expect(backlogs).toEqual(backlogs.map(() => LISTEN_BACKLOG));
  expect(LISTEN_BACKLOG).toBeGreaterThan(2_000);
});
