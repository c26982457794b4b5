/** Every command at a server as a process of its own: its exit code, and what goes to which stream. */

import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import type { Said } from "../harness/cli.ts";
import { demonstration } from "../harness/operator.ts";
import { ACCOUNT, demo, ORD, one } from "../harness/server.ts";

const here = demonstration();
const login = (profile: string) => [
  ...["login", "--base-url", here.server.url, "--account", ACCOUNT],
  ...["--token-stdin", "--profile", profile],
];
beforeEach(async () => {
  for (const profile of ["one", "other"])
    expect((await here.operator.run(login(profile), demo.token)).code).toBe(0);
});

const EDIT = "interconnects:\n  pni_ord: { mtu: 1300 }\n";

/** Without what is left of the rate limit, which both commands share. */
const unlimited = (said: Said) => ({ ...said, stdout: said.stdout.replace(/\d+ requests are left.*/, "") });

describe("as a process, a command that reads has the same exit code and output as in the test's process:", () => {
  test.each<[args: string[], code: number, input?: string]>([
    [["get"], 0],
    [["get", "pni_nowhere"], 1],
    [["get", "pni_nowhere", "--json"], 1],
    [["export"], 0],
    [["lint", "-f", "-"], 0, EDIT],
    [["lint"], 1],
    [["lint", "--help"], 0],
    [["plan", "-f", "-"], 2, EDIT],
    [["doctor"], 0],
    [["profiles"], 0],
    [["history"], 0],
    [["diff", "2"], 0],
    [["blame", "pni_ord"], 0],
    [["token", "list"], 0],
    [["drift", "--from-profile", "one", "--to-profile", "other"], 0],
  ])("%j", async (args, code, input) => {
    await here.server.ask("PUT", one(ORD), { body: { mtu: 1400 } });
    const [inProcess, asProcess] = await Promise.all([
      here.operator.run(args, input),
      here.operator.runProcess(args, input),
    ]);
    expect(unlimited(asProcess)).toEqual(unlimited(inProcess));
    expect(asProcess.code).toBe(code);
    expect(asProcess.stdout + asProcess.stderr).not.toBe("");
  });
});

describe("as a process, a command that changes something ends with 0 and prints results only to stdout:", () => {
  const contains = (text: string) => (text === "" ? "" : expect.stringContaining(text));
  /** What each stream is to contain: nothing, if that is empty. */
  async function prints(args: readonly string[], stdout: string, stderr: string, input = "") {
    const said = await here.operator.runProcess(args, input);
    expect(said).toEqual({ code: 0, stdout: contains(stdout), stderr: contains(stderr) });
    return said;
  }

  test("login, clone and logout", async () => {
    const copy = join(here.operator.home, "copy.yaml");
    await prints(login("third"), "", "Kept as third in ", demo.token);
    await prints(["clone", "--from-profile", "third", "--to", copy], "", `${copy} holds 3 interconnects`);
    await prints(["logout", "--profile", "third"], "", "third is forgotten here.");
  });

  test("apply, extend, confirm, set, revert and restore", async () => {
    const within = ["--yes", "--confirm-within", "5m"];
    await prints(["apply", "-f", "-", ...within], "revision 2.", "patchbay confirm 2", EDIT);
    await prints(["extend", "10m"], "", "Change 2 is to be confirmed by ");
    await prints(["confirm"], "", "Change 2 is confirmed, by change 4.");
    await prints(["set", "pni_ord", "mtu=1200", "--yes"], "mtu: 1300 → 1200", "");
    await prints(["revert", "5", "--yes"], "mtu  1200 → 1300", "Change 5 is undone, by change 6.");
    await prints(["restore", "1", "--yes"], "mtu  1300 → 1476", "The account is as it was at 1");
  });

  test("token create, roll and delete", async () => {
    const made = await prints(["token", "create", "x", "--edge"], "cfut_", "Its value is shown this once");
    const [, id = ""] = /^Token (\w+)\./.exec(made.stderr) ?? [];
    await prints(["token", "roll", id, "--yes"], "cfut_", `Token ${id}.`);
    await prints(["token", "delete", id, "--yes"], "", id);
  });
});
