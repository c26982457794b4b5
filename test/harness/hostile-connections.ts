/** What is sent by who does not speak HTTP, speaks it slowly, or breaks off: in clear as under TLS. */

import { Writable } from "node:stream";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { TlsFiles } from "../../src/server/config.ts";
import { askRaw, RawConnection, type RawReply, type RawRequest, rawRequest, rawVerdict } from "./raw.ts";
import { LIST, ORD, OWN, one, startTestServer, type TestServer } from "./server.ts";
import { revision, standing, untouched } from "./standing.ts";

/** The tests, on a server with these files of TLS or in clear. */
export function describeHostileConnections(tls?: TlsFiles): void {
  let server: TestServer;
  let seeded: unknown;
  const logged: string[] = [];
  const logTo = new Writable({
    write(line, _, done) {
      logged.push(String(line));
      done();
    },
  });

  beforeAll(async () => {
    server = await startTestServer({ logLevel: "warn", tls }, { logTo });
    seeded = await standing(server);
  });
  afterEach(async () => {
    // Whatever was sent: nothing was changed, and nothing happened that the server did not foresee.
    expect(await standing(server)).toEqual(seeded);
    expect(logged).toEqual([]);
  });
  afterAll(() => server.close());

  const ask = (request: RawRequest | string) => askRaw(server.url, request);
  const told = async (request: RawRequest | string) => rawVerdict(await ask(request));
  const message = (reply: RawReply | undefined): string => reply?.body.errors[0].message;

  /** A PUT that says what it will send, and does not send it. */
  const opening = (...headers: string[]) =>
    rawRequest({
      method: "PUT",
      path: LIST,
      headers: ["Content-Type: application/json", ...headers],
    }).toString("latin1");

  describe("what is not a request", () => {
    test.each([
      ["a TLS greeting where none belongs", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"],
      ["an empty path", "GET  HTTP/1.1\r\n\r\n"],
      ["a path with a space", "GET /a b HTTP/1.1\r\n\r\n"],
      ["no version", "GET / HTTP\r\n\r\n"],
      ["a version from elsewhere", "GET / ICE/1.0\r\n\r\n"],
      ["NULs", "\0".repeat(100)],
      ["a PROXY line", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nGET / HTTP/1.1\r\n\r\n"],
      ["a header without a colon", "GET / HTTP/1.1\r\nHost localhost\r\n\r\n"],
      ["a header with a space in its name", "GET / HTTP/1.1\r\nHost: localhost\r\nX A: 1\r\n\r\n"],
      ["a NUL in a header", "GET / HTTP/1.1\r\nHost: localhost\r\nX: \0\r\n\r\n"],
      ["a folded header", "GET / HTTP/1.1\r\n Host: localhost\r\n\r\n"],
    ])("%s: 400, and the connection is closed", async (_, bytes) => {
      using connection = new RawConnection(server.url);
      await connection.send(bytes);
      expect(rawVerdict(await connection.reply())).toBe("400 990005");
      await connection.closed;
    });

    test.each([
      ["Content-Length: x"],
      ["Content-Length: -1"],
      ["Content-Length: +2"],
      ["Content-Length: 0x2"],
      ["Content-Length: 2, 2"],
      ["Content-Length: 2", "Content-Length: 3"],
      ["Content-Length: 99999999999999999999"],
      ["Content-Length: 2", "Transfer-Encoding: chunked"],
      ["Transfer-Encoding: gzip"],
      ["Transfer-Encoding: chunked, gzip"],
    ])("%s %s: 400", async (...headers) => {
      expect(await told(`${opening(...headers)}{}`)).toBe("400 990005");
    });

    test.each([
      "zz\r\n{}\r\n0\r\n\r\n",
      "-2\r\n{}\r\n0\r\n\r\n",
      "2\r\n{}x\r\n0\r\n\r\n",
      `${"f".repeat(20)}\r\n{}`,
    ])("a body in chunks that are none: 400 (%j)", async (chunks) => {
      expect(await told(opening("Transfer-Encoding: chunked") + chunks)).toBe("400 990005");
    });

    test("a body in honest chunks is read, extensions and trailers with it", async () => {
      const chunks = "1;a=b\r\n{\r\n1\r\n}\r\n0\r\nX-Trailer: 1\r\n\r\n";
      expect(await told(opening("Transfer-Encoding: chunked") + chunks)).toBe("200");
    });

    test("a body in chunks is bounded too", async () => {
      const size = 64 * 1024;
      const chunk = `${size.toString(16)}\r\n${"x".repeat(size)}\r\n`;
      using connection = new RawConnection(server.url);
      await connection.send(opening("Transfer-Encoding: chunked"));
      for (let sent = 0; sent <= 16 * 1024 * 1024; sent += size) connection.socket.write(chunk);
      expect(rawVerdict(await connection.reply())).toBe("413 990007");
    });

    test.each([
      ["a path of 20 kB", { path: `/${"x".repeat(20_000)}` }],
      ["a header of 20 kB", { path: LIST, headers: [`X-A: ${"x".repeat(20_000)}`] }],
      ["a header of 1 MB", { path: LIST, headers: [`X-A: ${"x".repeat(1_000_000)}`] }],
      ["3,000 headers", { path: LIST, headers: Array.from({ length: 3000 }, (_, index) => `X-${index}: 1`) }],
      ["a credential of 20 kB", { path: LIST, token: "x".repeat(20_000) }],
    ])("%s: 431", async (_, request) => {
      const reply = await ask(request);
      expect(rawVerdict(reply)).toBe("431 990006");
      expect(message(reply)).toBe("The request's headers are larger than 16384 bytes.");
    });

    test("without a Host: 400; by HTTP/1.0 as by HTTP/1.1", async () => {
      for (const version of ["1.0", "1.1"]) {
        const reply = await ask({ path: LIST, host: null, version });
        expect(message(reply)).toBe("The request is not valid HTTP: the Host header is missing.");
        expect(await told({ path: LIST, version })).toBe("200");
      }
    });

    test("an expectation that nobody knows does not matter, and one to go on is met", async () => {
      expect(await told({ path: LIST, headers: ["Expect: miracles"] })).toBe("200");
      const headers = ["Expect: 100-continue"];
      expect(await told({ method: "PUT", path: LIST, body: "{}", headers })).toBe("200");
    });

    test("an upgrade is not made", async () => {
      const headers = [
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Key: eA==",
        "Sec-WebSocket-Version: 13",
      ];
      const reply = await ask({ path: LIST, headers });
      expect([rawVerdict(reply), reply?.headers["connection"]]).toEqual(["200", "close"]);
    });

    test("a request that follows a request for an upgrade is not lost on a connection that stays open", async () => {
      using connection = new RawConnection(server.url);
      const upgrade = { path: LIST, headers: ["Connection: Upgrade", "Upgrade: x"] };
      await connection.send(Buffer.concat([rawRequest(upgrade), rawRequest({ path: LIST })]));
      expect(rawVerdict(await connection.reply())).toBe("200");
      await connection.closed;
    });
  });

  describe("many requests on one connection", () => {
    test("are answered in their order, and what follows them is refused after that", async () => {
      using connection = new RawConnection(server.url);
      const requests = [
        rawRequest({ path: one(ORD) }),
        rawRequest({ method: "PUT", path: LIST, body: "{}" }),
        rawRequest({ path: one("0") }),
        rawRequest({ path: LIST }),
      ];
      await connection.send(Buffer.concat([...requests, Buffer.from("garbage\r\n\r\n")]));
      const verdicts: string[] = [];
      for (let i = 0; i < 6; i++) verdicts.push(rawVerdict(await connection.reply()));
      expect(verdicts).toEqual(["200", "200", "404 990024", "200", "400 990005", "closed"]);
    });

    test("a follower gets its answer before the garbage that was sent after its request gets one", async () => {
      using connection = new RawConnection(server.url);
      await connection.send(rawRequest({ path: `${OWN}/changes?after=1&wait=1` }));
      await connection.send("garbage\r\n\r\n");
      const first = await connection.reply();
      expect(first?.body).toMatchObject({ success: true, result: [] });
      expect(rawVerdict(await connection.reply())).toBe("400 990005");
    });

    test("are answered to a client that has closed its side, also if it has to wait", async () => {
      using connection = new RawConnection(server.url);
      const waiting = rawRequest({ path: `${OWN}/changes?after=1&wait=1` });
      await connection.send(Buffer.concat([waiting, rawRequest({ path: LIST })]));
      connection.socket.end();
      expect((await connection.reply())?.body).toMatchObject({ success: true, result: [] });
      expect(rawVerdict(await connection.reply())).toBe("200");
      await connection.closed;
    });

    test("a broken body of a request that waits for its turn is refused in its turn", async () => {
      using connection = new RawConnection(server.url);
      await connection.send(rawRequest({ path: `${OWN}/changes?after=1&wait=1` }));
      await connection.send(`${opening("Transfer-Encoding: chunked")}zz\r\n`);
      expect((await connection.reply())?.body).toMatchObject({ success: true, result: [] });
      expect(rawVerdict(await connection.reply())).toBe("400 990005");
      await connection.closed;
    });

    test("a body that is left behind by a refusal is not taken for a request", async () => {
      using connection = new RawConnection(server.url);
      const inner = rawRequest({ method: "PUT", path: one(ORD), body: '{"mtu":1300}' });
      await connection.send(rawRequest({ method: "PUT", path: LIST, token: "x", body: inner }));
      await connection.send(rawRequest({ path: one(ORD) }));
      expect(rawVerdict(await connection.reply())).toBe("400 6003");
      const next = await connection.reply();
      expect(next?.body.result.interconnect.mtu).toBe(1476);
    });
  });

  test("a client that reads nothing before it has sent a body that is too large gets the refusal", async () => {
    using connection = new RawConnection(server.url);
    connection.socket.pause();
    const length = 20 * 1024 * 1024;
    await connection.send(opening(`Content-Length: ${length}`));
    await connection.send(Buffer.alloc(length));
    connection.socket.resume();
    expect(rawVerdict(await connection.reply())).toBe("413 990007");
    await connection.closed;
  });

  test("a large body that nobody will read ends the connection, a small one does not", async () => {
    const refused = async (length: number) => {
      const headers = [`Content-Length: ${length}`, "Content-Type: application/json"];
      const reply = await ask({ method: "PUT", path: LIST, token: "x", headers });
      expect(rawVerdict(reply)).toBe("400 6003");
      return reply?.headers["connection"];
    };
    expect(await refused(1000)).toBe("keep-alive");
    expect(await refused(1_000_000)).toBe("close");
  });

  describe("slowness", () => {
    /** With less patience, so that a test of slowness is not slow. */
    let hasty: TestServer;
    beforeAll(async () => {
      hasty = await startTestServer({ tls }, { patience: { headers: 200, request: 400, check: 20 } });
    });
    afterAll(() => hasty.close());

    test.each([
      ["the first line", "GET / HT", "0.2"],
      ["a header", "GET / HTTP/1.1\r\nHost: loc", "0.2"],
      ["the end of the headers", "GET / HTTP/1.1\r\nHost: localhost\r\n", "0.2"],
      ["the body", `${opening("Content-Length: 100")}{"interconnects"`, "0.4"],
      ["a chunk", `${opening("Transfer-Encoding: chunked")}5\r\n{`, "0.4"],
    ])(
      "a request that stops before %s is through: 408, and the connection is closed",
      async (_, bytes, seconds) => {
        using connection = new RawConnection(hasty.url);
        await connection.send(bytes);
        const reply = await connection.reply();
        expect(rawVerdict(reply)).toBe("408 990004");
        expect(message(reply)).toBe(`The request did not arrive whole within ${seconds} seconds.`);
        await connection.closed;
      },
    );

    test("a header every now and then does not buy more time", async () => {
      using connection = new RawConnection(hasty.url);
      await connection.send("GET / HTTP/1.1\r\nHost: localhost\r\n");
      const drip = setInterval(() => connection.socket.write("X-A: b\r\n"), 30);
      expect(rawVerdict(await connection.reply())).toBe("408 990004");
      clearInterval(drip);
    });

    test("a client that does not leave after its refusal is cut off", async () => {
      using connection = new RawConnection(hasty.url);
      await connection.send("GARBAGE\r\n\r\n");
      await connection.reply();
      await connection.closed;
      const gone = new Promise((resolve) => connection.socket.once("close", resolve));
      const knock = setInterval(() => connection.socket.write("x"), 100);
      await gone;
      clearInterval(knock);
    });

    test("a request that never ends does not keep the server from stopping", async () => {
      const stopping = await startTestServer({ tls }, { patience: { stopping: 200 } });
      using headers = new RawConnection(stopping.url);
      using body = new RawConnection(stopping.url);
      await headers.send("GET / HTTP/1.1\r\n");
      await body.send(`${opening("Content-Length: 100")}{`);
      // Answered after both have arrived.
      expect(rawVerdict(await askRaw(stopping.url, { path: LIST }))).toBe("200");
      await stopping.close();
      await Promise.all([headers.closed, body.closed]);
    });
  });

  describe("a connection that is broken off", () => {
    const parts = [
      ["in the first line", "PUT /cli"],
      ["in the headers", opening("Content-Length: 100").slice(0, -4)],
      ["before the body", opening("Content-Length: 100")],
      ["in the body", `${opening("Content-Length: 100")}{"interconnects":[{"id":"${ORD}","mtu":1400}]}`],
      ["in a chunk", `${opening("Transfer-Encoding: chunked")}30\r\n{"interconnects":[{"id":"${ORD}",`],
      ["while its answer is waited for", rawRequest({ path: `${OWN}/changes?after=1&wait=30` })],
      ["before its answer is read", rawRequest({ path: LIST })],
    ] as const;

    test.each(parts)("%s leaves nothing behind", async (_, bytes) => {
      for (let i = 0; i < 20; i++) {
        using connection = new RawConnection(server.url);
        await connection.send(bytes);
        connection.reset();
      }
      expect(await revision(server)).toBe(1);
    });

    test.each(parts.slice(0, 5))("%s by a client that still listens is told so", async (_, bytes) => {
      using connection = new RawConnection(server.url);
      await connection.send(bytes);
      connection.socket.end();
      expect(rawVerdict(await connection.reply())).toBe("400 990005");
    });

    test("in the midst of a large answer does not trouble the next", async () => {
      await untouched(server, async () => {
        for (let i = 0; i < 20; i++) {
          using connection = new RawConnection(server.url);
          await connection.send(Buffer.concat(Array.from({ length: 50 }, () => rawRequest({ path: LIST }))));
          await connection.reply();
          connection.reset();
        }
      });
      expect(await told({ path: LIST })).toBe("200");
    });
  });
}
