import { describe, expect, test } from "vitest";
import { noTerminal } from "../harness/cli.ts";
import { startCloudflareDouble } from "../harness/cloudflare-double.ts";
import { needs } from "../harness/needs.ts";
import { demonstration, Operator } from "../harness/operator.ts";
import { ACCOUNT, LIST, ORD, OWN, one, SIN } from "../harness/server.ts";

const here = demonstration();

const put = (path: string, body: object, headers: Record<string, string> = {}) =>
  here.server.ask("PUT", path, { body, headers });
const mtuOf = async (id: string) => (await here.server.ask("GET", one(id))).body.result.interconnect.mtu;
const change = async (revision: number) =>
  (await here.server.ask("GET", `${OWN}/changes/${revision}`)).body.result;
const revision = async () => (await here.server.ask("GET", `${OWN}/state`)).body.result.revision;

describe("patchbay revert", () => {
  test("shows what it will do, does it, and keeps why", async () => {
    await put(one(ORD), { mtu: 1400 });
    const said = await here.operator.run([
      "revert",
      "2",
      "--yes",
      "--reason",
      "brach die Überwachung — zurück",
    ]);
    expect(said).toEqual({
      code: 0,
      stdout: `~ pni_ord (interconnect ${ORD})\n    mtu  1400 → 1476\n`,
      stderr: "Change 2 is undone, by change 3.\n",
    });
    expect(await change(3)).toMatchObject({ reverts: 2, reason: "brach die Überwachung — zurück" });
    expect(await mtuOf(ORD)).toBe(1476);
    const { stdout } = await here.operator.run(["history", "--limit", "1"]);
    expect(stdout).toMatch(/brach die Überwachung — zurück +undid 2: pni_ord: mtu 1400 → 1476$/m);
  });

  test("does nothing in a dry run", async () => {
    await put(one(ORD), { mtu: 1400 });
    const { made, change } = await here.operator.json(["revert", "2", "--dry-run"]);
    expect([made, change.objects.length, await mtuOf(ORD)]).toEqual([false, 1, 1400]);
  });

  test("says which later change stands in the way, and does nothing", async () => {
    await put(one(ORD), { mtu: 1400 });
    await put(one(ORD), { mtu: 1300 });
    const said = await here.operator.run(["revert", "2", "--yes"]);
    expect(said).toMatchObject({ code: 1, stdout: "" });
    expect(said.stderr).toMatch(/Change 2 cannot be undone: .* changed again by change 3/);
    expect(await mtuOf(ORD)).toBe(1300);
  });

  test("is silent but for its result with --quiet", async () => {
    await put(one(ORD), { mtu: 1400 });
    const said = await here.operator.run(["revert", "2", "--yes", "--quiet"]);
    expect(said).toMatchObject({ code: 0, stderr: "" });
    expect(await mtuOf(ORD)).toBe(1476);
  });

  test("acts on nothing where nobody can be asked", async () => {
    await put(one(ORD), { mtu: 1400 });
    const said = await here.operator.run(["revert", "2"]);
    expect(said.code).toBe(1);
    expect(said.stderr).toContain("Give --yes to act without being asked.");
    expect(await mtuOf(ORD)).toBe(1400);
  });

  test("tells what today's rules would not admit, and brings it back all the same", async () => {
    const settings = `${OWN}/settings`;
    await put(one(ORD), { automatic_return_routing: false });
    const { status } = await here.server.ask("PUT", settings, { body: { flags: [] } });
    expect(status).toBe(200);
    const said = await here.operator.run(["revert", "2", "--yes"]);
    expect(said.code).toBe(0);
    expect(said.stderr).toContain("coupler_integration");
    const { body } = await here.server.ask("GET", one(ORD));
    expect(body.result.interconnect.automatic_return_routing).toBe(true);
  });

  test("may itself be made to be confirmed", async () => {
    await put(one(ORD), { mtu: 1400 });
    const { confirm_by } = await here.operator.json(["revert", "2", "--yes", "--confirm-within", "10m"]);
    expect(Date.parse(confirm_by) - Date.now()).toBeGreaterThan(500_000);
    expect((await here.operator.run(["confirm"])).stderr).toBe(
      "Change 3 is confirmed, by change 4. It stays.\n",
    );
  });

  test.each([
    ["--reason", ""],
    ["--reason", "two\nlines"],
    ["--confirm-within", "soon"],
    ["--confirm-within", "300"],
  ])("refuses %s %j before anything is asked", async (option, value) => {
    await put(one(ORD), { mtu: 1400 });
    const said = await here.operator.run(["revert", "2", "--yes", option, value]);
    expect(said).toMatchObject({ code: 1, stdout: "" });
    expect(await revision()).toBe(2);
  });

  describe("at a terminal", () => {
    test.each([
      ["yes", 0, 1476],
      ["no", 1, 1400],
      ["y", 1, 1400],
    ])("asks, and takes %s for what it is", async (answer, code, mtu) => {
      await put(one(ORD), { mtu: 1400 });
      const drawn = await here.operator.draw(["revert", "2"], [['Only "yes" is taken: ', `${answer}\r`]]);
      expect([drawn.code, await mtuOf(ORD)]).toEqual([code, mtu]);
      expect(drawn.screen).toContain("Undo change 2: 1 object will change.");
      expect(drawn.screen).toContain("\u001b[31m1400\u001b[39m → \u001b[32m1476\u001b[39m");
    });

    test("is left by ctrl-c, and nothing was changed", needs(noTerminal), async () => {
      await put(one(ORD), { mtu: 1400 });
      const drawn = await here.operator.drawProcess(
        ["revert", "2", "--no-color"],
        [['Only "yes" is taken: ', "\u0003"]],
      );
      expect([drawn.code, await mtuOf(ORD)]).toEqual([130, 1400]);
      expect(drawn.screen).toContain("Interrupted. Nothing was changed.");
      expect(drawn.screen).toContain("mtu  1400 → 1476");
    });

    test("has no colours where they are not wanted", async () => {
      await put(one(ORD), { mtu: 1400 });
      const plain = new Operator(here.server, { NO_COLOR: "1" });
      const { screen } = await plain.draw(["revert", "2", "--dry-run"]);
      expect(screen).toContain("mtu  1400 → 1476");
      expect(screen).not.toContain("\u001b[3");
    });
  });
});

describe("patchbay restore", () => {
  test("brings the whole account back to a revision", async () => {
    const before = (await here.server.ask("GET", LIST)).body.result.interconnects;
    await put(one(ORD), { mtu: 1400 });
    await put(LIST, {
      interconnects: [
        { id: ORD, mtu: 1300 },
        { id: SIN, description: "two" },
      ],
    });
    const said = await here.operator.run(["restore", "1", "--yes", "--reason", "from the start"]);
    expect(said).toMatchObject({ code: 0, stderr: "The account is as it was at 1, by change 4.\n" });
    expect(said.stdout).toContain("mtu  1300 → 1476");
    expect(await change(4)).toMatchObject({ restores: 1, reason: "from the start" });
    const timeless = (list: object[]) => list.map((one) => ({ ...one, modified_on: "" }));
    expect(timeless((await here.server.ask("GET", LIST)).body.result.interconnects)).toEqual(
      timeless(before),
    );
    const again = await here.operator.run(["restore", "1", "--yes"]);
    expect(again).toMatchObject({ code: 0, stdout: "" });
    expect(again.stderr).toContain("There is nothing to change: the account is as it was at revision 1.");
  });

  describe("where somebody came in between the plan and the answer", () => {
    const meanwhile = async () => {
      await put(one(SIN), { mtu: 1300 });
      return "yes\r";
    };

    test("does nothing if it would do another thing than was shown", async () => {
      await put(one(ORD), { mtu: 1400 });
      const { code, screen } = await here.operator.draw(
        ["restore", "1"],
        [['Only "yes" is taken: ', meanwhile]],
      );
      expect([code, await mtuOf(ORD), await mtuOf(SIN)]).toEqual([1, 1400, 1300]);
      expect(screen).toContain("Go back to revision 1: 1 object will change.");
      expect(screen).toContain("changed by somebody else in the meantime. Nothing was changed by this.");
      expect(screen).toContain("patchbay restore 1 --dry-run");
    });

    test("says so if nothing is left to do", async () => {
      await put(one(ORD), { mtu: 1400 });
      const undone = async () => {
        await here.server.ask("POST", `${OWN}/changes/2/revert`);
        return "yes\r";
      };
      const { code, screen } = await here.operator.draw(
        ["restore", "1"],
        [['Only "yes" is taken: ', undone]],
      );
      expect([code, await revision()]).toEqual([1, 3]);
      expect(screen).toContain("Nothing is left to undo: somebody did it in the meantime, or this did");
    });

    test("does what was shown where that is the same still", async () => {
      await put(one(ORD), { mtu: 1400 });
      const { code } = await here.operator.draw(["revert", "2"], [['Only "yes" is taken: ', meanwhile]]);
      expect([code, await mtuOf(ORD), await mtuOf(SIN)]).toEqual([0, 1476, 1300]);
    });
  });

  test("of a revision has nothing to do with restore --from a backup", async () => {
    const both = await here.operator.run(["restore", "1", "--from", "backup.db"]);
    expect(both).toMatchObject({ code: 1, stdout: "" });
    expect(both.stderr).toContain("give one");
    expect((await here.operator.run(["restore"])).stderr).toBe(
      "error: required option '--from <file>' not specified\n",
    );
  });
});

describe("at Cloudflare, which undoes nothing by itself,", () => {
  test.each([
    [["revert", "2"], "patchbay apply"],
    [["restore", "2"], "version control"],
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
