import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { demoSeedFile } from "../src/store/seed-file.ts";
import { ACCOUNT, LIST, OTHER_ACCOUNT, startTestServer, type TestServer } from "./harness/server.ts";
import { untouched, verdict } from "./harness/standing.ts";

const VERIFY = "/client/v4/user/tokens/verify";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

describe("a token checks itself", () => {
  const seeded: { id: string; name: string; value: string; account?: string }[] = parse(
    readFileSync(demoSeedFile, "utf8"),
  ).tokens;

  /** Those that are not simply active. */
  const special: Record<string, { status?: string; message?: string; dates?: object; refused?: string }> = {
    expired: {
      status: "expired",
      message: "This API Token has expired",
      dates: { expires_on: "2020-01-01T00:00:00Z" },
    },
    "not yet valid": {
      message: "This API Token is not yet valid",
      dates: { not_before: "2999-01-01T00:00:00Z" },
    },
    disabled: { status: "disabled", message: "This API Token is disabled" },
    "only from elsewhere": { refused: "403 9109" },
  };

  test("which needs every special one of the seed", () => {
    expect(seeded.map(({ name }) => name)).toEqual(expect.arrayContaining(Object.keys(special)));
  });

  test.each(seeded)("$name", async ({ id, name, value, account }) => {
    const path = account === undefined ? VERIFY : `/client/v4/accounts/${account}/tokens/verify`;
    const reply = await untouched(server, () => server.ask("GET", path, { token: value }));
    const {
      status = "active",
      message = "This API Token is valid and active",
      dates = {},
      refused,
    } = special[name] ?? {};
    if (refused !== undefined) {
      expect(verdict(reply)).toBe(refused);
      return;
    }
    expect(reply.status).toBe(200);
    expect(reply.body).toEqual({
      result: { id, status, ...dates },
      success: true,
      errors: [],
      messages: [{ code: 10000, message, type: null }],
    });
  });

  test("at an account that it has no right in as at one that does not exist", async () => {
    const [none, other] = ["n".repeat(40), "o".repeat(40)];
    const policies = `[{ effect: allow, accounts: [${OTHER_ACCOUNT}], permission_groups: [Magic WAN Read] }]`;
    const text = `
accounts: [{ id: ${ACCOUNT}, name: one }, { id: ${OTHER_ACCOUNT}, name: two }]
tokens:
  - { id: "${"1".repeat(32)}", name: none, value: ${none}, policies: [] }
  - { id: "${"2".repeat(32)}", name: other, value: ${other}, policies: ${policies} }`;
    await using own = await startTestServer({}, { seed: { name: "own", text } });
    const at = async (account: string, token: string) => {
      const { status, body } = await own.ask("GET", `/client/v4/accounts/${account}/tokens/verify`, {
        token,
      });
      return { status, body };
    };
    const absent = await at("e".repeat(32), none);
    expect(absent.status).toBe(401);
    for (const token of [none, other]) expect(await at(ACCOUNT, token)).toEqual(absent);
    expect((await at(OTHER_ACCOUNT, other)).status).toBe(200);
  });

  test("at the very second that it begins and ends", async () => {
    let now = Date.parse("2030-01-01T00:00:00Z");
    const clock = { now: () => now, timestamp: () => "2030-01-01T00:00:00.000000Z" };
    const token = "t".repeat(40);
    const text = `
accounts: [{ id: ${ACCOUNT}, name: one }]
tokens:
  - id: "20000000000000000000000000000000"
    name: for one minute
    value: ${token}
    not_before: "2030-01-01T00:01:00Z"
    expires_on: "2030-01-01T00:02:00Z"
    policies: [{ effect: allow, accounts: ["*"], permission_groups: [Magic WAN Read] }]`;
    await using timed = await startTestServer({}, { clock, seed: { name: "timed", text } });
    const told: string[] = [];
    for (const seconds of [0, 59.999, 60, 119.999, 120]) {
      now = Date.parse("2030-01-01T00:00:00Z") + seconds * 1000;
      const list = await timed.ask("GET", LIST, { token });
      const check = await timed.ask("GET", VERIFY, { token });
      told.push(`${seconds}: ${verdict(list)}, ${check.body.result.status}`);
    }
    expect(told).toEqual([
      "0: 403 9109, active",
      "59.999: 403 9109, active",
      "60: 200, active",
      "119.999: 200, active",
      "120: 403 9109, expired",
    ]);
  });

  test("and is bound to the addresses of its condition", async () => {
    const conditions = {
      "in: [127.0.0.0/8]": "200",
      "in: [127.0.0.1]": "200",
      'in: ["::/0", 127.0.0.0/30]': "200",
      "in: [127.0.0.2/31]": "403 9109",
      "in: []": "403 9109",
      "not_in: [127.0.0.1]": "403 9109",
      "not_in: [128.0.0.0/1]": "200",
      "in: [127.0.0.0/8], not_in: [127.0.0.0/31]": "403 9109",
      'in: ["::ffff:127.0.0.0/104"]': "200",
      'not_in: ["::ffff:127.0.0.0/104"]': "403 9109",
    };
    const names = Object.keys(conditions);
    const token = (index: number) => String.fromCharCode(97 + index).repeat(40);
    const tokens = names.map(
      (condition, index) =>
        `  - { id: "${index.toString(16).repeat(32)}", name: t${index}, value: "${token(index)}", condition: { request_ip: { ${condition} } }, ` +
        `policies: [{ effect: allow, accounts: ["*"], permission_groups: [Magic WAN Read] }] }`,
    );
    const text = `accounts: [{ id: ${ACCOUNT}, name: one }]\ntokens:\n${tokens.join("\n")}`;
    await using bound = await startTestServer({}, { seed: { name: "bound", text } });
    const told: Record<string, string> = {};
    for (const [index, name] of names.entries()) {
      told[name] = verdict(await bound.ask("GET", LIST, { token: token(index) }));
    }
    expect(told).toEqual(conditions);
  });
});
