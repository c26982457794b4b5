import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { noTerminal, openAtTerminal, patchbay, start, startAtTerminal } from "../harness/cli.ts";
import { needs } from "../harness/needs.ts";
import { ORD, one, startTestServer, type TestServer } from "../harness/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

describe("patchbay get", () => {
  test("shows every interconnect in a table, with the target that counts", async () => {
    const { code, stdout, stderr } = await patchbay(server, ["get"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const [head, ...rows] = stdout.trimEnd().split("\n");
    expect(head).toMatch(/^NAME +VERSION +INTERFACE ADDRESS +MTU +CHECK +TARGET +DESCRIPTION$/);
    expect(rows).toHaveLength(3);
    expect(rows[1]).toMatch(
      /^pni_ams +1\.5 +10\.213\.0\.10\/31 +1476 +mid request both ways +10\.213\.0\.11 /,
    );
  });

  test("shows those that are named, by name or id, and more of them with --wide", async () => {
    const { stdout } = await patchbay(server, ["get", ORD, "pni_sin", "--wide"]);
    expect(
      stdout
        .trimEnd()
        .split("\n")
        .slice(1)
        .map((row) => row.split(/ +/)[1]),
    ).toEqual(["pni_ord", "pni_sin"]);
    expect(stdout).toContain("2606:54c1:7:0:a9fe:12d2:1:200/127");
  });

  test("says which is not there, and which is nearly it", async () => {
    const { code, stdout, stderr } = await patchbay(server, ["get", "pni_odr", "pni_ams"]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain("There is no interconnect pni_odr. Did you mean pni_ord?");
  });

  test("fails as JSON where JSON was asked for", async () => {
    const { code, stdout, stderr } = await patchbay(server, ["get", "pni_odr", "--json"]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
    expect(JSON.parse(stdout)).toEqual({
      success: false,
      message: "Not all that was asked for is there.",
      problems: [{ message: "There is no interconnect pni_odr. Did you mean pni_ord?" }],
      advice: "patchbay get lists what there is.",
    });
  });

  test("prints what was answered as JSON and as YAML, but for keys", async () => {
    await server.ask("PUT", one(ORD), { body: { bgp: { md5_key: "top secret" } } });
    const { stdout } = await patchbay(server, ["get", "pni_ord", "--json"]);
    const { interconnects } = JSON.parse(stdout);
    expect(interconnects[0]).toMatchObject({
      id: ORD,
      health_check: { target: { effective: "203.0.113.1", saved: "203.0.113.1" } },
      bgp: { md5_key: "(masked)" },
    });
    const yaml = await patchbay(server, ["get", "pni_ord", "--yaml"]);
    expect(yaml.stdout).toContain("  - id: c4a7362d577a6c3019a474fd6f485821\n");
    expect(yaml.stdout).not.toContain("top secret");
  });

  test("shows text of others so that a terminal does not obey it", async () => {
    await server.ask("PUT", one(ORD), { body: { description: "\u001b[2J\u202eevil" } });
    const { stdout } = await patchbay(server, ["get", "pni_ord"]);
    expect(stdout).toContain("\\u001b[2J\\u202eevil");
  });

  test("says what is missing if no server is named", async () => {
    const env = { CLOUDFLARE_API_TOKEN: "", CLOUDFLARE_ACCOUNT_ID: "" };
    const { code, stderr } = await patchbay({ url: server.url, env }, ["get"]);
    expect(code).toBe(1);
    expect(stderr).toContain("CLOUDFLARE_API_TOKEN and CLOUDFLARE_ACCOUNT_ID not set");
    expect(stderr).toContain("What to do: patchbay login --profile NAME");
  });

  test("with --watch, shows them again as soon as one changes, until ctrl-c", async () => {
    const watching = start(server, ["get", "pni_sin", "--watch"]);
    await watching.hears(/pni_sin/);
    await server.ask("PUT", one("5d41402abc4b2a76b9719d911017c592"), { body: { description: "watched" } });
    await watching.hears(/watched/);
    watching.child.kill("SIGINT");
    const { code, stderr } = await watching.ended;
    expect({ code, stderr }).toEqual({ code: 130, stderr: "\nNo longer watching. Nothing was changed.\n" });
  });

  test("draws in place at a terminal, in colours unless NO_COLOR is set", needs(noTerminal), async () => {
    const watching = startAtTerminal(server, ["get", "--watch"]);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    await watching.hears(/\u001b\[H\u001b\[2J\u001b\[1mNAME/);
    watching.type("\u0003");
    expect((await watching.ended).code).toBe(130);
    const plain = openAtTerminal({ url: server.url, env: { NO_COLOR: "1" } }, ["get"]);
    expect((await plain.ended).stdout).not.toContain("\u001b");
  });
});
