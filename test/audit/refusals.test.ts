import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { permissionGroups } from "../../src/contract/permissions.ts";
import { Refusals } from "../../src/server/audit/refusals.ts";
import { startServer } from "../../src/server/patchbay.ts";
import type { StateEvent } from "../../src/store/store.ts";
import { AUDIT, allOf, audit, type Entry } from "../harness/audit.ts";
import { FaultyStore } from "../harness/faulty-store.ts";
import { type Memory, MemoryStore } from "../harness/memory-store.ts";
import {
  ACCOUNT,
  type Ask,
  demo,
  LIST,
  ORD,
  OTHER_ACCOUNT,
  OWN,
  one,
  startTestServer,
  type TestServer,
} from "../harness/server.ts";
import { standing, verdict } from "../harness/standing.ts";

const OTHER_LIST = `/client/v4/accounts/${OTHER_ACCOUNT}/magic/cf_interconnects`;
const byKey: Ask = { token: null, headers: { "x-auth-email": demo.email, "x-auth-key": demo.key } };
const READ_ONLY = "demo-magic-read-only-token-0000000000000";

describe("in the audit log of an account", () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await startTestServer();
  });
  afterEach(() => server.close());

  async function refusals(account: string = ACCOUNT): Promise<Entry[]> {
    const path = `/client/v4/accounts/${account}/logs/audit?since=2000-01-01&before=2999-01-01&action_result=failure`;
    return (await server.ask("GET", path)).body.result;
  }

  test("stands who was refused, what for, where and why", async () => {
    const reply = await server.ask("PUT", `${one(ORD)}?validate_only=true`, {
      body: { mtu: 1400 },
      token: READ_ONLY,
    });
    const { epoch } = (await server.ask("GET", `${OWN}/state`)).body.result;
    expect(await refusals()).toEqual([
      {
        id: `${epoch}e000000000000001`,
        account: { id: ACCOUNT, name: "Demonstration" },
        action: {
          description: "Update interconnect: Authentication error",
          result: "failure",
          time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
          type: "update",
        },
        actor: {
          context: "api_token",
          ip_address: "127.0.0.1",
          token_id: "10000000000000000000000000000001",
          token_name: "read only",
          type: "account",
        },
        raw: {
          cf_ray_id: reply.headers.get("cf-ray"),
          method: "PUT",
          status_code: 403,
          uri: `/accounts/${ACCOUNT}/magic/cf_interconnects/${ORD}`,
        },
        resource: {
          id: ORD,
          product: "magic",
          response: { errors: [{ code: 10000, message: "Authentication error" }] },
          scope: "accounts",
        },
      },
    ]);
  });

  const get = (path: string, asked: Ask = {}) => server.ask("GET", path, asked);
  const token = (value: string): Ask => ({ token: value });

  test.each([
    ["a token without the right", LIST, token("demo-patchbay-read-token-000000000000000"), "10000"],
    ["a token of another account", LIST, token("demo-other-account-token-000000000000000"), "10000"],
    ["a token that is denied", LIST, token("demo-denied-token-0000000000000000000000"), "10000"],
    ["a token from elsewhere", LIST, token("demo-wrong-address-token-000000000000000"), "9109"],
    [
      "an expired token that names the account",
      LIST,
      token("demo-expired-token-000000000000000000000"),
      "9109",
    ],
    ["a token that is not valid yet", LIST, token("demo-not-yet-valid-token-000000000000000"), "9109"],
    [
      "a disabled token that names the account",
      LIST,
      token("demo-disabled-token-00000000000000000000"),
      "9109",
    ],
    ["who asks for the audit log itself", AUDIT, token(READ_ONLY), "10000"],
    ["who asks for Patchbay's own", `${OWN}/changes`, token(READ_ONLY), "10000"],
  ])("stands %s", async (_, path, asked, code) => {
    const reply = await get(path, asked);
    expect(verdict(reply)).toBe(`403 ${code}`);
    expect((await refusals()).map(({ raw }) => raw.cf_ray_id)).toEqual([reply.headers.get("cf-ray")]);
    expect(await refusals(OTHER_ACCOUNT)).toEqual([]);
  });

  test("is no word of another account whose token was refused, not even once that is deleted", async () => {
    const deleted = await server.ask("POST", `/client/v4/accounts/${ACCOUNT}/tokens`, {
      body: {
        name: "a secret plan",
        policies: [
          {
            effect: "allow",
            resources: { [`com.cloudflare.api.account.${ACCOUNT}`]: "*" },
            permission_groups: [{ id: permissionGroups.magicWanRead.id }],
          },
        ],
      },
    });
    const { id, value, name } = deleted.body.result;
    await get(OTHER_LIST, token(demo.accountToken));
    await get(OTHER_LIST, token(value));
    const anonymous = {
      context: "api_token",
      ip_address: "127.0.0.1",
      token_name: "a token of another account",
      type: "account",
    };
    expect((await refusals(OTHER_ACCOUNT)).map(({ actor }) => actor)).toEqual([anonymous, anonymous]);
    await server.ask("DELETE", `/client/v4/accounts/${ACCOUNT}/tokens/${id}`);
    const told = await refusals(OTHER_ACCOUNT);
    expect(told).toHaveLength(2);
    for (const word of [ACCOUNT, name, id]) expect(JSON.stringify(told)).not.toContain(word);
  });

  test("stands no secret that was in the path", async () => {
    const encoded = `%${READ_ONLY.charCodeAt(0).toString(16)}${READ_ONLY.slice(1)}`;
    for (const word of [READ_ONLY, demo.key, encoded])
      expect(verdict(await server.ask("PUT", one(word), { body: {}, token: READ_ONLY }))).toBe("403 10000");
    const text = JSON.stringify(await refusals());
    expect(text.match(/"uri":"[^"]*\/\(masked\)"/g)).toHaveLength(3);
    for (const secret of [READ_ONLY, READ_ONLY.slice(1), demo.key]) expect(text).not.toContain(secret);
  });

  test("stands a user who is no member of it", async () => {
    expect(verdict(await get(OTHER_LIST, byKey))).toBe("403 9109");
    expect(await refusals()).toEqual([]);
    expect(await refusals(OTHER_ACCOUNT)).toMatchObject([
      { actor: { context: "api_key", email: demo.email, type: "user" }, action: { type: "view" } },
    ]);
  });

  test("stands nobody who is not known, nor who is refused for something else", async () => {
    const asked: [string, Ask, string][] = [
      [LIST, token("z".repeat(40)), "403 9109"],
      [LIST, token("?"), "400 6003"],
      [LIST, { token: null }, "400 9106"],
      [
        LIST,
        { token: null, headers: { "x-auth-email": demo.email, "x-auth-key": "0".repeat(37) } },
        "403 9103",
      ],
      [`/client/v4/accounts/${"e".repeat(32)}/magic/cf_interconnects`, token(READ_ONLY), "403 10000"],
      ["/client/v4/accounts/__proto__/magic/cf_interconnects", token(READ_ONLY), "404 7003"],
      [one("0".repeat(32)), {}, "404 1020"],
      [`${LIST}?x=1`, {}, "400 990012"],
    ];
    for (const [path, ask, expected] of asked) {
      const reply = await get(path, ask);
      if (path.includes("cf_interconnects/0")) expect(reply.status).toBe(404);
      else expect(verdict(reply)).toBe(expected);
    }
    expect(await refusals()).toEqual([]);
  });

  test("stands no expired token that gives no right in it", async () => {
    const value = "e".repeat(40);
    const text = `
accounts: [{ id: ${ACCOUNT}, name: one }, { id: ${OTHER_ACCOUNT}, name: two }]
tokens:
  - { id: "${"1".repeat(32)}", name: all, value: ${demo.token}, policies: [{ effect: allow, accounts: ["*"], permission_groups: [Patchbay Read] }] }
  - { id: "${"2".repeat(32)}", name: old, value: ${value}, expires_on: "2020-01-01T00:00:00Z", policies: [{ effect: allow, accounts: [${OTHER_ACCOUNT}], permission_groups: [Magic WAN Read] }] }`;
    await server.close();
    server = await startTestServer({}, { seed: { name: "two", text } });
    for (const path of [LIST, OTHER_LIST]) expect(verdict(await get(path, token(value)))).toBe("403 9109");
    expect(await refusals()).toEqual([]);
    expect(await refusals(OTHER_ACCOUNT)).toHaveLength(1);
  });

  test("moves no revision, and changes nothing that can be seen elsewhere", async () => {
    const before = await standing(server);
    for (let count = 0; count < 30; count++)
      await get(LIST, token("demo-patchbay-read-token-000000000000000"));
    await refusals();
    expect(await standing(server)).toEqual(before);
  });

  test("a flood of refusals is ten entries of a credential, and a count of the others", async () => {
    const memory: Memory = new Map();
    await server.close();
    server = await startTestServer({}, { store: new MemoryStore(memory) });
    const flood = (asked: Ask, count: number) =>
      Promise.all(Array.from({ length: count }, () => server.ask("PUT", one(ORD), { ...asked, body: {} })));
    await flood(token(READ_ONLY), 500);
    await flood(token("demo-transit-read-only-token-00000000000"), 12);
    // The counts are kept when a minute is over, or the server stops.
    expect(await refusals()).toHaveLength(20);
    await server.close();
    server = await startTestServer({}, { store: new MemoryStore(memory) });
    const entries = await refusals();
    expect(entries).toHaveLength(22);
    const counted = entries.filter(({ resource }) => resource.response.more !== undefined);
    const counts = counted.map(({ actor, resource }) => [actor.token_name, resource.response.more]);
    expect(Object.fromEntries(counts)).toEqual({
      "read only": 490,
      "read only by the other product": 2,
    });
    expect(counted.map(({ action }) => action.description)).toContain(
      "Update interconnect: Authentication error, and 490 more refusals",
    );
  });

  test("goes with the world it happened in", async () => {
    await get(LIST, token("demo-patchbay-read-token-000000000000000"));
    await server.reset();
    expect(await refusals()).toEqual([]);
    await get(LIST, token("demo-patchbay-read-token-000000000000000"));
    expect(await refusals()).toHaveLength(1);
  });
});

test("a store that takes no events does not keep anybody from being answered", async () => {
  const store = new FaultyStore(new MemoryStore());
  await using server = await startTestServer({}, { store });
  store.onNote = () => Promise.reject(new Error("no room"));
  const refused = { token: "demo-patchbay-read-token-000000000000000" };
  expect(verdict(await server.ask("GET", LIST, refused))).toBe("403 10000");
  const reply = await audit(server);
  expect(reply.body.result).toHaveLength(2);
  store.onNote = (proceed) => proceed();
  await server.ask("GET", LIST, refused);
  expect(await allOf(server, { action_result: "failure" })).toHaveLength(1);
});

test("what was refused before a server stops is kept", async () => {
  const memory = new Map();
  const usual = { host: "127.0.0.1", port: 0, data: undefined, seed: undefined, sandbox: true };
  const config = { ...usual, metricsPort: undefined, rateLimit: "off", logLevel: "silent" } as const;
  const server = await startServer(config, { store: new MemoryStore(memory) });
  const headers = { authorization: `Bearer ${READ_ONLY}` };
  for (let count = 0; count < 12; count++) await fetch(`${server.url}${OWN}/state`, { headers });
  await server.close();
  const kept = await new MemoryStore(memory).eventsAfter(ACCOUNT, 0, 100);
  expect(kept.map(({ event }) => event.more)).toEqual([...Array(10).fill(undefined), 2]);
});

describe("refusals on their way to the store", () => {
  const kept: StateEvent[][] = [];
  let refusals: Refusals;
  beforeEach(() => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    kept.length = 0;
    const store = new FaultyStore(new MemoryStore());
    store.note = async (events) => void kept.push([...events]);
    const clock = { now: () => Date.now(), timestamp: () => new Date().toISOString() };
    refusals = new Refusals(store, clock, { warn: () => undefined });
  });

  const refuse = (credential: string, account: string = ACCOUNT) =>
    refusals.note(account, {
      actor: { type: "token", id: credential, name: credential },
      request_id: "x",
      address: "192.0.2.1",
      operation: "listInterconnects",
      method: "GET",
      path: LIST,
      status: 403,
      code: 10000,
      message: "Authentication error",
    });
  const told = () => kept.flat().map(({ event }) => `${event.actor.id} ${event.more ?? "once"}`);

  test("are kept together, a second later", () => {
    for (let count = 0; count < 3; count++) refuse("a");
    vi.advanceTimersByTime(999);
    expect(kept).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(kept.map((batch) => batch.length)).toEqual([3]);
  });

  test("are told one by one again a minute later, when the rest was counted", () => {
    for (let count = 0; count < 15; count++) refuse("a");
    vi.advanceTimersByTime(59_999);
    expect(told()).toEqual(Array(10).fill("a once"));
    vi.advanceTimersByTime(1);
    expect(told().slice(10)).toEqual(["a 5"]);
    refuse("a");
    vi.advanceTimersByTime(1_000);
    expect(told().slice(11)).toEqual(["a once"]);
  });

  test("are counted once a minute, however often the log is read", async () => {
    for (let read = 0; read < 50; read++) {
      for (let count = 0; count < 11; count++) refuse("a");
      await refusals.flush();
    }
    expect(told()).toEqual(Array(10).fill("a once"));
    vi.advanceTimersByTime(60_000);
    expect(told().slice(10)).toEqual(["a 540"]);
  });

  test("are told at most a hundred times for an account, whoever is refused", async () => {
    for (let credential = 0; credential < 50; credential++)
      for (let count = 0; count < 5; count++) refuse(`${credential}`);
    refuse("0", OTHER_ACCOUNT);
    vi.advanceTimersByTime(60_000);
    const own = kept.flat().filter(({ state }) => state === ACCOUNT);
    expect(own.filter(({ event }) => event.more === undefined)).toHaveLength(100);
    expect(own.reduce((sum, { event }) => sum + (event.more ?? 1), 0)).toBe(250);
    expect(kept.flat().filter(({ state }) => state === OTHER_ACCOUNT)).toHaveLength(1);
  });

  test("of credentials of which none was told are counted together", () => {
    for (let credential = 0; credential < 1_500; credential++) refuse(`${credential}`);
    vi.advanceTimersByTime(60_000);
    expect(told()).toHaveLength(101);
    expect(told().at(-1)).toBe("several 1400");
    expect(kept.flat().reduce((sum, { event }) => sum + (event.more ?? 1), 0)).toBe(1_500);
  });
});
