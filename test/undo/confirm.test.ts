import { afterAll, beforeEach, describe, expect, test } from "vitest";
import {
  AMS,
  type Ask,
  LIST,
  ORD,
  OWN,
  one,
  type Reply,
  ROUTES,
  startTestServer,
} from "../harness/server.ts";
import { SetClock } from "../harness/set-clock.ts";
import { revision, untouched, verdict } from "../harness/standing.ts";

const clock = new SetClock("2026-03-01T12:00:00Z");
const server = await startTestServer({}, { clock });
afterAll(() => server.close());
beforeEach(() => server.reset());

const writer = { token: "demo-wan-write-token-0000000000000000000" };

const put = (id: string, body: unknown, asked: Ask = {}) => server.ask("PUT", one(id), { body, ...asked });
/** A change of ORD that is to be confirmed. */
const waiting = (seconds: number | string = 60, more: Record<string, string> = {}) =>
  put(ORD, { mtu: 1300 }, { headers: { "x-patchbay-confirm-within": String(seconds), ...more } });
const on = (n: number, what: string, asked: Ask = {}) =>
  server.ask("POST", `${OWN}/changes/${n}/${what}`, asked);
const mtu = async () => (await server.ask("GET", one(ORD))).body.result.interconnect.mtu;
const state = async () => (await server.ask("GET", `${OWN}/state`)).body.result;
const record = async (n: number) => (await server.ask("GET", `${OWN}/changes/${n}`)).body.result;

/** The next change after a revision, as soon as there is one. */
async function next(after: number) {
  const { body } = await server.ask("GET", `${OWN}/changes?after=${after}&wait=30`);
  return body.result[0];
}

describe("a change to be confirmed", () => {
  test("is made at once, and tells by when; the state and the log tell it too", async () => {
    const reply = await waiting(60, { "x-patchbay-reason": "new port" });
    expect(verdict(reply)).toBe("200");
    expect(reply.headers.get("x-patchbay-revision")).toBe("2");
    const confirm_by = new Date(clock.now() + 60_000).toISOString();
    expect(reply.headers.get("x-patchbay-confirm-by")).toBe(confirm_by);
    expect(await mtu()).toBe(1300);
    const actor = { type: "token", name: "everything", id: expect.any(String) };
    expect((await state()).pending_change).toEqual({ revision: 2, confirm_by, actor, reason: "new port" });
    expect(await record(2)).toMatchObject({
      reason: "new port",
      objects: [
        { kind: "interconnect", id: ORD },
        { kind: "pending_change", action: "create", fields: { revision: { after: 2 } } },
      ],
    });
  });

  test("stays when it is confirmed, and others may follow", async () => {
    await waiting();
    const reply = await on(2, "confirm", writer);
    expect(verdict(reply)).toBe("200");
    expect(reply.body.result).toMatchObject({ revision: 3, operation: "confirmChange" });
    expect((await state()).pending_change).toBeNull();
    clock.pass(120);
    expect(verdict(await put(ORD, { description: "later" }))).toBe("200");
    expect(await mtu()).toBe(1300);
  });

  test("is undone by the server when its time is over", async () => {
    await waiting(60);
    clock.pass(59);
    expect(await mtu()).toBe(1300);
    clock.pass(1);
    const undone = await next(2);
    expect(undone).toMatchObject({
      revision: 3,
      operation: "expireChange",
      reverts: 2,
      actor: { type: "system", id: "deadline" },
    });
    expect(await mtu()).toBe(1476);
    expect((await state()).pending_change).toBeNull();
    expect(verdict(await put(ORD, { mtu: 1400 }))).toBe("200");
  });

  test("is undone at once when it is reverted", async () => {
    await waiting();
    expect(verdict(await on(2, "revert", writer))).toBe("200");
    expect(await mtu()).toBe(1476);
    expect((await state()).pending_change).toBeNull();
  });

  test("gets more time when it is extended, from then on", async () => {
    await waiting(60);
    clock.pass(50);
    const reply = await on(2, "extend", { body: { confirm_within: 300 } });
    expect(verdict(reply)).toBe("200");
    const confirm_by = new Date(clock.now() + 300_000).toISOString();
    expect((await state()).pending_change).toMatchObject({ revision: 2, confirm_by });
    clock.pass(299);
    expect(verdict(await on(2, "confirm"))).toBe("200");
  });

  test("is undone on time also after it was extended", async () => {
    await waiting(60);
    await on(2, "extend", { body: { confirm_within: 10 } });
    clock.pass(10);
    expect(await next(3)).toMatchObject({ operation: "expireChange", reverts: 2 });
    expect(await mtu()).toBe(1476);
  });

  test("may be of many objects, of other kinds, an undo or a restoration", async () => {
    const headers = { "x-patchbay-confirm-within": "60" };
    const many = {
      body: [
        { id: ORD, mtu: 1300 },
        { id: AMS, mtu: 1300 },
      ],
      headers,
    };
    await server.ask("PUT", LIST, many);
    expect(verdict(await on(2, "confirm"))).toBe("200");
    await server.ask("DELETE", ROUTES, { headers });
    clock.pass(60);
    expect(await next(4)).toMatchObject({ operation: "expireChange" });
    expect((await server.ask("GET", ROUTES)).body.result.routes.length).toBeGreaterThan(0);
    const undo = await on(2, "revert", { headers });
    expect(undo.headers.get("x-patchbay-confirm-by")).not.toBeNull();
    expect(verdict(await on(6, "confirm"))).toBe("200");
    const back = await server.ask("POST", `${OWN}/restore`, { body: { to_revision: 3 }, headers });
    expect(back.headers.get("x-patchbay-revision")).toBe("8");
    clock.pass(60);
    expect(await next(8)).toMatchObject({ operation: "expireChange", reverts: 8 });
    expect(await mtu()).toBe(1476);
  });

  test("with validate_only is judged, and nothing waits", async () => {
    const headers = { "x-patchbay-confirm-within": "60" };
    const reply = await untouched(server, () =>
      server.ask("PUT", `${one(ORD)}?validate_only=true`, { body: { mtu: 1300 }, headers }),
    );
    expect(reply.headers.get("x-patchbay-confirm-by")).toBeNull();
  });

  test("that changes nothing waits for nothing", async () => {
    const reply = await put(ORD, { mtu: 1476 }, { headers: { "x-patchbay-confirm-within": "60" } });
    expect(verdict(reply)).toBe("200");
    expect(reply.headers.get("x-patchbay-confirm-by")).toBeNull();
    expect(await revision(server)).toBe(1);
  });
});

describe("while a change waits", () => {
  beforeEach(() => waiting(60, { "x-patchbay-reason": "new port" }));

  test("another is refused with who, why, until when and how long, and is not to be sent again", async () => {
    clock.pass(20);
    const reply = await untouched(server, () => put(AMS, { mtu: 1300 }));
    expect(verdict(reply)).toBe("409 990130");
    expect(reply.headers.get("x-should-retry")).toBe("false");
    const [{ message }] = reply.body.errors;
    expect(message).toContain("Change 2 by token everything (new port)");
    expect(message).toContain("(40 s from now)");
  });

  test.each(["confirm", "revert"])("an administrator's own goes past it with override: %s", async (what) => {
    const reply = await put(AMS, { mtu: 1300 }, { headers: { "x-patchbay-override": what } });
    expect(verdict(reply)).toBe("200");
    expect(reply.headers.get("x-patchbay-revision")).toBe("4");
    expect(await record(3)).toMatchObject({ operation: `${what}Change` });
    expect(await mtu()).toBe(what === "confirm" ? 1300 : 1476);
    expect((await state()).pending_change).toBeNull();
  });

  test.each(["confirm", "revert"])(
    "override: %s does nothing if the request itself is refused, or only judged",
    async (what) => {
      const headers = { "x-patchbay-override": what };
      expect(verdict(await untouched(server, () => put(AMS, { mtu: 1 }, { headers })))).toMatch(/^400/);
      const dry = () => server.ask("PUT", `${one(AMS)}?validate_only=1`, { body: { mtu: 1300 }, headers });
      expect(verdict(await untouched(server, dry))).toBe("200");
      clock.pass(60);
      expect(await next(2)).toMatchObject({ operation: "expireChange" });
    },
  );

  test("an override is judged on what would be then", async () => {
    const headers = { "x-patchbay-override": "revert" };
    const reply = await put(ORD, { mtu: 1476, description: "after" }, { headers });
    expect(verdict(reply)).toBe("200");
    expect(await record(4)).toMatchObject({ objects: [{ fields: { description: { after: "after" } } }] });
    expect(Object.keys((await record(4)).objects[0].fields)).toEqual(["description"]);
  });

  describe("an undo of what came before goes past it, both or neither:", () => {
    // Change 2 waits; change 3, by override, confirms it; change 4 waits in its turn.
    beforeEach(async () => {
      const headers = { "x-patchbay-override": "confirm", "x-patchbay-confirm-within": "60" };
      expect(verdict(await put(AMS, { mtu: 1310, description: "four" }, { headers }))).toBe("200");
    });
    const ams = async () => (await server.ask("GET", one(AMS))).body.result.interconnect;
    const undo = (what: string, path: string, body?: unknown) =>
      server.ask("POST", `${OWN}/${path}`, { body, headers: { "x-patchbay-override": what } });

    test.each([
      ["confirm", "confirmChange", 1310],
      ["revert", "revertChange", 1476],
    ])("a revert, with override: %s", async (what, operation, left) => {
      const reply = await undo(what, "changes/2/revert");
      expect(verdict(reply)).toBe("200");
      expect(await record(5)).toMatchObject({ operation });
      expect(await record(6)).toMatchObject({ operation: "revertChange", reverts: 2 });
      expect([await mtu(), (await ams()).mtu]).toEqual([1476, left]);
      expect((await state()).pending_change).toBeNull();
    });

    test.each(["confirm", "revert"])("a restoration, with override: %s", async (what) => {
      const reply = await undo(what, "restore", { to_revision: 1 });
      expect(verdict(reply)).toBe("200");
      expect(await record(6)).toMatchObject({ operation: "restoreAccount", restores: 1 });
      const { description, mtu: left } = await ams();
      expect([await mtu(), left, description]).toEqual([1476, 1476, "Tunnel for Interconnect to AMS"]);
    });

    test("a revert of what the override undoes already is refused, and neither is made", async () => {
      const reply = await untouched(server, () => undo("revert", "changes/4/revert"));
      expect(verdict(reply)).toBe("409 990133");
    });
  });

  test("nobody but an administrator may override", async () => {
    const headers = { "x-patchbay-override": "confirm" };
    const reply = await untouched(server, () => put(AMS, { mtu: 1300 }, { headers, ...writer }));
    expect(verdict(reply)).toBe("403 10000");
  });

  test("its own undo cannot be made to wait", async () => {
    const headers = { "x-patchbay-confirm-within": "60" };
    expect(verdict(await untouched(server, () => on(2, "revert", { headers })))).toBe("400 990137");
  });

  test("reading goes on, and the other account changes as it likes", async () => {
    expect(verdict(await server.ask("GET", LIST))).toBe("200");
    const other = LIST.replace(/accounts\/[0-9a-f]+/, "accounts/0a1b2c3d4e5f60718293a4b5c6d7e8f9");
    expect(verdict(await server.ask("PUT", other, { body: {} }))).toBe("200");
  });
});

describe("of confirmation, undo and deadline the first counts", () => {
  const two = (...asked: (() => Promise<Reply>)[]) => Promise.all(asked.map((ask) => ask()));

  test("two confirmations, two undos, one of each", async () => {
    for (const [first, second] of [
      ["confirm", "confirm"],
      ["revert", "revert"],
      ["confirm", "revert"],
      ["revert", "confirm"],
    ] as const) {
      await server.reset();
      await waiting();
      const verdicts = (
        await two(
          () => on(2, first),
          () => on(2, second),
        )
      )
        .map(verdict)
        .sort();
      // An undo of what was confirmed first is an undo as any other.
      if (first !== second && (await record(3)).operation === "confirmChange") {
        expect(verdicts).toEqual(["200", "200"]);
        continue;
      }
      expect(verdicts[0]).toBe("200");
      expect(verdicts[1]).toMatch(/^409 99013[13]$/);
      expect(await revision(server)).toBe(3);
    }
  });

  test("a confirmation after the time is over is too late, whether or not the undo was made by then", async () => {
    await waiting(60);
    clock.pass(60);
    expect(verdict(await on(2, "confirm"))).toMatch(/^409 99013[12]$/);
    expect(await next(2)).toMatchObject({ operation: "expireChange" });
    expect(verdict(await on(2, "confirm"))).toBe("409 990131");
    expect(verdict(await on(2, "extend", { body: { confirm_within: 60 } }))).toBe("409 990131");
    expect(verdict(await on(2, "revert"))).toBe("409 990133");
  });

  test("what does not wait cannot be confirmed", async () => {
    await put(ORD, { mtu: 1300 });
    for (const n of [1, 2])
      expect(verdict(await untouched(server, () => on(n, "confirm")))).toBe("409 990131");
    expect(verdict(await untouched(server, () => on(3, "confirm")))).toMatch(/^404/);
  });
});

describe("is refused", () => {
  test.each(["4", "86401", "1.5", "", "soon", "-5"])("to wait %j seconds", async (seconds) => {
    expect(verdict(await untouched(server, () => waiting(seconds)))).toBe("400 990013");
  });

  test("an override that is neither", async () => {
    const act = () => put(ORD, { mtu: 1300 }, { headers: { "x-patchbay-override": "force" } });
    expect(verdict(await untouched(server, act))).toBe("400 990013");
  });

  test("to wait, for whatever makes a secret or changes no account's objects", async () => {
    const headers = { "x-patchbay-confirm-within": "60" };
    const body = { name: "x", policies: [] };
    for (const [method, path] of [
      ["POST", "/client/v4/user/tokens"],
      ["POST", `${OWN}/changes/1/confirm`],
      ["POST", "/patchbay/v1/reset"],
      ["PUT", "/client/v4/user/tokens/ed17574386854bf78a67040be0a770b0/value"],
    ] as const) {
      const reply = await untouched(server, () => server.ask(method, path, { body, headers }));
      expect(verdict(reply), path).toBe("400 990137");
    }
  });
});
