/** Health where a person meets it: in the list of interconnects, and while a change waits. */

import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { fileOf, openAtTerminal, patchbay } from "../harness/cli.ts";
import { startCloudflareDouble } from "../harness/cloudflare-double.ts";
import { currentOf, HEALTH, minuteOf, report, reportOf, transitionOf } from "../harness/edge-report.ts";
import { AMS, ORD, OWN, one, SIN, startTestServer } from "../harness/server.ts";

const server = await startTestServer({ healthSettle: 1 });
afterAll(() => server.close());
beforeEach(() => server.reset());

const at = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString();
const mtu = async () => (await server.ask("GET", one(ORD))).body.result.interconnect.mtu;
const state = async () => (await server.ask("GET", `${OWN}/state`)).body.result;
const set = (...more: string[]) => patchbay(server, ["set", "pni_ord", "mtu=1400", "--yes", ...more]);
const rows = (stdout: string) =>
  stdout
    .trimEnd()
    .split("\n")
    .map((line) => line.split(/ {2,}/));

/** An edge that has made real what the account is. */
async function healthy(...ids: string[]): Promise<void> {
  const { epoch, revision } = await state();
  const configuration = { status: "applied", epoch, revision, problems: [] } as const;
  await report(server, {
    configuration: { ...configuration, problems: [] },
    states: ids.map((id) => currentOf("healthy", at(-7300), id)),
  });
}

describe("patchbay get", () => {
  test("shows the worst state and for how long, once an edge has told any", async () => {
    expect(rows((await patchbay(server, ["get"])).stdout)[0]).not.toContain("HEALTH");
    await report(server, {
      states: [currentOf("healthy", at(-7300), ORD), currentOf("down", at(-185), AMS)],
      minutes: [minuteOf(at(-60), { sent: 6, lost: 2 })],
    });
    const [head, ...lines] = rows((await patchbay(server, ["get"])).stdout);
    expect(head?.slice(0, 2)).toEqual(["NAME", "HEALTH"]);
    expect(lines.map((line) => line.slice(0, 2))).toEqual([
      ["pni_ord", "healthy 2h"],
      ["pni_ams", "down 3m"],
      ["pni_sin", "unknown"],
    ]);
    const wide = rows((await patchbay(server, ["get", "--wide"])).stdout);
    expect(wide[0]?.slice(1, 5)).toEqual(["NAME", "HEALTH", "LATENCY", "LOSS"]);
    expect(wide[1]?.slice(1, 5)).toEqual(["pni_ord", "healthy 2h", "0.51 ms", "33 %"]);
    expect(wide[2]?.slice(1, 5)).toEqual(["pni_ams", "down 3m", "-", "-"]);
  });

  test("shows the rest where the token may not know of health, and prints no health as JSON", async () => {
    await healthy(ORD);
    const json = JSON.parse((await patchbay(server, ["get", "--json"])).stdout);
    expect(Object.keys(json)).toEqual(["success", "interconnects"]);
    const token = "demo-magic-read-only-token-0000000000000";
    expect((await patchbay({ url: server.url, token }, ["get"])).stdout).toContain("healthy 2h");
  });
});

describe("--revert-on", () => {
  test("goes to the server with the change, which health then undoes", async () => {
    await healthy(ORD);
    const { code, stderr } = await set("--confirm-within", "5m", "--revert-on", "down");
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining("unless you confirm it") });
    expect((await state()).pending_change).toMatchObject({ revert_on: "down" });
    const undone = server.ask("GET", `${OWN}/changes?after=2&wait=30`);
    await report(server, { transitions: [transitionOf("down", at(0.1), { from: "healthy" })] });
    await undone;
    expect(await mtu()).toBe(1476);
    expect((await patchbay(server, ["history"])).stdout).toContain(
      "pni_ord is down at edge ord-1, so undone: 2",
    );
  });

  test("says where health decides nothing", async () => {
    const { code, stderr } = await set("--confirm-within", "5m", "--revert-on", "degraded");
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringContaining("health decides nothing about it"),
    });
    await server.ask("POST", `${OWN}/changes/2/confirm`);
    const undo = await patchbay(server, [
      "revert",
      "2",
      "--yes",
      "--confirm-within",
      "5m",
      "--revert-on",
      "down",
    ]);
    expect({ code: undo.code, stderr: undo.stderr }).toEqual({
      code: 0,
      stderr: expect.stringContaining("health decides nothing about it"),
    });
    expect((await state()).pending_change).toMatchObject({ revision: 4, revert_on: "down" });
  });

  test.each([
    [["--revert-on", "down"], "--revert-on needs --confirm-within"],
    [["--confirm-within", "5m", "--revert-on", "gone"], '--revert-on is down or degraded, not "gone".'],
  ])("is refused before anything is asked of a server: %j", async (options, sentence) => {
    for (const command of [
      ["set", "pni_ord", "mtu=1400"],
      ["revert", "2"],
      ["restore", "1"],
    ]) {
      const { code, stderr } = await patchbay({ url: "http://127.0.0.1:1" }, [
        ...command,
        "--yes",
        ...options,
      ]);
      expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(sentence) });
    }
  });

  test("is refused at Cloudflare, which hears nothing of edges", async () => {
    await using cloudflare = await startCloudflareDouble();
    const options = ["--yes", "--confirm-within", "5m", "--revert-on", "down"];
    const { code, stderr } = await patchbay(cloudflare, [
      "apply",
      "-f",
      fileOf("interconnects:\n  pni_ord: { mtu: 1401 }\n"),
      ...options,
    ]);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringContaining("--revert-on needs a Patchbay"),
    });
  });

  test("shows at the terminal how the touched are, and why it was undone", async () => {
    await healthy(ORD, SIN);
    const args = ["apply", "-f", fileOf("interconnects:\n  pni_ord: { mtu: 1400 }\n"), "--yes"];
    const running = openAtTerminal(server, [...args, "--confirm-within", "60s", "--revert-on", "down"]);
    await running.hears(/It is healthy 2h/);
    const said = reportOf({ transitions: [transitionOf("down", at(0.1), { from: "healthy" })] });
    await server.ask("POST", `${HEALTH}/reports`, { body: said });
    await running.hears(/Undone because pni_ord is down at edge ord-1/);
    expect((await running.ended).code).toBe(1);
  });
});

test("patchbay token create --edge makes what an edge needs, and nothing else", async () => {
  const { code, stdout } = await patchbay(server, ["token", "create", "ord-1", "--edge"]);
  expect(code).toBe(0);
  const token = stdout.trim();
  const ask = async (method: string, path: string, body?: unknown) =>
    (await server.ask(method, path, body === undefined ? { token } : { token, body })).status;
  expect(await ask("GET", `${OWN}/state`)).toBe(200);
  expect(await ask("POST", `${HEALTH}/reports`, reportOf())).toBe(200);
  expect(await ask("PUT", one(ORD), { mtu: 1400 })).toBe(403);
});
