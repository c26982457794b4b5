import { statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fileOf, openAtTerminal, patchbay } from "../harness/cli.ts";
import { LIST, ORD, one, startTestServer, type TestServer } from "../harness/server.ts";
import { temporaryDirectory } from "../harness/temporary.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const plan = (text: string, ...more: string[]) => patchbay(server, ["plan", "-f", fileOf(text), ...more]);

describe("patchbay plan", () => {
  test("shows field by field what a file would change, and changes nothing", async () => {
    const before = await server.ask("GET", LIST);
    const { code, stdout, stderr } = await plan(
      "interconnects:\n  pni_ord:\n    mtu: 1400\n    health_check: { rate: low }\n",
    );
    expect({ code, stderr }).toEqual({ code: 2, stderr: "" });
    expect(stdout).toBe(
      "~ pni_ord\n    mtu: 1476 → 1400\n\nPlan: 1 of 3 interconnects to change, 1 field.\n",
    );
    expect((await server.ask("GET", LIST)).body).toEqual(before.body);
  });

  test("ends with 0 where all is as wanted", async () => {
    const { code, stdout } = await plan("interconnects:\n  pni_ord: { mtu: 1476 }\n  pni_ams:\n");
    expect({ code, stdout }).toEqual({ code: 0, stdout: "Nothing to change: 2 interconnects as wanted.\n" });
  });

  test("lays groups over defaults and an interconnect's own fields over both, the later over the earlier", async () => {
    const { stdout } = await plan(
      [
        "defaults: { mtu: 1300, health_check: { rate: high, type: reply } }",
        "groups:",
        "  slow: { mtu: 1200, description: slow }",
        "  tested: { description: tested, health_check: { type: request } }",
        "interconnects:",
        "  pni_ord: { groups: [slow, tested], mtu: 1100 }",
        "  pni_sin: { group: slow }",
      ].join("\n"),
      "--json",
    );
    const { changes, summary } = JSON.parse(stdout);
    expect(summary).toEqual({ interconnects: 3, named: 2, changed: 2, fields: 6 });
    expect(changes.map(({ name, fields }: { name: string; fields: unknown }) => [name, fields])).toEqual([
      [
        "pni_ord",
        {
          description: { before: "Tunnel for Interconnect to ORD", after: "tested" },
          mtu: { before: 1476, after: 1100 },
          "health_check.rate": { before: "low", after: "high" },
        },
      ],
      [
        "pni_sin",
        {
          description: { before: "Port without GRE in SIN", after: "slow" },
          mtu: { before: 1500, after: 1200 },
          "health_check.rate": { before: "mid", after: "high" },
        },
      ],
    ]);
  });

  test("tells what the server refuses at the line and column of the file", async () => {
    const file = fileOf(
      "defaults:\n  mtu: 1490\ninterconnects:\n  pni_sin: {}\n  pni_ord:\n    health_check:\n      target: nowhere\n",
    );
    const { code, stdout, stderr } = await patchbay(server, ["plan", "-f", file]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain(`${file}:2:8: pni_ord: mtu is 1490, but must be from 576 to 1476`);
    expect(stderr).toContain(`${file}:7:15: pni_ord: health_check.target is "nowhere"`);
    expect(stderr).toContain("/interconnects/1/mtu");
    expect(stderr).toContain(`${server.url}/docs/errors/990023`);
  });

  test("tells the same as JSON", async () => {
    const file = fileOf("interconnects:\n  pni_ord: { mtu: 1 }\n");
    const { code, stdout } = await patchbay(server, ["plan", "-f", file, "--json"]);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      success: false,
      problems: [{ code: 990023, place: `${file}:2:19`, pointer: "/interconnects/0/mtu" }],
    });
  });

  test("says what follows from a change and is not asked for", async () => {
    const { stdout } = await plan(
      "interconnects:\n  pni_ams: { health_check: { direction: unidirectional } }\n",
    );
    expect(stdout).toContain("health_check.source:    10.213.255.1 → (none)  (follows)");
  });

  test("takes values that are written in another way for what they are", async () => {
    const { code } = await plan(
      'interconnects:\n  pni_ord: { interface_address6: "2606:54C1:0007::A9FE:12D2:1:200/127" }\n',
    );
    expect(code).toBe(0);
  });

  test("names an interconnect that is not there, with the nearest that is", async () => {
    const file = fileOf("interconnects:\n  pni_odr: { mtu: 1400 }\n");
    const { code, stderr } = await patchbay(server, ["plan", "-f", file]);
    expect(code).toBe(1);
    expect(stderr).toContain(`${file}:2:3: There is no interconnect pni_odr. Did you mean pni_ord?`);
  });

  test("does not show a key, in whatever form", async () => {
    const text = "interconnects:\n  pni_sin: { bgp: { md5_key: hush hush } }\n";
    for (const form of [[], ["--json"], ["--markdown"]]) {
      const { code, stdout, stderr } = await plan(text, ...form);
      expect(code).toBe(2);
      expect(stdout).toContain("(secret)");
      expect(stdout + stderr).not.toContain("hush");
    }
  });

  test("prints Markdown whose cells hold what they are given", async () => {
    const { stdout } = await plan('interconnects:\n  pni_ord: { description: "a | b `c`" }\n', "--markdown");
    expect(stdout).toContain("### Plan: 1 of 3 interconnects to change, 1 field.");
    expect(stdout).toContain(
      '| `pni_ord` | `description` | `"Tunnel for Interconnect to ORD"` | ``"a \\| b `c`"`` |',
    );
  });

  test("reads JSON, and standard input", async () => {
    const json = '{\n\t"interconnects": {\n\t\t"pni_ord": {"mtu": 1401}\n\t}\n}\n';
    const { code, stdout } = await patchbay(server, ["plan", "-f", "-"], json);
    expect(code).toBe(2);
    expect(stdout).toContain("mtu: 1476 → 1401");
  });

  test("keeps a plan for its owner alone", async () => {
    const out = join(temporaryDirectory(), "change.plan");
    const { code, stderr } = await plan("interconnects:\n  pni_ord: { mtu: 1400 }\n", "--out", out);
    expect({ code, stderr }).toEqual({ code: 2, stderr: `To do exactly this: patchbay apply ${out}\n` });
    expect(statSync(out).mode & 0o777).toBe(0o600);
  });

  test("is asked with what is needed for it", async () => {
    const { code, stderr } = await patchbay(server, ["plan"]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("--file <file>") });
    const help = await patchbay(server, ["plan", "--help"]);
    expect(help.stdout).toMatch(/Examples:\n {2}patchbay plan -f interconnects\.yaml\n/);
  });

  test("a token that may only read is told which refusal it met", async () => {
    const file = fileOf("interconnects:\n  pni_ord: { mtu: 1400 }\n");
    const token = "demo-magic-read-only-token-0000000000000";
    const { code, stderr } = await patchbay({ url: server.url, token }, ["plan", "-f", file]);
    expect(code).toBe(1);
    expect(stderr).toContain("patchbay doctor tells which permission the token lacks.");
  });

  test("is coloured at a terminal", async () => {
    const file = fileOf("interconnects:\n  pni_ord: { mtu: 1400 }\n");
    const { stdout } = await openAtTerminal(server, ["plan", "-f", file]).ended;
    expect(stdout).toContain("\u001b[31m1476\u001b[39m → \u001b[32m1400\u001b[39m");
  });
});

describe("guards", () => {
  test("a change of addresses needs --force", async () => {
    const { code, stdout } = await plan(
      "interconnects:\n  pni_ord: { gre: { cloudflare_endpoint: 203.0.113.7 } }\n",
    );
    expect(code).toBe(2);
    expect(stdout).toContain("Needs --force: It changes addresses of pni_ord:");
  });
});

describe("renaming", () => {
  test("a file fits before and after it was applied", async () => {
    const text = "interconnects:\n  pni_ord: { name: pni_chicago }\n";
    expect((await plan(text)).stdout).toContain("name: pni_ord → pni_chicago");
    await server.ask("PUT", one(ORD), { body: { name: "pni_chicago" } });
    expect((await plan(text)).code).toBe(0);
    await server.ask("PUT", one(ORD), { body: { name: "pni_ord" } });
  });

  test("names may be swapped if the ids are said", async () => {
    const swap = (id: (text: string) => string) =>
      `interconnects:\n  pni_ord: { ${id(`id: ${ORD}, `)}name: pni_sin }\n  pni_sin: { ${id("id: 5d41402abc4b2a76b9719d911017c592, ")}name: pni_ord }\n`;
    const refused = await plan(swap(() => ""));
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(":2:3: Once pni_ord is pni_sin, nobody can tell");
    const accepted = await plan(swap((id) => id));
    expect(accepted.code).toBe(2);
  });
});
