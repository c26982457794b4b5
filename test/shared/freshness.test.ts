/** Several servers on one store: what one acknowledged, every other tells. */

import { setImmediate } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DIRECTORY_ID } from "../../src/account/directory.ts";
import { Away } from "../../src/store/store.ts";
import { FaultyStore } from "../harness/faulty-store.ts";
import { type Memory, MemoryStore } from "../harness/memory-store.ts";
import {
  ACCOUNT,
  AMS,
  type Ask,
  demo,
  LIST,
  ORD,
  OWN,
  one,
  problems,
  startTestServer,
  type TestServer,
} from "../harness/server.ts";
import { SetClock } from "../harness/set-clock.ts";
import { verdict } from "../harness/standing.ts";

const clock = new SetClock("2026-03-01T12:00:00Z");
let stores: FaultyStore[];
let servers: TestServer[];
let here: TestServer;
let there: TestServer;

/** Servers that begin at the same time, on a store that is empty. */
async function startServers(count: number): Promise<void> {
  const memory: Memory = new Map();
  const on = { shared: true, now: () => clock.now() };
  stores = Array.from({ length: count }, () => new FaultyStore(new MemoryStore(memory, on)));
  servers = await Promise.all(stores.map((store) => startTestServer({ metricsPort: 0 }, { store, clock })));
  const [first, second] = servers;
  if (!first || !second) throw new Error("There are two servers at least.");
  [here, there] = [first, second];
}

beforeEach(() => startServers(2));
afterEach(async () => {
  await Promise.all(servers.map((server) => server.close()));
});

const put = (server: TestServer, body: unknown, asked: Ask = {}) =>
  server.ask("PUT", one(ORD), { body, ...asked });
const mtu = async (server: TestServer) => (await server.ask("GET", one(ORD))).body.result.interconnect.mtu;
const epoch = async (server: TestServer) => (await server.ask("GET", `${OWN}/state`)).body.result.epoch;

test("servers that begin at once begin one world", async () => {
  await Promise.all(servers.map((server) => server.close()));
  await startServers(3);
  const epochs = await Promise.all(servers.map(epoch));
  expect(new Set(epochs).size).toBe(1);
});

describe("after an update that one acknowledged, the other", () => {
  test("tells it, also where it told what was there before", async () => {
    // Twice: a read that was answered before has a shorter way.
    for (const wanted of [1300, 1301, 1302]) {
      expect(await mtu(there)).not.toBe(wanted);
      expect(verdict(await put(here, { mtu: wanted }))).toBe("200");
      expect(await mtu(there)).toBe(wanted);
      expect(await mtu(there)).toBe(wanted);
    }
    const { body } = await there.ask("GET", LIST);
    expect(body.result.interconnects.find(({ id }: { id: string }) => id === ORD).mtu).toBe(1302);
    expect((await there.ask("GET", `${OWN}/state`)).body.result.revision).toBe(4);
  });

  test("has its tag", async () => {
    const before = await there.ask("GET", one(ORD));
    await put(here, { mtu: 1300 });
    const headers = { "if-none-match": before.headers.get("etag") ?? "" };
    expect((await there.ask("GET", one(ORD), { headers })).status).toBe(200);
    const stale = { "if-match": before.headers.get("etag") ?? "" };
    expect(verdict(await put(there, { mtu: 1200 }, { headers: stale }))).toBe("412 990014");
  });

  test("decides on it: a name that was taken is taken, and a dry run says so too", async () => {
    await put(here, { name: "taken" });
    for (const query of ["", "?validate_only=true"]) {
      const reply = await there.ask("PUT", `${one(AMS)}${query}`, { body: { name: "taken" } });
      expect(reply.status).toBe(400);
      expect(problems(reply)[0]).toMatch(/ \/name$/);
    }
  });

  test("makes its own after it", async () => {
    for (let turn = 0; turn < 10; turn++) {
      await put(here, { mtu: 1300 + turn });
      await put(there, { description: `turn ${turn}` });
    }
    const { body } = await here.ask("GET", `${OWN}/changes?after=0&limit=100`);
    expect(body.result.map(({ revision }: { revision: number }) => revision)).toEqual(
      Array.from({ length: 21 }, (_, index) => index + 1),
    );
  });

  test("tells it under a path that is written in another way", async () => {
    await mtu(there);
    const number = (letter: string) => `%${letter.charCodeAt(0).toString(16)}`;
    const paths = [
      one(ORD).replace(ACCOUNT, number(ACCOUNT) + ACCOUNT.slice(1)),
      one(ORD).replace("client", `${number("c")}lient`),
      one(ORD).replace("accounts", `a${number("c")}counts`),
    ];
    for (const [turn, path] of paths.entries()) {
      await put(here, { mtu: 1300 + turn });
      // The contract knows no such path, so nobody judges the answer by it.
      const answer = await fetch(there.url + path, { headers: { authorization: `Bearer ${demo.token}` } });
      expect(await answer.json(), path).toMatchObject({ result: { interconnect: { mtu: 1300 + turn } } });
    }
  });
});

test("an update is told also by who joins a load that began before it", async () => {
  const inner = stores[1]?.inner;
  if (!inner) throw new Error("There is no such store.");
  const load = inner.load.bind(inner);
  const [loaded, opened] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  inner.load = async (id) => {
    const state = await load(id);
    loaded.resolve();
    await opened.promise;
    return state;
  };
  // The first question about the account brings it into memory.
  const first = mtu(there);
  await loaded.promise;
  expect(verdict(await put(here, { mtu: 1300 }))).toBe("200");
  const looked = new Promise<void>((resolve) => {
    if (stores[1]) stores[1].onRead = async (name) => void (name === "check" && resolve());
  });
  const second = mtu(there);
  await looked;
  await setImmediate();
  opened.resolve();
  await first;
  expect(await second).toBe(1300);
});

test("updates of one account by all at once are made once each", async () => {
  await Promise.all(servers.map((server) => server.close()));
  await startServers(3);
  const updates = Array.from({ length: 60 }, (_, index) => ({ index, server: servers[index % 3] ?? here }));
  const replies = await Promise.all(
    updates.map(({ index, server }) =>
      server.ask("PUT", one(index % 2 ? ORD : AMS), { body: { description: `update ${index}` } }),
    ),
  );
  expect(replies.map(verdict)).toEqual(updates.map(() => "200"));
  const { body } = await there.ask("GET", `${OWN}/changes?after=1&limit=100`);
  const made = body.result.map(
    ({ objects }: { objects: { fields: { description: { after: string } } }[] }) =>
      objects[0]?.fields.description.after,
  );
  expect(made.toSorted()).toEqual(updates.map(({ index }) => `update ${index}`).toSorted());
});

describe("what spans accounts is as new:", () => {
  test("a token that was revoked is refused at once, and a new one is good", async () => {
    const policies = [
      {
        effect: "allow",
        resources: { [`com.cloudflare.api.account.${ACCOUNT}`]: "*" },
        permission_groups: [{ id: (await groupNamed("Magic WAN Read")) ?? "" }],
      },
    ];
    const tokens = "/client/v4/user/tokens";
    const { body } = await here.ask("POST", tokens, { body: { name: "short-lived", policies } });
    const { id, value } = body.result;
    expect((await there.ask("GET", one(ORD), { token: value })).status).toBe(200);
    expect((await here.ask("DELETE", `${tokens}/${id}`)).status).toBe(200);
    expect(verdict(await there.ask("GET", one(ORD), { token: value }))).toBe("403 9109");
  });

  async function groupNamed(name: string): Promise<string | undefined> {
    const { body } = await here.ask("GET", "/client/v4/user/tokens/permission_groups");
    return body.result.find((group: { name: string }) => group.name === name)?.id;
  }

  test("an account that was made", async () => {
    const id = "f".repeat(32);
    const made = await here.ask("POST", "/patchbay/v1/accounts", { body: { id, name: "new" } });
    expect(made.status).toBe(200);
    expect((await there.ask("GET", `/patchbay/v1/accounts/${id}/state`)).status).toBe(200);
  });

  test("an account that is gone, whoever asked for what in it before", async () => {
    const memory: Memory = new Map();
    const store = () => new MemoryStore(memory, { shared: true });
    const policies = [{ effect: "allow", accounts: ["*"], permission_groups: ["Magic WAN Read"] }];
    const token = "own-token-of-the-tests-000000000000000-0";
    const tokens = [{ id: "a".repeat(32), name: "t", value: token, policies }];
    const interconnects = [{ id: ORD, name: "a", version: "1", interface_address: "10.0.0.0/31" }];
    const worlds = [
      { accounts: [{ id: ACCOUNT, name: "first", interconnects }] },
      { accounts: [{ id: "f".repeat(32), name: "second" }] },
    ].map((world) => ({ name: "world", text: JSON.stringify({ ...world, tokens }) }));
    const [before, after] = worlds;
    if (!before || !after) throw new Error("There are two worlds.");
    await using first = await startTestServer({}, { store: store(), seed: before });
    await using second = await startTestServer({}, { store: store(), seed: after });
    const look = () => first.ask("GET", one(ORD), { token });
    expect([verdict(await look()), verdict(await look())]).toEqual(["200", "200"]);
    await second.reset();
    expect((await look()).status).toBe(404);
  });

  test("a world that was reset", async () => {
    await put(here, { mtu: 1300 });
    const before = await epoch(there);
    await here.reset();
    expect(await mtu(there)).toBe(1476);
    expect(await epoch(there)).not.toBe(before);
    expect(verdict(await put(there, { mtu: 1301 }))).toBe("200");
    expect(await mtu(here)).toBe(1301);
  });
});

test("who waits for the next change at one hears of a change at the other", async () => {
  const waiting = there.ask("GET", `${OWN}/changes?after=1&wait=30`);
  // It is waiting once its first look found nothing.
  await there.ask("GET", `${OWN}/changes?after=1`);
  await put(here, { mtu: 1300 });
  const { body } = await waiting;
  expect(body.result).toMatchObject([{ revision: 2 }]);
});

test("a change to be confirmed is undone by the other if its own server is gone", async () => {
  const headers = { "x-patchbay-confirm-within": "60" };
  expect(verdict(await put(here, { mtu: 1300 }, { headers }))).toBe("200");
  await here.close();
  expect(await mtu(there)).toBe(1300);
  clock.pass(60);
  const { body } = await there.ask("GET", `${OWN}/changes?after=2&wait=30`);
  expect(body.result).toMatchObject([{ revision: 3, operation: "expireChange", reverts: 2 }]);
  expect(await mtu(there)).toBe(1476);
});

describe("of an account that is not in memory, the store is asked for nothing by", () => {
  const loads: string[] = [];
  const checks: string[] = [];
  beforeEach(() => {
    loads.length = 0;
    checks.length = 0;
    const inner = stores[1]?.inner;
    if (!inner) throw new Error("There is no such store.");
    const [load, check] = [inner.load.bind(inner), inner.check.bind(inner)];
    inner.load = (id) => {
      loads.push(id);
      return load(id);
    };
    inner.check = (ids) => {
      checks.push(...ids);
      return check(ids);
    };
  });

  /** A token that may read another account, and only that one. */
  async function tokenOfAnother(): Promise<string> {
    const account = "f".repeat(32);
    await here.ask("POST", "/patchbay/v1/accounts", { body: { id: account, name: "another" } });
    const groups = (await here.ask("GET", "/client/v4/user/tokens/permission_groups")).body.result;
    const group = groups.find(({ name }: { name: string }) => name === "Magic WAN Read");
    const resources = { [`com.cloudflare.api.account.${account}`]: "*" };
    const policies = [{ effect: "allow", resources, permission_groups: [{ id: group.id }] }];
    const made = await here.ask("POST", "/client/v4/user/tokens", { body: { name: "other", policies } });
    return made.body.result.value;
  }

  test.each<[string, () => Ask | Promise<Ask>]>([
    ["a request without a credential", () => ({ token: null })],
    ["an unknown token", () => ({ token: "0".repeat(40) })],
    ["a malformed token", () => ({ token: "short" })],
    [
      "an unknown key",
      () => ({ token: null, headers: { "x-auth-email": demo.email, "x-auth-key": "0".repeat(37) } }),
    ],
    ["a token for another account", async () => ({ token: await tokenOfAnother() })],
  ])("%s", async (_, credential) => {
    const asked = await credential();
    for (const path of [one(ORD), LIST, `${OWN}/state`, `${OWN}/nothing`])
      expect((await there.ask("GET", path, asked)).status).toBeGreaterThanOrEqual(400);
    expect((await there.ask("PUT", one(ORD), { ...asked, body: {} })).status).toBeGreaterThanOrEqual(400);
    expect(loads).toEqual([]);
    expect(new Set(checks)).toEqual(new Set([DIRECTORY_ID]));
  });

  test("no request with a right in it, which takes one check and one load", async () => {
    expect(await mtu(there)).toBe(1476);
    expect(loads).toEqual([ACCOUNT]);
    expect(checks).toEqual([DIRECTORY_ID, ACCOUNT]);
  });
});

describe("while the database is away", () => {
  const away = async () => {
    throw new Away("connection refused");
  };
  beforeEach(async () => {
    await mtu(there);
    for (const store of stores) store.onRead = away;
  });
  const back = () => {
    for (const store of stores) store.onRead = async () => undefined;
  };

  test("nothing is told from memory: 503 with retry-after, and all as before once it is back", async () => {
    const asked = [
      () => there.ask("GET", one(ORD)),
      () => there.ask("GET", LIST),
      () => there.ask("GET", `${OWN}/state`),
      () => put(there, { mtu: 1300 }),
      () => there.ask("GET", "/client/v4/user/tokens/verify"),
    ];
    for (const ask of asked) {
      const reply = await ask();
      expect(verdict(reply)).toBe("503 990123");
      expect(reply.headers.get("retry-after")).toBe("1");
      expect(reply.body.errors[0].message).toBe(
        "The database is temporarily unavailable. Nothing was changed.",
      );
    }
    back();
    expect(await mtu(there)).toBe(1476);
  });

  test("the server says that it is not ready, and still that it lives", async () => {
    const ready = async () => (await fetch(`${there.metricsUrl}/readyz`)).status;
    expect(await ready()).toBe(503);
    expect((await fetch(`${there.metricsUrl}/healthz`)).status).toBe(200);
    back();
    expect(await ready()).toBe(200);
  });

  test("who waits for a change waits on", async () => {
    back();
    const waiting = there.ask("GET", `${OWN}/changes?after=1&wait=30`);
    await there.ask("GET", `${OWN}/changes?after=1`);
    for (const store of stores) store.onRead = away;
    await expect(stores[1]?.check([])).rejects.toThrow();
    back();
    await put(here, { mtu: 1300 });
    expect((await waiting).body.result).toMatchObject([{ revision: 2 }]);
  });
});

test("a server that others reach serves no demonstration that another server brought", async () => {
  const memory: Memory = new Map();
  const store = () => new MemoryStore(memory, { shared: true });
  const accounts = [{ id: ACCOUNT, name: "own", interconnects: [] }];
  const token = "cfut_0123456789012345678901234567890123456789";
  const policies = [{ effect: "allow", accounts: ["*"], permission_groups: ["Patchbay Admin"] }];
  const seed = {
    name: "own",
    text: JSON.stringify({ accounts, tokens: [{ id: "a".repeat(32), name: "t", value: token, policies }] }),
  };
  const open = await startTestServer({ host: "0.0.0.0", sandbox: false }, { store: store(), seed });
  const local = await startTestServer({}, { store: store() });
  const url = open.url.replace("0.0.0.0", "127.0.0.1");
  const verify = (bearer: string) =>
    fetch(`${url}/client/v4/user/tokens/verify`, { headers: { authorization: `Bearer ${bearer}` } });
  expect((await verify(token)).status).toBe(200);
  await local.reset();
  expect((await verify(demo.token)).status).toBe(503);
  await Promise.all([open.close(), local.close()]);
});
