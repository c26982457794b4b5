import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  AMS,
  LIST,
  ORD,
  OTHER_ACCOUNT,
  OWN,
  one,
  SIN,
  startTestServer,
  type TestServer,
} from "./harness/server.ts";
import { verdict } from "./harness/standing.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
beforeEach(() => server.reset());
afterAll(() => server.close());

const put = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  server.ask("PUT", path, { body, headers });
const last = async (...ids: string[]) =>
  (await server.ask("GET", `${OWN}/last-changes?${ids.map((id) => `interconnect=${id}`).join("&")}`)).body
    .result;

describe("the last change of an interconnect", () => {
  test("is told with who made it, when and why, in the order that was asked for", async () => {
    await put(one(AMS), { mtu: 1400 }, { "x-patchbay-reason": "Less" });
    await put(one(ORD), { mtu: 1300 });
    const [newest] = (await server.ask("GET", `${OWN}/changes?limit=1`)).body.result;
    const by = { type: "token", name: "everything" };
    const told = await last(SIN, ORD, AMS);
    expect(told).toMatchObject([
      { interconnect: SIN, revision: 1, change: { operation: "seed", actor: { type: "system" } } },
      { interconnect: ORD, revision: 3, change: { operation: "updateInterconnect", actor: by } },
      { interconnect: AMS, revision: 2, change: { actor: by, reason: "Less" } },
    ]);
    expect(told[1].change).toEqual({
      time: newest.time,
      actor: newest.actor,
      operation: newest.operation,
    });
  });

  test("is that of the whole, where many were changed at once; and moves with the next", async () => {
    await put(LIST, { interconnects: [ORD, AMS].map((id) => ({ id, description: "both" })) });
    expect((await last(ORD, AMS)).map(({ revision }: { revision: number }) => revision)).toEqual([2, 2]);
    await put(one(ORD), { description: "one" });
    expect((await last(ORD, AMS)).map(({ revision }: { revision: number }) => revision)).toEqual([3, 2]);
  });

  test("is none of an interconnect that there is not; if none is named, it is that of each", async () => {
    expect(await last("f".repeat(32), ORD)).toMatchObject([{ interconnect: ORD }]);
    const { body } = await server.ask("GET", `${OWN}/last-changes`);
    expect(body.result.map(({ interconnect }: { interconnect: string }) => interconnect)).toEqual([
      ORD,
      AMS,
      SIN,
    ]);
  });

  test("is another after a reset, although the revision is the same", async () => {
    await put(one(ORD), { mtu: 1300 }, { "x-patchbay-reason": "Before" });
    expect(await last(ORD)).toMatchObject([{ revision: 2, change: { reason: "Before" } }]);
    await server.reset();
    await put(one(ORD), { mtu: 1300 }, { "x-patchbay-reason": "After" });
    expect(await last(ORD)).toMatchObject([{ revision: 2, change: { reason: "After" } }]);
  });

  test("is seen by who may read the log, of its own account", async () => {
    const ask = (path: string, token: string) => server.ask("GET", path, { token });
    const path = `${OWN}/last-changes?interconnect=${ORD}`;
    expect(verdict(await ask(path, "demo-patchbay-read-token-000000000000000"))).toBe("200");
    expect((await ask(path, "demo-magic-read-only-token-0000000000000")).status).toBe(403);
    const other = `/patchbay/v1/accounts/${OTHER_ACCOUNT}/last-changes?interconnect=${ORD}`;
    expect((await ask(other, "demo-patchbay-edge-token-000000000000000")).status).toBe(403);
  });
});
