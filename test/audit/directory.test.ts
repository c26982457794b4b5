/** What the directory's log tells an account: its tokens, its members, itself, and nothing of others. */

import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import type { Wish } from "../../src/account/decide.ts";
import { accountKind, DIRECTORY_ID, tokenKind, userKind } from "../../src/account/directory.ts";
import type { Doc, Kind } from "../../src/account/state.ts";
import { LiveState } from "../../src/store/live-state.ts";
import { hashSecret } from "../../src/store/secrets.ts";
import type { Entry } from "../harness/audit.ts";
import { MemoryStore } from "../harness/memory-store.ts";
import { ACCOUNT, OTHER_ACCOUNT, startTestServer, type TestServer } from "../harness/server.ts";

const SECRET = hashSecret("a secret");
const resource = (account: string) => `com.cloudflare.api.account.${account}`;
const policy = (...resources: string[]) => ({
  effect: "allow",
  resources: Object.fromEntries(resources.map((name) => [name, "*"])),
  permission_groups: [{ id: "0".repeat(32), name: "Some" }],
});
const token = (fields: Doc): Doc => ({
  name: "a token",
  hash: SECRET,
  status: "active",
  policies: [],
  ...fields,
});
const user = (fields: Doc): Doc => ({ email: "ada@example.com", key_hash: SECRET, accounts: [], ...fields });

let server: TestServer;
let directory: LiveState;
let seeded: number;
beforeEach(async () => {
  const store = new MemoryStore();
  server = await startTestServer({}, { store });
  onTestFinished(() => server.close());
  // Commits to the directory's log as another server on the same store would.
  const state = await store.load(DIRECTORY_ID);
  if (!state) throw new Error("There is no directory.");
  directory = new LiveState(state, store, () => undefined);
  seeded = (await entries()).length;
});

/** Commits one record of several wishes: each a kind, an id, and a document or none. */
async function commit(
  operation: string,
  ...wanted: readonly (readonly [Kind, string, Doc?])[]
): Promise<void> {
  const decision = await directory.submit({
    operation,
    circumstances: {
      time: new Date().toISOString().replace("Z", "000Z"),
      actor: { type: "user", id: "7c5dae5552338874e5053f2534d2767a", name: "user@example.com" },
      requestId: `request of ${operation}`,
      address: "192.0.2.7",
    },
    propose: (state) =>
      wanted.map(([kind, id, doc], index): Wish => {
        return { kind, slot: state.slotFor(kind.name, id), doc, pointer: `/${index}` };
      }),
  });
  if (!decision.ok) throw new Error(decision.problems.map(({ message }) => message).join());
}

async function entries(account: string = ACCOUNT): Promise<Entry[]> {
  const path = `/client/v4/accounts/${account}/logs/audit?since=2000-01-01&before=2999-01-01&limit=1000&direction=asc`;
  return (await server.ask("GET", path)).body.result;
}

/** The entries after the seed's, as the account sees them. */
async function told(account: string = ACCOUNT): Promise<Entry[]> {
  const all = await entries(account);
  expect(JSON.stringify(all)).not.toContain(SECRET);
  return all.slice(seeded);
}

const objects = (entry: Entry) => entry?.resource.response.objects;

describe("an account is told", () => {
  test("of its own making and renaming", async () => {
    const account = "c".repeat(32);
    await commit("createAccount", [
      accountKind,
      account,
      { name: "Third", created_on: "2026-01-01T00:00:00Z" },
    ]);
    await commit("renameAccount", [
      accountKind,
      ACCOUNT,
      { name: "Renamed", created_on: "2026-01-01T00:00:00Z" },
    ]);
    const [entry, ...others] = await told();
    expect(others).toEqual([]);
    expect(entry).toMatchObject({
      action: { description: "renameAccount: Renamed", type: "update", result: "success" },
      actor: { context: "api_key", email: "user@example.com", ip_address: "192.0.2.7", type: "user" },
      raw: { cf_ray_id: "request of renameAccount" },
      resource: { id: ACCOUNT, type: "account", response: { log: "directory", revision: 3, count: 1 } },
    });
    expect(objects(entry)[0].fields.name).toEqual({ before: "Demonstration", after: "Renamed" });
  });

  test.each([
    ["a policy that names it", { policies: [policy(resource(ACCOUNT))] }],
    ["a policy for all accounts", { policies: [policy(resource("*"))] }],
    ["a policy that denies it", { policies: [{ ...policy(resource(ACCOUNT)), effect: "deny" }] }],
    ["itself as the owner", { owner: { account: ACCOUNT } }],
  ])("of a token with %s: made, renamed, rolled, removed", async (_, fields) => {
    const id = "1".repeat(32);
    await commit("create", [tokenKind, id, token(fields)]);
    await commit("rename", [tokenKind, id, token({ ...fields, name: "renamed" })]);
    await commit("roll", [tokenKind, id, token({ ...fields, name: "renamed", hash: hashSecret("another") })]);
    await commit("remove", [tokenKind, id]);
    const all = await told();
    expect(all.map(({ action }) => `${action.description} ${action.type}`)).toEqual([
      "create: a token create",
      "rename: renamed update",
      "roll: renamed update",
      "remove: renamed delete",
    ]);
    expect(objects(all[1])).toEqual([
      {
        kind: "token",
        id,
        name: "renamed",
        action: "update",
        fields: { name: { before: "a token", after: "renamed" } },
      },
    ]);
    expect(objects(all[2])[0].fields).toMatchObject({ hash: { before: "(masked)", after: "(masked)" } });
    expect(JSON.stringify(all)).not.toContain(hashSecret("another"));
  });

  test("of a token that comes to name it, and of one that no longer does", async () => {
    const id = "1".repeat(32);
    const of = (...accounts: string[]) =>
      token({ policies: accounts.map((account) => policy(resource(account))) });
    await commit("create", [tokenKind, id, of(OTHER_ACCOUNT)]);
    await commit("widen", [tokenKind, id, of(OTHER_ACCOUNT, ACCOUNT)]);
    await commit("narrow", [tokenKind, id, of(OTHER_ACCOUNT)]);
    await commit("rename", [tokenKind, id, { ...of(OTHER_ACCOUNT), name: "out of sight" }]);
    const all = await told();
    expect(all.map(({ action }) => action.description)).toEqual(["widen: a token", "narrow: a token"]);
    const own = [policy(resource(ACCOUNT))];
    expect(objects(all[0])[0].fields).toMatchObject({ policies: { before: [], after: own } });
    expect(objects(all[1])[0].fields).toMatchObject({ policies: { before: own, after: [] } });
  });

  test("of its members: who comes, who goes, whose key is new", async () => {
    const id = "2".repeat(32);
    await commit("create", [userKind, id, user({ accounts: [OTHER_ACCOUNT] })]);
    await commit("join", [userKind, id, user({ accounts: [OTHER_ACCOUNT, ACCOUNT] })]);
    await commit("roll", [
      userKind,
      id,
      user({ accounts: [OTHER_ACCOUNT, ACCOUNT], key_hash: hashSecret("b") }),
    ]);
    await commit("leave", [userKind, id, user({ accounts: [OTHER_ACCOUNT], key_hash: hashSecret("b") })]);
    await commit("remove", [userKind, id]);
    expect((await told()).map((entry) => [entry.raw.cf_ray_id, objects(entry)[0].fields])).toEqual([
      ["request of join", { accounts: { before: [], after: [ACCOUNT] } }],
      ["request of roll", { key_hash: { before: "(masked)", after: "(masked)" } }],
      ["request of leave", { accounts: { before: [ACCOUNT], after: [] } }],
    ]);
  });

  test("by which address, where that is certain to be its own", async () => {
    const id = "1".repeat(32);
    const shared = { policies: [policy(resource(ACCOUNT))] };
    const uris = async () => (await told()).map(({ raw }) => raw.uri);
    // An operation on an object of an account, whichever it is.
    const operation = "updateRoute";
    await commit(operation, [tokenKind, id, token({ ...shared, owner: { account: ACCOUNT } })]);
    expect(await uris()).toEqual([`/accounts/${ACCOUNT}/magic/routes/${id}`]);
    await commit(operation, [tokenKind, id, token({ ...shared, owner: { account: OTHER_ACCOUNT } })]);
    await commit(operation, [
      tokenKind,
      id,
      token({ ...shared, name: "b", owner: { account: OTHER_ACCOUNT } }),
    ]);
    expect((await uris()).slice(1)).toEqual([`/accounts/${ACCOUNT}/magic/routes/${id}`, undefined]);
    expect(JSON.stringify(await told())).not.toContain(OTHER_ACCOUNT);
    await commit("reset", [tokenKind, id, token(shared)]);
    expect((await uris()).at(-1)).toBe("/patchbay/v1/reset");
  });

  test("of a record about many objects those that concern it alone", async () => {
    await commit(
      "many",
      [tokenKind, "1".repeat(32), token({ policies: [policy(resource(OTHER_ACCOUNT))] })],
      [
        tokenKind,
        "2".repeat(32),
        token({ hash: hashSecret("2"), policies: [policy(resource(ACCOUNT), resource(OTHER_ACCOUNT))] }),
      ],
      [userKind, "3".repeat(32), user({ accounts: [OTHER_ACCOUNT] })],
    );
    const [entry] = await told();
    expect(entry.resource).toMatchObject({ id: "2".repeat(32), type: "token", response: { count: 1 } });
    expect(objects(entry)[0].fields.policies).toEqual({ after: [policy(resource(ACCOUNT))] });
  });
});

describe("an account is told nothing", () => {
  test("of tokens, members and names of others, nor of other accounts in what concerns it", async () => {
    const member = user({ accounts: [ACCOUNT] });
    await commit("create", [userKind, "2".repeat(32), member]);
    seeded++;
    await commit("join", [userKind, "2".repeat(32), { ...member, accounts: [ACCOUNT, OTHER_ACCOUNT] }]);
    await commit("token", [
      tokenKind,
      "1".repeat(32),
      token({ policies: [policy(resource(OTHER_ACCOUNT))] }),
    ]);
    await commit("mine", [
      tokenKind,
      "4".repeat(32),
      token({ hash: hashSecret("4"), policies: [policy("com.cloudflare.api.user.5")] }),
    ]);
    await commit("owned", [
      tokenKind,
      "5".repeat(32),
      token({ hash: hashSecret("5"), owner: { account: OTHER_ACCOUNT } }),
    ]);
    await commit("of a user", [
      tokenKind,
      "6".repeat(32),
      token({ hash: hashSecret("6"), owner: { user: ACCOUNT } }),
    ]);
    await commit("other", [accountKind, OTHER_ACCOUNT, { name: "Other, renamed" }]);
    expect(await told()).toEqual([]);
    expect(JSON.stringify(await entries())).not.toContain(OTHER_ACCOUNT);
  });

  test("by records of the seed, which tell of every account at once", async () => {
    const [own, other] = [await entries(ACCOUNT), await entries(OTHER_ACCOUNT)];
    expect(JSON.stringify(own)).not.toContain(OTHER_ACCOUNT);
    expect(JSON.stringify(other)).not.toContain("user@example.com");
    expect(own[0].resource.response).toMatchObject({ log: "directory", revision: 1 });
    expect(own[0].resource.response.count).toBeGreaterThan(other[0].resource.response.count);
  });
});
