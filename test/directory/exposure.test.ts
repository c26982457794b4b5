import { expect, test } from "vitest";
import { ACCOUNT_TOKENS, OPERATOR_TOKENS, policy, USER, USER_TOKENS, USERS } from "../harness/directory.ts";
import { type Ask, demo, LIST, startTestServer } from "../harness/server.ts";
import { verdict } from "../harness/standing.ts";
import { temporaryDirectory } from "../harness/temporary.ts";

const EVERYWHERE = "0.0.0.0";

/** Fails if a server over the directory listens on more than this machine. */
async function expectBound(data: string): Promise<void> {
  const started = startTestServer({ data, host: EVERYWHERE, sandbox: false });
  await expect(started).rejects.toThrow("listens on this machine alone");
}

test("a demonstration listens elsewhere once none of its printed credentials is left, and not before", async () => {
  const data = temporaryDirectory();
  const server = await startTestServer({ data });
  const groups = ["patchbayAdmin", "magicWanRead"] as const;
  const body = { name: "own", policies: [policy(groups, ["account.*"])] };
  const { body: made } = await server.ask("POST", OPERATOR_TOKENS, { body });
  const own: Ask = { token: made.result.value };
  // Tokens made here do not bind the server, and do not let it go either.
  await server.close();
  await expectBound(data);

  const second = await startTestServer({ data });
  const { body: list } = await second.ask("GET", `${OPERATOR_TOKENS}?include_expired=true&per_page=50`, own);
  for (const { id } of list.result.filter((token: { name: string }) => token.name !== "own"))
    expect(verdict(await second.ask("DELETE", `${OPERATOR_TOKENS}/${id}`, own))).toBe("200");
  // The user's token, and the key.
  const key: Ask = { token: null, headers: { "x-auth-email": demo.email, "x-auth-key": demo.key } };
  const { body: mine } = await second.ask("GET", USER_TOKENS, key);
  for (const { id } of mine.result) await second.ask("DELETE", `${USER_TOKENS}/${id}`, key);
  for (const { id } of (await second.ask("GET", ACCOUNT_TOKENS, key)).body.result)
    await second.ask("DELETE", `${ACCOUNT_TOKENS}/${id}`, key);
  await second.close();
  await expectBound(data);

  const third = await startTestServer({ data });
  expect(verdict(await third.ask("PUT", `${USERS}/${USER}/key`, own))).toBe("200");
  await third.close();
  await expectBound(data);

  const fourth = await startTestServer({ data });
  const { body: others } = await fourth.ask("GET", `${USERS}?email=${demo.other.email}`, own);
  expect(verdict(await fourth.ask("DELETE", `${USERS}/${others.result[0].id}`, own))).toBe("200");
  await fourth.close();
  await using open = await startTestServer({ data, host: EVERYWHERE, sandbox: false });
  const url = open.url.replace(EVERYWHERE, "127.0.0.1");
  const headers = { authorization: `Bearer ${made.result.value}` };
  expect((await fetch(url + LIST, { headers })).status).toBe(200);
  for (const token of demo.tokens) {
    const reply = await fetch(url + LIST, { headers: { authorization: `Bearer ${token}` } });
    expect(reply.status).toBe(403);
  }
});

test("a disabled credential binds the server as an active one: one call makes it active again", async () => {
  const data = temporaryDirectory();
  const server = await startTestServer({ data });
  const body = { name: "everything", policies: [], status: "disabled" };
  const [token] = (await server.ask("GET", USER_TOKENS)).body.result;
  expect(verdict(await server.ask("PUT", `${USER_TOKENS}/${token.id}`, { body }))).toBe("200");
  expect(verdict(await server.ask("GET", LIST))).toBe("403 9109");
  await server.close();
  await expectBound(data);
});
