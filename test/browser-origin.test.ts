import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { codes, demo, LIST, startTestServer, type TestServer } from "./harness/server.ts";

let server: TestServer;
let port: string;
beforeAll(async () => {
  server = await startTestServer();
  ({ port } = new URL(server.url));
});
afterAll(() => server.close());

/** `fetch` sets Host by itself, so these requests are written out. */
async function raw(headers: Readonly<Record<string, string>>): Promise<{ status: number; body: string }> {
  const { request } = await import("node:http");
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>();
  const asked = request({
    host: "127.0.0.1",
    port,
    path: LIST,
    headers: { authorization: `Bearer ${demo.token}`, ...headers },
  });
  asked.on("response", (response) => {
    let body = "";
    response.on("data", (chunk) => {
      body += chunk;
    });
    response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
  });
  asked.on("error", reject);
  asked.end();
  return promise;
}

describe("a server on loopback answers for", () => {
  test.each(["localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "[::1]", "patchbay.localhost"])(
    "%s",
    async (name) => {
      expect((await raw({ host: `${name}:${port}` })).status).toBe(200);
    },
  );
});

describe("it does not answer for", () => {
  test.each([
    "evil.example",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "10.0.0.1",
    "0.0.0.0",
    "user@localhost",
    "localhost/evil",
    "local host",
    "[::2]",
  ])("the host %j", async (name) => {
    const { status, body } = await raw({ host: name });
    expect(status).toBe(403);
    expect(JSON.parse(body).errors[0]).toMatchObject({ code: 990009 });
  });
});

describe("a page of another origin", () => {
  test.each(["https://evil.example", "http://localhost:1", "http://127.0.0.1", "null", "file://"])(
    "is refused: %s",
    async (origin) => {
      for (const [method, body] of [
        ["GET", undefined],
        ["PUT", {}],
      ] as const) {
        const reply = await server.ask(method, LIST, { headers: { origin }, body });
        expect(reply.status).toBe(403);
        expect(codes(reply)).toEqual([990010]);
        expect(reply.headers.get("access-control-allow-origin")).toBeNull();
      }
    },
  );

  test("gets no permission by a preflight", async () => {
    const reply = await server.ask("OPTIONS", LIST, {
      headers: { origin: "https://evil.example", "access-control-request-method": "PUT" },
    });
    expect(reply.status).toBe(403);
    expect([...reply.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
  });
});

test("a page of this server's own origin is answered", async () => {
  expect((await server.ask("GET", LIST, { headers: { origin: server.url } })).status).toBe(200);
});

test("the error pages are kept from foreign hosts too", async () => {
  const reply = await server.ask("GET", "/docs/errors", { headers: { origin: "https://evil.example" } });
  expect(reply.status).toBe(403);
});
