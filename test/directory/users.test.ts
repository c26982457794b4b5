import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { ACCOUNT_TOKENS, policy, USER, USER_TOKENS, USERS, VERIFY } from "../harness/directory.ts";
import {
  ACCOUNT,
  type Ask,
  demo,
  LIST,
  OTHER_ACCOUNT,
  problems,
  startTestServer,
  type TestServer,
} from "../harness/server.ts";
import { untouched, verdict } from "../harness/standing.ts";

let server: TestServer;
beforeEach(async () => {
  server = await startTestServer();
  onTestFinished(() => server.close());
});

const by = (email: string, key: string): Ask => ({
  token: null,
  headers: { "x-auth-email": email, "x-auth-key": key },
});
const ME = "/client/v4/user";
const OTHER_LIST = LIST.replace(ACCOUNT, OTHER_ACCOUNT);
const create = async (fields: object = {}) => {
  const { body } = await server.ask("POST", USERS, {
    body: { email: "new@example.com", accounts: [ACCOUNT], ...fields },
  });
  return body.result;
};
const list = async (asked: Ask, path = LIST) => verdict(await server.ask("GET", path, asked));

describe("a user", () => {
  test("is made with an API key that is shown once, and works at once", async () => {
    const { key, ...rest } = await create();
    expect(key).toMatch(/^cfk_[0-9A-Za-z]{48}$/);
    expect(rest).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{32}$/),
      email: "new@example.com",
      accounts: [ACCOUNT],
    });
    expect(await list(by("NEW@example.com", key))).toBe("200");
    expect(await list(by("new@example.com", key), OTHER_LIST)).toBe("403 9109");
    expect((await server.ask("GET", `${USERS}/${rest.id}`)).body.result).toEqual(rest);
    expect((await server.ask("GET", `${USERS}?email=New@example.com`)).body.result).toEqual([rest]);
  });

  test("has an e-mail address of their own, in whatever case", async () => {
    for (const email of [demo.email, demo.email.toUpperCase()]) {
      const make = () => server.ask("POST", USERS, { body: { email, accounts: [] } });
      expect(problems(await untouched(server, make))).toEqual(["990053 /email"]);
    }
    const { id } = await create();
    const rename = () => server.ask("PUT", `${USERS}/${id}`, { body: { email: demo.email } });
    expect(problems(await untouched(server, rename))).toEqual(["990053 /email"]);
  });

  test("gets another key: the old one stops at once, the new one works", async () => {
    const { id, key } = await create();
    const { body } = await server.ask("PUT", `${USERS}/${id}/key`);
    expect(body.result).toEqual({
      id,
      email: "new@example.com",
      accounts: [ACCOUNT],
      key: expect.any(String),
    });
    expect(await list(by("new@example.com", key))).toBe("403 9103");
    expect(await list(by("new@example.com", body.result.key))).toBe("200");
  });

  test("asks by the new address at once when it is changed", async () => {
    const { id, key } = await create();
    await server.ask("PUT", `${USERS}/${id}`, { body: { email: "other@example.com" } });
    expect(await list(by("new@example.com", key))).toBe("403 9103");
    expect(await list(by("other@example.com", key))).toBe("200");
    await untouched(server, () =>
      server.ask("PUT", `${USERS}/${id}`, { body: { id, email: "other@example.com", accounts: [ACCOUNT] } }),
    );
  });

  test("is gone at once when deleted, and so are their tokens, but not what their accounts own", async () => {
    const { id, key } = await create();
    const asked = by("new@example.com", key);
    const reading = { name: "reads", policies: [policy(["magicWanRead"], [`account.${ACCOUNT}`])] };
    const own = await server.ask("POST", USER_TOKENS, { ...asked, body: reading });
    const accounts = await server.ask("POST", ACCOUNT_TOKENS, { ...asked, body: reading });
    expect((await server.ask("DELETE", `${USERS}/${id}`)).body.result).toEqual({ id });
    expect(await list(asked)).toBe("403 9103");
    expect(await list({ token: own.body.result.value })).toBe("403 9109");
    expect(await list({ token: accounts.body.result.value })).toBe("200");
    for (const method of ["GET", "DELETE"])
      expect(verdict(await server.ask(method, `${USERS}/${id}`))).toBe("404 990051");
    expect(verdict(await server.ask("PUT", `${USERS}/${id}/key`))).toBe("404 990051");
  });

  test.each([
    [{ email: "nobody", accounts: [] }, ["990023 /email"]],
    [{ accounts: [] }, ["990022"]],
    [{ email: "a@b", accounts: [ACCOUNT, "e".repeat(32)] }, ["990060 /accounts/1"]],
    [{ email: "a@b", accounts: ["*"] }, ["990023 /accounts/0"]],
    [{ email: "a@b", accounts: [], key: "x" }, ["990020 /key"]],
    [{ id: USER, email: "a@b", accounts: [] }, ["990023 /id"]],
    [{ id: "x", email: "a@b", accounts: [] }, ["990023 /id"]],
  ])("is not made of %j", async (body, told) => {
    const reply = await untouched(server, () => server.ask("POST", USERS, { body }));
    expect(problems(reply).map((problem) => problem.trim())).toEqual(told);
  });
});

describe("accounts that are taken from a user", () => {
  test("are taken from the user's key and tokens in one change, whatever these were for", async () => {
    const { id, key } = await create({ accounts: [ACCOUNT, OTHER_ACCOUNT] });
    const asked = by("new@example.com", key);
    const make = async (resources: string[]) => {
      const body = { name: "reads", policies: [policy(["magicWanRead"], resources)] };
      return (await server.ask("POST", USER_TOKENS, { ...asked, body })).body.result.value;
    };
    const named = { token: await make([`account.${ACCOUNT}`, `account.${OTHER_ACCOUNT}`]) };
    const all = { token: await make(["account.*"]) };
    for (const one of [asked, named, all])
      expect([await list(one), await list(one, OTHER_LIST)]).toEqual(["200", "200"]);
    const revision = async () => (await server.ask("GET", "/patchbay/v1/changes")).body.result_info.revision;
    const before = await revision();
    await server.ask("PUT", `${USERS}/${id}`, { body: { accounts: [ACCOUNT] } });
    expect(await list(asked, OTHER_LIST)).toBe("403 9109");
    for (const one of [named, all]) expect(await list(one, OTHER_LIST)).toBe("403 10000");
    for (const one of [asked, named, all]) expect(await list(one)).toBe("200");
    expect(await revision()).toBe(before + 1);
    // Who is a member again has to ask for the tokens again.
    await server.ask("PUT", `${USERS}/${id}`, { body: { accounts: [ACCOUNT, OTHER_ACCOUNT] } });
    expect(await list(asked, OTHER_LIST)).toBe("200");
    for (const one of [named, all]) expect(await list(one, OTHER_LIST)).toBe("403 10000");
  });
});

describe("users themselves", () => {
  test("see what there is of them, by key and by a token of their own", async () => {
    const shown = {
      id: USER,
      email: demo.email,
      first_name: null,
      last_name: null,
      telephone: null,
      country: null,
      zipcode: null,
      suspended: false,
      two_factor_authentication_enabled: false,
      two_factor_authentication_locked: false,
      has_pro_zones: false,
      has_business_zones: false,
      has_enterprise_zones: false,
      betas: [],
      organizations: [],
    };
    for (const asked of [{}, by(demo.email, demo.key)])
      expect((await server.ask("GET", ME, asked)).body.result).toEqual(shown);
  });

  test("say what they are called, and take it back", async () => {
    const edit = (body: object) => server.ask("PATCH", ME, { body });
    const { body } = await edit({
      first_name: "Grace",
      last_name: "Hopper",
      country: "US",
      zipcode: "12345",
    });
    expect(body.result).toMatchObject({
      first_name: "Grace",
      last_name: "Hopper",
      telephone: null,
      country: "US",
    });
    const cleared = await edit({ first_name: null, last_name: "" });
    expect(cleared.body.result).toMatchObject({
      first_name: null,
      last_name: null,
      country: "US",
      zipcode: "12345",
    });
    await untouched(server, () => edit({}));
  });

  test.each([
    [{ first_name: "x".repeat(61) }, "990023 /first_name"],
    [{ telephone: 123 }, "990023 /telephone"],
    [{ email: "other@example.com" }, "990020 /email"],
    [{ suspended: true }, "990020 /suspended"],
  ])("do not say %j", async (body, problem) => {
    const reply = await untouched(server, () => server.ask("PATCH", ME, { body }));
    expect(problems(reply)).toEqual([problem]);
  });

  test("are not found by tokens that belong to no user", async () => {
    const { body } = await server.ask("POST", ACCOUNT_TOKENS, {
      body: { name: "of the account", policies: [] },
    });
    for (const token of [body.result.value, "demo-magic-read-only-token-0000000000000"])
      for (const path of [ME, USER_TOKENS]) {
        const reply = await server.ask("GET", path, { token });
        expect(verdict(reply)).toBe("403 9109");
        expect(reply.body.errors[0].message).toBe("Valid user-level authentication not found");
      }
    // The operator's tokens are checked at either place.
    const check = await server.ask("GET", VERIFY, { token: "demo-magic-read-only-token-0000000000000" });
    expect(verdict(check)).toBe("200");
  });
});

test("the directory's log tells who did what, and is followed like an account's", async () => {
  const { body: before } = await server.ask("GET", "/patchbay/v1/changes");
  const { revision, epoch } = before.result_info;
  const following = server.ask("GET", `/patchbay/v1/changes?after=${revision}&epoch=${epoch}&wait=60`);
  const made = await server.ask("POST", USERS, { body: { email: "new@example.com", accounts: [ACCOUNT] } });
  const { body } = await following;
  expect(body.result).toMatchObject([
    {
      revision: revision + 1,
      operation: "createUser",
      actor: { type: "token", name: "everything" },
      request_id: made.headers.get("cf-ray"),
      objects: [
        {
          kind: "user",
          name: "new@example.com",
          action: "create",
          fields: { email: { after: "new@example.com" }, key_hash: { after: "(masked)" } },
        },
      ],
    },
  ]);
  const one = await server.ask("GET", `/patchbay/v1/changes/${revision + 1}`);
  expect(one.body.result).toEqual(body.result[0]);
  expect(verdict(await server.ask("GET", `/patchbay/v1/changes/${revision + 2}`))).toBe("404 990036");
  const first = await server.ask("GET", "/patchbay/v1/changes?limit=1");
  const { cursor } = first.body.result_info;
  const second = await server.ask("GET", `/patchbay/v1/changes?limit=1&cursor=${cursor}`);
  expect(second.body.result[0].revision).toBe(revision);
});
