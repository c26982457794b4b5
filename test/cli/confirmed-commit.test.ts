/** `apply --confirm-within` against a server that undoes by itself. */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { fileOf, HAS_TERMINAL, patchbay, startAtTerminal } from "../harness/cli.ts";
import { ORD, OWN, one, startTestServer, type TestServer } from "../harness/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
beforeEach(() => server.ask("POST", "/patchbay/v1/reset"));
afterAll(() => server.close());

const EDIT = "interconnects:\n  pni_ord: { mtu: 1400 }\n";
const mtu = async () => (await server.ask("GET", one(ORD))).body.result.interconnect.mtu;
const pending = async () => (await server.ask("GET", `${OWN}/state`)).body.result.pending_change;
const argsOf = (within: string) => ["apply", "-f", fileOf(EDIT), "--yes", "--confirm-within", within];

describe("apply --confirm-within, on a Patchbay", () => {
  test("leaves a pending change with its reason, and says how to confirm it", async () => {
    const { code, stderr } = await patchbay(server, [...argsOf("5m"), "--reason", "für Köln"]);
    const { revision, confirm_by, reason } = await pending();
    expect(reason).toBe("für Köln");
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: `It is undone at ${confirm_by} unless you confirm it: patchbay confirm ${revision}\n`,
    });
    expect(await mtu()).toBe(1400);
  });

  test("while it is pending, another change is refused with who and how long", async () => {
    await patchbay(server, argsOf("5m"));
    const { code, stderr } = await patchbay(server, ["set", "pni_ord", "mtu=1300", "--yes"]);
    expect(code).toBe(1);
    expect(stderr).toContain("code 990130");
    expect(await mtu()).toBe(1400);
  });

  test("undone, the account exports byte for byte as before", async () => {
    const before = (await patchbay(server, ["export"])).stdout;
    await patchbay(server, argsOf("5m"));
    expect((await patchbay(server, ["export"])).stdout).not.toBe(before);
    await server.ask("POST", `${OWN}/changes/${(await pending()).revision}/revert`);
    expect((await patchbay(server, ["export"])).stdout).toBe(before);
  });
});

describe.runIf(HAS_TERMINAL)("apply --confirm-within, at a terminal", () => {
  test("ends with the deadline, at which the server undoes", async () => {
    const { code, stdout } = await startAtTerminal(server, argsOf("5s")).ended;
    expect({ code, stdout }).toEqual({ code: 1, stdout: expect.stringContaining("Undone at the deadline") });
    expect(await mtu()).toBe(1476);
  });

  test.each([
    ["\r", 0, "Confirmed by you", 1400],
    ["r", 1, "Undone by you", 1476],
  ])("the key %j decides", async (key, exit, sentence, left) => {
    const running = startAtTerminal(server, argsOf("5m"));
    await running.hears(/Undone in /);
    running.type(key);
    const { code, stdout } = await running.ended;
    expect({ code, stdout }).toEqual({ code: exit, stdout: expect.stringContaining(sentence) });
    expect([await mtu(), await pending()]).toEqual([left, null]);
  });

  test("ends when a colleague confirms, and counts on when one extends", async () => {
    const running = startAtTerminal(server, argsOf("60s"));
    await running.hears(/Undone in .*1:00/);
    const { revision } = await pending();
    await server.ask("POST", `${OWN}/changes/${revision}/extend`, { body: { confirm_within: 600 } });
    await running.hears(/Undone in .*(?:9:5\d|10:00)/);
    await server.ask("POST", `${OWN}/changes/${revision}/confirm`);
    const { code, stdout } = await running.ended;
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/Confirmed by (?!you)/) });
  });
});
