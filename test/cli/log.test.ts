import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { demoSeedFile } from "../../src/store/seed-file.ts";
import { startCloudflareDouble } from "../harness/cloudflare-double.ts";
import { demonstration, Operator } from "../harness/operator.ts";
import { AMS, LIST, ORD, one, ROUTES, SIN, startTestServer } from "../harness/server.ts";
import { temporaryDirectory } from "../harness/temporary.ts";

const here = demonstration();

const put = (path: string, body: object) => here.server.ask("PUT", path, { body });

/** Revisions 2 to 4 of the demonstration. */
async function threeChanges() {
  await put(one(ORD), { mtu: 1400 });
  await put(LIST, {
    interconnects: [
      { id: ORD, mtu: 1300 },
      { id: SIN, description: "two" },
    ],
  });
  await put(one(ORD), { name: "pni_ord2", bgp: { md5_key: "secret-of-ours" } });
}

describe("patchbay history", () => {
  test("tells what happened, newest first, and who did it", async () => {
    await threeChanges();
    const { code, stdout, stderr } = await here.operator.run(["history"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const lines = stdout.trimEnd().split("\n");
    expect(lines[0]).toMatch(/^REVISION {2}TIME +WHO +REASON +WHAT$/);
    expect(lines.slice(1).map((line) => line.split(/\s{2,}/))).toEqual([
      ["4", expect.stringMatching(/Z$/), "everything", expect.stringContaining("pni_ord2: ")],
      ["3", expect.anything(), "everything", "2 interconnects: mtu, description"],
      ["2", expect.anything(), "everything", "pni_ord: mtu 1476 → 1400"],
      [
        "1",
        expect.anything(),
        "Patchbay",
        expect.stringMatching(/^from the start: .*3 interconnects created/),
      ],
    ]);
    expect(stdout).not.toContain("secret-of-ours");
  });

  test("of one interconnect tells its own changes alone, whatever it was called", async () => {
    await threeChanges();
    await put(one(SIN), { mtu: 1400 });
    for (const name of ["pni_ord2", ORD]) {
      const { changes } = await here.operator.json(["history", name]);
      expect(changes.map(({ revision }: { revision: number }) => revision)).toEqual([4, 3, 2, 1]);
      expect(changes[1].objects.map(({ id }: { id: string }) => id)).toEqual([ORD]);
    }
    const missing = await here.operator.run(["history", "pni_nowhere"]);
    expect(missing).toMatchObject({ code: 1, stdout: "" });
    expect(missing.stderr).toContain("There is no pni_nowhere, and the log tells of none.");
  });

  test("goes on where it ended, also over more pages than one", async () => {
    for (let mtu = 1000; mtu < 1105; mtu++) await put(one(ORD), { mtu });
    const first = await here.operator.run(["history", "--limit", "3"]);
    expect(first.stderr).toBe("There is more: patchbay history --before 104\n");
    const { changes, before } = await here.operator.json(["history", "--limit", "3", "--before", "104"]);
    expect(changes.map(({ revision }: { revision: number }) => revision)).toEqual([103, 102, 101]);
    expect(before).toBe(101);
    const all = await here.operator.json(["history", "pni_ord", "--limit", "1000", "--before", "103"]);
    expect(all.changes.map(({ revision }: { revision: number }) => revision)).toEqual(
      Array.from({ length: 102 }, (_, index) => 102 - index),
    );
    expect("before" in all).toBe(false);
  });

  test("tells nothing that would drive the terminal", async () => {
    await put(one(ORD), { description: "\u001b[2Jgone\u202e" });
    const { stdout } = await here.operator.run(["diff", "2"]);
    expect(stdout).toContain("\\u001b[2Jgone\\u202e");
    expect(stdout).not.toContain("\u001b");
  });

  test.each([
    ["--limit", "0"],
    ["--limit", "many"],
    ["--before", "-1"],
  ])("refuses %s %s", async (option, value) => {
    const said = await here.operator.run(["history", `${option}=${value}`, "--json"]);
    expect(said).toMatchObject({ code: 1, stderr: "" });
    const { success, message } = JSON.parse(said.stdout);
    expect([success, message]).toEqual([false, `${option} is a whole number from 1 on, not "${value}".`]);
  });
});

describe("patchbay diff", () => {
  test("tells what is left of the changes between two revisions", async () => {
    await threeChanges();
    const { objects } = await here.operator.json(["diff", "1", "3"]);
    expect(objects).toEqual([
      expect.objectContaining({ id: ORD, fields: { mtu: { before: 1476, after: 1300 } } }),
      expect.objectContaining({
        id: SIN,
        fields: { description: { before: "Port without GRE in SIN", after: "two" } },
      }),
    ]);
    const { stdout } = await here.operator.run(["diff", "3"]);
    expect(stdout).toBe(
      `~ pni_ord (interconnect ${ORD})\n    mtu  1400 → 1300\n~ pni_sin (interconnect ${SIN})\n    description  "Port without GRE in SIN" → "two"\n`,
    );
  });

  test("seen from the later one is the other way round", async () => {
    await threeChanges();
    const { objects } = await here.operator.json(["diff", "2..1"]);
    expect(objects).toEqual([expect.objectContaining({ fields: { mtu: { before: 1400, after: 1476 } } })]);
  });

  test("of what was changed and changed back, or made and unmade, is nothing", async () => {
    await put(one(ORD), { mtu: 1400 });
    const made = await here.server.ask("POST", ROUTES, {
      body: { prefix: "172.31.0.0/16", nexthop: "10.213.0.9", priority: 5 },
    });
    const { id } = made.body.result;
    await here.server.ask("DELETE", `${ROUTES}/${id}`);
    await put(one(ORD), { mtu: 1476 });
    const said = await here.operator.run(["diff", "1", "5"]);
    expect(said).toEqual({ code: 0, stdout: "", stderr: "Nothing differs between 1 and 5.\n" });
    expect((await here.operator.json(["diff", "2", "4"])).objects).toEqual([]);
    const [route] = (await here.operator.json(["diff", "2", "3"])).objects;
    expect(route).toMatchObject({ kind: "route", id, action: "create" });
    const [back] = (await here.operator.json(["diff", "3", "2"])).objects;
    expect(back).toMatchObject({ kind: "route", id, action: "delete" });
  });

  test("of a key tells that it changed, and not what it is", async () => {
    await threeChanges();
    const { stdout } = await here.operator.run(["diff", "4"]);
    expect(stdout).toContain('bgp.md5_key  "(masked)"');
  });

  test.each([
    [["1", "9"], "There is no revision 9: the newest is 1."],
    [["x"], 'A revision is a whole number from 1 on, not "x".'],
    [["1..2..3"], 'A revision is a whole number from 1 on, not "1..2..3".'],
  ])("refuses %j", async (range, sentence) => {
    const said = await here.operator.run(["diff", ...range]);
    expect(said).toMatchObject({ code: 1, stdout: "" });
    expect(said.stderr).toContain(sentence);
  });
});

describe("patchbay blame", () => {
  test("tells of each field which change set it", async () => {
    await threeChanges();
    const { fields } = await here.operator.json(["blame", "pni_ord2"]);
    const revisions = Object.fromEntries(
      fields.map(({ field, value, revision }: Record<string, unknown>) => [field, [value, revision]]),
    );
    expect(revisions).toMatchObject({
      name: ["pni_ord2", 4],
      mtu: [1300, 3],
      "bgp.md5_key": ["(masked)", 4],
      "health_check.rate": ["low", 1],
    });
    const { stdout } = await here.operator.run(["blame", ORD]);
    expect(stdout).toMatch(/^mtu +1300 +3 +\S+ \S+Z +everything$/m);
    expect(stdout).toMatch(/^health_check\.rate +"low" +1 +\S+ \S+Z +Patchbay$/m);
  });

  test("does not tell of a field that has no value any more", async () => {
    await put(one(AMS), { health_check: { direction: "unidirectional" } });
    const { fields } = await here.operator.json(["blame", "pni_ams"]);
    const told = fields.map(({ field }: { field: string }) => field);
    expect(told).toContain("health_check.direction");
    expect(told).not.toContain("health_check.source");
  });

  test("says so where there is no such interconnect", async () => {
    const said = await here.operator.run(["blame", "pni_nowhere"]);
    expect(said).toMatchObject({ code: 1, stdout: "" });
    expect(said.stderr).toContain("There is no interconnect pni_nowhere.");
  });
});

describe("of a log whose beginning was pruned", () => {
  test("history, diff and blame tell what there is, and from where on", async () => {
    const data = join(temporaryDirectory(), "data");
    let hour = 0;
    const at = () => Date.parse("2026-01-01T00:00:00Z") + hour * 3_600_000;
    const clock = { now: at, timestamp: () => new Date(at()).toISOString().replace("Z", "000Z") };
    await using pruned = await startTestServer({ data, seed: demoSeedFile }, { clock });
    for (const mtu of [1400, 1300, 1200]) {
      hour += 1;
      await pruned.ask("PUT", one(ORD), { body: { mtu } });
    }
    const place = new Operator(pruned);
    const prune = ["prune", "--data", data, "--before", "2026-01-01T02:30:00Z", "--discard"];
    expect((await place.run(prune)).code).toBe(0);
    const revisions = async (...args: string[]) =>
      (await place.json(["history", ...args])).changes.map(({ revision }: { revision: number }) => revision);
    expect(await revisions()).toEqual([4]);
    expect(await revisions("pni_ord", "--before", "5")).toEqual([4]);
    expect((await place.json(["diff", "3", "4"])).objects).toHaveLength(1);
    const gone = await place.run(["diff", "1", "4"]);
    expect(gone).toMatchObject({ code: 1, stdout: "" });
    expect(gone.stderr).toContain("the oldest that is kept has revision 4");
    const { stdout } = await place.run(["blame", "pni_ord"]);
    expect(stdout).toMatch(/^mtu +1200 +4 +/m);
    expect(stdout).toMatch(/^health_check\.rate +"low" +before 4$/m);
    expect(stdout).toMatch(/^health_check\.target +"203\.0\.113\.1" +before 4$/m);
  });
});

describe("at Cloudflare, which keeps no such log,", () => {
  test.each([
    [["history"], "audit log"],
    [["diff", "1"], "patchbay export"],
    [["blame", "pni_ord"], "git blame"],
  ])("%j says what comes nearest", async (args, nearest) => {
    await using double = await startCloudflareDouble();
    const said = await new Operator(double && { url: double.url, token: double.token }).run(args);
    expect(said).toMatchObject({ code: 1, stdout: "" });
    expect(said.stderr).toContain(`patchbay ${args[0]} needs a Patchbay`);
    expect(said.stderr).toContain(nearest);
    expect(double.requests.every(({ method }) => method === "GET")).toBe(true);
  });
});
