import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  ACCOUNT,
  type Ask,
  LIST,
  ORD,
  OTHER_ACCOUNT,
  OWN,
  one,
  type Reply,
  startTestServer,
  type TestServer,
} from "./harness/server.ts";
import { untouched, verdict } from "./harness/standing.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
beforeEach(() => server.reset());
afterAll(() => server.close());

const put = (path: string, body: unknown) => server.ask("PUT", path, { body });
const changes = (query = "") => server.ask("GET", `${OWN}/changes${query}`);
const revisions = ({ body }: Reply): number[] =>
  body.result.map(({ revision }: { revision: number }) => revision);

describe("reset", () => {
  const reset = (asked: Ask = {}) => server.ask("POST", "/patchbay/v1/reset", asked);

  test("goes back to the seed: objects and log, under a new epoch of every account", async () => {
    const seeded = (await server.ask("GET", LIST)).body.result;
    for (const mtu of [1300, 1301, 1302]) await put(one(ORD), { mtu });
    const before = (await changes()).body.result_info.epoch;
    const { body } = await reset();
    expect(body.result.accounts.map(({ id }: { id: string }) => id)).toEqual([ACCOUNT, OTHER_ACCOUNT]);
    const { epoch, revision } = (await server.ask("GET", `${OWN}/state`)).body.result;
    expect(revision).toBe(1);
    expect(epoch).not.toBe(before);
    expect(body.result.accounts[0].epoch).toBe(epoch);
    expect(revisions(await changes())).toEqual([1]);
    expect((await server.ask("GET", LIST)).body.result).toEqual(seeded);
  });

  test("takes no body, or an empty object", async () => {
    expect(verdict(await reset({ body: {} }))).toBe("200");
    for (const body of [{ seed: "x" }, [], "null", "{"]) {
      expect(verdict(await untouched(server, () => reset({ body })))).toBe("400 1022");
    }
  });

  test("waits for what is under way, which is made before it or after it", async () => {
    const writers = Array.from({ length: 20 }, (_, index) => put(one(ORD), { description: `${index}` }));
    const [, ...made] = await Promise.all([reset(), ...writers]);
    for (const reply of made) expect(reply.status).toBe(200);
    const { body } = await server.ask("GET", `${OWN}/state`);
    expect(revisions(await changes("?limit=100"))[0]).toBe(body.result.revision);
    expect(body.result.revision).toBeLessThanOrEqual(21);
  });

  test("exists in a sandbox alone: 403 elsewhere, and nothing is lost", async () => {
    await using real = await startTestServer({ sandbox: false });
    await real.ask("PUT", one(ORD), { body: { mtu: 1400 } });
    const reply = await real.ask("POST", "/patchbay/v1/reset");
    expect(verdict(reply)).toBe("403 990038");
    expect(reply.body.errors[0].message).toContain("--sandbox");
    expect((await real.ask("GET", one(ORD))).body.result.interconnect.mtu).toBe(1400);
  });
});
