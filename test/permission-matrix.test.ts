import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { type OperationName, operations } from "../src/contract/operations.ts";
import { demoSeedFile } from "../src/store/seed-file.ts";
import {
  ACCOUNT,
  type Ask,
  demo,
  ORD,
  OTHER_ACCOUNT,
  type Reply,
  startTestServer,
  type TestServer,
} from "./harness/server.ts";
import { standing, verdict } from "./harness/standing.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

/** What an operation takes: to read or write interconnects, to read the log or the audit log, to administer. */
type Right = "read" | "write" | "log" | "audit" | "admin";

const needs: Record<OperationName, Right | "nothing"> = {
  listInterconnects: "read",
  getInterconnect: "read",
  updateInterconnects: "write",
  updateInterconnect: "write",
  listRoutes: "read",
  createRoutes: "write",
  updateRoutes: "write",
  deleteRoutes: "write",
  getRoute: "read",
  updateRoute: "write",
  deleteRoute: "write",
  listChanges: "log",
  getChange: "log",
  getState: "log",
  listAuditLogs: "audit",
  reset: "admin",
  listFaults: "admin",
  armFault: "admin",
  clearFaults: "admin",
  verifyToken: "nothing",
};

/** What these administer stands in no account's state. */
const beside: readonly OperationName[] = ["listFaults", "armFault", "clearFaults"];

/** A fault that changes no answer of this file. */
const fault = { operation: "reset", latency_ms: 1 };

type Account = "own" | "other" | "unknown";

const accounts: Record<Account, { id: string; interconnect: string; route: string }> = {
  own: { id: ACCOUNT, interconnect: ORD, route: demo.route },
  other: {
    id: OTHER_ACCOUNT,
    interconnect: "7d793037a0760186574b0282f2f435e7",
    route: "b1b2c3d4e5f60718293a4b5c6d7e8f90",
  },
  unknown: { id: "e".repeat(32), interconnect: ORD, route: demo.route },
};

interface Credential {
  readonly asked: Ask;
  /** Refused before anybody looks at what is asked for. */
  readonly refused?: string;
  /** What the check of itself answers, where that is not 200. */
  readonly verify?: string;
  /** Rights by account. Those of `unknown` are rights in every account there may be. */
  readonly rights?: Partial<Record<Account | "server", readonly Right[]>>;
  /** The refusal for want of a right; that of tokens unless given. */
  readonly lacking?: string;
}

const token = (value: string): Ask => ({ token: value });
const headers = (lines: Readonly<Record<string, string>>): Ask => ({ token: null, headers: lines });
const all = (...rights: Right[]) => ({ own: rights, other: rights, unknown: rights });
const INVALID = "403 9109";

/** Every token of the seed by its name, and every other way to ask. */
const credentials: Record<string, Credential> = {
  everything: {
    asked: token(demo.token),
    rights: { ...all("read", "write", "log", "audit", "admin"), server: ["admin"] },
  },
  "read only": { asked: token("demo-magic-read-only-token-0000000000000"), rights: { own: ["read"] } },
  "read only by the other product": {
    asked: token("demo-transit-read-only-token-00000000000"),
    rights: { own: ["read"] },
  },
  "write by the other product": {
    asked: token("demo-transit-write-token-000000000000000"),
    rights: { own: ["read", "write"] },
  },
  "write and nothing of Patchbay's own": {
    asked: token("demo-wan-write-token-0000000000000000000"),
    rights: { own: ["read", "write"] },
  },
  "other account": {
    asked: token("demo-other-account-token-000000000000000"),
    rights: { other: ["read", "write", "log", "audit", "admin"] },
  },
  "no permission at all": { asked: token("demo-other-permission-token-000000000000") },
  expired: { asked: token("demo-expired-token-000000000000000000000"), refused: INVALID, verify: "200" },
  "not yet valid": {
    asked: token("demo-not-yet-valid-token-000000000000000"),
    refused: INVALID,
    verify: "200",
  },
  disabled: { asked: token("demo-disabled-token-00000000000000000000"), refused: INVALID, verify: "200" },
  "only from elsewhere": { asked: token("demo-wrong-address-token-000000000000000"), refused: INVALID },
  "allowed everywhere and denied here": {
    asked: token("demo-denied-token-0000000000000000000000"),
    rights: {
      other: ["read", "write", "log", "audit", "admin"],
      unknown: ["read", "write", "log", "audit", "admin"],
    },
  },
  "log reader": { asked: token("demo-patchbay-read-token-000000000000000"), rights: all("log", "audit") },
  edge: { asked: token("demo-patchbay-edge-token-000000000000000"), rights: { own: ["log"] } },
  "e-mail address and key": {
    asked: headers({ "x-auth-email": demo.email, "x-auth-key": demo.key }),
    rights: { own: ["read", "write", "log", "audit", "admin"] },
    lacking: "403 9109",
    verify: "401 1000",
  },
  nothing: { asked: { token: null }, refused: "400 9106" },
  "an e-mail address alone": { asked: headers({ "x-auth-email": demo.email }), refused: "400 9107" },
  "a key alone": { asked: headers({ "x-auth-key": demo.key }), refused: "400 9106" },
  "an unknown pair": {
    asked: headers({ "x-auth-email": demo.email, "x-auth-key": "0".repeat(37) }),
    refused: "403 9103",
  },
  "a malformed key": {
    asked: headers({ "x-auth-email": demo.email, "x-auth-key": "?" }),
    refused: "400 6003",
  },
  "a malformed e-mail address": {
    asked: headers({ "x-auth-email": "?", "x-auth-key": demo.key }),
    refused: "400 6003",
  },
  "an unknown token": { asked: token("z".repeat(40)), refused: INVALID, verify: "401 1000" },
  "a malformed token": { asked: token("?"), refused: "400 6003" },
};

/** What has to come of it, by the table alone. */
function expected(
  name: OperationName,
  { refused, verify, rights = {}, lacking }: Credential,
  account: Account | "server",
) {
  const right = needs[name];
  if (right === "nothing") return verify ?? refused ?? "200";
  if (refused !== undefined) return refused;
  if (!rights[account]?.includes(right)) return lacking ?? "403 10000";
  return account === "unknown" ? "404 7003" : "200";
}

/** The query that an operation cannot do without. */
const queries: Partial<Record<OperationName, string>> = {
  listAuditLogs: "?since=2026-01-01&before=2026-01-02",
};

let count = 0;

function ask(name: OperationName, credential: Credential, account: Account | "server"): Promise<Reply> {
  const { method, path } = operations[name];
  const { id, interconnect, route } = accounts[account === "server" ? "own" : account];
  const url = (path + (queries[name] ?? ""))
    .replace(":account_id", id)
    .replace(":cf_interconnect_id", interconnect)
    .replace(":route_id", route)
    .replace(":revision", "1");
  const description = `change ${++count}`;
  const made = { prefix: "192.0.2.0/24", nexthop: "10.213.0.9", priority: count };
  const bodies: Partial<Record<OperationName, unknown>> = {
    updateInterconnects: { interconnects: [{ id: interconnect, description }] },
    updateInterconnect: { description },
    createRoutes: made,
    updateRoutes: { routes: [{ id: route, description }] },
    updateRoute: { description },
    armFault: fault,
  };
  const body = bodies[name];
  return server.ask(method, url, { ...credential.asked, ...(body === undefined ? {} : { body }) });
}

const names = Object.keys(operations) as OperationName[];
const cases = names.flatMap((name) => {
  const inAccount: string = operations[name].path;
  const places: (Account | "server")[] = inAccount.includes(":account_id")
    ? ["own", "other", "unknown"]
    : ["server"];
  return places.map((account) => ({ name, account }));
});

test("the table has every operation and every token of the seed", () => {
  expect(Object.keys(needs).sort()).toEqual(names.sort());
  const seeded: { name: string; value: string }[] = parse(readFileSync(demoSeedFile, "utf8")).tokens;
  const listed = Object.entries(credentials).map(([name, { asked }]) => ({ name, value: asked.token }));
  expect(listed).toEqual(expect.arrayContaining(seeded.map(({ name, value }) => ({ name, value }))));
});

describe.each(Object.entries(credentials))("with %s", (_, credential) => {
  test.each(cases.map((row) => ({ ...row, verdict: expected(row.name, credential, row.account) })))(
    "$name, $account account: $verdict",
    async ({ name, account, verdict: right }) => {
      const before = await standing(server);
      const reply = await ask(name, credential, account);
      expect(verdict(reply)).toBe(right);
      const after = await standing(server);
      const changes = ["write", "admin"].includes(needs[name]) && !beside.includes(name);
      if (right !== "200" || !changes) expect(after).toEqual(before);
      else expect(after).not.toEqual(before);
      // What was removed is there again for the next.
      if (operations[name].method === "DELETE" && right === "200") await server.reset();
    },
  );
});

describe("any one of the groups an operation accepts suffices, and no other does", () => {
  const groups = [
    "Magic WAN Write",
    "Magic WAN Read",
    "Magic Transit Write",
    "Magic Transit Read",
    "Patchbay Admin",
    "Patchbay Edge",
    "Patchbay Read",
    "Account Settings Read",
    "Account Settings Write",
  ];
  const holders: Record<Right, string[]> = {
    read: groups.slice(0, 4),
    write: ["Magic WAN Write", "Magic Transit Write"],
    log: groups.slice(4, 7),
    audit: ["Patchbay Admin", "Patchbay Read", "Account Settings Read", "Account Settings Write"],
    admin: ["Patchbay Admin"],
  };
  const value = (index: number) => String(index).repeat(40);
  const tokens = groups.map(
    (group, index) =>
      `  - { id: "${String(index).repeat(32)}", name: ${group}, value: "${value(index)}", ` +
      `policies: [{ effect: allow, accounts: ["*"], permission_groups: [${group}] }] }`,
  );
  const demoSeed = readFileSync(demoSeedFile, "utf8");
  const text = `${demoSeed.slice(0, demoSeed.indexOf("tokens:"))}tokens:\n${tokens.join("\n")}\n`;

  test.each(groups.map((group, index) => ({ group, index })))("$group", async ({ group, index }) => {
    await using alone = await startTestServer({}, { seed: { name: "groups", text } });
    for (const { name, account } of cases) {
      if (account === "other" || account === "unknown" || needs[name] === "nothing") continue;
      const { method, path } = operations[name];
      const url = (path + (queries[name] ?? ""))
        .replace(":account_id", ACCOUNT)
        .replace(":cf_interconnect_id", ORD)
        .replace(":route_id", demo.route)
        .replace(":revision", "1");
      const made = { prefix: "192.0.2.0/24", nexthop: "10.213.0.9", priority: 1 };
      const put = name === "armFault" ? fault : {};
      const body = method === "PUT" ? { body: put } : name === "createRoutes" ? { body: made } : {};
      const reply = await alone.ask(method, url, { token: value(index), ...body });
      const holds = holders[needs[name] as Right].includes(group);
      expect(`${name}: ${verdict(reply)}`).toBe(`${name}: ${holds ? "200" : "403 10000"}`);
      // What was removed is there again for the next.
      if (method === "DELETE") await alone.reset();
    }
  });
});

test("a key of a member of every account may do what concerns all of them", async () => {
  const text = `
accounts: [{ id: ${ACCOUNT}, name: one }, { id: ${OTHER_ACCOUNT}, name: two }]
users:
  - { id: "${"1".repeat(32)}", email: both@example.com, key: "${"1".repeat(37)}", accounts: [${ACCOUNT}, ${OTHER_ACCOUNT}] }
  - { id: "${"2".repeat(32)}", email: one@example.com, key: "${"2".repeat(37)}", accounts: [${ACCOUNT}] }`;
  await using two = await startTestServer({}, { seed: { name: "two", text } });
  const reset = (email: string, key: string) =>
    two.ask("POST", "/patchbay/v1/reset", headers({ "x-auth-email": email, "x-auth-key": key }));
  expect(verdict(await reset("one@example.com", "2".repeat(37)))).toBe("403 9109");
  expect(verdict(await reset("both@example.com", "1".repeat(37)))).toBe("200");
});

test("a right that is taken away is gone with the directory that gave it, however lately it was used", async () => {
  const value = "t".repeat(40);
  const world = (group: string) => `
accounts: [{ id: ${ACCOUNT}, name: one }]
tokens:
  - id: "${"1".repeat(32)}"
    name: changing
    value: ${value}
    policies: [{ effect: allow, accounts: ["*"], permission_groups: [${group}] }]`;
  const seed = { name: "changing", text: world("Magic WAN Write") };
  await using changing = await startTestServer({}, { seed });
  const path = `/client/v4/accounts/${ACCOUNT}/magic/cf_interconnects`;
  const ask = () => changing.ask("PUT", path, { token: value, body: {} });
  expect(verdict(await ask())).toBe("200");
  seed.text = world("Magic WAN Read");
  await changing.reset();
  expect(verdict(await ask())).toBe("403 10000");
});
