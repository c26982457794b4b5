import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { fileOf, noTerminal, openAtTerminal, patchbay, startAtTerminal } from "../harness/cli.ts";
import { needs } from "../harness/needs.ts";
import { LIST, ORD, OWN, one, ROUTES, SIN, startTestServer, type TestServer } from "../harness/server.ts";
import { temporaryDirectory } from "../harness/temporary.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
beforeEach(async () => {
  await server.ask("PUT", LIST, {
    body: [
      { id: ORD, name: "pni_ord", mtu: 1476 },
      { id: SIN, mtu: 1500 },
    ],
  });
});
afterAll(() => server.close());

const apply = (args: readonly string[]) => patchbay(server, ["apply", ...args]);
const mtuOf = async (id: string) => (await server.ask("GET", one(id))).body.result.interconnect.mtu;

const EDIT = "interconnects:\n  pni_ord: { mtu: 1400 }\n  pni_sin: { mtu: 1401 }\n";

async function savedPlan(text = EDIT): Promise<string> {
  const out = join(temporaryDirectory(), "change.plan");
  const { code } = await patchbay(server, ["plan", "-f", fileOf(text), "--out", out]);
  expect(code).toBe(2);
  return out;
}

describe("patchbay apply -f", () => {
  test("makes the change in one call, as one revision, and finds nothing to do after it", async () => {
    const { revision } = (await server.ask("GET", `${OWN}/state`)).body.result;
    const file = fileOf(EDIT);
    const { code, stdout, stderr } = await apply(["-f", file, "--yes"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("~ pni_ord\n    mtu: 1476 → 1400\n");
    expect(stdout).toContain("Applied: 2 interconnects changed");
    expect([await mtuOf(ORD), await mtuOf(SIN)]).toEqual([1400, 1401]);
    expect((await server.ask("GET", `${OWN}/state`)).body.result.revision).toBe(revision + 1);
    const again = await apply(["-f", file, "--yes"]);
    expect(again).toMatchObject({ code: 0, stdout: "Nothing to change: 2 interconnects as wanted.\n" });
  });

  test("asks nobody where there is no terminal, and changes nothing", async () => {
    const { code, stderr } = await apply(["-f", fileOf(EDIT)]);
    expect(code).toBe(1);
    expect(stderr).toContain("Give --yes to act without being asked.");
    expect(await mtuOf(ORD)).toBe(1476);
  });

  test("changes nothing where one element is refused", async () => {
    const { code, stderr } = await apply(["-f", fileOf(`${EDIT}  pni_ams: { mtu: 9000 }\n`), "--yes"]);
    expect(code).toBe(1);
    expect(stderr).toContain(":4:19: pni_ams: mtu is 9000");
    expect(await mtuOf(ORD)).toBe(1476);
  });

  test("needs --force for a change of addresses, and says why", async () => {
    const file = fileOf("interconnects:\n  pni_sin: { interface_address: 10.213.0.21/30 }\n");
    const refused = await apply(["-f", file, "--yes"]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("This plan needs --force.\n  It changes addresses of pni_sin:");
    expect((await apply(["-f", file, "--yes", "--force"])).code).toBe(0);
  });

  test("tells what it did as JSON", async () => {
    const { stdout } = await apply(["-f", fileOf(EDIT), "--yes", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({
      success: true,
      applied: true,
      summary: { changed: 2, fields: 2 },
    });
  });

  test("refuses a time or a reason that is none before it asks the server", async () => {
    const unreachable = { url: "http://127.0.0.1:1" };
    const refused = async (...more: string[]) =>
      (await patchbay(unreachable, ["apply", "-f", fileOf(EDIT), "--yes", ...more])).stderr;
    const times = ["5", "4s", "25h", "5m30", "soon"].map(async (within) =>
      expect(await refused("--confirm-within", within)).toContain(
        `--confirm-within is a time such as 30s, 5m or 1h30m, from 5s to 24h, not "${within}".`,
      ),
    );
    const reasons = ["two\nlines", "", "x".repeat(501)].map(async (reason) =>
      expect(await refused("--reason", reason)).toContain("A reason is one line of 1 to 500 characters."),
    );
    await Promise.all([...times, ...reasons]);
  });

  test("asks at a terminal, and takes only yes for yes", needs(noTerminal), async () => {
    const file = fileOf(EDIT);
    for (const [answer, mtu] of [
      ["y", 1476],
      ["yes", 1400],
    ] as const) {
      const running = startAtTerminal(server, ["apply", "-f", file]);
      await running.hears(/Apply this to account .*Only "yes" is taken: /);
      running.type(`${answer}\r`);
      const { code, stdout } = await running.ended;
      expect(code).toBe(answer === "yes" ? 0 : 1);
      expect(stdout).toContain(answer === "yes" ? "Applied: 2 interconnects" : "Nothing was changed.");
      expect(await mtuOf(ORD)).toBe(mtu);
    }
  });

  test("ctrl-c at the question leaves all as it was, and says so", needs(noTerminal), async () => {
    const running = startAtTerminal(server, ["apply", "-f", fileOf(EDIT)]);
    await running.hears(/Only "yes" is taken: /);
    running.type("\u0003");
    const { code, stdout } = await running.ended;
    expect(code).toBe(130);
    expect(stdout).toContain("Interrupted. Nothing was changed.");
    expect(await mtuOf(ORD)).toBe(1476);
  });

  test("is refused if interconnects move while it asks", async () => {
    const running = openAtTerminal(server, ["apply", "-f", fileOf(EDIT)]);
    await running.hears(/Only "yes" is taken: /);
    await server.ask("PUT", one(SIN), { body: { mtu: 1300 } });
    running.type("yes\r");
    const { code, stdout } = await running.ended;
    expect(code).toBe(1);
    expect(stdout).toContain("changed by somebody else in the meantime. Nothing was changed by this.");
    expect([await mtuOf(ORD), await mtuOf(SIN)]).toEqual([1476, 1300]);
  });
});

describe("patchbay apply PLAN", () => {
  test("does what the saved plan says", async () => {
    const { code } = await apply([await savedPlan(), "--yes"]);
    expect(code).toBe(0);
    expect([await mtuOf(ORD), await mtuOf(SIN)]).toEqual([1400, 1401]);
  });

  test("refuses a plan that interconnects have moved under, also by a field it does not touch", async () => {
    const saved = await savedPlan();
    await server.ask("PUT", one(SIN), { body: { description: `moved ${Math.random()}` } });
    const { code, stderr } = await apply([saved, "--yes"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/have changed since .*: the plan is of revision \d+, the newest is \d+\./);
    expect(await mtuOf(ORD)).toBe(1476);
  });

  test("takes a plan after a change to something else than interconnects", async () => {
    const saved = await savedPlan();
    const { body } = await server.ask("GET", ROUTES);
    const [route] = body.result.routes;
    await server.ask("PUT", `${ROUTES}/${route.id}`, { body: { ...route, priority: route.priority + 1 } });
    expect((await apply([saved, "--yes"])).code).toBe(0);
  });

  test("refuses a plan of another history", async () => {
    const saved = await savedPlan();
    await server.ask("POST", "/patchbay/v1/reset");
    const { code, stderr } = await apply([saved, "--yes"]);
    expect(code).toBe(1);
    expect(stderr).toContain("the account's history is another");
  });

  test("refuses a plan that was edited, is of another account or none at all", async () => {
    const saved = await savedPlan();
    const text = readFileSync(saved, "utf8");
    writeFileSync(saved, text.replaceAll("1400", "1300"));
    expect((await apply([saved, "--yes"])).stderr).toContain(
      "is not as it was written: its checksum is another.",
    );
    writeFileSync(saved, text);
    const env = { CLOUDFLARE_ACCOUNT_ID: "0a1b2c3d4e5f60718293a4b5c6d7e8f9" };
    const elsewhere = await patchbay({ url: server.url, env }, ["apply", saved, "--yes"]);
    expect(elsewhere.code).toBe(1);
    expect(elsewhere.stderr).toContain(
      `${saved} is for account 023e105f4ecef8ad9ca31a8372d0c353 at ${server.url}`,
    );
    expect((await apply([fileOf(EDIT), "--yes"])).stderr).toContain("is no plan.");
    expect((await apply([])).stderr).toContain("Say what to apply:");
    expect(await mtuOf(ORD)).toBe(1476);
  });

  test("guards stand as when it was made", async () => {
    const saved = await savedPlan(
      "interconnects:\n  pni_ord: { gre: { cloudflare_endpoint: 203.0.113.77 } }\n",
    );
    expect((await apply([saved, "--yes"])).stderr).toContain("This plan needs --force.");
  });

  test("an undo puts back what was there, unless somebody changed it since", async () => {
    const undo = join(temporaryDirectory(), "undo.plan");
    await apply(["-f", fileOf(EDIT), "--yes", "--undo", undo]);
    await server.ask("PUT", one(ORD), { body: { mtu: 1399 } });
    const refused = await apply([undo, "--yes"]);
    expect(refused.stderr).toContain("mtu of pni_ord was changed by somebody else since");
    expect(await mtuOf(SIN)).toBe(1401);
    await server.ask("PUT", one(ORD), { body: { mtu: 1400 } });
    expect((await apply([undo, "--yes"])).code).toBe(0);
    expect([await mtuOf(ORD), await mtuOf(SIN)]).toEqual([1476, 1500]);
    expect((await apply([undo, "--yes"])).stdout).toContain("Nothing to change");
  });
});

describe("patchbay set", () => {
  const set = (...args: string[]) => patchbay(server, ["set", ...args]);

  test("changes fields of one interconnect by dotted path", async () => {
    const { code, stdout } = await set(
      "pni_sin",
      "mtu=1300",
      "health_check.rate=high",
      "bgp.extra_prefixes=10.0.0.0/8,10.1.0.0/16",
      "--yes",
    );
    expect(code).toBe(0);
    expect(stdout).toContain("health_check.rate:  mid → high");
    const { interconnect } = (await server.ask("GET", one(SIN))).body.result;
    expect(interconnect).toMatchObject({
      mtu: 1300,
      health_check: { rate: "high" },
      bgp: { customer_asn: 65010, extra_prefixes: ["10.0.0.0/8", "10.1.0.0/16"] },
    });
  });

  test("tells all that cannot be set, each by its argument", async () => {
    const { code, stderr } = await set(
      "pni_ord",
      "mtu=big",
      "versoin=2",
      "version=2",
      "health_check.rat=low",
      "name",
    );
    expect(code).toBe(1);
    expect(stderr).toContain("  mtu=big: mtu must be a whole number\n");
    expect(stderr).toContain("  version=2: version is read-only: leave it out\n");
    expect(stderr).toContain("There is no field health_check.rat. Did you mean rate?");
    expect(stderr).toContain("  name: field=value is wanted\n");
  });

  test("tells a refusal of the server by its argument, and keeps a key to itself", async () => {
    expect((await set("pni_ord", "mtu=9", "--yes")).stderr).toContain(
      "  mtu=9: pni_ord: mtu is 9, but must be",
    );
    const { stderr, stdout } = await set("pni_ord", "bgp.md5_key=what?hush", "--yes");
    expect(stderr).toContain("  bgp.md5_key: pni_ord:");
    expect(stderr + stdout).not.toContain("hush");
  });
});
