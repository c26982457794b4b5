import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { type OperationName, operations } from "../src/contract/operations.ts";
import { permissionGroups } from "../src/contract/permissions.ts";
import { uuidOf } from "../src/contract/uuid.ts";
import { demoSeedFile } from "../src/store/seed-file.ts";
import { demoWith, seedWith, TARGETS, targets, USER } from "./harness/directory.ts";
import {
  ACCOUNT,
  AMS,
  type Ask,
  demo,
  ORD,
  OTHER_ACCOUNT,
  type Reply,
  SIN,
  startTestServer,
  type TestServer,
} from "./harness/server.ts";
import { expectSame, standing, verdict } from "./harness/standing.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({}, { seed: demoWith(targets + ofAccounts) });
});
afterAll(() => server.close());

/** Whose right to see how everything stands goes with no user, whatever a test removes. */
const WATCHER = "w".repeat(40);

/** Tokens that belong to the accounts themselves, and the operator's. */
const ofAccounts = `
  - id: "30000000000000000000000000000001"
    name: of the account
    value: cfat_${"a".repeat(40)}
    account: ${ACCOUNT}
    policies:
      - effect: allow
        accounts: [${ACCOUNT}]
        permission_groups: [Magic WAN Read, Account API Tokens Write, Account Settings Read]
  - id: "30000000000000000000000000000002"
    name: of the other account
    value: cfat_${"b".repeat(40)}
    account: ${OTHER_ACCOUNT}
    policies: [{ effect: allow, accounts: [${OTHER_ACCOUNT}], permission_groups: [Account API Tokens Read] }]
  - id: "30000000000000000000000000000003"
    name: of the operator, who looks on
    value: ${WATCHER}
    policies: [{ effect: allow, accounts: ["*"], permission_groups: [Patchbay Admin] }]`;

/**
 * What an operation takes: to read or write interconnects, to read the log or the audit log, to
 * administer; to read of health or to report it; to read or change the account, its tokens, the user, or the user's tokens.
 */
type Right =
  | "read"
  | "write"
  | "log"
  | "audit"
  | "admin"
  | "undo"
  | "health"
  | "report"
  | "see account"
  | "change account"
  | "see account's tokens"
  | "change account's tokens"
  | "see user"
  | "change user"
  | "see user's tokens"
  | "change user's tokens";

/** What takes no right: a look at the credential itself, at the accounts that it opens, or a session of it. */
type Free = "check" | "account's check" | "list" | "session";

const needs: Record<OperationName, Right | Free> = {
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
  listLastChanges: "log",
  getChange: "log",
  getState: "log",
  revertChange: "undo",
  restoreAccount: "undo",
  confirmChange: "undo",
  extendChange: "undo",
  reportHealth: "report",
  getHealth: "health",
  getInterconnectHealth: "health",
  listAuditLogs: "audit",
  reset: "admin",
  listCniSlots: "read",
  getCniSlot: "read",
  listSlots: "admin",
  createSlot: "admin",
  getSlot: "admin",
  updateSlot: "admin",
  deleteSlot: "admin",
  listCniInterconnects: "read",
  createCniInterconnect: "write",
  getCniInterconnect: "read",
  deleteCniInterconnect: "write",
  getCniInterconnectStatus: "read",
  getCniInterconnectLoa: "read",
  getCniInterconnectLoaDefault: "read",
  listCnis: "read",
  createCni: "write",
  getCni: "read",
  updateCni: "write",
  deleteCni: "write",
  getCniSettings: "read",
  updateCniSettings: "write",
  getAccountSettings: "admin",
  updateAccountSettings: "admin",
  createInterconnect: "admin",
  deleteInterconnect: "admin",
  listFaults: "admin",
  armFault: "admin",
  clearFaults: "admin",
  disarmFault: "admin",
  listRequests: "admin",
  createSession: "session",
  getSession: "session",
  deleteSession: "session",
  verifyToken: "check",
  listAccounts: "list",
  getAccount: "see account",
  updateAccount: "change account",
  listAllAccounts: "admin",
  createAccount: "admin",
  showAccount: "admin",
  changeAccount: "admin",
  getUser: "see user",
  editUser: "change user",
  listUsers: "admin",
  createUser: "admin",
  showUser: "admin",
  changeUser: "admin",
  deleteUser: "admin",
  rollUserKey: "admin",
  listDirectoryChanges: "admin",
  getDirectoryChange: "admin",
  listUserPermissionGroups: "see user's tokens",
  listUserTokens: "see user's tokens",
  createUserToken: "change user's tokens",
  getUserToken: "see user's tokens",
  updateUserToken: "change user's tokens",
  deleteUserToken: "change user's tokens",
  rollUserToken: "change user's tokens",
  verifyAccountToken: "account's check",
  listAccountPermissionGroups: "see account's tokens",
  listAccountTokens: "see account's tokens",
  createAccountToken: "change account's tokens",
  getAccountToken: "see account's tokens",
  updateAccountToken: "change account's tokens",
  deleteAccountToken: "change account's tokens",
  rollAccountToken: "change account's tokens",
  listOperatorTokens: "admin",
  createOperatorToken: "admin",
  getOperatorToken: "admin",
  updateOperatorToken: "admin",
  deleteOperatorToken: "admin",
  rollOperatorToken: "admin",
};

const onAccount: Right[] = [
  "see account",
  "change account",
  "see account's tokens",
  "change account's tokens",
];
const onUser: Right[] = ["see user", "change user", "see user's tokens", "change user's tokens"];

/** What these change stands in no state; and where nothing was changed, there is nothing to go back from. */
const beside: readonly OperationName[] = [
  "listFaults",
  "armFault",
  "clearFaults",
  "disarmFault",
  "createSession",
  "deleteSession",
  "reportHealth",
  "restoreAccount",
];

/** What comes of those that may, where only the seed was there before. */
const outcomes: Partial<Record<OperationName, string>> = {
  revertChange: "409 990135",
  confirmChange: "409 990131",
  extendChange: "409 990131",
  disarmFault: "404 990107",
};

/** A fault that changes no answer of this file. */
const fault = { operation: "reset", latency_ms: 1 };

type Account = "own" | "other" | "unknown";
/** What an operation is on: an account, the user who asks, or all there is. */
type Place = Account | "user" | "server";

/** What the paths and bodies name in an account. */
interface Names {
  readonly id: string;
  readonly interconnect: string;
  readonly route: string;
  readonly token: string;
  readonly slot: string;
  readonly taken: string;
  readonly icon: string;
  readonly cni: string;
  /** An interconnect and a port on which nothing hangs. */
  readonly removable: { readonly interconnect: string; readonly icon: string };
}

const own: Names = {
  id: ACCOUNT,
  interconnect: ORD,
  route: demo.route,
  token: TARGETS.account,
  slot: "182bd5e5-6e1a-4fe4-a799-aa6d9a6ab26e",
  taken: "9d4b6c1e-2f83-4a70-9e15-c7b8a6d5e4f3",
  icon: "sin-c1d7e5a24b98",
  cni: uuidOf(SIN),
  removable: { interconnect: AMS, icon: "gcp-us-central1-6b0c2f4e8d17" },
};

const accounts: Record<Account, Names> = {
  own,
  other: {
    id: OTHER_ACCOUNT,
    interconnect: "7d793037a0760186574b0282f2f435e7",
    route: "b1b2c3d4e5f60718293a4b5c6d7e8f90",
    token: TARGETS.other,
    slot: "4c3b2a19-0f8e-4d7c-ab6a-594837261504",
    taken: "5d4c3b2a-1f9e-4e8d-bc7b-6a5948372615",
    icon: "ord-a7b6c5d4e3f2",
    cni: uuidOf("e4da3b7fbbce4345a7772b0674a318d5"),
    removable: { interconnect: "1679091c5a880faf6fb5e6087eb1b2dc", icon: "gcp-us-central1-7c1d3f5a9e28" },
  },
  unknown: { ...own, id: "e".repeat(32) },
};

interface Credential {
  readonly asked: Ask;
  /** Refused before anybody looks at what is asked for. */
  readonly refused?: string;
  /** What the check of itself answers, where that is not 200. */
  readonly verify?: string;
  /** The owner, where it is not the operator. A user's token is checked at one place, an account's at another. */
  readonly owner?: "user" | "own" | "other";
  /** Rights by place. Those of `unknown` are rights in every account there may be. */
  readonly rights?: Partial<Record<Place, readonly Right[]>>;
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
    owner: "user",
    rights: {
      ...all("read", "write", "log", "audit", "admin", ...onAccount),
      user: onUser,
      server: ["admin"],
    },
  },
  "of the account": {
    asked: token(`cfat_${"a".repeat(40)}`),
    owner: "own",
    rights: { own: ["read", "audit", "see account", "see account's tokens", "change account's tokens"] },
  },
  "of the other account": {
    asked: token(`cfat_${"b".repeat(40)}`),
    owner: "other",
    rights: { other: ["see account's tokens"] },
  },
  "target 1": { asked: token(`${TARGETS.user}tttttttt`), owner: "user" },
  "target 2": { asked: token(`${TARGETS.account}tttttttt`), owner: "own" },
  "target 3": { asked: token(`${TARGETS.other}tttttttt`), owner: "other" },
  "target 4": { asked: token(`${TARGETS.operator}tttttttt`) },
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
  edge: { asked: token("demo-patchbay-edge-token-000000000000000"), rights: { own: ["log", "report"] } },
  "second of the user": {
    asked: token("demo-second-token-of-the-user-0000000000"),
    owner: "user",
    rights: { user: ["see user"] },
  },
  "reader of the account": { asked: token(demo.accountToken), owner: "own", rights: { own: ["read"] } },
  "e-mail address and key": {
    asked: headers({ "x-auth-email": demo.email, "x-auth-key": demo.key }),
    rights: { own: ["read", "write", "log", "audit", "admin", ...onAccount], user: onUser },
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

/** Where there is more than one right of which each suffices. */
const suffices: Partial<Record<Right, readonly Right[]>> = {
  undo: ["write", "admin"],
  health: ["read", "log"],
  report: ["report", "admin"],
};

/** What has to come of it, by the table alone. */
function expected(name: OperationName, credential: Credential, place: Place) {
  const { refused, verify, owner, rights = {}, lacking } = credential;
  const right = needs[name];
  const elsewhere = "401 1000";
  if (right === "check") return owner && owner !== "user" ? elsewhere : (verify ?? refused ?? "200");
  if (right === "account's check") {
    if (owner) return owner === place ? "200" : elsewhere;
    const told = verify ?? refused ?? "200";
    if (refused === undefined && (rights[place] ?? []).length === 0) return elsewhere;
    return told === "200" && place === "unknown" ? "404 7003" : told;
  }
  if (refused !== undefined) return refused;
  if (right === "session") return "200";
  if (right === "list") return owner === "own" || owner === "other" ? "400 1001" : "200";
  const isUser = owner === "user" || rights.user !== undefined;
  if (place === "user" && !isUser) return "403 9109";
  const held: readonly Right[] = rights[place] ?? [];
  const sufficient: readonly Right[] = suffices[right] ?? [right];
  if (!sufficient.some((one) => held.includes(one))) return lacking ?? "403 10000";
  return place === "unknown" ? "404 7003" : (outcomes[name] ?? "200");
}

/** The query that an operation cannot do without. */
const queries: Partial<Record<OperationName, string>> = {
  listAuditLogs: "?since=2026-01-01&before=2026-01-02",
};

let count = 0;

/** The token that a path names, by the place whose operation it is. */
function targetAt(place: Place): string {
  if (place === "user") return TARGETS.user;
  return place === "server" ? TARGETS.operator : accounts[place].token;
}

/** The path of an operation at a place, with its query. */
function pathAt(name: OperationName, place: Place, given: Names): string {
  const goes = name === "deleteInterconnect" || name === "deleteCniInterconnect";
  const names = goes ? { ...given, ...given.removable } : given;
  return (operations[name].path + (queries[name] ?? ""))
    .replace(":account_id", names.id)
    .replace(":cf_interconnect_id", names.interconnect)
    .replace(":route_id", names.route)
    .replace(":slot", names.slot)
    .replace(":icon", names.icon)
    .replace(":cni", names.cni)
    .replace(":token_id", targetAt(place))
    .replace(":user_id", USER)
    .replace(":fault", "999999")
    .replace(":revision", "1");
}

/** A body that changes something, each time it is sent. */
function bodyOf(name: OperationName, names: Names, count: number): unknown {
  const { id: account, interconnect, route } = names;
  const description = `change ${count}`;
  const pairing_key = `7e51371e-72a3-40b5-b844-${String(count).padStart(12, "0")}/us-central1/2`;
  const magic = { conduit_name: `pni_${count}`, description, mtu: 1400 };
  const facility = { name: "A building", address: ["1 Street"] };
  const link = links[names.id];
  const token = { name: description, policies: [] };
  const bodies: Partial<Record<OperationName, unknown>> = {
    restoreAccount: { to_revision: 1 },
    extendChange: { confirm_within: 60 },
    reportHealth: reportOf(interconnect),
    updateInterconnects: { interconnects: [{ id: interconnect, description }] },
    updateInterconnect: { description },
    createRoutes: { prefix: "192.0.2.0/24", nexthop: "10.213.0.9", priority: count },
    updateRoutes: { routes: [{ id: route, description }] },
    updateRoute: { description },
    armFault: fault,
    createSession: { remember: false },
    updateAccount: { name: description },
    createAccount: { name: description },
    changeAccount: { name: description },
    editUser: { first_name: description },
    createUser: { email: `${count}@example.net`, accounts: [] },
    changeUser: { email: `${count}@example.net` },
    createUserToken: token,
    updateUserToken: token,
    createAccountToken: token,
    updateAccountToken: token,
    createOperatorToken: token,
    updateOperatorToken: token,
    createSlot: { site: "ORD", speed: "10G", facility },
    updateSlot: { ccr_device_name: description },
    createCniInterconnect: { type: "gcp_partner", account, pairing_key, bandwidth: "1G" },
    createCni: { account, interconnect: names.icon, magic },
    updateCni: { ...link, id: names.cni, account, interconnect: names.icon, magic },
    updateCniSettings: { default_asn: count },
    updateAccountSettings: { authorized_prefixes: ["198.51.100.0/24", `10.${count % 256}.0.0/16`] },
    createInterconnect: {
      name: `pni_${count}`,
      version: "1",
      interface_address: `10.214.${Math.floor(count / 128)}.${(count % 128) * 2}/31`,
    },
  };
  return bodies[name];
}

function reportOf(interconnect: string) {
  const since = "2026-01-02T03:04:05.678Z";
  return {
    edge: "ord-1",
    site: "ord",
    role: "provider",
    driver: "kernel",
    version: "0.1.0",
    configuration: { status: "applied", epoch: "x", revision: 1, problems: [] },
    states: [{ interconnect, state: "healthy", since, reason: "answers" }],
    transitions: [],
    minutes: [],
    ports: [],
  };
}

/** Both ends of the CNI of each account. */
const links: Readonly<Record<string, { p2p_ip: string; cust_ip: string }>> = {
  [ACCOUNT]: { p2p_ip: "192.0.2.4/31", cust_ip: "192.0.2.5/31" },
  [OTHER_ACCOUNT]: { p2p_ip: "198.51.100.0/31", cust_ip: "198.51.100.1/31" },
};

/** An operation at a place, with the body it takes. */
function requestFor(name: OperationName, place: Place) {
  const names = accounts[place === "server" || place === "user" ? "own" : place];
  const body = bodyOf(name, names, ++count);
  const { method } = operations[name];
  return { method, url: pathAt(name, place, names), ...(body === undefined ? {} : { body }) };
}

function ask(name: OperationName, credential: Credential, place: Place): Promise<Reply> {
  const { method, url, ...body } = requestFor(name, place);
  return server.ask(method, url, { ...credential.asked, ...body });
}

const names = Object.keys(operations) as OperationName[];
const cases = names.flatMap((name) => {
  const path: string = operations[name].path;
  const places: Place[] = path.includes(":account_id")
    ? ["own", "other", "unknown"]
    : [path.startsWith("/client/v4/user") && needs[name] !== "check" ? "user" : "server"];
  return places.map((place) => ({ name, place }));
});

test("the table has every operation and every token of the seed", () => {
  expect(Object.keys(needs).sort()).toEqual(names.sort());
  const seeded: { name: string; value: string }[] = parse(readFileSync(demoSeedFile, "utf8")).tokens;
  const listed = Object.entries(credentials).map(([name, { asked }]) => ({ name, value: asked.token }));
  expect(listed).toEqual(expect.arrayContaining(seeded.map(({ name, value }) => ({ name, value }))));
});

describe.each(Object.entries(credentials))("with %s", (_, credential) => {
  const rows = cases.map((row) => ({ ...row, verdict: expected(row.name, credential, row.place) }));
  const writes = (name: OperationName) => operations[name].method !== "GET" && !beside.includes(name);
  const changing = rows.filter(({ name, verdict }) => verdict === "200" && writes(name));
  const rest = rows.filter((row) => !changing.includes(row));
  let before: string[];
  beforeAll(async () => {
    before = await standing(server, WATCHER);
  });

  test.each(rest)("$name, $place: $verdict", async ({ name, place, verdict: right }) => {
    expect(verdict(await ask(name, credential, place))).toBe(right);
  });

  test("nothing of this left a trace", async () => {
    expectSame(await standing(server, WATCHER), before);
  });

  test.each(changing)("$name, $place: $verdict", async ({ name, place, verdict: right }) => {
    const asked = await standing(server, WATCHER);
    expect(verdict(await ask(name, credential, place))).toBe(right);
    expect(await standing(server, WATCHER)).not.toEqual(asked);
    // What was changed or removed is there again for the next.
    await server.reset();
  });
});

describe("any one of the groups an operation accepts suffices, and no other does", () => {
  const holders: Record<Right, readonly string[]> = {
    read: ["Magic WAN Write", "Magic WAN Read", "Magic Transit Write", "Magic Transit Read"],
    write: ["Magic WAN Write", "Magic Transit Write"],
    log: ["Patchbay Admin", "Patchbay Edge", "Patchbay Read"],
    audit: ["Patchbay Admin", "Patchbay Read", "Account Settings Read", "Account Settings Write"],
    admin: ["Patchbay Admin"],
    undo: ["Magic WAN Write", "Magic Transit Write", "Patchbay Admin"],
    health: [
      "Magic WAN Write",
      "Magic WAN Read",
      "Magic Transit Write",
      "Magic Transit Read",
      "Patchbay Admin",
      "Patchbay Edge",
      "Patchbay Read",
    ],
    report: ["Patchbay Admin", "Patchbay Edge"],
    "see account": ["Account Settings Write", "Account Settings Read"],
    "change account": ["Account Settings Write"],
    "see account's tokens": ["Account API Tokens Write", "Account API Tokens Read"],
    "change account's tokens": ["Account API Tokens Write"],
    "see user": ["User Details Write", "User Details Read"],
    "change user": ["User Details Write"],
    "see user's tokens": ["API Tokens Write", "API Tokens Read"],
    "change user's tokens": ["API Tokens Write"],
  };
  const groups = Object.values(permissionGroups);
  const hex = (index: number) => index.toString(16);
  const value = (index: number) => hex(index).repeat(40);
  const tokens = groups.map(({ name, scope }, index) => {
    const on = scope === "user" ? `users: [${USER}]` : 'accounts: ["*"]';
    return (
      `  - { id: "${hex(index).repeat(32)}", name: ${name}, value: "${value(index)}", user: ${USER}, ` +
      `policies: [{ effect: allow, ${on}, permission_groups: [${name}] }] }`
    );
  });
  const seed = seedWith(`${tokens.join("\n")}\n${targets}`);

  test("which are all there are", () => {
    expect([...new Set(Object.values(holders).flat())].sort()).toEqual(groups.map(({ name }) => name).sort());
  });

  test.each(groups.map(({ name }, index) => ({ group: name, index })))("$group", async ({ group, index }) => {
    await using alone = await startTestServer({}, { seed });
    for (const { name, place } of cases) {
      const right = needs[name];
      if (place === "other" || place === "unknown" || !(right in holders)) continue;
      const { method, url, ...body } = requestFor(name, place);
      const reply = await alone.ask(method, url, { token: value(index), ...body });
      const holds = holders[right as Right].includes(group);
      expect(`${name}: ${verdict(reply)}`).toBe(
        `${name}: ${holds ? (outcomes[name] ?? "200") : "403 10000"}`,
      );
      // What was removed is there again for the next.
      if (method !== "GET" && holds) await alone.reset();
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
