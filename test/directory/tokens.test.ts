import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { permissionGroups } from "../../src/contract/permissions.ts";
import {
  ACCOUNT_TOKENS,
  DEMO_TOKEN,
  OPERATOR_TOKENS,
  policy,
  tokensOfAccount,
  USER,
  USER_TOKENS,
  VERIFY,
} from "../harness/directory.ts";
import {
  ACCOUNT,
  demo,
  LIST,
  OTHER_ACCOUNT,
  problems,
  startTestServer,
  type TestServer,
} from "../harness/server.ts";
import { untouched, verdict } from "../harness/standing.ts";

let server: TestServer;
let now: number;
beforeEach(async () => {
  now = Date.parse("2030-01-01T00:00:00Z");
  const clock = { now: () => now, timestamp: () => new Date(now).toISOString().replace("Z", "000Z") };
  server = await startTestServer({}, { clock });
  onTestFinished(() => server.close());
});

const key = { token: null, headers: { "x-auth-email": demo.email, "x-auth-key": demo.key } };
const reading = policy(["magicWanRead"], [`account.${ACCOUNT}`]);
const writing = policy(["magicWanWrite"], [`account.${ACCOUNT}`]);

/** Makes a token and returns it, value included. */
async function create(fields: object = {}, path = USER_TOKENS) {
  const { status, body } = await server.ask("POST", path, {
    body: { name: "made", policies: [reading], ...fields },
  });
  expect(status, JSON.stringify(body)).toBe(200);
  return body.result;
}

const list = async (token: string) => verdict(await server.ask("GET", LIST, { token }));
const change = async (token: string) => verdict(await server.ask("PUT", LIST, { token, body: {} }));
const one = (id: string, path = USER_TOKENS) => `${path}/${id}`;

const families = [
  { owner: "a user", path: USER_TOKENS, form: /^cfut_[0-9A-Za-z]{48}$/ },
  { owner: "an account", path: ACCOUNT_TOKENS, form: /^cfat_[0-9A-Za-z]{48}$/ },
  { owner: "the operator", path: OPERATOR_TOKENS, form: /^cfat_[0-9A-Za-z]{48}$/ },
];

describe.each(families)("a token of $owner", ({ path, form }) => {
  test("is made with a value that is shown once, and works at once", async () => {
    const { value, id, ...rest } = await create({}, path);
    expect(value).toMatch(form);
    expect(rest).toEqual({
      name: "made",
      status: "active",
      issued_on: "2030-01-01T00:00:00.000000Z",
      modified_on: "2030-01-01T00:00:00.000000Z",
      policies: [
        {
          id: expect.stringMatching(/^[0-9a-f]{32}$/),
          effect: "allow",
          resources: { [`com.cloudflare.api.account.${ACCOUNT}`]: "*" },
          permission_groups: [{ id: permissionGroups.magicWanRead.id, name: "Magic WAN Read" }],
        },
      ],
    });
    expect(await list(value)).toBe("200");
    expect(await change(value)).toBe("403 10000");
    const shown = await server.ask("GET", one(id, path));
    expect(shown.body.result).toEqual({ id, ...rest });
  });

  test("has its new rights at once when it is changed", async () => {
    const { id, value, policies } = await create({}, path);
    now += 1000;
    const body = { name: "changed", policies: [writing] };
    const { body: answer } = await server.ask("PUT", one(id, path), { body });
    expect(answer.result).toMatchObject({
      name: "changed",
      issued_on: "2030-01-01T00:00:00.000000Z",
      modified_on: "2030-01-01T00:00:01.000000Z",
    });
    expect(answer.result.policies[0].id).not.toBe(policies[0].id);
    expect(await change(value)).toBe("200");
    await server.ask("PUT", one(id, path), { body: { name: "changed", policies: [] } });
    expect(await list(value)).toBe("403 10000");
  });

  test("stops at once when it is disabled, and works again when it is active", async () => {
    const { id, value } = await create({}, path);
    const body = { name: "made", policies: [reading] };
    await server.ask("PUT", one(id, path), { body: { ...body, status: "disabled" } });
    expect(await list(value)).toBe("403 9109");
    // What is left out stays.
    await server.ask("PUT", one(id, path), { body });
    expect(await list(value)).toBe("403 9109");
    await server.ask("PUT", one(id, path), { body: { ...body, status: "active" } });
    expect(await list(value)).toBe("200");
  });

  test("is rolled: the old value stops at once, the new one works", async () => {
    const { id, value, ...rest } = await create({}, path);
    const { body } = await server.ask("PUT", `${one(id, path)}/value`);
    expect(body.result).toMatch(form);
    expect(body.result).not.toBe(value);
    expect(await list(value)).toBe("403 9109");
    expect(await list(body.result)).toBe("200");
    expect((await server.ask("GET", one(id, path))).body.result).toEqual({ id, ...rest });
    const said = await server.ask("PUT", `${one(id, path)}/value`, { body: { value } });
    expect(verdict(said)).toBe("400 1022");
  });

  test("is gone at once when it is deleted", async () => {
    const { id, value } = await create({}, path);
    const { body } = await server.ask("DELETE", one(id, path));
    expect(body.result).toEqual({ id });
    expect(await list(value)).toBe("403 9109");
    for (const method of ["GET", "DELETE"])
      expect(verdict(await server.ask(method, one(id, path)))).toBe("404 990050");
    expect(verdict(await server.ask("PUT", `${one(id, path)}/value`))).toBe("404 990050");
    const update = { body: { name: "made", policies: [] } };
    expect(verdict(await server.ask("PUT", one(id, path), update))).toBe("404 990050");
  });

  test("is found only where it belongs", async () => {
    const { id } = await create({}, path);
    for (const other of families.filter((family) => family.path !== path)) {
      expect(verdict(await server.ask("GET", one(id, other.path)))).toBe("404 990050");
      expect(verdict(await server.ask("DELETE", one(id, other.path)))).toBe("404 990050");
    }
    expect(verdict(await server.ask("GET", one(id, tokensOfAccount(OTHER_ACCOUNT))))).toBe("404 990050");
  });

  test("can be sent back as it was read, which changes nothing", async () => {
    const times = { not_before: "2029-01-01T00:00:00Z", expires_on: "2031-01-01T00:00:00Z" };
    const condition = { request_ip: { in: ["127.0.0.0/8", "::1"], not_in: ["127.0.0.99/24"] } };
    const denial = policy(["magicWanWrite"], [`account.${ACCOUNT}`], "deny");
    const { id } = await create({ ...times, condition, policies: [reading, denial, reading] }, path);
    const { body: read, headers } = await server.ask("GET", one(id, path));
    expect(read.result).toMatchObject({ ...times, condition });
    const { body: written } = await untouched(server, () =>
      server.ask("PUT", one(id, path), {
        body: read.result,
        headers: { "if-match": headers.get("etag") ?? "" },
      }),
    );
    expect(written.result).toEqual(read.result);
    // A token that has expired meanwhile, too.
    now = Date.parse("2032-01-01T00:00:00Z");
    const later = await server.ask("GET", one(id, path));
    expect(later.body.result.status).toBe("expired");
    await untouched(server, () => server.ask("PUT", one(id, path), { body: later.body.result }));
  });

  test("is not changed if it is not what the condition says", async () => {
    const { id } = await create({}, path);
    const { headers } = await server.ask("GET", one(id, path));
    const condition = { "if-match": headers.get("etag") ?? "" };
    const update = () =>
      server.ask("PUT", one(id, path), { headers: condition, body: { name: "changed", policies: [] } });
    expect(verdict(await update())).toBe("200");
    for (const act of [
      update,
      () => server.ask("PUT", `${one(id, path)}/value`, { headers: condition }),
      () => server.ask("DELETE", one(id, path), { headers: condition }),
    ])
      expect(verdict(await untouched(server, act))).toBe("412 990014");
  });
});

describe("times and addresses of a token", () => {
  test("are kept to at once", async () => {
    const elsewhere = await create({ condition: { request_ip: { in: ["203.0.113.0/24"] } } });
    const notHere = await create({ condition: { request_ip: { not_in: ["127.0.0.1"] } } });
    const early = await create({ not_before: "2030-01-01T00:01:00Z" });
    const brief = await create({ expires_on: "2030-01-01T00:01:00Z" });
    const all = () => Promise.all([elsewhere, notHere, early, brief].map(({ value }) => list(value)));
    expect(await all()).toEqual(["403 9109", "403 9109", "403 9109", "200"]);
    now += 60_000;
    expect(await all()).toEqual(["403 9109", "403 9109", "200", "403 9109"]);
  });

  test("are cleared by an empty text and an empty condition", async () => {
    const times = { not_before: "2031-01-01T00:00:00Z", expires_on: "2032-01-01T00:00:00Z" };
    const { id, value } = await create({ ...times, condition: { request_ip: { in: ["203.0.113.0/24"] } } });
    const body = { name: "made", policies: [reading], not_before: "", expires_on: "", condition: {} };
    const { body: answer } = await server.ask("PUT", one(id), { body });
    for (const field of ["not_before", "expires_on", "condition"])
      expect(answer.result).not.toHaveProperty(field);
    expect(await list(value)).toBe("200");
  });

  test.each([
    ["an end that is past", { expires_on: "2029-12-31T23:59:59Z" }, "990023 /expires_on"],
    [
      "an end before the beginning",
      { not_before: "2032-01-01T00:00:00Z", expires_on: "2031-01-01T00:00:00Z" },
      "990023 /expires_on",
    ],
    ["a day that no calendar has", { not_before: "2031-02-30T00:00:00Z" }, "990023 /not_before"],
    ["a time of another form", { not_before: "2031-02-03" }, "990023 /not_before"],
    [
      "what is no address",
      { condition: { request_ip: { in: ["10.0.0.0/8", "10.0.0"] } } },
      "990023 /condition/request_ip/in/1",
    ],
    ["an unknown status", { status: "asleep" }, "990020 /status"],
  ])("are refused with %s", async (_, fields, problem) => {
    const body = { name: "made", policies: [], ...fields };
    const reply = await untouched(server, () => server.ask("POST", USER_TOKENS, { body }));
    expect(problems(reply)).toEqual([problem]);
  });

  test("expired is nothing that a token can be made", async () => {
    const { id } = await create();
    const body = { name: "made", policies: [reading], status: "expired" };
    const reply = await untouched(server, () => server.ask("PUT", one(id), { body }));
    expect(problems(reply)).toEqual(["990023 /status"]);
  });
});

describe("policies", () => {
  const sent = (policies: unknown[], path = USER_TOKENS) =>
    untouched(server, () => server.ask("POST", path, { body: { name: "made", policies } }));
  const group = (id: string) => [{ id }];

  test.each([
    [
      "a group that there is not",
      { ...reading, permission_groups: group("f".repeat(32)) },
      "990058 /policies/0/permission_groups/0/id",
    ],
    [
      "a group by its name",
      { ...reading, permission_groups: group("Magic WAN Read") },
      "990058 /policies/0/permission_groups/0/id",
    ],
    [
      "another name than the group's",
      { ...reading, permission_groups: [{ id: permissionGroups.magicWanRead.id, name: "Magic WAN Write" }] },
      "990021 /policies/0/permission_groups/0/name",
    ],
    [
      "an account that there is not",
      policy(["magicWanRead"], [`account.${"e".repeat(32)}`]),
      `990060 /policies/0/resources/com.cloudflare.api.account.${"e".repeat(32)}`,
    ],
    [
      "a right on users for accounts",
      policy(["apiTokensRead"], ["account.*"]),
      "990059 /policies/0/permission_groups/0",
    ],
    [
      "a right on accounts for a user",
      policy(["magicWanRead"], [`user.${USER}`]),
      "990059 /policies/0/permission_groups/0",
    ],
    [
      "another user",
      policy(["userDetailsRead"], [`user.${"e".repeat(32)}`]),
      `990061 /policies/0/resources/com.cloudflare.api.user.${"e".repeat(32)}`,
    ],
    [
      "zones, which there are none of",
      policy(["magicWanRead"], ["account.zone.*"]),
      "990020 /policies/0/resources/com.cloudflare.api.account.zone.*",
    ],
    [
      "all users",
      policy(["userDetailsRead"], ["user.*"]),
      "990020 /policies/0/resources/com.cloudflare.api.user.*",
    ],
    [
      "a part of an account",
      {
        ...reading,
        resources: {
          [`com.cloudflare.api.account.${ACCOUNT}`]: { "com.cloudflare.api.account.zone.*": "*" },
        },
      },
      `990023 /policies/0/resources/com.cloudflare.api.account.${ACCOUNT}`,
    ],
    ["no resource", { ...reading, resources: {} }, "990023 /policies/0/resources"],
    ["no group", { ...reading, permission_groups: [] }, "990023 /policies/0/permission_groups"],
    ["an id of its own choice", { ...reading, id: "1".repeat(32) }, "990021 /policies/0/id"],
  ])("are refused with %s", async (_, wanted, problem) => {
    expect(problems(await sent([wanted]))).toEqual([problem]);
  });

  test("of an account's token are for that account alone", async () => {
    for (const resource of ["account.*", `account.${OTHER_ACCOUNT}`])
      expect(problems(await sent([policy(["magicWanRead"], [resource])], ACCOUNT_TOKENS))).toEqual([
        `990061 /policies/0/resources/com.cloudflare.api.${resource}`,
      ]);
    expect(problems(await sent([policy(["userDetailsRead"], [`user.${USER}`])], ACCOUNT_TOKENS))).toEqual([
      `990061 /policies/0/resources/com.cloudflare.api.user.${USER}`,
    ]);
  });

  test("of the operator's tokens are for accounts", async () => {
    const reply = await sent([policy(["userDetailsRead"], [`user.${USER}`])], OPERATOR_TOKENS);
    expect(problems(reply)).toEqual([`990061 /policies/0/resources/com.cloudflare.api.user.${USER}`]);
  });

  test("are all told what is wrong with them at once", async () => {
    const wrong = policy(["magicWanRead"], [`account.${"e".repeat(32)}`]);
    expect(problems(await sent([wrong, { ...reading, permission_groups: group("x") }]))).toEqual([
      `990060 /policies/0/resources/com.cloudflare.api.account.${"e".repeat(32)}`,
      "990058 /policies/1/permission_groups/0/id",
    ]);
  });
});

describe("nobody makes a token stronger than their own:", () => {
  /** A user's token that may make tokens, and has some policies. */
  async function maker(policies: unknown[], limits: object = {}): Promise<string> {
    const may = policy(["apiTokensWrite", "apiTokensRead"], [`user.${USER}`]);
    return (await create({ policies: [may, ...policies], ...limits })).value;
  }
  const tryWith = (token: string, fields: object) =>
    server.ask("POST", USER_TOKENS, { token, body: { name: "stronger", policies: [], ...fields } });
  const refused = async (token: string, fields: object) =>
    problems(await untouched(server, () => tryWith(token, fields)));

  test("a right that the asker does not have", async () => {
    const token = await maker([reading]);
    expect(verdict(await tryWith(token, { policies: [reading] }))).toBe("200");
    expect(await refused(token, { policies: [reading, writing] })).toEqual([
      "990054 /policies/1/permission_groups/0",
    ]);
    for (const resource of ["account.*", `account.${OTHER_ACCOUNT}`])
      expect(await refused(token, { policies: [policy(["magicWanRead"], [resource])] })).toEqual([
        "990054 /policies/0/permission_groups/0",
      ]);
    const reply = await tryWith(token, { policies: [writing] });
    expect(reply.status).toBe(403);
    expect(reply.body.errors[0].message).toContain(
      `Magic WAN Write on com.cloudflare.api.account.${ACCOUNT}`,
    );
  });

  test("an account that the asker has no right in is refused as one that does not exist", async () => {
    const token = await maker([reading]);
    const answers = async (account: string) => {
      const allowed = await tryWith(token, { policies: [policy(["magicWanRead"], [`account.${account}`])] });
      const denied = [reading, policy(["magicWanRead"], [`account.${account}`], "deny")];
      const texts = [allowed.status, allowed.body, (await tryWith(token, { policies: denied })).status];
      return JSON.stringify(texts).replaceAll(account, "ID");
    };
    const [other, absent] = [await answers(OTHER_ACCOUNT), await answers("e".repeat(32))];
    expect(other).toContain("990054");
    expect(absent).toBe(other);
  });

  test("what the asker is denied, unless it is denied to the token too", async () => {
    const everywhere = policy(["magicWanRead"], ["account.*"]);
    const denial = policy(["magicWanRead"], [`account.${OTHER_ACCOUNT}`], "deny");
    const token = await maker([everywhere, denial]);
    expect(await refused(token, { policies: [everywhere] })).toEqual([
      "990054 /policies/0/permission_groups/0",
    ]);
    expect(verdict(await tryWith(token, { policies: [everywhere, denial] }))).toBe("200");
    expect(verdict(await tryWith(token, { policies: [reading] }))).toBe("200");
  });

  test("a longer life", async () => {
    const token = await maker([], { expires_on: "2030-06-01T00:00:00Z" });
    expect(await refused(token, {})).toEqual(["990055 /expires_on"]);
    expect(await refused(token, { expires_on: "2030-06-01T00:00:01Z" })).toEqual(["990055 /expires_on"]);
    expect(verdict(await tryWith(token, { expires_on: "2030-06-01T00:00:00Z" }))).toBe("200");
  });

  test("more addresses", async () => {
    const within = (ranges: string[], excluded: string[]) => ({
      condition: { request_ip: { in: ranges, not_in: excluded } },
    });
    const token = await maker([], within(["127.0.0.0/8", "::1"], ["127.9.0.0/16"]));
    expect(await refused(token, {})).toEqual(["990056 /condition/request_ip"]);
    expect(await refused(token, within(["127.0.0.0/7"], ["127.9.0.0/16"]))).toEqual([
      "990056 /condition/request_ip",
    ]);
    expect(await refused(token, within(["127.0.0.1"], []))).toEqual(["990056 /condition/request_ip"]);
    expect(verdict(await tryWith(token, within(["127.0.0.1"], ["127.0.0.0/9"])))).toBe("200");
  });

  test("a token that is stronger is neither changed nor rolled, but deleted", async () => {
    const token = await maker([reading]);
    const { id, value } = await create({ policies: [writing] });
    const roll = () => server.ask("PUT", `${one(id)}/value`, { token });
    expect(verdict(await untouched(server, roll))).toBe("403 990057");
    const weaken = () => server.ask("PUT", one(id), { token, body: { name: "weaker", policies: [] } });
    expect(verdict(await untouched(server, weaken))).toBe("403 990057");
    expect(verdict(await server.ask("DELETE", one(id), { token }))).toBe("200");
    expect(await change(value)).toBe("403 9109");
  });

  test("a token changes itself to less, and not to more", async () => {
    const may = policy(["apiTokensWrite"], [`user.${USER}`]);
    const { id, value } = await create({ policies: [may, reading] });
    const self = (policies: unknown[]) =>
      server.ask("PUT", one(id), { token: value, body: { name: "self", policies } });
    expect(problems(await self([may, writing]))).toEqual(["990054 /policies/1/permission_groups/0"]);
    expect(verdict(await self([may]))).toBe("200");
    expect(await list(value)).toBe("403 10000");
    expect(problems(await self([may, reading]))).toEqual(["990054 /policies/1/permission_groups/0"]);
  });

  test("a user's key gives what is the user's: rights in their accounts, and on themselves", async () => {
    const make = (policies: unknown[], path = USER_TOKENS) =>
      server.ask("POST", path, { ...key, body: { name: "by key", policies } });
    const own = policy(["magicWanWrite", "patchbayAdmin"], [`account.${ACCOUNT}`]);
    const self = policy(["apiTokensWrite", "userDetailsWrite"], [`user.${USER}`]);
    expect(verdict(await make([own, self]))).toBe("200");
    expect(verdict(await make([own], ACCOUNT_TOKENS))).toBe("200");
    expect(verdict(await make([], tokensOfAccount(OTHER_ACCOUNT)))).toBe("403 9109");
    for (const resource of ["account.*", `account.${OTHER_ACCOUNT}`])
      expect(problems(await make([policy(["patchbayAdmin"], [resource])]))).toEqual([
        "990054 /policies/0/permission_groups/0",
      ]);
    // The demonstration's own token is for all accounts, of which its user is a member of one.
    expect(verdict(await server.ask("PUT", `${one(DEMO_TOKEN)}/value`, key))).toBe("403 990057");
  });
});

describe("lists of tokens", () => {
  test("come in pages, in the order they were made or the reverse", async () => {
    for (let count = 1; count <= 12; count++) await create({ name: `made ${count}` });
    const names = async (query: string) => {
      const { body } = await server.ask("GET", `${USER_TOKENS}?${query}`);
      return [body.result.map(({ name }: { name: string }) => name), body.result_info];
    };
    const info = { per_page: 5, total_pages: 3, total_count: 14 };
    expect(await names("per_page=5")).toEqual([
      ["everything", "second of the user", "made 1", "made 2", "made 3"],
      { page: 1, count: 5, ...info },
    ]);
    expect(await names("per_page=5&page=3&direction=asc")).toEqual([
      ["made 9", "made 10", "made 11", "made 12"],
      { page: 3, count: 4, ...info },
    ]);
    expect(await names("per_page=5&page=4")).toEqual([[], { page: 4, count: 0, ...info }]);
    expect((await names("per_page=5&direction=desc"))[0]).toEqual([
      "made 12",
      "made 11",
      "made 10",
      "made 9",
      "made 8",
    ]);
  });

  test.each([
    "page=0",
    "page=x",
    "per_page=4",
    "per_page=51",
    "direction=up",
    "include_expired=maybe",
    "name=x",
  ])("refuse %s", async (query) => {
    const reply = await server.ask("GET", `${USER_TOKENS}?${query}`);
    expect(verdict(reply)).toMatch(/^400 99001[12]$/);
  });

  test("have expired tokens only if they are asked for", async () => {
    const { id } = await create({ expires_on: "2030-01-01T00:01:00Z" });
    const ids = async (query: string) => {
      const { body } = await server.ask("GET", `${USER_TOKENS}${query}`);
      return body.result.map((token: { id: string; status: string }) => `${token.id} ${token.status}`);
    };
    expect(await ids("")).toContain(`${id} active`);
    now += 60_000;
    expect(await ids("")).toEqual([`${DEMO_TOKEN} active`, "1000000000000000000000000000000e active"]);
    expect(await ids("?include_expired=true")).toContain(`${id} expired`);
  });
});

describe("a token checks itself where it belongs", () => {
  test("a user's at /user, an account's at its account", async () => {
    const ofUser = await create();
    const ofAccount = await create({}, ACCOUNT_TOKENS);
    const checks = async (token: string) =>
      Promise.all(
        [VERIFY, `${ACCOUNT_TOKENS}/verify`, `${tokensOfAccount(OTHER_ACCOUNT)}/verify`].map(async (path) =>
          verdict(await server.ask("GET", path, { token })),
        ),
      );
    expect(await checks(ofUser.value)).toEqual(["200", "401 1000", "401 1000"]);
    expect(await checks(ofAccount.value)).toEqual(["401 1000", "200", "401 1000"]);
    const { body } = await server.ask("GET", `${ACCOUNT_TOKENS}/verify`, { token: ofAccount.value });
    expect(body.result).toEqual({ id: ofAccount.id, status: "active" });
  });
});

describe("permission groups", () => {
  const groups = async (path: string, query = "", asked = {}) =>
    (await server.ask("GET", `${path}/permission_groups${query}`, asked)).body.result;

  test("are told with what they are rights on, and whether the asker could give them", async () => {
    const all = await groups(USER_TOKENS);
    expect(all).toHaveLength(Object.keys(permissionGroups).length);
    expect(all[0]).toEqual({
      id: permissionGroups.magicTransitRead.id,
      name: "Magic Transit Read",
      scopes: ["com.cloudflare.api.account"],
      category: "network_services",
      is_selectable: true,
    });
    const { value } = await create({ policies: [reading, policy(["apiTokensRead"], [`user.${USER}`])] });
    const selectable = (await groups(USER_TOKENS, "", { token: value }))
      .filter((group: { is_selectable: boolean }) => group.is_selectable)
      .map(({ name }: { name: string }) => name);
    expect(selectable).toEqual(["Magic WAN Read", "API Tokens Read"]);
  });

  test("of an account's tokens are those on accounts", async () => {
    const scopes = (await groups(ACCOUNT_TOKENS)).flatMap((group: { scopes: string[] }) => group.scopes);
    expect(new Set(scopes)).toEqual(new Set(["com.cloudflare.api.account"]));
  });

  test("are found by name, encoded once or twice, and by scope", async () => {
    for (const name of ["Account%20Settings%20Write", "Account%2520Settings%2520Write"])
      expect(await groups(USER_TOKENS, `?name=${name}`)).toMatchObject([{ name: "Account Settings Write" }]);
    expect(await groups(USER_TOKENS, "?name=%2525")).toEqual([]);
    expect(await groups(USER_TOKENS, "?scope=com.cloudflare.api.user")).toHaveLength(4);
    expect(await groups(USER_TOKENS, "?scope=com.cloudflare.api.account.zone")).toEqual([]);
    const reply = await server.ask("GET", `${USER_TOKENS}/permission_groups?scope=everything`);
    expect(verdict(reply)).toBe("400 990011");
  });
});

test("who waits for changes is told none once the token is revoked", async () => {
  const { id, value } = await create({ policies: [policy(["patchbayRead"], [`account.${ACCOUNT}`])] });
  const changes = `/patchbay/v1/accounts/${ACCOUNT}/changes`;
  const waiting = server.ask("GET", `${changes}?after=1&wait=60`, { token: value });
  await server.ask("DELETE", one(id));
  await server.ask("PUT", LIST, {
    body: { interconnects: [{ id: demo.interconnect, description: "moved" }] },
  });
  expect(verdict(await waiting)).toBe("403 9109");
});
