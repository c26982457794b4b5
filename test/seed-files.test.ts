import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createPatchbay } from "../src/index.ts";
import { ConfigError } from "../src/server/config.ts";
import { makeWorld } from "../src/store/seed-file.ts";
import { quietly, runInProcess, serveInProcess } from "./harness/command.ts";
import { makeSeed, OWN_KEY, OWN_TOKEN } from "./harness/seeds.ts";
import { ACCOUNT, ask } from "./harness/server.ts";
import { temporaryDirectory } from "./harness/temporary.ts";
import { idOf } from "./harness/worlds.ts";

/** What is wrong with a seed, line by line. */
function complaints(text: string): string[] {
  try {
    makeWorld({ name: "seed.yaml", text }, "2026-03-04T05:06:07.000000Z");
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split("\n");
    throw error;
  }
  return [];
}

/** A seed of one account whose interconnects are these lines, the first of which is line 5. */
const withInterconnects = (...lines: readonly string[]) =>
  [
    "accounts:",
    `  - id: ${ACCOUNT}`,
    "    name: Mine",
    "    interconnects:",
    ...lines.map((line) => `      ${line}`),
    "",
  ].join("\n");

/** A whole interconnect on one line, with more fields. */
const port = (number: number, more = "") =>
  `- { id: "${idOf(number)}", name: pni_${number}, version: "1", interface_address: 10.0.0.${number * 2}/31${more} }`;

/** A seed of one account with tokens or users. */
const withCredentials = (...lines: readonly string[]) =>
  ["accounts:", `  - id: ${ACCOUNT}`, "    name: Mine", ...lines, ""].join("\n");

test("the world of a seed is what it says, defaults filled in", async () => {
  const seed = withInterconnects(
    ...["- id: c4a7362d577a6c3019a474fd6f485821", "  name: pni_ord", '  version: "2"'],
    "  interface_address: 10.0.0.1/30",
  );
  const tokens = makeSeed(1);
  await using server = await createPatchbay({ seed: seed + tokens.slice(tokens.indexOf("tokens:")) });
  const path = `/client/v4/accounts/${ACCOUNT}/magic/cf_interconnects`;
  const { body } = await ask(server.url, "GET", path, { token: OWN_TOKEN });
  expect(body.result.interconnects).toEqual([
    {
      id: "c4a7362d577a6c3019a474fd6f485821",
      automatic_return_routing: false,
      created_on: expect.any(String),
      health_check: { direction: "unidirectional", enabled: true, rate: "mid", target: "", type: "reply" },
      interface_address: "10.0.0.1/30",
      modified_on: expect.any(String),
      mtu: 1500,
      name: "pni_ord",
      version: "2",
    },
  ]);
});

test("a seed may be JSON, with the same refusals at the same places", () => {
  const seed = {
    accounts: [
      {
        id: ACCOUNT,
        name: "Mine",
        interconnects: [
          { id: idOf(1), name: "pni", version: "1", interface_address: "10.0.0.0/31", mtu: 9000 },
        ],
      },
    ],
  };
  expect(complaints(JSON.stringify(seed, undefined, 2))).toEqual([
    "seed.yaml:12:18: mtu is 9000, but must be from 576 to 1476 on a version 1 interconnect.",
  ]);
  const twice = JSON.stringify(seed).replace('"mtu":9000', '"mtu":1400,"mtu":1300');
  expect(complaints(twice)).toEqual([expect.stringMatching(/^seed\.yaml:1:\d+: Map keys must be unique$/)]);
});

describe("refused, with file, line and column, is", () => {
  test.each([
    ["a list that is not closed", "accounts:\n  - id: [1\n    name: x\n", /^seed\.yaml:3:5: Flow sequence/],
    ["a tab", "accounts:\n\t- id: x\n", "seed.yaml:2:1: Tabs are not allowed as indentation"],
    [
      "a key that stands twice",
      `${withInterconnects(port(1))}accounts: []`,
      /^seed\.yaml:\d+:\d+: Map keys must be unique$/,
    ],
    [
      "a second document",
      "accounts: []\n---\naccounts: []\n",
      /^seed\.yaml:2:1: Source contains multiple documents/,
    ],
    ["an alias of nothing", "accounts: [*all]", /^seed\.yaml: Unresolved alias .*: all\.$/],
    [
      "an alias of an alias of an alias",
      "a: &a [1,1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\naccounts: [*c,*c]",
      "seed.yaml: Excessive alias count indicates a resource exhaustion attack.",
    ],
    ["nothing", "", "seed.yaml: The seed is empty, but must hold accounts."],
    ["nothing but a comment", "# to do\n", "seed.yaml: The seed is empty, but must hold accounts."],
    ["null", "~", "seed.yaml: The seed is empty, but must hold accounts."],
    ["a list", "[]", "seed.yaml:1:1: Invalid Request: the body must be an object, not an array"],
    ["a world without accounts", "users: []", "seed.yaml:1:1: accounts is missing."],
    [
      "a world without accounts, and without anybody who could make one",
      "accounts: []",
      "seed.yaml:1:11: A seed without accounts needs a token, or nobody could ever make one.",
    ],
  ])("%s", (_, text, complaint) => {
    expect(complaints(text)).toEqual([
      typeof complaint === "string" ? complaint : expect.stringMatching(complaint),
    ]);
  });

  test("a field that there is not, with the one that was meant", () => {
    expect(
      complaints(
        withInterconnects(
          port(1, ", mtuu: 1400"),
          port(2, ", health_check: { rates: low }"),
          port(3, ", link: { p2p: 192.0.2.0/31, cust_ip: 192.0.2.1/31 }"),
        ),
      ),
    ).toEqual([
      'seed.yaml:5:116: There is no field "mtuu" here. Did you mean mtu?',
      'seed.yaml:6:133: There is no field "rates" here. Did you mean rate?',
      'seed.yaml:7:123: There is no field "p2p" here. Known: p2p_ip, cust_ip.',
      "seed.yaml:7:116: p2p_ip is missing.",
    ]);
  });

  test("a field that is missing", () => {
    expect(complaints(withInterconnects(`- id: "${idOf(1)}"`))).toEqual([
      "seed.yaml:5:9: interface_address is missing.",
      "seed.yaml:5:9: name is missing.",
      "seed.yaml:5:9: version is missing.",
    ]);
  });

  test("a number where YAML wants quotes", () => {
    const seed = withInterconnects(
      "- id: 10000000000000000000000000000001",
      "  name: pni",
      "  version: 1",
      "  interface_address: 10.0.0.0/31",
    );
    expect(complaints(seed)).toEqual([
      "seed.yaml:5:13: Invalid Request: accounts.0.interconnects.0.id must be a string, not a number",
      'seed.yaml:7:18: accounts.0.interconnects.0.version is 1, but must be one of "1", "1.5", "2".',
    ]);
  });

  test("what the API's rules refuse, in the API's sentences, all of it at once", () => {
    const seed = withInterconnects(
      port(1, ", mtu: 1477"),
      port(2, ", automatic_return_routing: true"),
      port(3, ", health_check: { source: 10.0.0.1 }"),
      port(4, ", interface_address6: 2606:54c1::/127"),
      port(5, ", gre: { cloudflare_endpoint: 010.0.0.1 }"),
      `- { id: "${idOf(6)}", name: pni_6, version: "1.5", interface_address: 8.8.8.8/31, gre: { cloudflare_endpoint: 203.0.113.1 } }`,
      `- { id: "${idOf(7)}", name: pni_7, version: "1.5", interface_address: 10.0.1.0/31, health_check: { direction: bidirectional } }`,
    );
    expect(complaints(seed).map((line) => line.replace(/:\d+: /, ": "))).toEqual([
      "seed.yaml:5: mtu is 1477, but must be from 576 to 1476 on a version 1 interconnect.",
      "seed.yaml:6: automatic_return_routing needs the account flag coupler_integration, which this account does not have.",
      "seed.yaml:7: health_check.source is only for version 1.5 interconnects; this one is version 1.",
      'seed.yaml:8: interface_address6 is "2606:54c1::/127", but must be left out, because this account has no virtual_subnet6 to take it from.',
      'seed.yaml:9: gre.cloudflare_endpoint is "010.0.0.1", but must be the IP address of one host, such as 203.0.113.1.',
      "seed.yaml:10: 8.8.8.8/31 is outside of the ranges that may be used: 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 169.254.240.0/20.",
      "seed.yaml:10: gre cannot be set on a version 1.5 interconnect.",
      "seed.yaml:11: A bidirectional health check of a version 1.5 interconnect needs health_check.source.",
    ]);
  });

  test("an id that stands twice", () => {
    const seed = withInterconnects(port(1), port(1));
    expect(complaints(seed)).toEqual([`seed.yaml:6:15: There are two interconnects with the id ${idOf(1)}.`]);
    const accounts = withCredentials(`  - id: ${ACCOUNT}`, "    name: Again");
    expect(complaints(accounts)).toEqual([`seed.yaml:4:9: There are two accounts with the id ${ACCOUNT}.`]);
  });

  test("a name or a subnet that another one has", () => {
    const twin = `- { id: "${idOf(9)}", name: pni_1, version: "1", interface_address: 10.0.0.2/31 }`;
    const holder = `interconnect ${idOf(1)} (pni_1), in this request at /accounts/0/interconnects/0`;
    expect(complaints(withInterconnects(port(1), twin))).toEqual([
      `seed.yaml:6:57: The name "pni_1" is taken by ${holder}.`,
      `seed.yaml:6:97: 10.0.0.2/31 overlaps with the subnet of ${holder}.`,
    ]);
  });

  test("a text that cannot be kept", () => {
    const seed = withInterconnects(port(1, ', description: "a\\0b"'), port(2, ', description: "a\\uD800b"'));
    expect(complaints(seed)).toEqual([
      "seed.yaml:5:123: The text holds a NUL or half of a surrogate pair.",
      "seed.yaml:6:123: The text holds a NUL or half of a surrogate pair.",
    ]);
  });

  test("what an account cannot have", () => {
    const seed = withCredentials(
      "    created_on: 2017-06-14",
      "    authorized_prefixes: [010.0.0.0/8, 198.51.100.0/24]",
      "    virtual_subnet6: fe80::1%eth0/64",
    );
    expect(complaints(seed)).toEqual([
      'seed.yaml:4:17: created_on is "2017-06-14", but must be a time such as 2026-01-31T12:00:00Z.',
    ]);
    expect(complaints(seed.replace("2017-06-14", "2017-06-31T00:00:00Z"))).toEqual([
      'seed.yaml:4:17: created_on is "2017-06-31T00:00:00Z", but must be a time that there is.',
      'seed.yaml:5:27: authorized_prefixes is "010.0.0.0/8", but must be a prefix such as 198.51.100.0/24.',
      'seed.yaml:6:22: virtual_subnet6 is "fe80::1%eth0/64", but must be an IPv6 prefix.',
    ]);
  });

  test("a reference to what the seed does not hold", () => {
    const other = "b".repeat(32);
    const seed = withCredentials(
      "users:",
      `  - { id: "${idOf(1)}", email: a@example.net, key: ${OWN_KEY}, accounts: [${other}] }`,
      "tokens:",
      `  - id: "${idOf(1)}"`,
      "    name: mine",
      `    value: ${OWN_TOKEN}`,
      "    policies:",
      "      - effect: allow",
      `        accounts: [${other}, "*"]`,
      "        permission_groups: [Magic WAN Wirte, a1a7389ba7e441dba95852e10970fcc3]",
    );
    expect(complaints(seed)).toEqual([
      `seed.yaml:5:127: There is no account ${other} in the seed.`,
      expect.stringMatching(
        /^seed\.yaml:13:29: There is no permission group "Magic WAN Wirte"\. .*Magic WAN Write/,
      ),
      `seed.yaml:12:20: There is no account ${other} in the seed.`,
    ]);
  });

  test("a credential of the wrong form, which is not repeated", () => {
    const seed = withCredentials(
      "users:",
      `  - { id: "${idOf(1)}", email: nobody, key: SECRET-KEY, accounts: [] }`,
      "tokens:",
      `  - id: "${idOf(1)}"`,
      "    name: mine",
      "    value: SECRET-TOKEN",
      "    expires_on: tomorrow",
      "    condition: { request_ip: { in: [10.0.0.1, ::1, 2001:db8::/32] } }",
      "    policies: []",
    );
    expect(complaints(seed)).toEqual([
      'seed.yaml:5:54: email is "nobody", but must be an e-mail address.',
      "seed.yaml:5:67: key is not shown, but must be 32 to 45 hexadecimal digits in lower case, or cfk_ and 40 to 80 characters.",
      "seed.yaml:9:12: value is not shown, but must be 40 characters of A-Z, a-z, 0-9, _ and -, or cfut_ or cfat_ and 40 to 80 of them.",
      'seed.yaml:10:17: expires_on is "tomorrow", but must be a time such as 2026-01-31T12:00:00Z.',
    ]);
    expect(complaints(seed).join("\n")).not.toContain("SECRET");
  });

  test("a credential that two have, and an address that is none", () => {
    const token = (number: number) =>
      `  - { id: "${idOf(number)}", name: t${number}, value: ${OWN_TOKEN}, policies: [] }`;
    const user = (number: number, email: string) =>
      `  - { id: "${idOf(number)}", email: ${email}, key: ${OWN_KEY}, accounts: [] }`;
    const users = ["users:", user(1, "a@example.net"), user(2, "A@example.net")];
    const condition = token(3).replace(
      "policies",
      "condition: { request_ip: { not_in: [10.0.0.256] } }, policies",
    );
    expect(complaints(withCredentials(...users, "tokens:", condition))).toEqual([
      'seed.yaml:8:142: request_ip.not_in is "10.0.0.256", but must be a prefix or an address.',
      `seed.yaml:6:54: The email is that of user ${idOf(1)} (a@example.net), in this request at /users/0.`,
    ]);
    expect(complaints(withCredentials("tokens:", token(1), token(2)))).toEqual([
      `seed.yaml:6:5: The hash is that of token ${idOf(1)} (t1), in this request at /tokens/0.`,
    ]);
  });

  test("more than a hundred mistakes, counted from there on", () => {
    const lines = Array.from({ length: 120 }, (_, number) => port(number, ", mtu: 1"));
    const said = complaints(withInterconnects(...lines));
    expect(said).toHaveLength(101);
    expect(said.at(-1)).toBe("seed.yaml:1:1: and 20 more");
  });
});

test("the command says all of it on stderr, ends with 1, and leaves the directory for a better seed", async () => {
  const directory = temporaryDirectory();
  const file = join(directory, "world.yaml");
  const args = quietly(join(directory, "data"), file);
  writeFileSync(file, withInterconnects(port(1, ", mtu: 1"), port(2, ", mtuu: 1400")));
  const { code, stdout, stderr } = await runInProcess(["serve", ...args]);
  expect({ code, stdout, stderr }).toEqual({
    code: 1,
    stdout: "",
    stderr: `${file}:6:116: There is no field "mtuu" here. Did you mean mtu?\n`,
  });
  writeFileSync(file, makeSeed(2));
  const { said } = await serveInProcess(args);
  expect(said.stdout).toContain(", new");
});
