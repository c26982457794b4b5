/**
 * What the command does while a Patchbay waits for a confirmation. The part of the server that undoes is played by the
 * test, so that every turn of it can be brought about; the rest is real.
 */

import { describe, expect, onTestFinished, test } from "vitest";
import { fileOf, HAS_TERMINAL, patchbay, startAtTerminal } from "../harness/cli.ts";
import { type FrontAnswer, type Seen, startFront } from "../harness/cloudflare-front.ts";
import { LIST, startTestServer } from "../harness/server.ts";

const EDIT = "interconnects:\n  pni_ord: { mtu: 1400 }\n";
const REVISION = 41;
const CONFIRM_BY = "2026-01-02T03:09:05.678901Z";

const done = (result: unknown): FrontAnswer => ({
  status: 200,
  body: { result, success: true, errors: [], messages: [] },
});

/** A server with a pending change from the first write on; `log` answers the question what came after it. */
async function waiting(log: (seen: Seen) => Promise<FrontAnswer>) {
  const server = await startTestServer();
  const answer = async (seen: Seen): Promise<FrontAnswer | undefined> => {
    if (seen.path.includes("/changes?after=")) return log(seen);
    if (seen.path.includes("/changes?limit=1")) return done([]);
    return seen.method === "POST" ? done({}) : undefined;
  };
  const headers = ({ method, path }: Seen): Record<string, string> =>
    method === "PUT" && path === LIST
      ? { "x-patchbay-revision": String(REVISION), "x-patchbay-confirm-by": CONFIRM_BY }
      : {};
  const front = await startFront(server.url, { answer, headers });
  onTestFinished(async () => {
    await front[Symbol.asyncDispose]();
    await server.close();
  });
  return front;
}

const never = () => new Promise<FrontAnswer>(() => undefined);
const argsOf = () => ["apply", "-f", fileOf(EDIT), "--yes", "--confirm-within", "5m"];

const record = (operation: string, more: object = {}) =>
  done([
    {
      revision: REVISION + 1,
      operation,
      actor: { type: "token", id: "1", name: "colleague" },
      objects: [],
      ...more,
    },
  ]);

describe("apply --confirm-within", () => {
  test("sends the time and the reason, and without a terminal says how to confirm", async () => {
    const front = await waiting(never);
    const { code, stdout, stderr } = await patchbay(front, [...argsOf(), "--reason", "größer"]);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: `It is undone at ${CONFIRM_BY} unless you confirm it: patchbay confirm ${REVISION}\n`,
    });
    expect(stdout).toContain(`Applied: 1 interconnect changed, revision ${REVISION}.`);
    const [, write] = front.seen.filter(({ method }) => method === "PUT");
    expect(write?.headers["x-patchbay-confirm-within"]).toBe("300");
    expect(write?.headers["if-match"]).toMatch(/^".+-\d+"$/);
    expect(Buffer.from(String(write?.headers["x-patchbay-reason"]), "latin1").toString()).toBe("größer");
  });

  test("tells revision and deadline as JSON", async () => {
    const { stdout } = await patchbay(await waiting(never), [...argsOf(), "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ applied: true, revision: REVISION, confirm_by: CONFIRM_BY });
  });

  test("is told off where the server waits for no confirmation", async () => {
    const server = await startTestServer();
    onTestFinished(() => server.close());
    const front = await startFront(server.url, {
      answer: ({ path }) => (path.includes("/changes?limit=1") ? done([]) : undefined),
    });
    onTestFinished(() => front[Symbol.asyncDispose]());
    const { code, stderr } = await patchbay(front, argsOf());
    expect(code).toBe(1);
    expect(stderr).toContain("it will not undo it");
  });
});

describe.runIf(HAS_TERMINAL)("apply --confirm-within at a terminal", () => {
  test.each([
    ["\r", "confirm", 0, "Confirmed by you: revision 41 stays."],
    ["c", "confirm", 0, "Confirmed by you: revision 41 stays."],
    ["r", "revert", 1, "Undone by you: everything is as before revision 41."],
  ])("the key %j asks the server to %s", async (key, action, exit, sentence) => {
    const front = await waiting(never);
    const running = startAtTerminal(front, argsOf());
    await running.hears(/Undone in .*5:00/);
    running.type(key);
    const { code, stdout } = await running.ended;
    expect({ code, stdout }).toEqual({ code: exit, stdout: expect.stringContaining(sentence) });
    expect(front.seen.at(-1)?.path).toMatch(new RegExp(`/changes/${REVISION}/${action}$`));
  });

  test.each([
    ["confirmChange", {}, 0, "Confirmed by colleague"],
    ["expireChange", {}, 1, "Undone at the deadline"],
    ["revertChange", { reverts: REVISION }, 1, "Undone by colleague"],
  ])("ends when the log tells of %s", async (operation, more, exit, sentence) => {
    const log = Promise.withResolvers<FrontAnswer>();
    const running = startAtTerminal(await waiting(() => log.promise), argsOf());
    await running.hears(/Undone in /);
    log.resolve(record(operation, more));
    const { code, stdout } = await running.ended;
    expect({ code, stdout }).toEqual({ code: exit, stdout: expect.stringContaining(sentence) });
  });

  test("goes on over a server that cannot be reached, and says that the server undoes by itself", async () => {
    let asked = 0;
    const front = await waiting(async () =>
      ++asked === 1 ? { status: 502, body: { success: false, errors: [] } } : record("confirmChange"),
    );
    const { code, stdout } = await startAtTerminal(front, argsOf()).ended;
    expect(code).toBe(0);
    expect(stdout).toContain("The server undoes the change by itself.");
    expect(stdout).toContain("The server can be reached again.");
  });

  test("ctrl-c leaves the deadline to the server, and says how to confirm and to undo", async () => {
    const running = startAtTerminal(await waiting(never), argsOf());
    await running.hears(/Undone in /);
    running.type("\u0003");
    const { code, stdout } = await running.ended;
    expect(code).toBe(130);
    expect(stdout).toContain(`undone by the server at ${CONFIRM_BY} unless it is confirmed`);
    expect(stdout).toContain(`patchbay confirm ${REVISION}`);
    expect(stdout).toContain(`patchbay revert ${REVISION}`);
  });
});
