import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startCloudflareDouble } from "../harness/cloudflare-double.ts";
import { canDraw, Operator } from "../harness/operator.ts";
import { ACCOUNT, LIST, ORD, OWN, one, SIN, startTestServer, type TestServer } from "../harness/server.ts";

let server: TestServer;
let operator: Operator;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());
beforeEach(async () => {
  await server.reset();
  operator = new Operator(server);
});

const put = (path: string, body: object, headers: Record<string, string> = {}) =>
  server.ask("PUT", path, { body, headers });
const mtuOf = async (id: string) => (await server.ask("GET", one(id))).body.result.interconnect.mtu;
const change = async (revision: number) =>
  (await server.ask("GET", `${OWN}/changes/${revision}`)).body.result;
const revision = async () => (await server.ask("GET", `${OWN}/state`)).body.result.revision;

describe("patchbay revert", () => {
  test("shows what it will do, does it, and keeps why", async () => {
    await put(one(ORD), { mtu: 1400 });
    const said = await operator.run(["revert", "2", "--yes", "--reason", "brach die Überwachung — zurück"]);
    expect(said).toEqual({
      code: 0,
      stdout: `~ pni_ord (interconnect ${ORD})\n    mtu  1400 → 1476\n`,
      stderr: "Change 2 is undone, by change 3.\n",
    });
    expect(await change(3)).toMatchObject({ reverts: 2, reason: "brach die Überwachung — zurück" });
    expect(await mtuOf(ORD)).toBe(1476);
    const { stdout } = await operator.run(["history", "--limit", "1"]);
    expect(stdout).toMatch(/undid 2: pni_ord: mtu 1400 → 1476 +brach die Überwachung — zurück$/m);
  });

  test("does nothing in a dry run", async () => {
    await put(one(ORD), { mtu: 1400 });
    const { made, change } = await operator.json(["revert", "2", "--dry-run"]);
    expect([made, change.objects.length, await mtuOf(ORD)]).toEqual([false, 1, 1400]);
  });

  test("says which later change stands in the way, and does nothing", async () => {
    await put(one(ORD), { mtu: 1400 });
    await put(one(ORD), { mtu: 1300 });
    const said = await operator.run(["revert", "2", "--yes"]);
    expect(said).toMatchObject({ code: 1, stdout: "" });
    expect(said.stderr).toMatch(/Change 2 cannot be undone: .* changed again by change 3/);
    expect(await mtuOf(ORD)).toBe(1300);
  });

  test("acts on nothing where nobody can be asked", async () => {
    await put(one(ORD), { mtu: 1400 });
    const said = await operator.run(["revert", "2"]);
    expect(said.code).toBe(1);
    expect(said.stderr).toContain("Give --yes to act without being asked.");
    expect(await mtuOf(ORD)).toBe(1400);
  });

  test("tells what today's rules would not admit, and brings it back all the same", async () => {
    const settings = `${OWN}/settings`;
    await put(one(ORD), { automatic_return_routing: false });
    const { status } = await server.ask("PUT", settings, { body: { flags: [] } });
    expect(status).toBe(200);
    const said = await operator.run(["revert", "2", "--yes"]);
    expect(said.code).toBe(0);
    expect(said.stderr).toContain("coupler_integration");
    const { body } = await server.ask("GET", one(ORD));
    expect(body.result.interconnect.automatic_return_routing).toBe(true);
  });

  test("may itself be made to be confirmed", async () => {
    await put(one(ORD), { mtu: 1400 });
    const { confirm_by } = await operator.json(["revert", "2", "--yes", "--confirm-within", "10m"]);
    expect(Date.parse(confirm_by) - Date.now()).toBeGreaterThan(500_000);
    expect((await operator.run(["confirm"])).stderr).toBe("Change 3 is confirmed, by change 4. It stays.\n");
  });

  test.each([
    ["--reason", ""],
    ["--reason", "two\nlines"],
    ["--confirm-within", "soon"],
  ])("refuses %s %j before anything is asked", async (option, value) => {
    await put(one(ORD), { mtu: 1400 });
    const said = await operator.run(["revert", "2", "--yes", option, value]);
    expect(said).toMatchObject({ code: 1, stdout: "" });
    expect(await revision()).toBe(2);
  });

  describe.skipIf(!canDraw)("at a terminal (needs util-linux's script)", () => {
    test.each([
      ["yes", 0, 1476],
      ["no", 1, 1400],
      ["y", 1, 1400],
    ])("asks, and takes %s for what it is", async (answer, code, mtu) => {
      await put(one(ORD), { mtu: 1400 });
      const drawn = await operator.draw(["revert", "2"], [['Only "yes" is taken: ', `${answer}\r`]]);
      expect([drawn.code, await mtuOf(ORD)]).toEqual([code, mtu]);
      expect(drawn.screen).toContain("Undo change 2: 1 object will change.");
      expect(drawn.screen).toContain("\u001b[31m1400\u001b[39m → \u001b[32m1476\u001b[39m");
    });
  });
});

describe("patchbay restore", () => {
  test("brings the whole account back to a revision", async () => {
    const before = (await server.ask("GET", LIST)).body.result.interconnects;
    await put(one(ORD), { mtu: 1400 });
    await put(LIST, {
      interconnects: [
        { id: ORD, mtu: 1300 },
        { id: SIN, description: "two" },
      ],
    });
    const said = await operator.run(["restore", "1", "--yes", "--reason", "from the start"]);
    expect(said).toMatchObject({ code: 0, stderr: "The account is as it was at 1, by change 4.\n" });
    expect(said.stdout).toContain("mtu  1300 → 1476");
    expect(await change(4)).toMatchObject({ restores: 1, reason: "from the start" });
    const timeless = (list: object[]) => list.map((one) => ({ ...one, modified_on: "" }));
    expect(timeless((await server.ask("GET", LIST)).body.result.interconnects)).toEqual(timeless(before));
    const again = await operator.run(["restore", "1", "--yes"]);
    expect(again).toMatchObject({ code: 0, stdout: "" });
    expect(again.stderr).toContain("There is nothing to change: the account is as it was at revision 1.");
  });

  test("of a revision has nothing to do with restore --from a backup", async () => {
    const both = await operator.run(["restore", "1", "--from", "backup.db"]);
    expect(both).toMatchObject({ code: 1, stdout: "" });
    expect(both.stderr).toContain("give one");
    expect((await operator.run(["restore"])).stderr).toBe(
      "error: required option '--from <file>' not specified\n",
    );
  });
});

describe("a change that waits to be confirmed", () => {
  const within = { "x-patchbay-confirm-within": "600" };

  test("is confirmed, by its number or as the one that waits", async () => {
    await put(one(ORD), { mtu: 1400 }, within);
    const { confirmed } = await operator.json(["confirm", "2", "--reason", "seen to work"]);
    expect([confirmed, await mtuOf(ORD)]).toEqual([2, 1400]);
    expect(await change(3)).toMatchObject({ operation: "confirmChange", reason: "seen to work" });
    await put(one(ORD), { mtu: 1300 }, within);
    expect((await operator.run(["confirm"])).code).toBe(0);
    const { stdout } = await operator.run(["history", "--limit", "2"]);
    expect(stdout).toMatch(/^5 .*confirmed$/m);
    expect(stdout).toMatch(/^4 .*pni_ord: mtu 1400 → 1300$/m);
  });

  test("is given more time", async () => {
    await put(one(ORD), { mtu: 1400 }, within);
    const { confirm_by } = await operator.json(["extend", "2h"]);
    const { pending_change } = (await server.ask("GET", `${OWN}/state`)).body.result;
    expect(pending_change.confirm_by).toBe(confirm_by);
    expect(Date.parse(confirm_by) - Date.now()).toBeGreaterThan(7_000_000);
    const { stderr } = await operator.run(["extend", "90s", "--revision", "2"]);
    expect(stderr).toMatch(/^Change 2 is to be confirmed by \S+: patchbay confirm 2$/m);
  });

  test("is undone at once by revert", async () => {
    await put(one(ORD), { mtu: 1400 }, within);
    expect((await operator.run(["revert", "2", "--yes"])).code).toBe(0);
    expect(await mtuOf(ORD)).toBe(1476);
    const said = await operator.run(["confirm", "2"]);
    expect(said.stderr).toContain("Change 2 does not wait to be confirmed.");
  });

  test("keeps every other change from being undone until then", async () => {
    await put(one(ORD), { mtu: 1400 });
    await put(one(SIN), { mtu: 1400 }, within);
    const said = await operator.run(["revert", "2", "--yes"]);
    expect(said.code).toBe(1);
    expect(said.stderr).toMatch(/Change 3 by .* waits to be confirmed/);
  });

  test("is missed where there is none", async () => {
    for (const command of [["confirm"], ["extend", "5m"]]) {
      const said = await operator.run(command);
      expect(said).toMatchObject({ code: 1, stdout: "" });
      expect(said.stderr).toContain("No change waits to be confirmed.");
    }
  });
});

describe("at Cloudflare, which undoes nothing by itself,", () => {
  test.each([
    [["revert", "2"], "patchbay apply"],
    [["restore", "2"], "version control"],
    [["confirm"], "keeps the time itself"],
    [["extend", "5m"], "keeps the time itself"],
  ])("%j says what comes nearest, and changes nothing", async (args, nearest) => {
    await using double = await startCloudflareDouble();
    const place = { url: double.url, token: double.token, account: ACCOUNT };
    const said = await new Operator(place).run(args);
    expect(said).toMatchObject({ code: 1, stdout: "" });
    expect(said.stderr).toContain(`patchbay ${args[0]} needs a Patchbay`);
    expect(said.stderr).toContain(nearest);
    expect(double.requests.every(({ method }) => method === "GET")).toBe(true);
  });
});
