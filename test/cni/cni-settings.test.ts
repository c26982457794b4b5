import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { SETTINGS } from "../harness/cni-world.ts";
import { OTHER_ACCOUNT, problems, startTestServer, type TestServer } from "../harness/server.ts";
import { untouched, verdict } from "../harness/standing.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
beforeEach(() => server.reset());
afterAll(() => server.close());

describe("the settings", () => {
  test("are none until they are set, and none leaves no trace", async () => {
    const other = SETTINGS.replace(/accounts\/\w+/, `accounts/${OTHER_ACCOUNT}`);
    expect((await server.ask("GET", other)).body).toEqual({ default_asn: 0 });
    for (const body of [{}, { default_asn: null }, { default_asn: 0 }]) {
      const reply = await untouched(server, () => server.ask("PUT", other, { body }));
      expect(reply.body).toEqual({ default_asn: 0 });
    }
  });

  test.each([[-1], [2147483648], [1.5], ["1"], [true], [[]]])("are not %j", async (default_asn) => {
    const reply = await untouched(server, () => server.ask("PUT", SETTINGS, { body: { default_asn } }));
    expect(reply.status).toBe(400);
    expect(problems(reply)[0]).toContain("/default_asn");
  });

  test("are changed only as they were read, if the request says so", async () => {
    const stale = { "if-match": (await server.ask("GET", SETTINGS)).headers.get("etag") ?? "" };
    const asked = { headers: stale, body: { default_asn: 1 } };
    expect((await server.ask("PUT", SETTINGS, asked)).status).toBe(200);
    expect(verdict(await untouched(server, () => server.ask("PUT", SETTINGS, asked)))).toBe("412 990014");
  });
});
