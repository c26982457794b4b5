import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { operations } from "../src/contract/operations.ts";
import { USER } from "./harness/directory.ts";
import { askRaw } from "./harness/raw.ts";
import {
  ACCOUNT,
  type Ask,
  demo,
  LIST,
  ORD,
  OTHER_ACCOUNT,
  one,
  startTestServer,
  type TestServer,
} from "./harness/server.ts";
import { untouched, verdict } from "./harness/standing.ts";

const VERIFY = "/client/v4/user/tokens/verify";
const OTHER_LIST = `/client/v4/accounts/${OTHER_ACCOUNT}/magic/cf_interconnects`;
const UNKNOWN_TOKEN = "a".repeat(40);

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

/** Headers of a request that carries no bearer token. */
const by = (headers: Readonly<Record<string, string>>): Ask => ({ token: null, headers });
const byKey = (key: string = demo.key, email: string = demo.email) =>
  by({ "x-auth-email": email, "x-auth-key": key });
const bearer = (value: string): Ask => by({ authorization: value });

interface Row {
  readonly when: string;
  readonly asked: Ask;
  readonly status: number;
  readonly code: number;
  readonly message: string;
  readonly chain?: readonly [code: number, message: string][];
  /** Only two members, `success` and `errors`. */
  readonly bare?: true;
}

const invalidHeaders = { status: 400, code: 6003, message: "Invalid request headers" };
const AUTHORIZATION: [number, string] = [6111, "Invalid format for Authorization header"];
const KEY: [number, string] = [6103, "Invalid format for X-Auth-Key header"];
const EMAIL: [number, string] = [6102, "Invalid format for X-Auth-Email header"];
const missing = {
  status: 400,
  code: 9106,
  message: "Missing X-Auth-Key, X-Auth-Email or Authorization headers",
  bare: true,
} as const;
const unknownKey = { status: 403, code: 9103, message: "Unknown X-Auth-Key or X-Auth-Email" };

/** What the gateway refuses in the same way wherever it is asked. */
const everywhere: Row[] = [
  { when: "no credential at all", asked: { token: null }, ...missing },
  { when: "a key without an e-mail address", asked: by({ "x-auth-key": demo.key }), ...missing },
  {
    when: "an e-mail address without a key",
    asked: by({ "x-auth-email": demo.email }),
    status: 400,
    code: 9107,
    message: "Missing X-Auth-Key header",
  },
  ...[
    "",
    "Bearer",
    "Bearer ",
    `bearer${demo.token}`,
    `Basic ${Buffer.from("user:password").toString("base64")}`,
    `Token ${demo.token}`,
    demo.token,
    `Bearer ${demo.token.slice(1)}`,
    `Bearer ${demo.token}x`,
    `Bearer ${demo.token} x`,
    `Bearer "${demo.token}"`,
    `Bearer ${"é".repeat(20)}`,
    `Bearer cfut_${"a".repeat(39)}`,
    `Bearer cfxt_${"a".repeat(40)}`,
  ].map((value) => ({
    when: `Authorization: ${value}`,
    asked: bearer(value),
    ...invalidHeaders,
    chain: [AUTHORIZATION],
  })),
  ...["", "x", demo.key.slice(0, 31), demo.key.toUpperCase(), `${demo.key}g`, `cfk_${"a".repeat(39)}`].map(
    (key) => ({
      when: `X-Auth-Key: ${key}`,
      asked: byKey(key),
      ...invalidHeaders,
      chain: [KEY],
    }),
  ),
  ...["", "x", "@", "a@", "@b", "a b@c", `${"a".repeat(250)}@b.cd`].map((email) => ({
    when: `X-Auth-Email: ${email.slice(0, 20)}`,
    asked: byKey(demo.key, email),
    ...invalidHeaders,
    chain: [EMAIL],
  })),
  {
    when: "both of the pair malformed",
    asked: byKey("x", "y"),
    ...invalidHeaders,
    chain: [EMAIL, KEY],
  },
  { when: "a known e-mail address with another key", asked: byKey("0".repeat(37)), ...unknownKey },
  {
    when: "a known key with another e-mail address",
    asked: byKey(demo.key, "nobody@example.com"),
    ...unknownKey,
  },
  { when: "a new-style key that nobody has", asked: byKey(`cfk_${"a".repeat(48)}`), ...unknownKey },
  {
    when: "a token that is used from another address than it admits",
    asked: { token: "demo-wrong-address-token-000000000000000" },
    status: 403,
    code: 9109,
    message: "Cannot use the access token from location: 127.0.0.1",
  },
];

const invalidToken = { status: 403, code: 9109, message: "Invalid access token" };
const invalidCheck = { status: 401, code: 1000, message: "Invalid API Token" };
const authenticationError = { status: 403, code: 10000, message: "Authentication error" };

/** What is refused on an account's resources. */
const onResources: Row[] = [
  { when: "a well-formed token that nobody has", asked: { token: UNKNOWN_TOKEN }, ...invalidToken },
  { when: "a new-style token that nobody has", asked: { token: `cfat_${"a".repeat(48)}` }, ...invalidToken },
  {
    when: "an expired token",
    asked: { token: "demo-expired-token-000000000000000000000" },
    ...invalidToken,
  },
  {
    when: "a token that is not yet valid",
    asked: { token: "demo-not-yet-valid-token-000000000000000" },
    ...invalidToken,
  },
  {
    when: "a disabled token",
    asked: { token: "demo-disabled-token-00000000000000000000" },
    ...invalidToken,
  },
  {
    when: "a token without any permission",
    asked: { token: "demo-other-permission-token-000000000000" },
    ...authenticationError,
  },
  {
    when: "a token for another account",
    asked: { token: "demo-other-account-token-000000000000000" },
    ...authenticationError,
  },
  {
    when: "a token that a policy denies the account",
    asked: { token: "demo-denied-token-0000000000000000000000" },
    ...authenticationError,
  },
];

/** What the check of a token refuses. */
const onVerify: Row[] = [
  { when: "a well-formed token that nobody has", asked: { token: UNKNOWN_TOKEN }, ...invalidCheck },
  { when: "an e-mail address and a key, which are no token", asked: byKey(), ...invalidCheck },
];

const places: [string, string, string, Row[]][] = [
  ["the list", "GET", LIST, [...everywhere, ...onResources]],
  ["an update of many", "PUT", LIST, [...everywhere, ...onResources]],
  ["an update of one", "PUT", one(ORD), [...everywhere, ...onResources]],
  ["the check of a token", "GET", VERIFY, [...everywhere, ...onVerify]],
];

describe.each(places)("%s (%s %s) refuses", (_, method, path, rows) => {
  test.each(rows)("$when: $status, $code", async ({ asked, status, code, message, chain, bare }) => {
    const body = method === "PUT" ? { body: { mtu: 1400 } } : {};
    const reply = await untouched(server, () => server.ask(method, path, { ...asked, ...body }));
    expect(reply.status).toBe(status);
    const error = {
      code,
      message,
      documentation_url: `${server.url}/docs/errors/${code}`,
      ...(chain ? { error_chain: chain.map(([code, message]) => ({ code, message })) } : {}),
    };
    const members = bare ? {} : { result: null, messages: [] };
    expect(reply.body).toEqual({ ...members, success: false, errors: [error] });
  });
});

test("a user's key does not open accounts that the user is no member of: 403, 9109", async () => {
  for (const [method, path] of [
    ["GET", OTHER_LIST],
    ["PUT", OTHER_LIST],
    ["GET", `/client/v4/accounts/${"f".repeat(32)}/magic/cf_interconnects`],
  ] as const) {
    const body = method === "PUT" ? { body: {} } : {};
    const reply = await untouched(server, () => server.ask(method, path, { ...byKey(), ...body }));
    expect(verdict(reply)).toBe("403 9109");
    expect(reply.body.errors[0].message).toBe("Unauthorized to access requested resource");
  }
});

test("an Authorization header counts alone, whatever else there is", async () => {
  const both = { ...byKey().headers, authorization: `Bearer ${UNKNOWN_TOKEN}` };
  expect(verdict(await server.ask("GET", LIST, by(both)))).toBe("403 9109");
  const other = { "x-auth-key": "x", authorization: `bearer   ${demo.token}` };
  expect(verdict(await server.ask("GET", LIST, by(other)))).toBe("200");
});

test("an e-mail address is the same in capitals", async () => {
  expect(verdict(await server.ask("GET", LIST, byKey(demo.key, "USER@Example.com")))).toBe("200");
});

describe("a path that leads nowhere", () => {
  const account = `/client/v4/accounts/${ACCOUNT}`;

  test.each([
    `${account}/magic/cf_interconnect`,
    `${account}/magic/gre_tunnels`,
    `${account}/magic`,
    `${account}/`,
    `${account}/magic`,
    `${LIST}/${ORD}/x`,
    "/client/v4/accounts/abc/magic/cf_interconnects",
    `/client/v4/accounts/${ACCOUNT.toUpperCase()}/magic/cf_interconnects`,
    `/client/v4/accounts/${ACCOUNT}0/magic/cf_interconnects`,
    `/client/v4/accounts/${"f".repeat(32)}/magic/cf_interconnects`,
    "/patchbay/v1/accounts/directory/state",
    `/patchbay/v1/accounts/${"f".repeat(32)}/changes`,
  ])("inside an account: 404, 7003 (%s)", async (path) => {
    const reply = await server.ask("GET", path);
    expect(verdict(reply)).toBe("404 7003");
    const message = `Could not route to ${path}, perhaps your object identifier is invalid?`;
    expect(reply.body.errors[0].message).toBe(message);
  });

  test("names the path without the query, which may hold secrets", async () => {
    const reply = await server.ask("GET", `${account}/magic/x?token=secret`);
    expect(reply.body.errors[0].message).toContain(`${account}/magic/x,`);
    expect(JSON.stringify(reply.body)).not.toContain("secret");
  });

  test.each([
    "/accounts",
    "/client/v4",
    "/client/v4/",
    "/client/v4/users",
    "/client",
    "/x",
    "/docs/errors/1",
  ])("outside of accounts: 404, 10404 (%s)", async (path) => {
    const reply = await server.ask("GET", path);
    expect(verdict(reply)).toBe("404 10404");
    expect(reply.body.errors[0].message).toBe("No route for that URI");
  });
});

describe("a method that a path does not have", () => {
  const paths = Map.groupBy(Object.values(operations), ({ path }) => path);
  const concrete = (path: string) =>
    path
      .replace(":account_id", ACCOUNT)
      .replace(":cf_interconnect_id", ORD)
      .replace(":route_id", demo.route)
      .replace(":token_id", USER)
      .replace(":user_id", USER)
      .replace(":revision", "1");
  /** What else a path may be: `tokens/verify` is also where a token of that name would be. */
  const named = (path: string) => new RegExp(`^${path.replaceAll(/:\w+/g, "[^/]+")}$`);
  const methods = ["GET", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "QUERY"];
  const rows = [...paths].flatMap(([path, known]) => {
    const also = Object.values(operations).filter((other) => named(other.path).test(concrete(path)));
    const allowed: string[] = [...new Set([...known, ...also].map(({ method }) => method))];
    return methods
      .filter((method) => !allowed.includes(method))
      .map((method) => ({ method, path: concrete(path), allow: allowed.join(", ") }));
  });

  test.each(rows)("$method $path: 405, 7001, allow: $allow", async ({ method, path, allow }) => {
    const reply = await untouched(server, () => server.ask(method, path));
    expect(verdict(reply)).toBe("405 7001");
    expect(reply.body.errors[0].message).toBe(`Method ${method} not available for that URI.`);
    expect(reply.headers.get("allow")).toBe(allow);
  });

  test("HEAD is GET without the body", async () => {
    const { headers } = await server.ask("GET", LIST);
    const head = await askRaw(server.url, { method: "HEAD", path: LIST });
    expect(head).toMatchObject({ status: 200, body: "" });
    expect(head?.headers["content-length"]).toBe(headers.get("content-length"));
    expect(head?.headers["etag"]).toBe(headers.get("etag"));
  });
});

describe("every answer tells", () => {
  beforeEach(() => server.reset());

  test("a request id of its own in the form of cf-ray", async () => {
    const rays = new Set<string | null>();
    for (const asked of [{}, { token: null }, { token: UNKNOWN_TOKEN }]) {
      const { headers } = await server.ask("GET", LIST, asked);
      expect(headers.get("cf-ray")).toMatch(/^[0-9a-f]{16}-[A-Z]{3}$/);
      rays.add(headers.get("cf-ray"));
    }
    expect(rays.size).toBe(3);
  });

  test("what is left of its credential's quota, counted for each credential", async () => {
    await using fresh = await startTestServer();
    const left = async (asked: Ask, path = LIST) => {
      const { headers } = await fresh.ask("GET", path, asked);
      expect(headers.get("ratelimit-policy")).toBe('"default";q=1200;w=300');
      const told = headers.get("ratelimit");
      return told === null ? null : Number(/^"default";r=(\d+);t=300$/.exec(told)?.[1]);
    };
    expect(await left({})).toBe(1199);
    expect(await left({})).toBe(1198);
    expect(await left(byKey())).toBe(1199);
    expect(await left({}, one("0"))).toBe(1197);
    expect(await left({ token: null })).toBe(null);
  });

  test("that it depends on the target header and is nobody else's", async () => {
    const { headers } = await server.ask("GET", LIST);
    expect(headers.get("vary")).toBe("x-magic-new-hc-target");
    expect(headers.get("cache-control")).toBe("no-store");
  });
});
