/** At Cloudflare's API, which undoes nothing by itself: the timer in the client. */

import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fileOf, noTerminal, openAtTerminal, patchbay, startAtTerminal } from "../harness/cli.ts";
import { ClientTimer, changes, EDIT } from "../harness/client-timer.ts";
import { needs } from "../harness/needs.ts";
import { Operator } from "../harness/operator.ts";
import { ACCOUNT, ORD, SIN } from "../harness/server.ts";

const here = new ClientTimer();

describe("apply --confirm-within keeps the time itself:", () => {
  test("it says what happens if it dies and where the undo is, before it changes anything", async () => {
    const { running, undo } = await here.asked(openAtTerminal);
    expect(running.said.stdout).toContain("this process does it after 5m unless you confirm,");
    expect(running.said.stdout).toContain("cuts it off from the server, the change stays.");
    expect(running.said.stdout).toContain(`patchbay apply ${undo}`);
    expect(statSync(undo).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(undo, "utf8")).updates).toEqual([{ id: ORD, mtu: 1476 }]);
    expect(here.double.requests.some(changes)).toBe(false);
  });

  test("it does not count down to undo what was refused", async () => {
    const { running } = await here.asked(openAtTerminal);
    here.double.change(SIN, { description: "moved" });
    running.type("yes\r");
    const { code, stdout } = await running.ended;
    expect(code).toBe(1);
    expect(stdout).toContain("Nothing was changed by this.");
    expect(stdout).not.toContain("Undone in");
  });

  test("it undoes at the deadline", async () => {
    const { running } = await here.counting(openAtTerminal, "5s");
    const { code, stdout } = await running.ended;
    expect(code).toBe(1);
    expect(stdout).toContain("Undone at the deadline: nobody confirmed the change.");
    expect(here.mtu()).toBe(1476);
  });

  test.each([
    ["c", 0, "Confirmed: the change stays.", 1400],
    ["\r", 0, "Confirmed: the change stays.", 1400],
    ["r", 1, "Undone by you.", 1476],
  ])("the key %j decides", async (key, exit, sentence, left) => {
    const { running } = await here.counting(openAtTerminal);
    running.type(key);
    const { code, stdout } = await running.ended;
    expect({ code, stdout }).toEqual({ code: exit, stdout: expect.stringContaining(sentence) });
    expect(here.mtu()).toBe(left);
  });

  test("it does not undo over what somebody else changed since", async () => {
    const { running, undo } = await here.counting(openAtTerminal);
    here.double.change(ORD, { mtu: 1300 });
    running.type("r");
    const { code, stdout } = await running.ended;
    expect(code).toBe(1);
    expect(stdout).toContain("THE CHANGE IS NOT UNDONE.");
    expect(stdout).toContain("mtu of pni_ord was changed by somebody else since");
    expect(stdout).toContain(`${undo} holds what was there before`);
    expect(here.mtu()).toBe(1300);
  });

  test(
    "ctrl-c says that the change stays and how to undo it, and that undoes it",
    needs(noTerminal),
    async () => {
      const { running, undo } = await here.counting(startAtTerminal);
      running.type("\u0003");
      const { code, stdout } = await running.ended;
      expect(code).toBe(130);
      expect(stdout).toContain(`The change stays, confirmed by nobody. To undo it: patchbay apply ${undo}`);
      expect(here.mtu()).toBe(1400);
      expect((await patchbay(here.double, ["apply", undo, "--yes"])).code).toBe(0);
      expect(here.mtu()).toBe(1476);
    },
  );

  test(
    "the line that it leaves undoes the change as it stands, also a guarded one at a profile",
    needs(noTerminal),
    async () => {
      const operator = new Operator();
      const to = ["--base-url", here.double.baseUrl, "--account", ACCOUNT, "--token-stdin"];
      await operator.run(["login", ...to, "--profile", "production"], here.double.token);
      const undo = join(operator.home, "the undo.plan");
      const args = ["set", "pni_ord", "interface_address=10.213.0.20/31", "--force", "--undo", undo];
      const within = ["--confirm-within", "5m", "--yes", "--profile", "production"];
      const { screen } = await operator.drawProcess([...args, ...within], [["Undone in ", "\u0003"]]);
      const [, line = ""] = /confirmed by nobody\. To undo it: (.+)\n/.exec(screen) ?? [];
      expect(line).toBe(`patchbay apply '${undo}' --force --profile production`);
      expect((await operator.run(["apply", undo, "--force", "--profile", "production", "--yes"])).code).toBe(
        0,
      );
      expect(here.double.interconnects()[0]?.interface_address).toBe("10.213.0.8/31");
    },
  );
});

test("apply --confirm-within is refused where nobody could confirm, before anything is changed", async () => {
  const args = ["apply", "-f", fileOf(EDIT), "--yes", "--confirm-within", "5s"];
  const { code, stderr } = await patchbay(here.double, args);
  expect(code).toBe(1);
  expect(stderr).toContain("--confirm-within needs a terminal here");
  expect(stderr).toContain("Give --undo FILE instead");
  expect(here.double.requests.some(changes)).toBe(false);
});
