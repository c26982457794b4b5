import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { permissionGroups } from "../../src/contract/permissions.ts";
import { cpuSeconds } from "../harness/cpu-time.ts";
import {
  ACCOUNT_TOKENS,
  ACCOUNTS,
  demoWith,
  OPERATOR_TOKENS,
  policy,
  TARGETS,
  targets,
  USER,
  USER_TOKENS,
  USERS,
} from "../harness/directory.ts";
import { type Path, pointer } from "../harness/hostile-bodies.ts";
import {
  expectNoKeyTwice,
  expectUnknown,
  expectWhatItCanBe,
  type GoodBody,
  LONG,
  placesOf,
} from "../harness/hostile-suite.ts";
import { ACCOUNT, problems, startTestServer, type TestServer } from "../harness/server.ts";
import { untouched, verdict } from "../harness/standing.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({}, { seed: demoWith(targets) });
});
afterAll(() => server.close());

const { id: group, name } = permissionGroups.magicWanRead;
const token = {
  name: "all fields at once",
  not_before: "2018-07-01T05:20:00Z",
  expires_on: "2099-01-01T00:00:00.5Z",
  condition: { request_ip: { in: ["127.0.0.0/8"], not_in: ["123.123.123.100/24"] } },
  policies: [
    {
      effect: "allow",
      permission_groups: [{ id: group, name }],
      resources: { [`com.cloudflare.api.account.${ACCOUNT}`]: "*" },
    },
  ],
};
const tokenUpdate = (id: string) => ({
  id,
  status: "active",
  issued_on: "2018-07-01T05:20:00Z",
  modified_on: "2018-07-01T05:20:00Z",
  ...token,
});
const account = {
  id: ACCOUNT,
  name: "Renamed",
  type: "standard",
  settings: { abuse_contact_email: "abuse@example.com", enforce_twofactor: false },
  managed_by: {},
  created_on: "2017-06-14T00:00:00Z",
};
const user = { id: "9".repeat(32), email: "new@example.com", accounts: [ACCOUNT] };
const profile = { country: "US", first_name: "Grace", last_name: "Hopper", telephone: "+1", zipcode: "1" };

const any = ['""', '"x"', LONG];
const legalOfToken = {
  "/name": ['"x"'],
  "/not_before": ['""'],
  "/expires_on": ['""'],
  "/condition": ["{}"],
  "/condition/request_ip": ["{}"],
  "/condition/request_ip/in": ["[]"],
  "/condition/request_ip/not_in": ["[]"],
  "/policies": ["[]"],
  "/issued_on": any,
  "/modified_on": any,
};
const legalOfAccount = {
  "": ["{}"],
  "/name": ['"x"'],
  "/settings": ["{}"],
  "/settings/abuse_contact_email": ['""'],
  "/managed_by": ["{}"],
  "/created_on": any,
};
const legalOfProfile = Object.fromEntries([
  ["", ["{}"]],
  ...Object.keys(profile).map((field) => [`/${field}`, ["null", '""', '"x"']]),
]);

interface Body {
  readonly title: string;
  readonly method: string;
  readonly path: string;
  readonly body: object;
  /** Where one of the odd values is one that the field takes. */
  readonly legal: Readonly<Record<string, readonly string[]>>;
}

/** Every body of these operations. */
const bodies: readonly Body[] = [
  { title: "create of a user's token", method: "POST", path: USER_TOKENS, body: token, legal: legalOfToken },
  {
    title: "create of an account's token",
    method: "POST",
    path: ACCOUNT_TOKENS,
    body: token,
    legal: legalOfToken,
  },
  {
    title: "create of the operator's token",
    method: "POST",
    path: OPERATOR_TOKENS,
    body: token,
    legal: legalOfToken,
  },
  {
    title: "update of a user's token",
    method: "PUT",
    path: `${USER_TOKENS}/${TARGETS.user}`,
    body: tokenUpdate(TARGETS.user),
    legal: legalOfToken,
  },
  {
    title: "update of an account's token",
    method: "PUT",
    path: `${ACCOUNT_TOKENS}/${TARGETS.account}`,
    body: tokenUpdate(TARGETS.account),
    legal: legalOfToken,
  },
  {
    title: "update of the operator's token",
    method: "PUT",
    path: `${OPERATOR_TOKENS}/${TARGETS.operator}`,
    body: tokenUpdate(TARGETS.operator),
    legal: legalOfToken,
  },
  {
    title: "update of an account",
    method: "PUT",
    path: `/client/v4/accounts/${ACCOUNT}`,
    body: account,
    legal: legalOfAccount,
  },
  {
    title: "change of an account",
    method: "PUT",
    path: `${ACCOUNTS}/${ACCOUNT}`,
    body: account,
    legal: legalOfAccount,
  },
  {
    title: "making of an account",
    method: "POST",
    path: ACCOUNTS,
    body: { id: "8".repeat(32), name: "Mine", type: "standard" },
    legal: { "/name": ['"x"'] },
  },
  { title: "making of a user", method: "POST", path: USERS, body: user, legal: { "/accounts": ["[]"] } },
  {
    title: "change of a user",
    method: "PUT",
    path: `${USERS}/${USER}`,
    body: { ...user, id: USER },
    legal: { "": ["{}"], "/accounts": ["[]"] },
  },
  {
    title: "edit of the user",
    method: "PATCH",
    path: "/client/v4/user",
    body: profile,
    legal: legalOfProfile,
  },
];

describe.each(bodies)("in the body of the $title", ({ method, path, body, legal }) => {
  const send = (text: string) => server.ask(method, path, { body: text });
  const good: GoodBody = {
    body,
    send,
    isLegal: (place: Path, json) => legal[pointer(place)]?.includes(json) ?? false,
  };

  test("without anything wrong, it is taken", async () => {
    await server.reset();
    expect(verdict(await send(JSON.stringify(body)))).toBe("200");
    await server.reset();
  });

  test.each(placesOf(body))("$name is what it can be, or refused", ({ place }) =>
    expectWhatItCanBe(server, good, place),
  );

  test("a key that stands twice is refused at its place, at every depth", () =>
    expectNoKeyTwice(server, good));

  test.each(["__proto__", "constructor", "toString", "", "a/b~c", "0", "💥"])(
    "a key named %j is one that is not known, at every depth",
    (key) => expectUnknown(server, good, key, ['{"polluted":true}']),
  );

  test.each(["{", "[1,]", "NaN", "", '{"name":"x"}}', "[]", "null", '"x"'])("%j is no body", async (text) => {
    expect(verdict(await untouched(server, () => send(text)))).toMatch(/^400 /);
  });
});

describe("of a token", () => {
  const create = (fields: object) =>
    untouched(server, () =>
      server.ask("POST", USER_TOKENS, { body: { name: "x", policies: [], ...fields } }),
    );
  const reading = policy(["magicWanRead"], [`account.${ACCOUNT}`]);

  test("too many policies, groups, addresses or resources are refused", async () => {
    const ranges = Array(1_001).fill("10.0.0.0/8");
    const groups = Array(101).fill({ id: group });
    expect(problems(await create({ policies: Array(51).fill(reading) }))).toEqual(["990023 /policies"]);
    expect(problems(await create({ policies: [{ ...reading, permission_groups: groups }] }))).toEqual([
      "990023 /policies/0/permission_groups",
    ]);
    expect(problems(await create({ condition: { request_ip: { in: ranges } } }))).toEqual([
      "990023 /condition/request_ip/in",
    ]);
    const resources = Object.fromEntries(Array.from({ length: 9_000 }, (_, at) => [`account.${at}`, "*"]));
    const reply = await create({ policies: [{ ...reading, resources }] });
    expect(reply.body.errors).toHaveLength(101);
    expect(verdict(reply)).toContain("400 990020");
  });

  test("the largest there may be is judged in a moment", async () => {
    const start = cpuSeconds();
    const all = Object.values(permissionGroups).filter(({ scope }) => scope === "account");
    const permission_groups = Array.from({ length: 100 }, (_, at) => ({ id: all[at % all.length]?.id }));
    const policies = Array(50).fill({ ...reading, permission_groups });
    const reply = await server.ask("POST", USER_TOKENS, { body: { name: "large", policies } });
    expect(verdict(reply)).toBe("200");
    expect(cpuSeconds() - start).toBeLessThan(5);
    await server.reset();
  });
});

test.each(["..%2f", "%00", "x".repeat(500), "{}", "__proto__", "null", "%F0%9F%92%A5"])(
  "a token or a user called %s is not there",
  async (called) => {
    for (const path of [USER_TOKENS, ACCOUNT_TOKENS, OPERATOR_TOKENS, USERS]) {
      const code = path === USERS ? "404 990051" : "404 990050";
      const value = path === USERS ? "key" : "value";
      const body = path === USERS ? {} : { name: "x", policies: [] };
      const requests = [
        () => server.ask("GET", `${path}/${called}`),
        () => server.ask("PUT", `${path}/${called}`, { body }),
        () => server.ask("DELETE", `${path}/${called}`),
        () => server.ask("PUT", `${path}/${called}/${value}`),
      ];
      for (const request of requests) expect(verdict(await untouched(server, request))).toBe(code);
    }
  },
);
