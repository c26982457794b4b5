import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { audit } from "./harness/audit.ts";
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
import { untouched, verdict } from "./harness/standing.ts";

const ownSeed = {
  name: "seed",
  text: `{ accounts: [], tokens: [{ id: "${"1".repeat(32)}", name: one, value: "${"w".repeat(40)}", policies: [] }] }`,
};

const SESSION = "/patchbay/v1/session";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

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
  test("is a cookie that no script reads and no other site has sent", async () => {
    const { reply } = await signIn();
    expect(reply.headers.get("set-cookie")).toBe(
      `patchbay_session=${demo.token}; Path=/; HttpOnly; SameSite=Strict`,
    );
  });

  test("has a cookie for TLS alone where clients reach the server by it", async () => {
    await using secure = await startTestServer({ publicUrl: "https://patchbay.example" }, { seed: ownSeed });
    const { reply } = await signIn("w".repeat(40), secure);
    expect(reply.headers.get("set-cookie")).toMatch(/; Secure$/);
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

  test("is over as soon as its token is", async () => {
    const made = await server.ask("POST", "/patchbay/v1/tokens", {
      body: {
        name: "short",
        policies: [
          {
            effect: "allow",
            resources: { [`com.cloudflare.api.account.${ACCOUNT}`]: "*" },
            permission_groups: [{ id: "17fc856c4ebe49d4bb70f8e4744398cf" }],
          },
        ],
      },
    });
    const { id, value } = made.body.result;
    const { cookie } = await signIn(value);
    expect((await server.ask("GET", LIST, byCookie(cookie))).status).toBe(200);
    await server.ask("DELETE", `/patchbay/v1/tokens/${id}`);
    expect(verdict(await server.ask("GET", LIST, byCookie(cookie)))).toBe("403 9109");
  });

  test("goes on at another server of the same data, which asks for the same proof", async () => {
    await using other = await startTestServer();
    const { cookie, proof } = await signIn();
    const asked = { ...byCookie(cookie, proof), body: { mtu: 1400 } };
    expect((await other.ask("PUT", one(ORD), asked)).status).toBe(200);
  });

  test("ends with an answer that takes the cookie away", async () => {
    const { cookie, proof } = await signIn();
    expect(codes(await server.ask("DELETE", SESSION, byCookie(cookie)))).toEqual([990150]);
    const reply = await server.ask("DELETE", SESSION, byCookie(cookie, proof));
    expect(reply.headers.get("set-cookie")).toBe(
      "patchbay_session=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0",
    );
  });

  test("that is not to be remembered sets no cookie, and takes one away", async () => {
    const reply = await server.ask("POST", SESSION, { body: { remember: false } });
    expect([reply.status, reply.body.result.csrf]).toEqual([200, null]);
    expect(reply.headers.get("set-cookie")).toMatch(/^patchbay_session=;.*Max-Age=0$/);
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
    ["of a token that nobody has", `patchbay_session=${"z".repeat(40)}`, "403 9109"],
    ["that holds no token", "patchbay_session=?", "400 6003"],
    ["that is empty", "patchbay_session=", "400 6003"],
    ["of another name", `xpatchbay_session=${demo.token}; patchbay_sessio=1`, "400 9106"],
  ])("%s is refused as a header would be", async (_, cookie, told) => {
    expect(verdict(await server.ask("GET", LIST, byCookie(cookie)))).toBe(told);
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
