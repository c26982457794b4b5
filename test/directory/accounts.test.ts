import { randomBytes } from "node:crypto";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { decide } from "../../src/account/decide.ts";
import { DIRECTORY_ID, tokenKind } from "../../src/account/directory.ts";
import { type Doc, State } from "../../src/account/state.ts";
import { permissionGroups } from "../../src/contract/permissions.ts";
import { hashSecret } from "../../src/store/secrets.ts";
import { SqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { NotCommitted, OutcomeUnknown } from "../../src/store/store.ts";
import { ACCOUNTS, policy, USER, USER_TOKENS } from "../harness/directory.ts";
import { FaultyStore } from "../harness/faulty-store.ts";
import { MemoryStore } from "../harness/memory-store.ts";
import {
  ACCOUNT,
  demo,
  OTHER_ACCOUNT,
  problems,
  startTestServer,
  type TestServer,
} from "../harness/server.ts";
import { untouched, verdict } from "../harness/standing.ts";
import { temporaryDirectory } from "../harness/temporary.ts";

let server: TestServer;
beforeEach(async () => {
  server = await startTestServer();
  onTestFinished(() => server.close());
});

const MINE = "5".repeat(32);
const key = { token: null, headers: { "x-auth-email": demo.email, "x-auth-key": demo.key } };
const vendor = (id: string) => `/client/v4/accounts/${id}`;
const stateOf = (id: string) => `/patchbay/v1/accounts/${id}/state`;
const make = (body: object, on = server) => on.ask("POST", ACCOUNTS, { body });
const names = ({ body }: { body: { result: { name: string }[] } }) => body.result.map(({ name }) => name);

const demonstration = {
  id: ACCOUNT,
  name: "Demonstration",
  type: "enterprise",
  settings: { enforce_twofactor: false },
  created_on: "2017-06-14T00:00:00Z",
};

describe("an account is made", () => {
  test("empty, at revision 0, and is there at once", async () => {
    const { body } = await make({ id: MINE, name: "Mine", type: "standard" });
    expect(body.result).toEqual({
      id: MINE,
      name: "Mine",
      type: "standard",
      settings: { enforce_twofactor: false },
      created_on: expect.any(String),
    });
    const state = await server.ask("GET", stateOf(MINE));
    expect(state.body.result).toMatchObject({ account_id: MINE, revision: 0, interconnects: [], routes: [] });
    expect(state.body.result.epoch).toMatch(/^[0-9a-f]{16}$/);
    const list = await server.ask("GET", `${vendor(MINE)}/magic/cf_interconnects`);
    expect(list.body.result).toEqual({ interconnects: [] });
    expect(list.headers.get("etag")).toBe(`"${state.body.result.epoch}-0"`);
    const changes = await server.ask("GET", `/patchbay/v1/accounts/${MINE}/changes`);
    expect(changes.body).toMatchObject({ result: [], result_info: { revision: 0 } });
  });

  test("with an identifier of its own unless one is given", async () => {
    const first = await make({ name: "Same name" });
    const second = await make({ name: "Same name" });
    expect(first.body.result.id).toMatch(/^[0-9a-f]{32}$/);
    expect(first.body.result.id).not.toBe(second.body.result.id);
  });

  test("and may be named by tokens and users from then on", async () => {
    const wanted = { name: "t", policies: [policy(["magicWanRead"], [`account.${MINE}`])] };
    const early = await untouched(server, () => server.ask("POST", USER_TOKENS, { body: wanted }));
    expect(problems(early)).toEqual([`990060 /policies/0/resources/com.cloudflare.api.account.${MINE}`]);
    await make({ id: MINE, name: "Mine" });
    const { body } = await server.ask("POST", USER_TOKENS, { body: wanted });
    const list = await server.ask("GET", `${vendor(MINE)}/magic/cf_interconnects`, {
      token: body.result.value,
    });
    expect(verdict(list)).toBe("200");
  });

  test("with its maker as a member, so that who was a member of all still is", async () => {
    await server.ask("PUT", `/patchbay/v1/users/${USER}`, { body: { accounts: [ACCOUNT, OTHER_ACCOUNT] } });
    expect(verdict(await server.ask("POST", ACCOUNTS, { ...key, body: { id: MINE, name: "Mine" } }))).toBe(
      "200",
    );
    expect(verdict(await server.ask("GET", vendor(MINE), key))).toBe("200");
    expect(verdict(await server.ask("POST", ACCOUNTS, { ...key, body: { name: "Another" } }))).toBe("200");
  });

  test("once for an identifier", async () => {
    await make({ id: MINE, name: "Mine" });
    for (const id of [MINE, ACCOUNT]) {
      const reply = await untouched(server, () => make({ id, name: "Again" }));
      expect(problems(reply)).toEqual(["990052 /id"]);
    }
    const { body } = await server.ask("GET", vendor(MINE));
    expect(body.result.name).toBe("Mine");
  });

  test("once, also by many who ask at the same time", async () => {
    const replies = await Promise.all(
      Array.from({ length: 20 }, (_, at) => make({ id: MINE, name: `${at}` })),
    );
    expect(replies.map(verdict).sort()).toEqual(["200", ...Array(19).fill("400 990052")]);
    const { body } = await server.ask("GET", stateOf(MINE));
    const { epoch } = body.result;
    const update = await server.ask("GET", stateOf(MINE), { headers: { "if-none-match": `"${epoch}-0"` } });
    expect(update.status).toBe(304);
  });

  test("and is gone with a reset", async () => {
    await make({ id: MINE, name: "Mine" });
    await Promise.all([server.reset(), make({ name: "In between" })]);
    await server.reset();
    expect(verdict(await server.ask("GET", vendor(MINE)))).toBe("404 7003");
    expect(names(await server.ask("GET", ACCOUNTS))).toEqual(["Demonstration", "Other account"]);
  });
});

describe("the list of accounts", () => {
  test("has those that the asker has any right in", async () => {
    expect(names(await server.ask("GET", "/client/v4/accounts"))).toEqual(["Demonstration", "Other account"]);
    expect(names(await server.ask("GET", "/client/v4/accounts", key))).toEqual(["Demonstration"]);
    const seen = async (token: string) => names(await server.ask("GET", "/client/v4/accounts", { token }));
    expect(await seen("demo-other-account-token-000000000000000")).toEqual(["Other account"]);
    expect(await seen("demo-denied-token-0000000000000000000000")).toEqual(["Other account"]);
    expect(await seen("demo-other-permission-token-000000000000")).toEqual([]);
  });

  test("comes in pages, by name, forwards or backwards", async () => {
    for (const name of ["d", "c", "b", "a"]) await make({ name });
    const page = async (query: string) => {
      const reply = await server.ask("GET", `/client/v4/accounts?${query}`);
      return [names(reply), reply.body.result_info];
    };
    expect(await page("per_page=5")).toEqual([
      ["Demonstration", "Other account", "a", "b", "c"],
      { page: 1, per_page: 5, total_pages: 2, count: 5, total_count: 6 },
    ]);
    expect((await page("per_page=5&page=2"))[0]).toEqual(["d"]);
    expect((await page("direction=desc"))[0]).toEqual(["d", "c", "b", "a", "Other account", "Demonstration"]);
    expect((await page("name=Demonstration"))[0]).toEqual(["Demonstration"]);
    expect((await page("name=demonstration"))[0]).toEqual([]);
  });
});

describe("an account is changed", () => {
  test("in its name, type and settings; what is left out stays", async () => {
    const change = (body: object) => server.ask("PUT", vendor(ACCOUNT), { body });
    await change({ name: "Renamed", settings: { abuse_contact_email: "abuse@example.com" } });
    const { body } = await change({ type: "standard" });
    expect(body.result).toEqual({
      ...demonstration,
      name: "Renamed",
      type: "standard",
      settings: { abuse_contact_email: "abuse@example.com", enforce_twofactor: false },
    });
    const cleared = await change({
      settings: { abuse_contact_email: "" },
      name: "Demonstration",
      type: "enterprise",
    });
    expect(cleared.body.result).toEqual(demonstration);
  });

  test("not at all by what was read", async () => {
    const { body } = await server.ask("GET", vendor(ACCOUNT));
    expect(body.result).toEqual(demonstration);
    await untouched(server, () => server.ask("PUT", vendor(ACCOUNT), { body: body.result }));
    await untouched(server, () => server.ask("PUT", `${ACCOUNTS}/${ACCOUNT}`, { body: body.result }));
  });

  test.each([
    [{ id: OTHER_ACCOUNT }, "990021 /id"],
    [{ name: "" }, "990023 /name"],
    [{ name: "x".repeat(101) }, "990023 /name"],
    [{ settings: { enforce_twofactor: true } }, "990023 /settings/enforce_twofactor"],
    [{ settings: { abuse_contact_email: "nobody" } }, "990023 /settings/abuse_contact_email"],
    [{ type: "free" }, "990023 /type"],
    [{ managed_by: { parent_org_id: "x" } }, "990020 /managed_by/parent_org_id"],
  ])("not by %j", async (body, problem) => {
    const reply = await untouched(server, () => server.ask("PUT", vendor(ACCOUNT), { body }));
    expect(problems(reply)).toEqual([problem]);
  });

  test("only if it is what the condition says", async () => {
    const { headers } = await server.ask("GET", vendor(ACCOUNT));
    const tag = headers.get("etag") ?? "";
    expect((await server.ask("GET", vendor(ACCOUNT), { headers: { "if-none-match": tag } })).status).toBe(
      304,
    );
    const change = () =>
      server.ask("PUT", vendor(ACCOUNT), { headers: { "if-match": tag }, body: { name: "Moved" } });
    expect(verdict(await change())).toBe("200");
    expect(verdict(await untouched(server, change))).toBe("412 990014");
  });

  test("but never deleted: that would leave half of it", async () => {
    for (const path of [vendor(ACCOUNT), `${ACCOUNTS}/${ACCOUNT}`])
      expect(verdict(await untouched(server, () => server.ask("DELETE", path)))).toBe("405 7001");
  });
});

describe("when the store fails while an account is made", () => {
  async function startFaulty() {
    const store = new FaultyStore(new MemoryStore());
    const faulty = await startTestServer({}, { store });
    onTestFinished(() => faulty.close());
    return { store, faulty };
  }

  test("in between, there is no account, and it can be made again", async () => {
    const { store, faulty } = await startFaulty();
    const failure = async () => {
      throw new NotCommitted("the disk is full");
    };
    store.next(failure, failure);
    expect(verdict(await make({ id: MINE, name: "Mine" }, faulty))).toBe("503 990002");
    expect(await store.states()).toContain(MINE);
    expect(verdict(await faulty.ask("GET", vendor(MINE)))).toBe("404 7003");
    expect(names(await faulty.ask("GET", ACCOUNTS))).toEqual(["Demonstration", "Other account"]);
    expect(verdict(await make({ id: MINE, name: "Mine" }, faulty))).toBe("200");
    expect(verdict(await faulty.ask("GET", vendor(MINE)))).toBe("200");
  });

  test("after it was made, it is there", async () => {
    const { store, faulty } = await startFaulty();
    store.next(async (_, proceed) => {
      await proceed();
      throw new OutcomeUnknown("the answer was lost");
    });
    expect(verdict(await make({ id: MINE, name: "Mine" }, faulty))).toBe("200");
    expect(verdict(await faulty.ask("GET", vendor(MINE)))).toBe("200");
  });
});

test("an account whose making was broken off is none after a start, and the others are", async () => {
  const data = temporaryDirectory();
  const first = await startTestServer({ data });
  await make({ id: MINE, name: "Mine" }, first);
  await first.close();
  const store = await SqliteStore.open(data);
  await store.create("6".repeat(32), "0123456789abcdef");
  await store.close();
  await using second = await startTestServer({ data });
  expect(names(await second.ask("GET", ACCOUNTS))).toEqual(["Demonstration", "Mine", "Other account"]);
  expect(verdict(await second.ask("GET", vendor("6".repeat(32))))).toBe("404 7003");
  expect(verdict(await make({ id: "6".repeat(32), name: "At last" }, second))).toBe("200");
  expect(verdict(await second.ask("GET", stateOf("6".repeat(32))))).toBe("200");
});

describe("where there is no account yet", () => {
  const token = `cfat_${"0".repeat(40)}`;

  /** A server over a directory with one token of the operator's and nothing else, as for production. */
  async function startEmpty() {
    const { id, name } = permissionGroups.patchbayAdmin;
    const doc: Doc = {
      name: "first",
      hash: hashSecret(token),
      status: "active",
      policies: [
        {
          effect: "allow",
          resources: { "com.cloudflare.api.account.*": "*" },
          permission_groups: [{ id, name }],
        },
      ],
    };
    const epoch = randomBytes(8).toString("hex");
    const decision = decide(new State(DIRECTORY_ID, epoch), {
      operation: "init",
      circumstances: {
        time: "2030-01-01T00:00:00.000000Z",
        actor: { type: "system", id: "init", name: "init" },
        requestId: "init",
      },
      propose: (state) => [
        { kind: tokenKind, slot: state.slotFor("token", "7".repeat(32)), doc, pointer: "" },
      ],
    });
    if (!decision.ok || !decision.change) throw new Error("There is no directory.");
    const store = new MemoryStore();
    await store.replace([{ id: DIRECTORY_ID, epoch, change: decision.change }]);
    const empty = await startTestServer({ sandbox: false }, { store });
    onTestFinished(() => empty.close());
    return empty;
  }

  test("the operator's token makes the first account, the first user, and what they need", async () => {
    const empty = await startEmpty();
    const ask = (method: string, path: string, body?: object) =>
      empty.ask(method, path, body === undefined ? { token } : { token, body });
    expect((await ask("GET", ACCOUNTS)).body.result).toEqual([]);
    expect((await ask("GET", "/client/v4/accounts")).body.result).toEqual([]);
    expect(verdict(await ask("POST", ACCOUNTS, { id: MINE, name: "Mine" }))).toBe("200");
    const user = await ask("POST", "/patchbay/v1/users", { email: "first@example.com", accounts: [MINE] });
    const headers = { "x-auth-email": "first@example.com", "x-auth-key": user.body.result.key };
    const wish = { name: "automation", policies: [policy(["magicWanWrite"], [`account.${MINE}`])] };
    const made = await empty.ask("POST", `${vendor(MINE)}/tokens`, { token: null, headers, body: wish });
    const list = await empty.ask("GET", `${vendor(MINE)}/magic/cf_interconnects`, {
      token: made.body.result.value,
    });
    expect(verdict(list)).toBe("200");
    const log = await ask("GET", "/patchbay/v1/changes");
    expect(log.body.result.map(({ operation }: { operation: string }) => operation)).toEqual([
      "createAccountToken",
      "createUser",
      "createAccount",
      "init",
    ]);
  });

  test("a user is a member of nothing, and so not of all there is", async () => {
    const empty = await startEmpty();
    const made = await empty.ask("POST", "/patchbay/v1/users", {
      token,
      body: { email: "a@b", accounts: [] },
    });
    const headers = { "x-auth-email": "a@b", "x-auth-key": made.body.result.key };
    for (const path of [ACCOUNTS, "/patchbay/v1/users", "/patchbay/v1/changes"])
      expect(verdict(await empty.ask("GET", path, { token: null, headers }))).toBe("403 9109");
    expect((await empty.ask("GET", "/client/v4/user", { token: null, headers })).body.result.email).toBe(
      "a@b",
    );
  });
});
