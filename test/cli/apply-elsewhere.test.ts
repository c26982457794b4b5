/** Against a server that has nothing of Patchbay's: no log, no conditional requests, no undo of its own. */

import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { fileOf, HAS_TERMINAL, patchbay, startAtTerminal } from "../harness/cli.ts";
import { asCloudflare, type Front, type Part, startFront } from "../harness/cloudflare-front.ts";
import { LIST, ORD, one, SIN, startTestServer, type TestServer } from "../harness/server.ts";
import { temporaryDirectory } from "../harness/temporary.ts";

let server: TestServer;
let front: Front;
beforeAll(async () => {
  server = await startTestServer();
  front = await startFront(server.url);
});
beforeEach(async () => {
  await server.ask("PUT", one(ORD), { body: { mtu: 1476, name: "pni_ord" } });
  front.seen.length = 0;
});
afterAll(async () => {
  await front[Symbol.asyncDispose]();
  await server.close();
});

const EDIT = "interconnects:\n  pni_ord: { mtu: 1400 }\n";
const mtu = async () => (await server.ask("GET", one(ORD))).body.result.interconnect.mtu;

describe("on Cloudflare's own API", () => {
  test("apply changes in one call, and sends nothing of Patchbay's", async () => {
    const { code, stderr } = await patchbay(front, [
      "apply",
      "-f",
      fileOf(EDIT),
      "--yes",
      "--reason",
      "because",
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "This server keeps no reasons: it is not sent.\n" });
    expect(await mtu()).toBe(1400);
    const writes = front.seen.filter(({ method }) => method === "PUT");
    expect(writes.map(({ path }) => path)).toEqual([`${LIST}?validate_only=true`, LIST]);
    for (const { headers } of front.seen) {
      expect(Object.keys(headers).filter((name) => /patchbay|if-match/.test(name))).toEqual([]);
    }
  });

  test("export writes no address of a schema that is not there", async () => {
    const { stdout } = await patchbay(front, ["export"]);
    expect(stdout).toMatch(/^# Interconnects of account /);
  });

  test("a saved plan is bound to the objects as they were read", async () => {
    const out = join(temporaryDirectory(), "change.plan");
    await patchbay(front, ["plan", "-f", fileOf(EDIT), "--out", out]);
    await server.ask("PUT", one(SIN), { body: { description: "moved" } });
    const refused = await patchbay(front, ["apply", out, "--yes"]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("they are no longer as they were read");
    await patchbay(front, ["plan", "-f", fileOf(EDIT), "--out", out]);
    expect((await patchbay(front, ["apply", out, "--yes"])).code).toBe(0);
  });

  test("--confirm-within is refused where nobody could confirm, before anything is changed", async () => {
    const { code, stderr } = await patchbay(front, [
      "apply",
      "-f",
      fileOf(EDIT),
      "--yes",
      "--confirm-within",
      "5s",
    ]);
    expect(code).toBe(1);
    expect(stderr).toContain("--confirm-within needs a terminal here");
    expect(await mtu()).toBe(1476);
  });

  test.each([
    ["cuts the line", () => undefined],
    [
      "answers 502",
      () => ({ status: 502, body: { success: false, errors: [], messages: [], result: null } }),
    ],
  ])(
    "where the gateway %s in the middle, nobody knows, and the next line says how to know",
    async (_, answered) => {
      const part: Part = {
        answer: (seen) => {
          if (seen.method !== "PUT" || seen.path !== LIST) return asCloudflare.answer?.(seen);
          return answered() ?? "cut";
        },
      };
      await using broken = await startFront(server.url, part);
      const file = fileOf(EDIT);
      const { code, stderr } = await patchbay(broken, ["apply", "-f", file, "--yes"]);
      expect(code).toBe(1);
      expect(stderr).toContain(
        `Whether the change was made is not known: all of it was, or nothing. This tells: patchbay plan -f ${file}`,
      );
    },
  );

  test("--undo refuses a change that no update could take back", async () => {
    const file = fileOf("interconnects:\n  pni_ord: { bgp: { customer_asn: 65001 } }\n");
    const undo = join(temporaryDirectory(), "undo.plan");
    const { code, stderr } = await patchbay(front, ["apply", "-f", file, "--yes", "--undo", undo]);
    expect(code).toBe(1);
    expect(stderr).toContain("bgp.customer_asn of pni_ord has no value now");
  });
});

describe.runIf(HAS_TERMINAL)("the timer in the client", () => {
  async function started() {
    const undo = join(temporaryDirectory(), "undo.plan");
    const args = ["apply", "-f", fileOf(EDIT), "--confirm-within", "5s", "--undo", undo];
    const running = startAtTerminal(front, args);
    await running.hears(/Only "yes" is taken: /);
    return { running, undo };
  }

  test("says what happens if it dies and where the undo is, before it changes anything", async () => {
    const { running, undo } = await started();
    expect(running.said.stdout).toContain("cuts it off from the server, the change stays.");
    expect(running.said.stdout).toContain(`patchbay apply ${undo}`);
    expect(statSync(undo).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(undo, "utf8")).updates).toEqual([{ id: ORD, mtu: 1476 }]);
    expect(await mtu()).toBe(1476);
  });

  test("undoes the change at the deadline", async () => {
    const { running } = await started();
    running.type("yes\r");
    await running.hears(/Undone in .*0:05/);
    expect(await mtu()).toBe(1400);
    const { code, stdout } = await running.ended;
    expect(code).toBe(1);
    expect(stdout).toContain("Undone at the deadline: nobody confirmed the change.");
    expect(await mtu()).toBe(1476);
  });

  test("leaves the change if it is confirmed", async () => {
    const { running } = await started();
    running.type("yes\r");
    await running.hears(/Undone in /);
    running.type("c");
    expect(await running.ended).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("Confirmed: the change stays."),
    });
    expect(await mtu()).toBe(1400);
  });

  test("undoes it at once if that is asked for", async () => {
    const { running } = await started();
    running.type("yes\r");
    await running.hears(/Undone in /);
    running.type("r");
    expect(await running.ended).toMatchObject({ code: 1, stdout: expect.stringContaining("Undone by you.") });
    expect(await mtu()).toBe(1476);
  });

  test("does not undo over what somebody else changed since", async () => {
    const { running, undo } = await started();
    running.type("yes\r");
    await running.hears(/Undone in /);
    await server.ask("PUT", one(ORD), { body: { mtu: 1300 } });
    running.type("r");
    const { code, stdout } = await running.ended;
    expect(code).toBe(1);
    expect(stdout).toContain("mtu of pni_ord was changed by somebody else since");
    expect(stdout).toContain(`${undo} holds what was there before`);
    expect(await mtu()).toBe(1300);
  });

  test("ctrl-c says that the change stays and how to undo it, and that undoes it", async () => {
    const { running, undo } = await started();
    running.type("yes\r");
    await running.hears(/Undone in /);
    running.type("\u0003");
    const { code, stdout } = await running.ended;
    expect(code).toBe(130);
    expect(stdout).toContain(`The change stays, confirmed by nobody. To undo it: patchbay apply ${undo}`);
    expect(await mtu()).toBe(1400);
    expect((await patchbay(front, ["apply", undo, "--yes"])).code).toBe(0);
    expect(await mtu()).toBe(1476);
  });
});
