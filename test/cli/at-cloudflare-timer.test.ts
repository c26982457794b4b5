/** At Cloudflare's API, which undoes nothing by itself: the timer in the client. */

import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fileOf, HAS_TERMINAL, patchbay, type RunningCommand, startAtTerminal } from "../harness/cli.ts";
import {
  type CloudflareDouble,
  type Meddling,
  type SeenRequest,
  startCloudflareDouble,
} from "../harness/cloudflare-double.ts";
import { Operator } from "../harness/operator.ts";
import { ACCOUNT, ORD } from "../harness/server.ts";
import { temporaryDirectory } from "../harness/temporary.ts";

let double: CloudflareDouble;
let meddle: (request: SeenRequest) => Meddling | Promise<Meddling>;
beforeEach(async () => {
  meddle = () => undefined;
  double = await startCloudflareDouble({ meddle: (request) => meddle(request) });
});
afterEach(() => double.close());

const EDIT = "interconnects:\n  pni_ord: { mtu: 1400 }\n";
const mtu = () => double.interconnects().find(({ id }) => id === ORD)?.mtu;
/** The call that changes, as against those that look. */
const changes = ({ method, query }: SeenRequest) => method === "PUT" && !query.has("validate_only");

describe.runIf(HAS_TERMINAL)("apply --confirm-within keeps the time itself:", () => {
  async function asked(within = "5m") {
    const undo = join(temporaryDirectory(), "undo.plan");
    const args = ["apply", "-f", fileOf(EDIT), "--confirm-within", within, "--undo", undo];
    const running = startAtTerminal(double, args);
    await running.hears(/Only "yes" is taken: /);
    return { running, undo };
  }

  async function counting(within?: string) {
    const there = await asked(within);
    there.running.type("yes\r");
    await there.running.hears(/Undone in /);
    expect(mtu()).toBe(1400);
    return there;
  }

  test("it says what happens if it dies and where the undo is, before it changes anything", async () => {
    const { running, undo } = await asked();
    expect(running.said.stdout).toContain("this process does it after 5m unless you confirm.");
    expect(running.said.stdout).toContain("cuts it off from the server, the change stays.");
    expect(running.said.stdout).toContain(`patchbay apply ${undo}`);
    expect(statSync(undo).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(undo, "utf8")).updates).toEqual([{ id: ORD, mtu: 1476 }]);
    expect(double.requests.some(changes)).toBe(false);
  });

  test("it undoes at the deadline", async () => {
    const { running } = await counting("5s");
    const { code, stdout } = await running.ended;
    expect(code).toBe(1);
    expect(stdout).toContain("Undone at the deadline: nobody confirmed the change.");
    expect(mtu()).toBe(1476);
  });

  test.each([
    ["c", 0, "Confirmed: the change stays.", 1400],
    ["\r", 0, "Confirmed: the change stays.", 1400],
    ["r", 1, "Undone by you.", 1476],
  ])("the key %j decides", async (key, exit, sentence, left) => {
    const { running } = await counting();
    running.type(key);
    const { code, stdout } = await running.ended;
    expect({ code, stdout }).toEqual({ code: exit, stdout: expect.stringContaining(sentence) });
    expect(mtu()).toBe(left);
  });

  test("it does not undo over what somebody else changed since", async () => {
    const { running, undo } = await counting();
    double.change(ORD, { mtu: 1300 });
    running.type("r");
    const { code, stdout } = await running.ended;
    expect(code).toBe(1);
    expect(stdout).toContain("THE CHANGE IS NOT UNDONE.");
    expect(stdout).toContain("mtu of pni_ord was changed by somebody else since");
    expect(stdout).toContain(`${undo} holds what was there before`);
    expect(mtu()).toBe(1300);
  });

  test("ctrl-c says that the change stays and how to undo it, and that undoes it", async () => {
    const { running, undo } = await counting();
    running.type("\u0003");
    const { code, stdout } = await running.ended;
    expect(code).toBe(130);
    expect(stdout).toContain(`The change stays, confirmed by nobody. To undo it: patchbay apply ${undo}`);
    expect(mtu()).toBe(1400);
    expect((await patchbay(double, ["apply", undo, "--yes"])).code).toBe(0);
    expect(mtu()).toBe(1476);
  });

  /** The server is gone when the change is to be undone. */
  async function cutOff(): Promise<{ running: RunningCommand; undo: string }> {
    const there = await counting();
    meddle = () => "break";
    there.running.type("r");
    await there.running.hears(/THE CHANGE IS NOT UNDONE: .* cannot be reached/);
    await there.running.hears(/It stays on pni_ord until the undo gets through/);
    await there.running.hears(
      new RegExp(`From a machine that reaches the server: patchbay apply ${there.undo}`),
    );
    return there;
  }

  test("cut off from the server, it says loudly what stays, and undoes it once it gets through", async () => {
    const { running } = await cutOff();
    meddle = () => undefined;
    const { code, stdout } = await running.ended;
    expect({ code, stdout }).toEqual({ code: 1, stdout: expect.stringContaining("Undone by you.") });
    expect(mtu()).toBe(1476);
  });

  test("left by ctrl-c while it is cut off, it says that the change is not undone, and the file undoes it", async () => {
    const { running, undo } = await cutOff();
    running.type("\u0003");
    const { code, stdout } = await running.ended;
    expect(code).toBe(130);
    expect(stdout).toContain(`Interrupted: THE CHANGE IS NOT UNDONE. To undo it: patchbay apply ${undo}`);
    meddle = () => undefined;
    expect((await patchbay(double, ["apply", undo, "--yes"])).code).toBe(0);
    expect(mtu()).toBe(1476);
  });

  test("left by ctrl-c while the undo is on its way, it does not claim to know", async () => {
    const { running, undo } = await counting();
    const arrived = Promise.withResolvers<void>();
    meddle = (request) => {
      if (!changes(request)) return undefined;
      arrived.resolve();
      return new Promise(() => undefined);
    };
    running.type("r");
    await arrived.promise;
    running.type("\u0003");
    const { code, stdout } = await running.ended;
    expect(code).toBe(130);
    expect(stdout).toContain("whether it is undone is not known. To make sure: patchbay apply");
    expect(stdout).toContain(undo);
  });

  test("the line that it leaves undoes the change as it stands, also a guarded one at a profile", async () => {
    const operator = new Operator();
    const to = ["--base-url", double.baseUrl, "--account", ACCOUNT, "--token-stdin"];
    await operator.run(["login", ...to, "--profile", "production"], double.token);
    const undo = join(operator.home, "the undo.plan");
    const args = ["set", "pni_ord", "interface_address=10.213.0.20/31", "--force", "--undo", undo];
    const within = ["--confirm-within", "5m", "--yes", "--profile", "production"];
    const { screen } = await operator.draw([...args, ...within], [["Undone in ", "\u0003"]]);
    const [, line = ""] = /confirmed by nobody\. To undo it: (.+)\n/.exec(screen) ?? [];
    expect(line).toBe(`patchbay apply '${undo}' --force --profile production`);
    expect((await operator.run(["apply", undo, "--force", "--profile", "production", "--yes"])).code).toBe(0);
    expect(double.interconnects()[0]?.interface_address).toBe("10.213.0.8/31");
  });

  test("it undoes also what the server made only in part, and says so", async () => {
    const { running } = await asked();
    meddle = (request) => {
      if (!changes(request)) return undefined;
      double.change(ORD, { mtu: 1400 });
      meddle = () => undefined;
      const result = { modified: true, modified_interconnects: [] };
      return { status: 200, body: { result, success: true, errors: [], messages: [] } };
    };
    running.type("yes\r");
    await running.hears(/shows something else than was asked for[\s\S]*Undone in /);
    running.type("r");
    const { code, stdout } = await running.ended;
    expect(code).toBe(1);
    expect(stdout).toContain("pni_ord is not among what the server says it modified");
    expect(mtu()).toBe(1476);
  });

  test("where nobody knows whether the change was made, no timer runs, and that is said", async () => {
    const { running, undo } = await asked();
    meddle = (request) => (changes(request) ? "break the answer" : undefined);
    running.type("yes\r");
    const { code, stdout } = await running.ended;
    expect(code).toBe(1);
    expect(stdout).toContain("If it was, it stays: nothing undoes it by itself any more.");
    expect(stdout).toContain(`This undoes it, if it was: patchbay apply ${undo}`);
    expect(mtu()).toBe(1400);
    meddle = () => undefined;
    expect((await patchbay(double, ["apply", undo, "--yes"])).code).toBe(0);
    expect(mtu()).toBe(1476);
  });
});

test("apply --confirm-within is refused where nobody could confirm, before anything is changed", async () => {
  const args = ["apply", "-f", fileOf(EDIT), "--yes", "--confirm-within", "5s"];
  const { code, stderr } = await patchbay(double, args);
  expect(code).toBe(1);
  expect(stderr).toContain("--confirm-within needs a terminal here");
  expect(stderr).toContain("Give --undo FILE instead");
  expect(double.requests.some(changes)).toBe(false);
});
