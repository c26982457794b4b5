/** Cloudflare's rate limit in the middle of a command: waited out, or told; never half a change. */

import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fileOf, openAtTerminal, patchbay, start } from "../harness/cli.ts";
import {
  type CloudflareDouble,
  type DoubleOptions,
  doubleWorld,
  type Meddling,
  type SeenRequest,
  startCloudflareDouble,
} from "../harness/cloudflare-double.ts";
import { Operator } from "../harness/operator.ts";
import { ACCOUNT, ORD, SIN } from "../harness/server.ts";
import { temporaryDirectory } from "../harness/temporary.ts";

const EDIT = "interconnects:\n  pni_ord: { mtu: 1400 }\n  pni_sin: { mtu: 1401 }\n";
const changed = [1400, 1476, 1401];
const unchanged = [1476, 1476, 1500];
const mtus = (double: CloudflareDouble) => double.interconnects().map(({ mtu }) => mtu);
const changes = ({ method, query }: SeenRequest) => method === "PUT" && !query.has("validate_only");
/** What a command asks before the call that changes. */
const LOOKS = 3;
const slowFrom = (requests: number, seconds: number): DoubleOptions => ({ rateLimit: { requests, seconds } });

/** A limit of a second that each kind of request meets once. */
function onceEach() {
  const met = new Set<string>();
  const meddle = ({ method, path, query }: SeenRequest): Meddling => {
    const kind = `${method} ${path}?${query}`;
    if (met.has(kind)) return undefined;
    met.add(kind);
    return tooMany;
  };
  return { met, meddle };
}

const tooMany: Meddling = {
  status: 429,
  body: { success: false, errors: [{ code: 971, message: "Please wait" }], messages: [], result: null },
  headers: { "retry-after": "1" },
};

describe("a limit of a second", () => {
  test("is waited out whichever request of a command meets it, and that is said", async () => {
    const commands: [args: string[], code: number, refused: number, left: readonly number[]][] = [
      [["get"], 0, 2, unchanged],
      [["export"], 0, 2, unchanged],
      [["plan", "-f", fileOf(EDIT)], 2, 2, unchanged],
      [["apply", "-f", fileOf(EDIT), "--yes"], 0, 3, changed],
      [["set", "pni_ord", "mtu=1400", "--yes"], 0, 3, [1400, 1476, 1500]],
      [["history"], 1, 1, unchanged],
    ];
    const seen = commands.map(async ([args]) => {
      const limit = onceEach();
      await using double = await startCloudflareDouble({ meddle: limit.meddle });
      const { code, stderr } = await patchbay(double, args);
      const told = stderr.match(/^The server asks to wait 1 s \(429\)\.$/gm)?.length;
      const changing = double.requests.filter(changes).length;
      return { args, code, told, refused: limit.met.size, left: mtus(double), changing };
    });
    expect(await Promise.all(seen)).toEqual(
      commands.map(([args, code, refused, left]) => {
        const changing = left === unchanged ? 0 : 2;
        return { args, code, told: refused, refused, left, changing };
      }),
    );
  });

  test("is waited out by drift, on both sides", async () => {
    const operator = new Operator();
    let limited = false;
    const limit = () => {
      const { meddle } = onceEach();
      return (request: SeenRequest) => (limited ? meddle(request) : undefined);
    };
    await using one = await startCloudflareDouble({ meddle: limit() });
    await using other = await startCloudflareDouble({ interconnects: doubleWorld.slice(1), meddle: limit() });
    for (const [profile, { baseUrl: url, token }] of Object.entries({ one, other })) {
      const to = ["--base-url", url, "--account", ACCOUNT, "--token-stdin", "--profile", profile];
      expect((await operator.run(["login", ...to], token)).code).toBe(0);
    }
    limited = true;
    const said = await operator.run(["drift", "--from-profile", "one", "--to-profile", "other"]);
    expect(said).toMatchObject({ code: 2, stdout: `- pni_ord (interconnect ${ORD})\n` });
    expect(said.stderr.match(/asks to wait 1 s/g)).toHaveLength(2);
  });

  test("is waited out by the undo of the timer in the client", async () => {
    let limit: ReturnType<typeof onceEach> | undefined;
    await using double = await startCloudflareDouble({ meddle: (request) => limit?.meddle(request) });
    const undo = join(temporaryDirectory(), "undo.plan");
    const args = ["apply", "-f", fileOf(EDIT), "--yes", "--confirm-within", "5m", "--undo", undo];
    const running = openAtTerminal(double, args);
    await running.hears(/Undone in /);
    expect(mtus(double)).toEqual(changed);
    limit = onceEach();
    running.type("r");
    const { code, stdout } = await running.ended;
    expect({ code, stdout }).toEqual({ code: 1, stdout: expect.stringContaining("Undone by you.") });
    expect([limit.met.size, mtus(double)]).toEqual([2, unchanged]);
  });

  test("is no gap in which others change unseen: what moved meanwhile is refused", async () => {
    let first = true;
    await using double = await startCloudflareDouble({
      meddle: (request) => {
        if (!changes(request) || !first) return undefined;
        first = false;
        double.change(SIN, { description: "moved" });
        return tooMany;
      },
    });
    const { code, stderr } = await patchbay(double, ["apply", "-f", fileOf(EDIT), "--yes"]);
    expect(code).toBe(1);
    expect(stderr).toContain("changed by somebody else in the meantime. Nothing was changed by this.");
    expect(stderr).toContain("pni_sin changed");
    expect(double.requests.filter(changes)).toHaveLength(1);
    expect(mtus(double)).toEqual(unchanged);
  });
});

describe("a limit of many minutes", () => {
  test.each([
    ["plan", 1, ["plan"]],
    ["the judgement before apply", 1, ["apply", "--yes"]],
    ["the last look before the call", 2, ["apply", "--yes"]],
    ["the call itself", LOOKS, ["apply", "--yes"]],
  ])("is told at %s, with the time, and nothing was changed", async (_, requests, [command = "", ...yes]) => {
    await using double = await startCloudflareDouble(slowFrom(requests, 400));
    const { code, stderr } = await patchbay(double, [command, "-f", fileOf(EDIT), ...yes]);
    expect(code).toBe(1);
    expect(stderr).toContain("Please wait and consider throttling your request speed");
    expect(stderr).toContain("refused this request before anything was done. Again in 400 s.");
    expect(stderr).not.toContain("not known");
    expect(double.requests).toHaveLength(requests + 1);
    expect(mtus(double)).toEqual(unchanged);
  });

  test("is told as JSON", async () => {
    await using double = await startCloudflareDouble(slowFrom(LOOKS, 400));
    const { code, stdout } = await patchbay(double, ["apply", "-f", fileOf(EDIT), "--yes", "--json"]);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      success: false,
      problems: [{ code: 971 }],
      advice: expect.stringContaining("Again in 400 s."),
    });
  });
});

test("ctrl-c while the call waits for the limit: nothing was changed, and that is said", async () => {
  await using double = await startCloudflareDouble(slowFrom(LOOKS, 200));
  const running = start(double, ["apply", "-f", fileOf(EDIT), "--yes"]);
  await running.hears(/asks to wait 200 s/);
  running.child.kill("SIGINT");
  const { code, stderr } = await running.ended;
  expect(code).toBe(130);
  expect(stderr).toContain("\nInterrupted while the server asked to wait. Nothing was changed.\n");
  expect(mtus(double)).toEqual(unchanged);
});

test("after a 503 that may have been done, a change is not taken for somebody else's", async () => {
  let first = true;
  await using double = await startCloudflareDouble({
    meddle: (request) => {
      if (!changes(request) || !first) return undefined;
      first = false;
      // It was done, but for the answer.
      double.change(ORD, { mtu: 1400 });
      double.change(SIN, { mtu: 1401 });
      const body = { success: false, errors: [], messages: [], result: null };
      return { status: 503, body, headers: { "retry-after": "0" } };
    },
  });
  const file = fileOf(EDIT);
  const { code, stderr } = await patchbay(double, ["apply", "-f", file, "--yes"]);
  expect(code).toBe(1);
  expect(stderr).toContain(`Whether the change was made is not known. This tells: patchbay plan -f ${file}`);
  expect((await patchbay(double, ["plan", "-f", file])).code).toBe(0);
});
