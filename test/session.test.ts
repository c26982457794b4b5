import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MAX_SESSIONS_PER_TOKEN } from "../src/contract/limits.ts";
import { audit } from "./harness/audit.ts";
import { type Memory, MemoryStore } from "./harness/memory-store.ts";
import { askRaw, rawVerdict } from "./harness/raw.ts";
import {
  ACCOUNT,
  type Ask,
  codes,
  demo,
  LIST,
  ORD,
  OTHER_ACCOUNT,
  OWN,
  one,
  type Reply,
  startTestServer,
  type TestServer,
} from "./harness/server.ts";
import { SetClock } from "./harness/set-clock.ts";
import { untouched, verdict } from "./harness/standing.ts";
import { temporaryDirectory } from "./harness/temporary.ts";

const ownSeed = {
  name: "seed",
  text: `{ accounts: [], tokens: [{ id: "${"1".repeat(32)}", name: one, value: "${"w".repeat(40)}", policies: [] }] }`,
};

const SESSION = "/patchbay/v1/session";
const TOKENS = "/patchbay/v1/tokens";
const TRANSIT = "demo-transit-write-token-000000000000000";

const short = {
  name: "short",
  policies: [
    {
      effect: "allow",
      resources: { [`com.cloudflare.api.account.${ACCOUNT}`]: "*" },
      permission_groups: [{ id: "17fc856c4ebe49d4bb70f8e4744398cf" }],
    },
  ],
};

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const cookieName = ({ url }: TestServer) => `patchbay_session_${new URL(url).port}`;
const cookieOf = (reply: Reply) => reply.headers.get("set-cookie")?.split(";")[0] ?? "";
const byCookie = (cookie: string, more: Readonly<Record<string, string>> = {}): Ask => ({
  token: null,
  headers: { cookie, ...more },
});

async function signIn(token: string = demo.token, at: TestServer = server) {
  const reply = await at.ask("POST", SESSION, { token, body: { remember: true } });
  expect(reply.status).toBe(200);
  const csrf: string = reply.body.result.csrf;
  return { reply, cookie: cookieOf(reply), csrf, proof: { "x-patchbay-csrf": csrf } };
}

describe("a session", () => {
  test("has a cookie with a random value and the port in its name, which scripts and other sites cannot use", async () => {
    const { reply } = await signIn();
    expect(reply.headers.get("set-cookie")).toMatch(
      new RegExp(`^${cookieName(server)}=pbs_[0-9A-Za-z]{48}; Path=/; HttpOnly; SameSite=Strict$`),
    );
    const again = await signIn();
    expect(again.cookie).not.toBe(cookieOf(reply));
  });

  test("has a __Host- cookie for TLS alone if clients reach the server by TLS", async () => {
    const seed = ownSeed;
    await using secure = await startTestServer({ publicUrl: "https://patchbay.example:8443" }, { seed });
    const { reply, cookie } = await signIn("w".repeat(40), secure);
    expect(reply.headers.get("set-cookie")).toMatch(
      /^__Host-patchbay_session_8443=pbs_\w{48}; Path=\/; HttpOnly; SameSite=Strict; Secure$/,
    );
    expect((await secure.ask("GET", SESSION, byCookie(cookie))).status).toBe(200);
    const plain = cookie.replace("__Host-", "");
    expect(verdict(await secure.ask("GET", SESSION, byCookie(plain)))).toBe("400 9106");
  });

  test("reads like the token, by the long way and by the short", async () => {
    const { cookie } = await signIn();
    for (let round = 0; round < 3; round++) {
      const reply = await server.ask("GET", one(ORD), byCookie(cookie));
      expect(reply.body.result.interconnect.id).toBe(ORD);
    }
    expect((await server.ask("GET", "/client/v4/user/tokens/verify", byCookie(cookie))).status).toBe(200);
  });

  test("changes like the token, which log and audit log name", async () => {
    const { cookie, proof } = await signIn();
    const asked = { ...byCookie(cookie, proof), body: { description: "by a page" } };
    expect((await server.ask("PUT", one(ORD), asked)).status).toBe(200);
    const { body } = await server.ask("GET", `${OWN}/changes?limit=1`);
    expect(body.result[0].actor).toMatchObject({ type: "token", name: "everything" });
    const entries = await audit(server, { limit: 1 });
    expect(entries.body.result[0].actor).toMatchObject({ token_name: "everything" });
    await server.reset();
  });

  test("counts against the token's quota", async () => {
    await using strict = await startTestServer({ rateLimit: 3 });
    const { cookie } = await signIn(demo.token, strict);
    const left = async (asked: Ask) =>
      (await strict.ask("GET", LIST, asked)).headers.get("ratelimit")?.split(";")[1];
    expect([await left(byCookie(cookie)), await left({})]).toEqual(["r=1", "r=0"]);
    expect((await strict.ask("GET", LIST, byCookie(cookie))).status).toBe(429);
  });

  test.each([
    ["deleted", (id: string) => server.ask("DELETE", `${TOKENS}/${id}`)],
    ["rolled", (id: string) => server.ask("PUT", `${TOKENS}/${id}/value`, { body: {} })],
    [
      "disabled",
      (id: string) => server.ask("PUT", `${TOKENS}/${id}`, { body: { ...short, status: "disabled" } }),
    ],
  ])("ends when its token is %s, and does not return", async (_, stop) => {
    const { id, value } = (await server.ask("POST", TOKENS, { body: short })).body.result;
    const { cookie } = await signIn(value);
    expect((await server.ask("GET", LIST, byCookie(cookie))).status).toBe(200);
    expect((await stop(id)).status).toBe(200);
    expect(verdict(await server.ask("GET", LIST, byCookie(cookie)))).toBe("403 9109");
    await server.ask("PUT", `${TOKENS}/${id}`, { body: { ...short, status: "active" } });
    expect(verdict(await server.ask("GET", LIST, byCookie(cookie)))).toBe("403 9109");
  });

  test("ends after seven days", async () => {
    const clock = new SetClock("2026-03-01T12:00:00Z");
    await using own = await startTestServer({}, { clock });
    const { cookie } = await signIn(demo.token, own);
    clock.set("2026-03-08T11:59:59Z");
    expect((await own.ask("GET", LIST, byCookie(cookie))).status).toBe(200);
    clock.set("2026-03-08T12:00:00Z");
    expect(verdict(await own.ask("GET", LIST, byCookie(cookie)))).toBe("403 9109");
  });

  test("is one of twenty of its token: one more ends the oldest", async () => {
    const { value } = (await server.ask("POST", TOKENS, { body: short })).body.result;
    const cookies: string[] = [];
    for (let count = 0; count <= MAX_SESSIONS_PER_TOKEN; count++) cookies.push((await signIn(value)).cookie);
    const verdicts = await Promise.all(
      cookies.map(async (cookie) => (await server.ask("GET", LIST, byCookie(cookie))).status),
    );
    expect(verdicts).toEqual([403, ...Array<number>(MAX_SESSIONS_PER_TOKEN).fill(200)]);
  });

  test("ends at sign-out for every copy of its cookie, and the answer deletes cookie and cached answers", async () => {
    const { cookie, proof } = await signIn();
    const kept = await signIn();
    expect(codes(await server.ask("DELETE", SESSION, byCookie(cookie)))).toEqual([990150]);
    const reply = await server.ask("DELETE", SESSION, byCookie(cookie, proof));
    expect(reply.headers.get("set-cookie")).toBe(
      `${cookieName(server)}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0`,
    );
    expect(reply.headers.get("clear-site-data")).toBe('"cache"');
    expect(verdict(await server.ask("GET", LIST, byCookie(cookie)))).toBe("403 9109");
    expect(verdict(await server.ask("GET", one(ORD), byCookie(cookie)))).toBe("403 9109");
    expect((await server.ask("GET", LIST, byCookie(kept.cookie))).status).toBe(200);
  });

  test("ends when another one replaces its cookie", async () => {
    const { cookie } = await signIn();
    const body = { remember: true };
    await server.ask("POST", SESSION, { token: TRANSIT, headers: { cookie }, body });
    expect(verdict(await server.ask("GET", LIST, byCookie(cookie)))).toBe("403 9109");
  });

  test("continues after a restart, but not if it was ended before", async () => {
    const data = temporaryDirectory();
    const first = await startTestServer({ data });
    const kept = await signIn(demo.token, first);
    const ended = await signIn(demo.token, first);
    await first.ask("DELETE", SESSION, byCookie(ended.cookie, ended.proof));
    await first.close();
    await using second = await startTestServer({ data });
    const there = (cookie: string) => byCookie(cookie.replace(cookieName(first), cookieName(second)));
    expect((await second.ask("GET", LIST, there(kept.cookie))).status).toBe(200);
    expect(verdict(await second.ask("GET", LIST, there(ended.cookie)))).toBe("403 9109");
  });

  test("continues after a reset, if the token is in the new data set too", async () => {
    await using own = await startTestServer();
    const { value } = (await own.ask("POST", TOKENS, { body: short })).body.result;
    const [kept, ended] = [await signIn(demo.token, own), await signIn(value, own)];
    await own.reset();
    expect((await own.ask("GET", LIST, byCookie(kept.cookie))).status).toBe(200);
    expect(verdict(await own.ask("GET", LIST, byCookie(ended.cookie)))).toBe("403 9109");
  });

  test("is one at all servers of a database: begun at one, proved and ended at another", async () => {
    const memory: Memory = new Map();
    const store = () => new MemoryStore(memory, { shared: true, now: () => Date.now() });
    await using here = await startTestServer({}, { store: store() });
    await using there = await startTestServer({}, { store: store() });
    const { cookie, proof } = await signIn(demo.token, here);
    const moved = cookie.replace(cookieName(here), cookieName(there));
    const asked = { ...byCookie(moved, proof), body: { mtu: 1400 } };
    expect((await there.ask("PUT", one(ORD), asked)).status).toBe(200);
    expect((await there.ask("DELETE", SESSION, byCookie(moved, proof))).status).toBe(200);
    expect(verdict(await here.ask("GET", LIST, byCookie(cookie)))).toBe("403 9109");
  });

  test("that is not to be remembered sets no cookie, and takes one away", async () => {
    const reply = await server.ask("POST", SESSION, { body: { remember: false } });
    expect([reply.status, reply.body.result.csrf]).toEqual([200, null]);
    expect(reply.headers.get("set-cookie")).toMatch(/^patchbay_session_\d+=;.*Max-Age=0$/);
  });
});

describe("answers to a credential", () => {
  test.each([
    ["a read", "GET", one(ORD), "200"],
    ["a list", "GET", LIST, "200"],
    ["a state", "GET", `${OWN}/state`, "200"],
    ["a refusal", "GET", `${OWN}/changes/999`, "404 990036"],
    ["who is signed in", "GET", SESSION, "200"],
    ["a path that does not exist", "GET", "/client/v4/none", "404 10404"],
  ])("are stored in no cache: %s", async (_, method, path, told) => {
    for (let round = 0; round < 2; round++) {
      const reply = await server.ask(method, path);
      expect([verdict(reply), reply.headers.get("cache-control")]).toEqual([told, "no-store"]);
    }
  });

  test("still have a tag by which a client asks whether they changed", async () => {
    const etag = (await server.ask("GET", one(ORD))).headers.get("etag") ?? "";
    const again = await server.ask("GET", one(ORD), { headers: { "if-none-match": etag } });
    expect([again.status, again.headers.get("cache-control")]).toEqual([304, "no-store"]);
  });
});

describe("a request by the cookie that may change something", () => {
  const forged = {
    "has no proof": {},
    "has a wrong one": { "x-patchbay-csrf": "x" },
    "has a wrong one of the right length": { "x-patchbay-csrf": "x".repeat(43) },
    "has an empty one": { "x-patchbay-csrf": "" },
  };

  test.each(Object.entries(forged))("is refused if it %s, and changes nothing", async (_, headers) => {
    const { cookie } = await signIn();
    for (const [method, path, body] of [
      ["PUT", one(ORD), { mtu: 1400 }],
      ["POST", "/patchbay/v1/reset", {}],
      ["POST", SESSION, { remember: true }],
      ["PUT", "/patchbay/v1/faults", { operation: "reset", latency_ms: 1 }],
    ] as const) {
      const reply = await untouched(server, () =>
        server.ask(method, path, { ...byCookie(cookie, headers), body }),
      );
      expect(verdict(reply)).toBe("403 990150");
      expect(reply.headers.get("set-cookie")).toBeNull();
    }
  });

  test("is refused with the proof of another session", async () => {
    const { cookie } = await signIn();
    const { proof } = await signIn("demo-wan-write-token-0000000000000000000");
    const asked = { ...byCookie(cookie, proof), body: { mtu: 1400 } };
    expect(verdict(await server.ask("PUT", one(ORD), asked))).toBe("403 990150");
  });

  test("is refused from a page of another origin even with the proof", async () => {
    const { cookie, csrf } = await signIn();
    const reply = await askRaw(server.url, {
      method: "PUT",
      path: one(ORD),
      token: null,
      headers: [`Cookie: ${cookie}`, `X-Patchbay-Csrf: ${csrf}`, "Origin: https://evil.example"],
      body: '{"mtu":1400}',
    });
    expect(rawVerdict(reply)).toBe("403 990010");
  });
});

describe("a credential in a header counts, whatever the cookie says", () => {
  test("a token", async () => {
    const { cookie } = await signIn();
    const asked = { token: "demo-magic-read-only-token-0000000000000", headers: { cookie } };
    expect(verdict(await server.ask("PUT", one(ORD), { ...asked, body: { mtu: 1400 } }))).toBe("403 10000");
    expect((await server.ask("GET", SESSION, asked)).body.result).toMatchObject({
      credential: { name: "read only" },
      csrf: null,
    });
    expect(verdict(await server.ask("GET", LIST, { token: "z".repeat(40), headers: { cookie } }))).toBe(
      "403 9109",
    );
  });

  test("an e-mail address and key, which need no proof", async () => {
    const { cookie } = await signIn("demo-magic-read-only-token-0000000000000");
    const headers = { cookie, "x-auth-email": demo.email, "x-auth-key": demo.key };
    const reply = await server.ask("PUT", one(ORD), { token: null, headers, body: { mtu: 1400 } });
    expect(reply.status).toBe(200);
    await server.reset();
  });
});

describe("a cookie", () => {
  test.each([
    [
      "with a session that the server did not issue",
      (name: string) => `${name}=pbs_${"z".repeat(48)}`,
      "403 9109",
    ],
    ["with a token, which another port has set", (name: string) => `${name}=${demo.token}`, "403 9109"],
    ["that is empty", (name: string) => `${name}=`, "403 9109"],
    ["of another name", (name: string) => `x${name}=${demo.token}; patchbay_session=1`, "400 9106"],
  ])("%s is refused", async (_, cookie, told) => {
    expect(verdict(await server.ask("GET", LIST, byCookie(cookie(cookieName(server)))))).toBe(told);
  });

  test("is refused if there is a second one with another value", async () => {
    const [own, planted] = [await signIn(), await signIn(TRANSIT)];
    const both = byCookie(`${planted.cookie}; ${own.cookie}`);
    expect(verdict(await server.ask("GET", LIST, both))).toBe("403 9109");
    const twice = byCookie(`${own.cookie}; ${own.cookie}`);
    expect((await server.ask("GET", LIST, twice)).status).toBe(200);
  });

  test("of a server on another port is another cookie", async () => {
    await using other = await startTestServer();
    const { cookie } = await signIn();
    expect(verdict(await other.ask("GET", LIST, byCookie(cookie)))).toBe("400 9106");
  });

  test("is found among others", async () => {
    const { cookie } = await signIn();
    expect((await server.ask("GET", LIST, byCookie(`a=b; ${cookie}; c="d e"`))).status).toBe(200);
  });

  test("stands for no e-mail address and key", async () => {
    const key = { "x-auth-email": demo.email, "x-auth-key": demo.key };
    const asked = { token: null, headers: key };
    const reply = await server.ask("POST", SESSION, { ...asked, body: { remember: true } });
    expect([verdict(reply), reply.headers.get("set-cookie")]).toEqual(["400 990151", null]);
    expect((await server.ask("POST", SESSION, { ...asked, body: { remember: false } })).status).toBe(200);
  });
});

describe("who is signed in", () => {
  test("is told with what the token may do in which account", async () => {
    const token = "demo-transit-write-token-000000000000000";
    const { body } = await server.ask("GET", SESSION, { token });
    expect(body.result).toEqual({
      credential: { type: "token", id: expect.any(String), name: "write by the other product" },
      user: null,
      expires_on: null,
      administers: false,
      accounts: [
        { id: ACCOUNT, name: expect.any(String), may: ["readMagic", "writeMagic", "undo", "readHealth"] },
      ],
      account_count: 1,
      sandbox: true,
      demo: true,
      csrf: null,
    });
  });

  test("is an administrator of everything, or of one account alone", async () => {
    const { body } = await server.ask("GET", SESSION);
    expect(body.result).toMatchObject({ administers: true, user: { email: demo.email }, account_count: 2 });
    const other = await server.ask("GET", SESSION, { token: "demo-other-account-token-000000000000000" });
    expect(other.body.result.administers).toBe(false);
    expect(other.body.result.accounts).toMatchObject([{ id: OTHER_ACCOUNT }]);
    expect(other.body.result.accounts[0].may).toContain("administer");
  });

  test("is told of a denied account that there is nothing", async () => {
    const { body } = await server.ask("GET", SESSION, { token: "demo-denied-token-0000000000000000000000" });
    expect(body.result.accounts.map(({ id }: { id: string }) => id)).toEqual([OTHER_ACCOUNT]);
  });

  test("has the first thousand accounts told, and how many there are", async () => {
    const id = (index: number) => index.toString(16).padStart(32, "0");
    const accounts = Array.from({ length: 1_001 }, (_, index) => `{ id: "${id(index)}", name: "${index}" }`);
    const token = `{ id: "${"1".repeat(32)}", name: all, value: "${"w".repeat(40)}", policies: [{ effect: allow, accounts: ["*"], permission_groups: [Patchbay Admin] }] }`;
    const text = `accounts: [${accounts.join(", ")}]\ntokens: [${token}]`;
    await using large = await startTestServer({}, { seed: { text, name: "seed" } });
    const { body } = await large.ask("GET", SESSION, { token: "w".repeat(40) });
    expect([body.result.accounts.length, body.result.account_count]).toEqual([1_000, 1_001]);
    expect(body.result.demo).toBe(false);
  });
});

describe("before anybody is signed in", () => {
  const signInOf = async ({ url }: TestServer) =>
    ((await (await fetch(`${url}/patchbay/v1/sign-in`)).json()) as Pick<Reply["body"], "result">).result;

  test("the demonstration tells its token", async () => {
    expect(await signInOf(server)).toEqual({ demo: { token: demo.token }, sandbox: true });
  });

  test("a server of one's own tells none", async () => {
    await using own = await startTestServer({ sandbox: false }, { seed: ownSeed });
    expect(await signInOf(own)).toEqual({ demo: null, sandbox: false });
  });
});
