import { describe, expect, test } from "vitest";
import { startCloudflareDouble } from "../harness/cloudflare-double.ts";
import { demonstration, Operator } from "../harness/operator.ts";
import { ACCOUNT, ORD, OWN, one, SIN } from "../harness/server.ts";

const here = demonstration();

const put = (path: string, body: object, headers: Record<string, string> = {}) =>
  here.server.ask("PUT", path, { body, headers });
const mtuOf = async (id: string) => (await here.server.ask("GET", one(id))).body.result.interconnect.mtu;
const change = async (revision: number) =>
  (await here.server.ask("GET", `${OWN}/changes/${revision}`)).body.result;

describe("a change that waits to be confirmed", () => {
  const within = { "x-patchbay-confirm-within": "600" };

  test("is confirmed, by its number or as the one that waits", async () => {
    await put(one(ORD), { mtu: 1400 }, within);
    const { confirmed } = await here.operator.json(["confirm", "2", "--reason", "seen to work"]);
    expect([confirmed, await mtuOf(ORD)]).toEqual([2, 1400]);
    expect(await change(3)).toMatchObject({ operation: "confirmChange", reason: "seen to work" });
    await put(one(ORD), { mtu: 1300 }, within);
    expect((await here.operator.run(["confirm"])).code).toBe(0);
    const { stdout } = await here.operator.run(["history", "--limit", "2"]);
    expect(stdout).toMatch(/^5 .*confirmed$/m);
    expect(stdout).toMatch(/^4 .*pni_ord: mtu 1400 → 1300$/m);
  });

  test("is given more time", async () => {
    await put(one(ORD), { mtu: 1400 }, within);
    const { confirm_by } = await here.operator.json(["extend", "2h"]);
    const { pending_change } = (await here.server.ask("GET", `${OWN}/state`)).body.result;
    expect(pending_change.confirm_by).toBe(confirm_by);
    expect(Date.parse(confirm_by) - Date.now()).toBeGreaterThan(7_000_000);
    const { stderr } = await here.operator.run(["extend", "90s", "--revision", "2"]);
    expect(stderr).toMatch(/^Change 2 is to be confirmed by \S+: patchbay confirm 2$/m);
  });

  test("is undone at once by revert", async () => {
    await put(one(ORD), { mtu: 1400 }, within);
    expect((await here.operator.run(["revert", "2", "--yes"])).code).toBe(0);
    expect(await mtuOf(ORD)).toBe(1476);
    const said = await here.operator.run(["confirm", "2"]);
    expect(said.stderr).toContain("Change 2 does not wait to be confirmed.");
  });

  test("keeps every other change from being undone until then", async () => {
    await put(one(ORD), { mtu: 1400 });
    await put(one(SIN), { mtu: 1400 }, within);
    const said = await here.operator.run(["revert", "2", "--yes"]);
    expect(said.code).toBe(1);
    expect(said.stderr).toMatch(/Change 3 by .* waits to be confirmed/);
  });

  test("is missed where there is none", async () => {
    for (const command of [["confirm"], ["extend", "5m"]]) {
      const said = await here.operator.run(command);
      expect(said).toMatchObject({ code: 1, stdout: "" });
      expect(said.stderr).toContain("No change waits to be confirmed.");
    }
  });
});

describe("at Cloudflare, which waits for nobody,", () => {
  test.each([
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
