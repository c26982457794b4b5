import { Writable } from "node:stream";
import { expect, test } from "vitest";
import { hashSecret } from "../../src/store/secrets.ts";
import { ACCOUNT_TOKENS, OPERATOR_TOKENS, USER, USER_TOKENS, USERS } from "../harness/directory.ts";
import { ACCOUNT, demo, OWN, type Reply, startTestServer } from "../harness/server.ts";

test("a secret is in the one answer that shows it, and nowhere else", async () => {
  let logged = "";
  const logTo = new Writable({
    write(chunk, _encoding, done) {
      logged += String(chunk);
      done();
    },
  });
  await using server = await startTestServer({ logLevel: "trace" }, { logTo });
  const secrets: string[] = [];
  const told: Reply[] = [];
  const ask = async (method: string, path: string, body?: object) => {
    const reply = await server.ask(method, path, body ? { body } : {});
    expect(reply.status, `${method} ${path}`).toBe(200);
    return reply.body.result;
  };
  const wanted = { name: "secret", policies: [] };
  for (const path of [USER_TOKENS, ACCOUNT_TOKENS, OPERATOR_TOKENS]) {
    const { id, value } = await ask("POST", path, wanted);
    secrets.push(value, await ask("PUT", `${path}/${id}/value`));
    await ask("PUT", `${path}/${id}`, { ...wanted, name: "renamed" });
    await server.ask("GET", `${path}/${id}`, { token: value });
    told.push(await server.ask("GET", `${path}/${id}`), await server.ask("GET", path));
  }
  const { id, key } = await ask("POST", USERS, { email: "new@example.com", accounts: [ACCOUNT] });
  secrets.push(key, (await ask("PUT", `${USERS}/${id}/key`)).key);
  const wrong = { "x-auth-email": "new@example.com", "x-auth-key": key };
  told.push(await server.ask("GET", "/client/v4/user", { token: null, headers: wrong }));
  for (const path of [
    USERS,
    `${USERS}/${id}`,
    `${USERS}/${USER}`,
    "/client/v4/user",
    "/patchbay/v1/changes?limit=100",
    "/patchbay/v1/changes/1",
    "/patchbay/v1/changes?after=0&limit=100",
    `${OWN}/changes`,
    `${OWN}/state`,
  ])
    told.push(await server.ask("GET", path));
  const text = JSON.stringify(told.map(({ body }) => body)) + logged;
  expect(text).toContain("(masked)");
  expect(logged).toContain("rollUserToken");
  for (const secret of [...secrets, ...demo.tokens, demo.key]) {
    expect(text).not.toContain(secret);
    expect(text).not.toContain(hashSecret(secret));
  }
});
