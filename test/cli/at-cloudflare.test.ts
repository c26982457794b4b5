/** Commands at Cloudflare's own API, as an independent double of it has it: nothing of Patchbay's is there. */

import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fileOf, openAtTerminal, patchbay } from "../harness/cli.ts";
import { type CloudflareDouble, doubleWorld, startCloudflareDouble } from "../harness/cloudflare-double.ts";
import { AMS, LIST, ORD, SIN } from "../harness/server.ts";
import { temporaryDirectory } from "../harness/temporary.ts";

let double: CloudflareDouble;
beforeEach(async () => {
  double = await startCloudflareDouble();
});
afterEach(() => double.close());

const run = (...args: string[]) => patchbay(double, args);
const EDIT = "interconnects:\n  pni_ord: { mtu: 1400 }\n  pni_sin: { mtu: 1401 }\n";
const mtus = () => double.interconnects().map(({ mtu }) => mtu);
/** What was asked, without reading. */
const writes = () =>
  double.requests.flatMap(({ method, path, query, body }) =>
    method === "GET" ? [] : [[method, path, query.toString(), body]],
  );

describe("patchbay get", () => {
  test("shows a table, with the target that counts", async () => {
    const { code, stdout, stderr } = await run("get");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const [head, ...rows] = stdout.trimEnd().split("\n");
    expect(head).toMatch(/^NAME +VERSION +INTERFACE ADDRESS +MTU +CHECK +TARGET +DESCRIPTION$/);
    expect(rows.map((row) => row.split(/ {2,}/).slice(0, 6))).toEqual([
      ["pni_ord", "1", "10.213.0.8/31", "1476", "low request", "203.0.113.1"],
      ["pni_ams", "1.5", "10.213.0.10/31", "1476", "mid request both ways", "10.213.0.11"],
      ["pni_sin", "2", "10.213.0.13/30", "1500", "mid reply", "192.0.2.5"],
    ]);
  });

  test("shows those that are named, and says which is not there", async () => {
    const { stdout } = await run("get", SIN, "pni_ord");
    expect(stdout.match(/^pni_\w+/gm)).toEqual(["pni_ord", "pni_sin"]);
    const { code, stderr } = await run("get", "pni_sni");
    expect(code).toBe(1);
    expect(stderr).toContain("There is no interconnect pni_sni. Did you mean pni_sin?");
  });

  test("prints what was answered as JSON, but for keys", async () => {
    double.change(SIN, { bgp: { customer_asn: 65010, md5_key: "hush" } });
    const { stdout } = await run("get", "pni_sin", "--json");
    expect(JSON.parse(stdout).interconnects).toEqual([
      expect.objectContaining({
        id: SIN,
        health_check: expect.objectContaining({ target: { effective: "192.0.2.5", saved: "" } }),
        bgp: { customer_asn: 65010, md5_key: "(masked)" },
      }),
    ]);
  });
});

describe("patchbay export", () => {
  test("writes what plan finds unchanged, without the address of a schema that is not there", async () => {
    const { code, stdout, stderr } = await run("export");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^# Interconnects of account /);
    expect(await run("plan", "-f", fileOf(stdout))).toMatchObject({
      code: 0,
      stdout: "Nothing to change: 3 interconnects as wanted.\n",
    });
    expect(writes()).toEqual([]);
  });
});

describe("patchbay plan", () => {
  test("asks the server by validate_only, ends with 2 where something would change, and changes nothing", async () => {
    const { code, stdout, stderr } = await run("plan", "-f", fileOf(EDIT));
    expect({ code, stderr }).toEqual({ code: 2, stderr: "" });
    expect(stdout).toContain("~ pni_ord\n    mtu: 1476 → 1400\n");
    const updates = [
      { id: ORD, mtu: 1400 },
      { id: SIN, mtu: 1401 },
    ];
    expect(writes()).toEqual([["PUT", LIST, "validate_only=true", { interconnects: updates }]]);
    expect(double.interconnects()).toEqual(doubleWorld);
  });

  test.each([
    ["pni_ord: { mtu: 9000 }", "mtu is not valid"],
    ["pni_ams: { gre: { cloudflare_endpoint: 203.0.113.9 } }", "gre is not configurable"],
    ["pni_ams: { name: pni_ord }", "the name is shared with another tunnel"],
  ])("ends with 1 where the vendor's rules refuse %s", async (line, refusal) => {
    const { code, stdout, stderr } = await run("plan", "-f", fileOf(`interconnects:\n  ${line}\n`));
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain("The server refused it (400, request ");
    expect(stderr).toContain(`Invalid Request: ${refusal}`);
    expect(stderr).toContain("code 1022");
    expect(double.interconnects()).toEqual(doubleWorld);
  });
});

describe("a saved plan", () => {
  async function savedPlan(): Promise<string> {
    const out = join(temporaryDirectory(), "change.plan");
    expect((await run("plan", "-f", fileOf(EDIT), "--out", out)).code).toBe(2);
    return out;
  }

  test("does what it says while all is as it was read", async () => {
    const out = await savedPlan();
    expect((await run("apply", out, "--yes")).code).toBe(0);
    expect(mtus()).toEqual([1400, 1476, 1401]);
    expect((await run("apply", out, "--yes")).stderr).toContain("pni_ord changed, pni_sin changed.");
    expect(writes()).toHaveLength(3);
  });

  test("is refused once anything moved, and says which, also by a field it does not touch", async () => {
    const out = await savedPlan();
    double.change(AMS, { description: "moved" });
    const { code, stderr } = await run("apply", out, "--yes");
    expect(code).toBe(1);
    expect(stderr).toContain(
      `Interconnects have changed since ${out} was made: they are no longer as they were read: pni_ams changed.`,
    );
    expect(mtus()).toEqual([1476, 1476, 1500]);
  });

  test("says which interconnects are new and which are gone", async () => {
    let interconnects = doubleWorld;
    await using other = await startCloudflareDouble({
      meddle: ({ method }) =>
        method === "GET"
          ? { status: 200, body: { result: { interconnects }, success: true, errors: [], messages: [] } }
          : undefined,
    });
    const out = join(temporaryDirectory(), "change.plan");
    await patchbay(other, ["plan", "-f", fileOf(EDIT), "--out", out]);
    const [ord, ams, sin] = doubleWorld;
    if (!ord || !ams || !sin) throw new Error("The double has three interconnects.");
    interconnects = [ams, sin, { ...ord, id: "f".repeat(32), name: "pni_new" }];
    const { code, stderr } = await patchbay(other, ["apply", out, "--yes"]);
    expect(code).toBe(1);
    expect(stderr).toContain("as they were read: pni_ord is gone, pni_new is new.");
  });
});

describe("patchbay apply", () => {
  test("makes the change in one call, and sends nothing of Patchbay's", async () => {
    const file = fileOf(EDIT);
    const { code, stdout, stderr } = await run("apply", "-f", file, "--yes", "--reason", "because");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "This server keeps no reasons: it is not sent.\n" });
    expect(stdout).toMatch(/\nApplied: 2 interconnects changed\.\n$/);
    expect(mtus()).toEqual([1400, 1476, 1401]);
    expect(writes().map(([, path, query]) => [path, query])).toEqual([
      [LIST, "validate_only=true"],
      [LIST, ""],
    ]);
    for (const { path, headers } of double.requests) {
      expect(path).toMatch(/^\/client\/v4\//);
      expect(Object.keys(headers).filter((name) => /patchbay|^if-/.test(name))).toEqual([]);
    }
    expect((await run("apply", "-f", file, "--yes")).stdout).toBe(
      "Nothing to change: 2 interconnects as wanted.\n",
    );
  });

  test("changes nothing where one element is refused", async () => {
    const { code } = await run("apply", "-f", fileOf(`${EDIT}  pni_ams: { mtu: 9000 }\n`), "--yes");
    expect(code).toBe(1);
    expect(double.interconnects()).toEqual(doubleWorld);
  });

  test("tells what it did as JSON, without a revision where there is none", async () => {
    const { stdout } = await run("apply", "-f", fileOf(EDIT), "--yes", "--json");
    expect(JSON.parse(stdout)).toMatchObject({ applied: true, revision: null, confirm_by: null });
  });

  test("does not take 200 for what was asked: what the server shows otherwise is told", async () => {
    await using deaf = await startCloudflareDouble({
      meddle: ({ method, query }) => {
        if (method !== "PUT" || query.has("validate_only")) return undefined;
        const [ord] = doubleWorld;
        const result = { modified: true, modified_interconnects: [ord] };
        return { status: 200, body: { result, success: true, errors: [], messages: [] } };
      },
    });
    const file = fileOf(EDIT);
    const { code, stdout, stderr } = await patchbay(deaf, ["apply", "-f", file, "--yes"]);
    expect(code).toBe(1);
    expect(stdout).not.toContain("Applied");
    expect(stderr).toContain(`${file}:2:19: pni_ord: mtu is 1476, not 1400`);
    expect(stderr).toContain(`${file}:3:3: pni_sin is not among what the server says it modified`);
    expect(stderr).toContain(`Look at what is there now: patchbay plan -f ${file}`);
  });

  test("keeps an undo that puts back what was there", async () => {
    const undo = join(temporaryDirectory(), "undo.plan");
    await run("apply", "-f", fileOf(EDIT), "--yes", "--undo", undo);
    expect((await run("apply", undo, "--yes")).code).toBe(0);
    expect(mtus()).toEqual([1476, 1476, 1500]);
  });

  test("refuses to keep an undo that no update could be", async () => {
    const file = fileOf("interconnects:\n  pni_ord: { bgp: { customer_asn: 65001 } }\n");
    const undo = join(temporaryDirectory(), "undo.plan");
    const { code, stderr } = await run("apply", "-f", file, "--yes", "--undo", undo);
    expect(code).toBe(1);
    expect(stderr).toContain("bgp.customer_asn of pni_ord has no value now");
    expect(double.interconnects()).toEqual(doubleWorld);
  });

  test("is refused if interconnects move while it asks, and says which", async () => {
    const running = openAtTerminal(double, ["apply", "-f", fileOf(EDIT)]);
    await running.hears(/Only "yes" is taken: /);
    double.change(AMS, { description: "moved" });
    running.type("yes\r");
    const { code, stdout } = await running.ended;
    expect(code).toBe(1);
    expect(stdout).toContain("changed by somebody else in the meantime. Nothing was changed by this.");
    expect(stdout).toContain("pni_ams changed");
    expect(mtus()).toEqual([1476, 1476, 1500]);
  });
});

describe("patchbay set", () => {
  test("changes one interconnect by dotted path", async () => {
    const args = ["pni_ams", "mtu=1300", "health_check.direction=unidirectional", "--yes"];
    const { code, stdout } = await run("set", ...args);
    expect(code).toBe(0);
    expect(stdout).toContain("health_check.source:    10.213.255.1 → (none)  (follows)");
    const [, ams] = double.interconnects();
    expect(ams).toMatchObject({ mtu: 1300, health_check: { direction: "unidirectional", rate: "mid" } });
    expect(ams?.health_check.source).toBeUndefined();
  });

  test("tells the vendor's refusal", async () => {
    const { code, stderr } = await run("set", "pni_sin", "mtu=9", "--yes");
    expect(code).toBe(1);
    expect(stderr).toContain("Invalid Request: mtu is not valid");
  });
});

test("a server that stumbles over the question is not told to be no Patchbay", async () => {
  await using stumbling = await startCloudflareDouble({
    meddle: ({ path }) =>
      path.startsWith("/patchbay/") ? { status: 502, body: { success: false, errors: [] } } : undefined,
  });
  const { code, stderr } = await patchbay(stumbling, ["history"]);
  expect(code).toBe(1);
  expect(stderr).toContain("The server refused it (502");
  expect(stderr).not.toContain("needs a Patchbay");
});
