/** What needs `--force`, in an account that is large enough for it. */

import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fileOf, openAtTerminal, patchbay } from "../harness/cli.ts";
import { type CloudflareDouble, doubleWorld, startCloudflareDouble } from "../harness/cloudflare-double.ts";
import { temporaryDirectory } from "../harness/temporary.ts";

const [, , sin] = doubleWorld;
if (!sin) throw new Error("The double has three interconnects.");
const many = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    ...sin,
    id: index.toString(16).padStart(32, "0"),
    name: `pni_${index}`,
    interface_address: `10.1.${index}.1/30`,
  }));

let double: CloudflareDouble;
beforeEach(async () => {
  double = await startCloudflareDouble({ interconnects: many(10) });
});
afterEach(() => double.close());

/** The first so many get another MTU. */
const edit = (count: number) =>
  fileOf(
    ["interconnects:", ...many(count).map(({ name }) => `  ${name}: { mtu: 1400 }`)].join("\n").concat("\n"),
  );
const moved = () =>
  fileOf("interconnects:\n  pni_1: { interface_address: 10.2.0.1/30 }\n  pni_2: { mtu: 1400 }\n");
const run = (...args: string[]) => patchbay(double, args);
const written = () =>
  double.requests.filter(({ method, query }) => method === "PUT" && !query.has("validate_only"));

const MANY = "It changes 4 of the account's 10 interconnects (40 %, more than 30 %).";
const ADDRESSES =
  "It changes addresses of pni_1: the other end has to change with it, or the interconnect is cut.";

describe("plan", () => {
  test.each([
    ["more than 30 % of ten", () => edit(4), MANY],
    ["addresses", moved, ADDRESSES],
  ])("tells that a change of %s needs --force, and why", async (_, file, why) => {
    const { code, stdout } = await run("plan", "-f", file());
    expect(code).toBe(2);
    expect(stdout.trimEnd().split("\n").at(-1)).toBe(`Needs --force: ${why}`);
    const { guards } = JSON.parse((await run("plan", "-f", file(), "--json")).stdout);
    expect(guards).toEqual([why]);
    expect((await run("plan", "-f", file(), "--markdown")).stdout).toContain(
      "> **Needs `--force`:** It changes",
    );
  });

  test("lets 30 % of ten pass, and all of nine", async () => {
    expect((await run("plan", "-f", edit(3))).stdout).not.toContain("--force");
    await using nine = await startCloudflareDouble({ interconnects: many(9) });
    const { code, stdout } = await patchbay(nine, ["plan", "-f", edit(9)]);
    expect(code).toBe(2);
    expect(stdout).not.toContain("--force");
  });
});

describe("apply", () => {
  test.each([
    ["more than 30 % of ten", () => edit(4), MANY],
    ["addresses", moved, ADDRESSES],
  ])("refuses a change of %s without --force, also with --yes", async (_, file, why) => {
    const { code, stderr } = await run("apply", "-f", file(), "--yes");
    expect(code).toBe(1);
    expect(stderr).toContain(`This plan needs --force.\n  ${why}\n`);
    expect(written()).toEqual([]);
    const { code: exit, stdout } = await run("apply", "-f", file(), "--yes", "--json");
    expect(exit).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ success: false, problems: [{ message: why }] });
    expect(written()).toEqual([]);
    expect((await run("apply", "-f", file(), "--yes", "--force")).code).toBe(0);
    expect(written()).toHaveLength(1);
  });

  test("refuses a saved plan of such a change as well", async () => {
    const out = join(temporaryDirectory(), "change.plan");
    await run("plan", "-f", edit(4), "--out", out);
    const { code, stderr } = await run("apply", out, "--yes");
    expect(code).toBe(1);
    expect(stderr).toContain(`This plan needs --force.\n  ${MANY}\n`);
    expect(written()).toEqual([]);
    expect((await run("apply", out, "--yes", "--force")).code).toBe(0);
  });

  test("does not take --force for --yes", async () => {
    const { code, stderr } = await run("apply", "-f", edit(4), "--force");
    expect(code).toBe(1);
    expect(stderr).toContain("Give --yes to act without being asked.");
    expect(written()).toEqual([]);
  });

  test("refuses at a terminal before it asks, and asks with --force", async () => {
    const refused = await openAtTerminal(double, ["apply", "-f", edit(4)]).ended;
    expect(refused.code).toBe(1);
    expect(refused.stdout).toContain(MANY);
    expect(refused.stdout).not.toContain("Apply this to account");
    const asked = openAtTerminal(double, ["apply", "-f", edit(4), "--force"]);
    await asked.hears(/Only "yes" is taken: /);
    expect(written()).toEqual([]);
    asked.type("yes\r");
    expect((await asked.ended).code).toBe(0);
    expect(written()).toHaveLength(1);
  });
});

test("set of an address needs --force", async () => {
  const args = ["set", "pni_1", "interface_address=10.2.0.1/30", "--yes"];
  const { code, stderr } = await run(...args);
  expect(code).toBe(1);
  expect(stderr).toContain(`This plan needs --force.\n  ${ADDRESSES}\n`);
  expect(written()).toEqual([]);
  expect((await run(...args, "--force")).code).toBe(0);
});
