/** `apply --confirm-within` against a server that undoes by itself. */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { fileOf, noTerminal, openAtTerminal, patchbay, start, startAtTerminal } from "../harness/cli.ts";
import { doubleWorld, startCloudflareDouble } from "../harness/cloudflare-double.ts";
import { needs } from "../harness/needs.ts";
import { ORD, OWN, one, startTestServer, type TestServer } from "../harness/server.ts";
import { temporaryDirectory } from "../harness/temporary.ts";

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
    const { code, stdout, stderr } = await patchbay(server, [...argsOf("5m"), "--reason", "für Köln"]);
    const { revision, confirm_by, reason } = await pending();
    expect(reason).toBe("für Köln");
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: `It is undone at ${confirm_by} unless you confirm it: patchbay confirm ${revision}\n`,
    });
    expect(stdout).toContain(`Applied: 1 interconnect changed, revision ${revision}.`);
    expect(await mtu()).toBe(1400);
  });

  test("tells revision and deadline as JSON", async () => {
    const { stdout } = await patchbay(server, [...argsOf("1h30m"), "--json"]);
    const { revision, confirm_by } = await pending();
    expect(JSON.parse(stdout)).toMatchObject({ applied: true, revision, confirm_by });
    expect(Date.parse(confirm_by) - Date.now()).toBeGreaterThan(5_300_000);
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

  test("ctrl-c while the answer is on its way: not known, and what follows if it was made", async () => {
    const arm = (latency_ms: number) =>
      server.ask("PUT", "/patchbay/v1/faults", { body: { operation: "updateInterconnects", latency_ms } });
    // The first is the judgement of the plan.
    await arm(1);
    await arm(60_000);
    const file = fileOf(EDIT);
    const { revision: before } = (await server.ask("GET", `${OWN}/state`)).body.result;
    const made = server.ask("GET", `${OWN}/changes?after=${before}&wait=30`);
    const running = start(server, ["apply", "-f", file, "--yes", "--confirm-within", "5m"]);
    const [{ revision }] = (await made).body.result;
    running.child.kill("SIGINT");
    const { code, stderr } = await running.ended;
    expect({ code, stderr }).toEqual({
      code: 130,
      stderr: [
        "",
        `Whether the change was made is not known: all of it was, or nothing. This tells: patchbay plan -f ${file}`,
        "If it was, the server undoes it in time unless it is confirmed: patchbay confirm",
        "",
      ].join("\n"),
    });
    expect((await patchbay(server, ["plan", "-f", file])).code).toBe(0);
    expect((await patchbay(server, ["confirm"])).stderr).toContain(`Change ${revision} is confirmed`);
  });
});

describe("apply --confirm-within, at a terminal", () => {
  test("ends with the deadline, at which the server undoes", async () => {
    const { code, stdout } = await openAtTerminal(server, argsOf("5s")).ended;
    expect({ code, stdout }).toEqual({ code: 1, stdout: expect.stringContaining("Undone at the deadline") });
    expect(await mtu()).toBe(1476);
  });

  test.each([
    ["\r", 0, "Confirmed by you", 1400],
    ["c", 0, "Confirmed by you", 1400],
    ["r", 1, "Undone by you", 1476],
  ])("the key %j decides", async (key, exit, sentence, left) => {
    const running = openAtTerminal(server, argsOf("5m"));
    await running.hears(/Undone in .*(?:5:00|4:[345]\d)/);
    running.type(key);
    const { code, stdout } = await running.ended;
    expect({ code, stdout }).toEqual({ code: exit, stdout: expect.stringContaining(sentence) });
    expect([await mtu(), await pending()]).toEqual([left, null]);
  });

  test("ends when a colleague confirms, and counts on when one extends", async () => {
    const running = openAtTerminal(server, argsOf("60s"));
    await running.hears(/Undone in .*(?:1:00|0:[2345]\d)/);
    const { revision } = await pending();
    await server.ask("POST", `${OWN}/changes/${revision}/extend`, { body: { confirm_within: 600 } });
    await running.hears(/Undone in .*(?:9:[2345]\d|10:00)/);
    await server.ask("POST", `${OWN}/changes/${revision}/confirm`);
    const { code, stdout } = await running.ended;
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/Confirmed by (?!you)/) });
  });

  test("ends when a colleague reverts", async () => {
    const running = openAtTerminal(server, argsOf("5m"));
    await running.hears(/Undone in /);
    await server.ask("POST", `${OWN}/changes/${(await pending()).revision}/revert`);
    const { code, stdout } = await running.ended;
    expect({ code, stdout }).toEqual({ code: 1, stdout: expect.stringMatching(/Undone by (?!you)/) });
  });

  test("ends when the account begins another history, and does not claim to know", async () => {
    const running = openAtTerminal(server, argsOf("5m"));
    await running.hears(/Undone in /);
    const { revision } = await pending();
    await server.ask("POST", "/patchbay/v1/reset");
    const { code, stdout } = await running.ended;
    expect(code).toBe(1);
    expect(stdout).toContain(
      `What became of revision ${revision} is not known: the account's history is another.`,
    );
    expect(stdout).toContain("patchbay history tells");
  });

  test(
    "ctrl-c leaves the deadline to the server, and says how to confirm and to undo",
    needs(noTerminal),
    async () => {
      const running = startAtTerminal(server, argsOf("5m"));
      await running.hears(/Undone in /);
      const { revision, confirm_by } = await pending();
      running.type("\u0003");
      const { code, stdout } = await running.ended;
      expect(code).toBe(130);
      expect(stdout).toContain(`undone by the server at ${confirm_by} unless it is confirmed`);
      expect(stdout).toContain(`patchbay confirm ${revision}`);
      expect(stdout).toContain(`patchbay revert ${revision}`);
      expect(await mtu()).toBe(1400);
    },
  );

  test("goes on over a server that goes away, and says that the server undoes by itself", async () => {
    const data = temporaryDirectory();
    const first = await startTestServer({ data });
    const running = openAtTerminal(first, argsOf("5m"));
    await running.hears(/Undone in /);
    await first.close();
    await running.hears(/cannot be reached: .* The server undoes the change by itself\./);
    await using second = await startTestServer({ data, port: Number(new URL(first.url).port) });
    await running.hears(/The server can be reached again\./);
    running.type("c");
    const { code, stdout } = await running.ended;
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining("Confirmed by you") });
    expect((await patchbay(second, ["plan", "-f", fileOf(EDIT)])).code).toBe(0);
  });
});

test("a Patchbay that knows no confirmation is found out, and that it will not undo", async () => {
  // As the first versions were: a log and tags, and headers that they do not know ignored.
  const answer = (result: unknown) => ({
    status: 200,
    body: { result, success: true, errors: [], messages: [] },
    headers: { etag: '"epoch-1"' },
  });
  await using older = await startCloudflareDouble({
    meddle: ({ method, path }) =>
      path === `${OWN}/changes`
        ? answer([])
        : method === "GET"
          ? answer({ interconnects: doubleWorld })
          : undefined,
  });
  const { code, stderr } = await patchbay(older, argsOf("5m"));
  expect(code).toBe(1);
  expect(stderr).toContain("it will not undo it");
  const [, write] = older.requests.filter(({ method }) => method === "PUT");
  expect(write?.headers).toMatchObject({ "x-patchbay-confirm-within": "300", "if-match": '"epoch-1"' });
});
