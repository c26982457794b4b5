import Cloudflare from "cloudflare";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createPatchbay } from "../src/index.ts";
import { QUOTA } from "../src/server/rate.ts";
import { runInProcess, serveInProcess } from "./harness/command.ts";
import { makeSeed, OWN_TOKEN } from "./harness/seeds.ts";
import {
  ACCOUNT,
  type Ask,
  ask,
  demo,
  LIST,
  ORD,
  one,
  startTestServer,
  type TestServer,
} from "./harness/server.ts";
import { verdict } from "./harness/standing.ts";
import { temporaryDirectory } from "./harness/temporary.ts";

let now = Date.parse("2026-01-01T00:00:00Z");
const clock = { now: () => now, timestamp: () => new Date(now).toISOString().replace("Z", "000Z") };
function later(seconds: number): void {
  now += seconds * 1000;
}

let server: TestServer;
beforeEach(async () => {
  server = await startTestServer({ rateLimit: 5 }, { clock });
});
afterEach(() => server.close());

const key: Ask = { token: null, headers: { "x-auth-email": demo.email, "x-auth-key": demo.key } };
const get = (asked: Ask = {}) => server.ask("GET", LIST, asked);

/** Asks as often as the quota allows. */
async function useUp(asked: Ask = {}): Promise<void> {
  for (let left = 4; left >= 0; left--) {
    const { status, headers } = await get(asked);
    expect([status, headers.get("ratelimit")?.split(";")[1]]).toEqual([200, `r=${left}`]);
  }
}

describe("a credential that has used its quota", () => {
  test("is refused in the vendor's words, with the seconds to wait, for a whole window from then on", async () => {
    await useUp();
    later(100);
    const refused = await get();
    expect(refused.status).toBe(429);
    expect(refused.body).toMatchObject({
      success: false,
      result: null,
      errors: [{ code: 971, message: "Please wait and consider throttling your request speed" }],
    });
    expect(Object.fromEntries(refused.headers)).toMatchObject({
      "retry-after": "300",
      ratelimit: '"default";r=0;t=300',
      "ratelimit-policy": '"default";q=5;w=300',
    });
    later(299);
    const still = await get();
    expect([still.status, still.headers.get("retry-after")]).toEqual([429, "1"]);
    later(1);
    await useUp();
  });

  test("is refused whatever it asks, before the body is looked at, and nothing is changed", async () => {
    const other: Ask = { token: "demo-patchbay-read-token-000000000000000" };
    const standing = async () =>
      (await server.ask("GET", `/patchbay/v1/accounts/${ACCOUNT}/state`, other)).body;
    const before = await standing();
    await useUp();
    for (const [method, path] of [
      ["PUT", LIST],
      ["PUT", one(ORD)],
      ["POST", "/patchbay/v1/reset"],
    ] as const) {
      const reply = await server.ask(method, path, { body: method === "PUT" ? "{" : "" });
      expect(verdict(reply)).toBe("429 971");
    }
    expect(await standing()).toEqual(before);
  });

  test("has no part in that of any other, and none for what is no credential", async () => {
    await useUp();
    expect((await get()).status).toBe(429);
    await useUp(key);
    expect((await get(key)).status).toBe(429);
    const unknown = await get({ token: "z".repeat(40) });
    expect([verdict(unknown), unknown.headers.get("ratelimit")]).toEqual(["403 9109", null]);
  });

  test("has it again when its window is over, though it never went beyond", async () => {
    await useUp();
    later(300);
    await useUp();
  });

  test("is waited for by the official client", async () => {
    await useUp();
    const waits: (string | null)[] = [];
    const impatient: typeof fetch = async (input, init) => {
      const response = await fetch(input, init);
      if (response.status === 429) {
        waits.push(response.headers.get("retry-after"));
        later(300);
        // The clock is the test's, so the client need not wait in earnest.
        const headers = new Headers(response.headers);
        headers.set("retry-after-ms", "1");
        return new Response(response.body, { status: 429, headers });
      }
      return response;
    };
    const client = new Cloudflare({
      apiToken: demo.token,
      baseURL: `${server.url}/client/v4`,
      fetch: impatient,
      maxRetries: 1,
    });
    const list = await client.magicTransit.cfInterconnects.list({ account_id: ACCOUNT });
    expect(list.interconnects).toHaveLength(3);
    expect(waits).toEqual(["300"]);
  });
});

describe("the quota is", () => {
  test("the vendor's with a world of one's own, and none with the demonstration", async () => {
    const seed = makeSeed(2);
    await using own = await startTestServer(
      { rateLimit: undefined, seed: "own" },
      { seed: { name: "own", text: seed } },
    );
    await using trial = await startTestServer({ rateLimit: undefined });
    const last = async (url: string, token: string) => {
      let status = 0;
      for (let count = 0; count <= QUOTA; count++) {
        const response = await fetch(url + LIST, { headers: { authorization: `Bearer ${token}` } });
        await response.arrayBuffer();
        status = response.status;
      }
      return status;
    };
    expect(await last(own.url, OWN_TOKEN)).toBe(429);
    expect(await last(trial.url, demo.token)).toBe(200);
  });

  test("what the operator says, by option or environment", async () => {
    const from = (env: Readonly<Record<string, string>>, ...args: string[]) =>
      serveInProcess(["--port", "0", "--metrics-port", "off", "--data", temporaryDirectory(), ...args], env);
    const policy = async (url: string) => (await ask(url, "GET", LIST)).headers.get("ratelimit-policy");
    const byOption = await from({ PATCHBAY_RATE_LIMIT: "9" }, "--rate-limit", "7");
    expect(await policy(byOption.url)).toBe('"default";q=7;w=300');
    const byEnvironment = await from({ PATCHBAY_RATE_LIMIT: "9" });
    expect(await policy(byEnvironment.url)).toBe('"default";q=9;w=300');
  });

  test.each(["0", "-1", "1.5", "many", "10000000000"])(
    "not %s, which is refused with a sentence",
    async (text) => {
      const { code, stderr } = await runInProcess(["serve", "--rate-limit", text]);
      expect(code).toBe(1);
      expect(stderr).toContain(
        `--rate-limit is ${text}, but must be a number of requests from 1 on, or off.`,
      );
    },
  );

  test("none inside somebody else's test, unless one is given", async () => {
    await using free = await createPatchbay();
    await using limited = await createPatchbay({ rateLimit: 1 });
    const statuses = async (url: string) => {
      const twice = [await ask(url, "GET", LIST), await ask(url, "GET", LIST)];
      return twice.map(({ status }) => status);
    };
    expect(await statuses(free.url)).toEqual([200, 200]);
    expect(await statuses(limited.url)).toEqual([200, 429]);
  });
});
