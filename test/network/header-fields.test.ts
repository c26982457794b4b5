import { Server as HttpServer } from "node:http";
import { Server } from "node:net";
import { afterEach, expect, test, vi } from "vitest";
import { StatusServer } from "../../src/edge/status.ts";
import { makeCertificate, writePair } from "../harness/certificates.ts";
import { askRaw, rawVerdict } from "../harness/raw.ts";
import { LIST, startTestServer } from "../harness/server.ts";
import { temporaryDirectory } from "../harness/temporary.ts";

afterEach(() => vi.restoreAllMocks());

test("no HTTP server limits the number of header fields, past which Node drops them", async () => {
  const listen = vi.spyOn(Server.prototype, "listen");
  const tls = writePair(temporaryDirectory(), makeCertificate());
  await using secure = await startTestServer({ tls, metricsPort: 0 });
  await using plain = await startTestServer({ host: "localhost" });
  await using agent = await StatusServer.open(temporaryDirectory(), 0, () => {
    throw new Error("Not asked for.");
  });
  expect([secure.url, plain.url, agent]).toHaveLength(3);
  const opened = [...new Set(listen.mock.contexts)];
  expect(opened.length).toBeGreaterThanOrEqual(5);
  expect(opened.map((server) => Reflect.get(Object(server), "maxHeadersCount"))).toEqual(opened.map(() => 0));
  expect(opened.filter((server) => server instanceof HttpServer).length).toBeGreaterThanOrEqual(4);
});

test("a field that follows as many others as fit is judged", async () => {
  await using server = await startTestServer();
  const headers = [...Array.from({ length: 900 }, () => "a:"), "Origin: http://evil.example"];
  expect(rawVerdict(await askRaw(server.url, { path: LIST, headers }))).toBe("403 990010");
});
