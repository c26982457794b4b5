import { writeFileSync } from "node:fs";
import { type IncomingHttpHeaders, request } from "node:http";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildDashboard } from "../harness/dashboard.ts";
import { startTestServer, type TestServer } from "../harness/server.ts";
import { temporaryDirectory } from "../harness/temporary.ts";

const BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

let server: TestServer;
beforeAll(async () => {
  await buildDashboard();
  server = await startTestServer();
});
afterAll(() => server.close());

/** An answer whose body is as it was sent. */
async function get(path: string, headers: Readonly<Record<string, string>> = {}, base = server.url) {
  const sent = request(base + path, { headers });
  const answer = await new Promise<{ status: number; headers: IncomingHttpHeaders; body: Buffer }>(
    (resolve, reject) => {
      sent.on("error", reject);
      sent.on("response", (response) => {
        buffer(response).then(
          (body) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
          reject,
        );
      });
      sent.end();
    },
  );
  return { ...answer, text: answer.body.toString() };
}

/** The script that the page loads first. */
async function firstScript(): Promise<string> {
  const { text } = await get("/", { accept: BROWSER });
  return /src="(\/assets\/index[^"]+\.js)"/.exec(text)?.[1] ?? "";
}

describe("the dashboard", () => {
  test.each(["/", "/dashboard", "/dashboard/sign-in", "/dashboard/023e/interconnects?q=ord"])(
    "is the page at %s, asked again each time",
    async (path) => {
      const { status, headers, text } = await get(path, { accept: BROWSER });
      expect(status).toBe(200);
      expect(headers["content-type"]).toBe("text/html; charset=utf-8");
      expect(headers["cache-control"]).toBe("no-cache");
      expect(text).toContain('<div id="root">');
    },
  );

  test("forbids everything that is not from this server, and everything inline", async () => {
    for (const path of ["/", await firstScript()]) {
      const { headers, text } = await get(path, { accept: BROWSER });
      expect(headers["content-security-policy"]).toBe(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
      );
      expect(headers["x-content-type-options"]).toBe("nosniff");
      if (path === "/") expect(text).not.toMatch(/<style|style=|<script(?![^>]*src="\/)|https?:/);
    }
  });

  test("leaves programs the start page, in Markdown", async () => {
    const { headers, text } = await get("/", { accept: "*/*" });
    expect(headers["content-type"]).toBe("text/markdown; charset=utf-8");
    expect(text).toContain("Update multiple interconnects");
    expect(text).not.toContain("build:web");
  });

  test("has files that are kept for good, since their names are of their content", async () => {
    const { status, headers } = await get(await firstScript());
    expect(status).toBe(200);
    expect(headers["content-type"]).toBe("text/javascript; charset=utf-8");
    expect(headers["cache-control"]).toBe("public, max-age=31536000, immutable");
  });

  test.each([
    ["gzip, deflate, br, zstd", "br"],
    ["gzip, deflate", "gzip"],
    ["br;q=0, gzip;q=0.5", "gzip"],
    ["identity", undefined],
    ["gzip;q=0", undefined],
  ])("is sent to who takes %j as %s, and is the same", async (accepted, encoding) => {
    for (const path of ["/", await firstScript()]) {
      const plain = await get(path, { accept: BROWSER });
      const sent = await get(path, { accept: BROWSER, "accept-encoding": accepted });
      expect(sent.headers["content-encoding"]).toBe(encoding);
      expect(sent.headers.vary).toContain("accept-encoding");
      const read = { br: brotliDecompressSync, gzip: gunzipSync }[encoding ?? ""] ?? ((body: Buffer) => body);
      expect(read(sent.body).equals(plain.body)).toBe(true);
    }
  });

  test.each(["/assets/none.js", "/assets/..%2findex.html", "/assets/.hidden.js", "/assets/x.br", "/assets/"])(
    "has no file %s",
    async (path) => {
      const { status, headers } = await get(path, { accept: BROWSER });
      expect(status).toBe(404);
      expect(headers["content-type"]).toBe("application/json");
    },
  );

  test("where it is not built, the start page says how to build it; once it is there, it is shown", async () => {
    const folder = temporaryDirectory();
    await using bare = await startTestServer({}, { dashboard: folder });
    const before = await get("/", { accept: BROWSER }, bare.url);
    expect(before.headers["content-type"]).toBe("text/html; charset=utf-8");
    expect(before.text).toContain("<code>npm run build:web</code>");
    expect(before.text).toContain("Update multiple interconnects");
    writeFileSync(join(folder, "index.html"), "here");
    expect((await get("/", { accept: BROWSER }, bare.url)).text).toBe("here");
  });
});
