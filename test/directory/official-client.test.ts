import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { permissionGroups } from "../../src/contract/permissions.ts";
import { clientOf } from "../harness/client.ts";
import { demoWith, TARGETS, targets, USER } from "../harness/directory.ts";
import { ACCOUNT, demo, OTHER_ACCOUNT, startTestServer, type TestServer } from "../harness/server.ts";

let server: TestServer;
beforeEach(async () => {
  server = await startTestServer({}, { seed: demoWith(targets) });
  onTestFinished(() => server.close());
});

const credentials = [
  { by: "a token", options: {}, accounts: ["Demonstration", "Other account"] },
  {
    by: "e-mail and key",
    options: { apiToken: null, apiEmail: demo.email, apiKey: demo.key },
    accounts: ["Demonstration"],
  },
];

const wanted = {
  name: "readonly token",
  not_before: "2018-07-01T05:20:00Z",
  expires_on: "2099-01-01T00:00:00Z",
  condition: { request_ip: { in: ["127.0.0.0/8", "2606:4700::/32"], not_in: ["123.123.123.100/24"] } },
  policies: [
    {
      effect: "allow" as const,
      permission_groups: [{ id: permissionGroups.magicWanRead.id }],
      resources: { [`com.cloudflare.api.account.${ACCOUNT}`]: "*" },
    },
  ],
};

async function all<T>(list: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of list) items.push(item);
  return items;
}

describe.each(credentials)("the official client, with $by,", ({ options, accounts }) => {
  test("reads and edits the user", async () => {
    const { user } = clientOf(server, options);
    expect(await user.get()).toMatchObject({ id: USER, email: demo.email, first_name: null });
    const edited = await user.edit({ first_name: "Grace", last_name: "Hopper", telephone: null });
    expect(edited).toMatchObject({ first_name: "Grace", last_name: "Hopper", telephone: null });
  });

  test("lists accounts, reads one, and changes it", async () => {
    const client = clientOf(server, options);
    const listed = await all(client.accounts.list({ per_page: 5, direction: "asc" }));
    expect(listed.map(({ name }) => name)).toEqual(accounts);
    expect(await all(client.accounts.list({ name: "Demonstration" }))).toHaveLength(1);
    const account = await client.accounts.get({ account_id: ACCOUNT });
    expect(account).toMatchObject({ id: ACCOUNT, name: "Demonstration", type: "enterprise" });
    const updated = await client.accounts.update({
      account_id: ACCOUNT,
      id: ACCOUNT,
      name: "Renamed",
      type: "enterprise",
      settings: { abuse_contact_email: "abuse@example.com", enforce_twofactor: false },
    });
    expect(updated).toMatchObject({
      name: "Renamed",
      settings: { abuse_contact_email: "abuse@example.com" },
    });
  });

  test("makes, lists, reads, changes, rolls and deletes a user's token", async () => {
    const { tokens } = clientOf(server, options).user;
    const { value, ...made } = await tokens.create(wanted);
    expect(made).toMatchObject({ name: "readonly token", status: "active", condition: wanted.condition });
    const id = made.id ?? "";
    expect(await tokens.get(id)).toEqual(made);
    expect((await all(tokens.list({ direction: "desc" })))[0]).toEqual(made);
    const changed = await tokens.update(id, { ...wanted, name: "renamed", status: "disabled" });
    expect(changed).toMatchObject({ id, name: "renamed", status: "disabled" });
    expect((await all(tokens.list({ include_expired: true }))).map((token) => token.name)).toContain(
      "renamed",
    );
    const rolled = await tokens.value.update(id);
    expect(rolled).toMatch(/^cfut_/);
    expect(rolled).not.toBe(value);
    expect(await tokens.delete(id)).toEqual({ id });
    await expect(tokens.get(id)).rejects.toMatchObject({ status: 404 });
  });

  test("makes, lists, reads, changes, rolls and deletes an account's token", async () => {
    const { tokens } = clientOf(server, options).accounts;
    const account = { account_id: ACCOUNT };
    const { value, ...made } = await tokens.create({ ...account, ...wanted });
    expect(value).toMatch(/^cfat_/);
    const id = made.id ?? "";
    expect(await tokens.get(id, account)).toEqual(made);
    expect((await all(tokens.list(account))).map((token) => token.id)).toEqual([
      "1000000000000000000000000000000f",
      TARGETS.account,
      id,
    ]);
    const changed = await tokens.update(id, { ...account, ...wanted, name: "renamed" });
    expect(changed).toMatchObject({ id, name: "renamed", status: "active" });
    expect(await tokens.value.update(id, account)).toMatch(/^cfat_/);
    expect(await tokens.delete(id, account)).toEqual({ id });
    await expect(tokens.get(id, account)).rejects.toMatchObject({ status: 404 });
  });

  test("lists the permission groups of users' and accounts' tokens", async () => {
    const client = clientOf(server, options);
    const ofUser = await all(client.user.tokens.permissionGroups.list());
    expect(ofUser.map(({ name }) => name)).toEqual(Object.values(permissionGroups).map(({ name }) => name));
    const { permissionGroups: ofAccount } = client.accounts.tokens;
    const wan = { account_id: ACCOUNT, name: "Magic WAN Read", scope: "com.cloudflare.api.account" };
    const expected = [{ id: permissionGroups.magicWanRead.id, name: "Magic WAN Read", is_selectable: true }];
    expect(await all(ofAccount.list(wan))).toMatchObject(expected);
    expect(await ofAccount.get(wan)).toMatchObject(expected);
  });
});

describe("the official client, with a token that was made here,", () => {
  test("verifies a user's token, and works with it", async () => {
    const made = await clientOf(server).user.tokens.create(wanted);
    const client = clientOf(server, { apiToken: made.value ?? "" });
    expect(await client.user.tokens.verify()).toEqual({
      id: made.id,
      status: "active",
      not_before: wanted.not_before,
      expires_on: wanted.expires_on,
    });
    const { interconnects } = await client.magicTransit.cfInterconnects.list({ account_id: ACCOUNT });
    expect(interconnects).toHaveLength(3);
    expect(await all(client.accounts.list())).toMatchObject([{ id: ACCOUNT }]);
    await expect(
      client.magicTransit.cfInterconnects.list({ account_id: OTHER_ACCOUNT }),
    ).rejects.toMatchObject({
      status: 403,
    });
  });

  test("verifies an account's token, which cannot list accounts", async () => {
    const account = { account_id: ACCOUNT };
    const made = await clientOf(server).accounts.tokens.create({ ...account, ...wanted });
    const client = clientOf(server, { apiToken: made.value ?? "" });
    expect(await client.accounts.tokens.verify(account)).toMatchObject({ id: made.id, status: "active" });
    await expect(client.user.tokens.verify()).rejects.toMatchObject({ status: 401 });
    const listed = all(client.accounts.list());
    await expect(listed).rejects.toMatchObject({
      status: 400,
      errors: [{ code: 1001, message: "List accounts endpoint does not support account owned tokens." }],
    });
  });
});
