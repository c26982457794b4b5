/** The timer in the client, when the server or the terminal is gone, or nobody knows what was made. */

import { describe, expect, test } from "vitest";
import { noTerminal, openAtTerminal, patchbay, type RunningHere, startAtTerminal } from "../harness/cli.ts";
import { ClientTimer, changes, type Opening, type Timed } from "../harness/client-timer.ts";
import type { Meddling } from "../harness/cloudflare-double.ts";
import { needs } from "../harness/needs.ts";
import { ORD } from "../harness/server.ts";

const here = new ClientTimer();

describe("apply --confirm-within, where the client keeps the time:", () => {
  /** The server is gone when the change is to be undone. */
  async function cutOff<Running extends RunningHere>(open: Opening<Running>): Promise<Timed<Running>> {
    const there = await here.counting(open);
    here.meddle = () => "break";
    there.running.type("r");
    await there.running.hears(/THE CHANGE IS NOT UNDONE: .* cannot be reached/);
    await there.running.hears(/It stays on pni_ord until the undo gets through/);
    await there.running.hears(
      new RegExp(`From a machine that reaches the server: patchbay apply ${there.undo}`),
    );
    return there;
  }

  test("cut off from the server, it says loudly what stays, and undoes it once it gets through", async () => {
    const { running } = await cutOff(openAtTerminal);
    here.meddle = () => undefined;
    const { code, stdout } = await running.ended;
    expect({ code, stdout }).toEqual({ code: 1, stdout: expect.stringContaining("Undone by you.") });
    expect(here.mtu()).toBe(1476);
  });

  test(
    "left by ctrl-c while it is cut off, it says that the change is not undone, and the file undoes it",
    needs(noTerminal),
    async () => {
      const { running, undo } = await cutOff(startAtTerminal);
      running.type("\u0003");
      const { code, stdout } = await running.ended;
      expect(code).toBe(130);
      expect(stdout).toContain(`Interrupted: THE CHANGE IS NOT UNDONE. To undo it: patchbay apply ${undo}`);
      here.meddle = () => undefined;
      expect((await patchbay(here.double, ["apply", undo, "--yes"])).code).toBe(0);
      expect(here.mtu()).toBe(1476);
    },
  );

  test(
    "left by ctrl-c while the undo is on its way, it does not claim to know",
    needs(noTerminal),
    async () => {
      const { running, undo } = await here.counting(startAtTerminal);
      const arrived = Promise.withResolvers<void>();
      here.meddle = (request) => {
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
    },
  );

  test("it undoes also what the server made only in part, and says so", async () => {
    const { running } = await here.asked(openAtTerminal);
    here.meddle = (request) => {
      if (!changes(request)) return undefined;
      here.double.change(ORD, { mtu: 1400 });
      here.meddle = () => undefined;
      const result = { modified: true, modified_interconnects: [] };
      return { status: 200, body: { result, success: true, errors: [], messages: [] } };
    };
    running.type("yes\r");
    await running.hears(/shows something else than was asked for[\s\S]*Undone in /);
    running.type("r");
    const { code, stdout } = await running.ended;
    expect(code).toBe(1);
    expect(stdout).toContain("pni_ord is not among what the server says it modified");
    expect(here.mtu()).toBe(1476);
  });

  test.each<[string, Meddling, sentence: string]>([
    ["the answer breaks off", "break the answer", "Undone by you."],
    ["the connection breaks", "break", "There was nothing to undo: all is as it was before."],
  ])(
    "where %s nobody knows what was made, and it counts down all the same",
    async (_, meddling, sentence) => {
      const { running } = await here.asked(openAtTerminal);
      here.meddle = (request) => {
        if (!changes(request)) return undefined;
        here.meddle = () => undefined;
        return meddling;
      };
      running.type("yes\r");
      await running.hears(/Whether the change was made is not known\.[\s\S]*Undone in /);
      running.type("r");
      const { code, stdout } = await running.ended;
      expect({ code, stdout }).toEqual({ code: 1, stdout: expect.stringContaining(sentence) });
      expect(here.mtu()).toBe(1476);
    },
  );

  test(
    "left by ctrl-c while the call is on its way, it says that nothing undoes what may be made",
    needs(noTerminal),
    async () => {
      const { running, undo } = await here.asked(startAtTerminal);
      const arrived = Promise.withResolvers<void>();
      here.meddle = (request) => {
        if (!changes(request)) return undefined;
        arrived.resolve();
        return new Promise(() => undefined);
      };
      running.type("yes\r");
      await arrived.promise;
      running.type("\u0003");
      const { code, stdout } = await running.ended;
      expect(code).toBe(130);
      expect(stdout).toContain("If it was, it stays: nothing undoes it by itself any more.");
      expect(stdout).toContain(`This undoes it, if it was: patchbay apply ${undo}`);
    },
  );

  test(
    "without its terminal, which the change may cut off, it undoes at the deadline",
    needs(noTerminal),
    async () => {
      const { running } = await here.asked(startAtTerminal, "5s");
      const made = Promise.withResolvers<void>();
      const goOn = Promise.withResolvers<void>();
      here.meddle = async (request) => {
        if (!changes(request)) return undefined;
        made.resolve();
        await goOn.promise;
        return undefined;
      };
      running.type("yes\r");
      await made.promise;
      // What holds the other end of the pseudo-terminal dies: the kernel hangs up, and no word can be said any more.
      running.child.kill("SIGKILL");
      await running.ended;
      const undone = Promise.withResolvers<void>();
      here.meddle = (request) => {
        if (changes(request)) undone.resolve();
        return undefined;
      };
      goOn.resolve();
      await expect.poll(here.mtu).toBe(1400);
      await undone.promise;
      await expect.poll(here.mtu).toBe(1476);
    },
  );
});
