import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { accountOperations } from "../src/contract/directory/account.ts";
import { tokenOperations } from "../src/contract/directory/token-operations.ts";
import { userOperations } from "../src/contract/directory/user.ts";
import { operations } from "../src/contract/operations.ts";
import { Metrics } from "../src/server/metrics.ts";
import type { LiveState } from "../src/store/live-state.ts";
import { SqliteStore } from "../src/store/sqlite/sqlite-store.ts";
import { NotCommitted, OutcomeUnknown } from "../src/store/store.ts";
import { ALWAYS, urlOf } from "./harness/audit.ts";
import { driveCnis } from "./harness/cni-world.ts";
import { HEALTH, reportOf } from "./harness/edge-report.ts";
import { FaultyStore } from "./harness/faulty-store.ts";
import {
  ACCOUNT,
  type Ask,
  codes,
  demo,
  LIST,
  ORD,
  OWN,
  one,
  ROUTES,
  SIN,
  startTestServer,
  type TestServer,
} from "./harness/server.ts";

const RESET = "/patchbay/v1/reset";
const FAULTS = "/patchbay/v1/faults";
const VERIFY = "/client/v4/user/tokens/verify";

/** One line of the log, parsed. */
type Line = Readonly<Record<string, unknown>>;

let server: TestServer;
let store: FaultyStore;
let written: string[];

beforeEach(async () => {
  written = [];
  store = new FaultyStore(await SqliteStore.open(undefined));
  const logTo = { write: (line: string) => void written.push(line) };
  server = await startTestServer(
    { metricsPort: 0, metricsAccounts: true, logLevel: "debug" },
    { logTo, store },
  );
});
afterEach(() => server.close());

const lines = (): Line[] => written.map((line) => JSON.parse(line));

async function fetchMetrics(path: string, init?: RequestInit): Promise<Response> {
  return fetch(`${server.metricsUrl}${path}`, init);
}

/** All figures by name with labels. */
async function figures(): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetchMetrics("/metrics")).text();
  const found = new Map<string, number>();
  for (const line of text.split("\n")) {
    const [, name = "", value = ""] = /^(\w+(?:\{.*\})?) (\S+)$/.exec(line) ?? [];
    if (name !== "") found.set(name, Number(value));
  }
  return found;
}

/** By how much figures grow over an action. */
async function growth(action: () => Promise<unknown>): Promise<(name: string) => number> {
  const before = await figures();
  await action();
  const after = await figures();
  return (name) => (after.get(name) ?? 0) - (before.get(name) ?? 0);
}

describe("/metrics", () => {
  test("is in the text format of Prometheus, each figure explained", async () => {
    const answer = await fetchMetrics("/metrics");
    expect(answer.headers.get("content-type")).toContain("text/plain; version=0.0.4");
    const text = await answer.text();
    for (const [, name = ""] of text.matchAll(/^(\w+?)(?:_bucket|_sum|_count)?[{ ][^\n]*$/gm)) {
      if (name.startsWith("patchbay_")) expect(text).toMatch(new RegExp(`^# HELP ${name} \\S+`, "m"));
    }
    expect(text).toContain("process_resident_memory_bytes");
  });

  test("counts requests and their time, by operation and status", async () => {
    const grown = await growth(async () => {
      await server.ask("GET", LIST);
      await server.ask("GET", LIST);
      await server.ask("PUT", one(ORD), { body: { mtu: 1 } });
      await server.ask("GET", LIST, { token: null });
      await server.ask("GET", "/client/v4/nowhere");
    });
    const count = (labels: string) => grown(`patchbay_requests_total{${labels}}`);
    expect(count('operation="listInterconnects",status="200"')).toBe(2);
    expect(count('operation="updateInterconnect",status="400"')).toBe(1);
    expect(count('operation="listInterconnects",status="400"')).toBe(1);
    expect(count('operation="none",status="404"')).toBe(1);
    const seconds = grown('patchbay_request_seconds_total{operation="listInterconnects",status="200"}');
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThan(10);
  });

  test("counts commits, the changes that shared one, and the objects they wrote", async () => {
    const grown = await growth(() =>
      Promise.all([
        server.ask("PUT", LIST, {
          body: {
            interconnects: [
              { id: ORD, mtu: 1400 },
              { id: SIN, mtu: 1400 },
            ],
          },
        }),
        ...[1, 2, 3].map((number) =>
          server.ask("PUT", one(ORD), { body: { description: `update ${number}` } }),
        ),
      ]),
    );
    expect(grown("patchbay_commit_changes_sum")).toBe(4);
    expect(grown("patchbay_commit_objects_sum")).toBe(5);
    const commits = grown("patchbay_commit_seconds_count");
    expect(commits).toBeGreaterThanOrEqual(1);
    expect(commits).toBeLessThanOrEqual(4);
    expect(grown("patchbay_commit_changes_count")).toBe(commits);
    expect(grown("patchbay_commit_objects_count")).toBe(commits);
    expect(grown("patchbay_commit_seconds_sum")).toBeGreaterThan(0);
  });

  test("counts no commit for what changes nothing", async () => {
    const grown = await growth(async () => {
      await server.ask("PUT", `${one(ORD)}?validate_only=true`, { body: { mtu: 1400 } });
      await server.ask("PUT", one(ORD), { body: { mtu: 1476 } });
      await server.ask("PUT", one(ORD), { body: { mtu: 1 } });
    });
    expect(grown("patchbay_commit_seconds_count")).toBe(0);
  });

  test("tells the revision of every account, which a reset takes back", async () => {
    const revision = async (account: string = ACCOUNT) =>
      (await figures()).get(`patchbay_revision{account="${account}"}`);
    expect([await revision(), await revision("directory")]).toEqual([1, 1]);
    await server.ask("PUT", one(ORD), { body: { mtu: 1400 } });
    await server.ask("PUT", one(ORD), { body: { mtu: 1300 } });
    expect([await revision(), await revision("directory")]).toEqual([3, 1]);
    await server.ask("POST", RESET);
    expect(await revision()).toBe(1);
  });

  test("has no revision of an account that is no longer there", async () => {
    const { accounts, metrics } = {
      accounts: new Map([
        ["a", 1],
        ["b", 2],
      ]),
      metrics: new Metrics(),
    };
    metrics.addRevisions({
      all: () => [...accounts].map(([id, durable]) => ({ state: { id, durable } }) as unknown as LiveState),
    });
    const named = async () =>
      [...(await metrics.registry.metrics()).matchAll(/^patchbay_revision\{account="(\w+)"\}/gm)].map(
        ([, account]) => account,
      );
    expect(await named()).toEqual(["a", "b"]);
    accounts.delete("a");
    metrics.observeCommit({ state: "a", revision: 2, changes: [], seconds: 0 });
    expect(await named()).toEqual(["b"]);
  });

  test("is not served on the port of the API, nor the API on its port", async () => {
    expect((await server.ask("GET", "/metrics")).status).toBe(404);
    expect((await fetchMetrics(LIST)).status).toBe(404);
    expect((await fetchMetrics("/metrics", { method: "POST" })).status).toBe(405);
  });
});

describe("/healthz and /readyz", () => {
  test("answer ok while the server runs", async () => {
    expect(await (await fetchMetrics("/healthz")).text()).toBe("ok\n");
    expect(await (await fetchMetrics("/readyz")).text()).toBe("ready\n");
  });

  test("say, while it finishes what is under way, that nothing more should come", async () => {
    const socket = connect(Number(new URL(server.url).port), "127.0.0.1");
    const body = JSON.stringify({ mtu: 1400 });
    socket.write(
      `PUT ${one(ORD)} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${demo.token}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nExpect: 100-continue\r\n\r\n`,
    );
    await once(socket, "data");
    const closing = server.close();
    const ready = await fetchMetrics("/readyz");
    expect([ready.status, await ready.text()]).toEqual([503, "stopping\n"]);
    expect((await fetchMetrics("/healthz")).status).toBe(200);
    socket.write(body);
    const [answer] = await once(socket, "data");
    expect(String(answer)).toContain("HTTP/1.1 200 OK");
    await closing;
    await expect(fetchMetrics("/healthz")).rejects.toThrow();
  });
});

describe("the log", () => {
  const refused: Record<string, Ask> = {
    "an unknown token": { token: "unknown-token-of-the-tests-0000000000000" },
    "a malformed token": { token: "malformed!secret" },
    "a key that is not the user's": {
      token: null,
      headers: { "x-auth-email": demo.email, "x-auth-key": "fedcba9876543210fedcba9876543210" },
    },
    "a malformed key": { token: null, headers: { "x-auth-email": demo.email, "x-auth-key": "SECRET KEY" } },
  };
  const byKey: Ask = { token: null, headers: { "x-auth-email": demo.email, "x-auth-key": demo.key } };
  const md5_key = "a-shared-secret-of-bgp";

  /** Every operation, with what must not be told in every place where it can be sent. */
  async function driveEverything(): Promise<void> {
    for (const asked of [{}, byKey]) {
      await server.ask("GET", LIST, asked);
      await server.ask("PUT", LIST, { ...asked, body: { interconnects: [{ id: SIN, bgp: { md5_key } }] } });
      await server.ask("GET", one(SIN), asked);
      await server.ask("PUT", one(SIN), { ...asked, body: { bgp: { md5_key: `${md5_key}-2` } } });
      await server.ask("PUT", one(SIN), { ...asked, body: { bgp: { md5_key: `${md5_key}"?` } } });
      await server.ask("PUT", one(SIN), { ...asked, body: { bgp: { md5_kee: md5_key } } });
      const made = { prefix: "192.0.2.0/24", nexthop: "10.213.0.9", priority: 1, description: "x" };
      const created = await server.ask("POST", ROUTES, { ...asked, body: made });
      const route = `${ROUTES}/${created.body.result.id}`;
      await server.ask("GET", ROUTES, asked);
      await server.ask("GET", route, asked);
      await server.ask("PUT", ROUTES, { ...asked, body: { routes: [] } });
      await server.ask("PUT", route, { ...asked, body: { priority: 2 } });
      await server.ask("DELETE", route, asked);
      await server.ask("DELETE", ROUTES, asked);
      await driveCnis(server, asked, md5_key);
      await server.ask("GET", VERIFY, asked);
      await server.ask("GET", `${OWN}/changes?after=0`, asked);
      await server.ask("GET", `${OWN}/changes/2`, asked);
      await server.ask("GET", `${OWN}/state`, asked);
      await server.ask("GET", `${OWN}/last-changes?interconnect=${ORD}`, asked);
      for (const what of ["revert", "confirm", "extend"])
        await server.ask("POST", `${OWN}/changes/2/${what}`, { ...asked, body: { [md5_key]: md5_key } });
      await server.ask("POST", `${OWN}/changes/2/revert`, asked);
      await server.ask("POST", `${OWN}/restore`, { ...asked, body: { to_revision: 1 } });
      await server.ask("POST", `${HEALTH}/reports`, {
        ...asked,
        body: { ...reportOf(), [md5_key]: md5_key },
      });
      await server.ask("POST", `${HEALTH}/reports`, { ...asked, body: reportOf() });
      await server.ask("GET", HEALTH, asked);
      await server.ask("GET", `${HEALTH}/${ORD}`, asked);
      await server.ask("GET", urlOf(ALWAYS), asked);
      // What is accepted of these is in test/directory/secrets.test.ts.
      const { listDirectoryChanges, getDirectoryChange } = operations;
      const directory = { ...accountOperations, ...tokenOperations, ...userOperations };
      for (const { method, path } of [
        ...Object.values(directory),
        listDirectoryChanges,
        getDirectoryChange,
      ]) {
        const url = path.replace(":account_id", ACCOUNT).replace(/:\w+/, "1".repeat(32));
        await server.ask(method, url, {
          ...asked,
          ...(method === "GET" ? {} : { body: { [md5_key]: md5_key } }),
        });
      }
      for (const [method, body] of [["POST", { remember: true }], ["GET"], ["DELETE"]] as const)
        await server.ask(method, "/patchbay/v1/session", { ...asked, ...(body ? { body } : {}) });
      await server.ask("POST", RESET, asked);
      const fault = { operation: "reset", latency_ms: 1 };
      await server.ask("PUT", FAULTS, { ...asked, body: fault });
      await server.ask("GET", FAULTS, asked);
      await server.ask("GET", "/patchbay/v1/requests", asked);
      await server.ask("DELETE", `${FAULTS}/1`, asked);
      await server.ask("DELETE", FAULTS, asked);
    }
    for (const asked of Object.values(refused)) {
      await server.ask("GET", LIST, asked);
      await server.ask("GET", VERIFY, asked);
    }
    store.next(() => Promise.reject(new Error("a defect")));
    await server.ask("PUT", one(SIN), { body: { bgp: { md5_key } } });
    store.next(...Array.from({ length: 2 }, () => () => Promise.reject(new NotCommitted("no room"))));
    await server.ask("PUT", one(SIN), { body: { bgp: { md5_key } } });
  }

  test("is of JSON lines, one for each request at level debug, under the id that its answer has", async () => {
    const { headers } = await server.ask("GET", `${OWN}/changes?limit=1`);
    expect(written.every((line) => line.endsWith("}\n") && !line.slice(0, -1).includes("\n"))).toBe(true);
    expect(lines().at(-1)).toEqual({
      level: 20,
      time: expect.any(Number),
      request_id: headers.get("cf-ray"),
      operation: "listChanges",
      method: "GET",
      url: `${OWN}/changes?limit=1`,
      ip: "127.0.0.1",
      status: 200,
      seconds: expect.any(Number),
      msg: "request",
    });
  });

  test("never tells a secret, whatever is asked and whatever goes wrong", async () => {
    await driveEverything();
    const driven = new Set(lines().map(({ operation }) => operation));
    expect([...Object.keys(operations)].filter((name) => !driven.has(name))).toEqual([]);
    const log = written.join("");
    const secrets = [
      ...demo.tokens,
      demo.key,
      md5_key,
      "unknown-token-of-the-tests",
      "malformed!secret",
      "fedcba9876543210fedcba9876543210",
      "SECRET KEY",
    ];
    expect(secrets.filter((secret) => log.includes(secret))).toEqual([]);
    expect(log).not.toMatch(/bearer|x-auth-key|[0-9a-f]{64}/i);
  });

  test("has no secret that was in a URL", async () => {
    await server.ask("GET", `${LIST}?access_token=${demo.token}`);
    await server.ask("GET", `${LIST}/${demo.token}?key=${demo.key}`);
    await server.ask("GET", `/client/v4/%${demo.token.charCodeAt(0).toString(16)}${demo.token.slice(1)}`);
    const urls = lines().flatMap(({ url }) =>
      typeof url === "string" && url.includes("masked") ? [url] : [],
    );
    expect(urls).toEqual([
      `${LIST}?access_token=(masked)`,
      `${LIST}/(masked)?key=(masked)`,
      "/client/v4/(masked)",
    ]);
    for (const secret of [demo.token.slice(1), demo.key]) expect(written.join("")).not.toContain(secret);
  });

  test("tells at level info only that the server started, was reset and stopped, and by whom", async () => {
    const told: string[] = [];
    const logTo = { write: (line: string) => void told.push(line) };
    const quiet = await startTestServer({ logLevel: "info" }, { logTo });
    await quiet.ask("GET", LIST);
    await quiet.ask("PUT", one(ORD), { body: { mtu: 1400 } });
    await quiet.ask("POST", RESET);
    await quiet.close();
    expect(told.map((line) => JSON.parse(line))).toMatchObject([
      { level: 30, msg: "started", url: quiet.url, data: "memory", resumed: false },
      { level: 30, msg: "reset to the seed", actor: { type: "token", name: "everything" } },
      { level: 30, msg: "stopped" },
    ]);
  });
});

describe("a failure inside the server", () => {
  test("is a 500 in the envelope with the request's id, under which the log has the stack", async () => {
    store.next(() => Promise.reject(new TypeError("a defect in the store")));
    const reply = await server.ask("PUT", one(ORD), { body: { mtu: 1400 } });
    const id = reply.headers.get("cf-ray");
    expect(reply.status).toBe(500);
    expect(reply.body).toMatchObject({ result: null, success: false, messages: [] });
    expect(reply.body.errors).toEqual([
      {
        code: 990001,
        message: `Patchbay failed on request ${id}. This is a defect of Patchbay, not of the request.`,
        documentation_url: `${server.url}/docs/errors/990001`,
      },
    ]);
    expect(JSON.stringify(reply.body)).not.toContain("a defect in the store");
    const line = lines().find(({ msg }) => msg === "internal error");
    expect(line).toMatchObject({
      level: 50,
      request_id: id,
      operation: "updateInterconnect",
      err: { type: "TypeError", message: "a defect in the store", stack: expect.stringContaining("at ") },
    });
  });

  test("does not keep the server from going on", async () => {
    store.next(() => Promise.reject(new TypeError("a defect in the store")));
    await server.ask("PUT", one(ORD), { body: { mtu: 1400 } });
    expect((await server.ask("GET", one(ORD))).body.result.interconnect.mtu).toBe(1476);
    expect((await server.ask("PUT", one(ORD), { body: { mtu: 1300 } })).status).toBe(200);
    const { body } = await server.ask("GET", `${OWN}/changes`);
    expect(body.result.map(({ revision }: { revision: number }) => revision)).toEqual([2, 1]);
  });

  test("of a read is told in the same way", async () => {
    store.onRead = () => Promise.reject(new Error("a defect in the store"));
    for (const path of [`${OWN}/changes`, `${OWN}/changes?after=0`, `${OWN}/changes/1`]) {
      const reply = await server.ask("GET", path);
      expect([reply.status, ...codes(reply)]).toEqual([500, 990001]);
    }
    store.onRead = async () => undefined;
    expect((await server.ask("GET", `${OWN}/changes`)).status).toBe(200);
  });

  test.each([
    ["does not take a change", () => new NotCommitted("no room"), 990002],
    ["cannot say whether it took one", () => new OutcomeUnknown("no connection"), 990041],
  ])("of a store that %s is a 503, to be tried again", async (_, failure, code) => {
    store.onCommit = () => Promise.reject(failure());
    const reply = await server.ask("PUT", one(ORD), { body: { mtu: 1400 } });
    expect([reply.status, ...codes(reply)]).toEqual([503, code]);
    expect(reply.headers.get("retry-after")).toBe("1");
    const line = lines().find(({ msg }) => msg === "commit failed");
    expect(line).toMatchObject({
      level: 50,
      request_id: reply.headers.get("cf-ray"),
      err: { message: failure().message },
    });
    store.onCommit = (__, proceed) => proceed();
    expect((await server.ask("PUT", one(ORD), { body: { mtu: 1400 } })).status).toBe(200);
  });
});
