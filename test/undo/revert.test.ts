import { afterAll, beforeEach, describe, expect, test } from "vitest";
import {
  ACCOUNT,
  AMS,
  type Ask,
  LIST,
  ORD,
  OWN,
  one,
  problems,
  type Reply,
  ROUTES,
  SIN,
  startTestServer,
} from "../harness/server.ts";
import { revision, untouched, verdict } from "../harness/standing.ts";

const server = await startTestServer();
afterAll(() => server.close());
beforeEach(() => server.reset());

const put = (id: string, body: unknown, headers: Ask["headers"] = {}) =>
  server.ask("PUT", one(id), { body, headers });
const revert = (n: number, asked: Ask = {}, query = "") =>
  server.ask("POST", `${OWN}/changes/${n}/revert${query}`, asked);
const restore = (to: number, asked: Ask = {}, query = "") =>
  server.ask("POST", `${OWN}/restore${query}`, { body: { to_revision: to }, ...asked });

async function state() {
  const { body } = await server.ask("GET", `${OWN}/state`);
  const { revision: _, epoch: __, ...objects } = body.result;
  return JSON.parse(JSON.stringify(objects, (key, value) => (key === "modified_on" ? undefined : value)));
}

async function record(n: number) {
  const { body } = await server.ask("GET", `${OWN}/changes/${n}`);
  return body.result;
}

describe("a reverted change", () => {
  test("leaves all as it was, as one change more that says what it undid, by whom and why", async () => {
    const before = await state();
    const health_check = { rate: "high", direction: "bidirectional" };
    await put(ORD, { mtu: 1300, name: "other", description: "", health_check });
    const reply = await revert(2, { headers: { "x-patchbay-reason": "again" } });
    expect(verdict(reply)).toBe("200");
    expect(await state()).toEqual(before);
    expect(reply.body.result).toEqual(await record(3));
    expect(reply.body.result).toMatchObject({
      revision: 3,
      operation: "revertChange",
      reverts: 2,
      reason: "again",
      actor: { type: "token", name: "everything" },
      objects: [{ kind: "interconnect", id: ORD, fields: { mtu: { before: 1300, after: 1476 } } }],
    });
    expect(reply.headers.get("x-patchbay-revision")).toBe("3");
  });

  test("can be one of many objects, and of every kind", async () => {
    const before = await state();
    const elements = [
      { id: ORD, mtu: 1300 },
      { id: AMS, description: "changed" },
    ];
    await server.ask("PUT", LIST, { body: elements });
    const route = { prefix: "192.0.2.0/24", nexthop: "10.213.0.9", priority: 5 };
    await server.ask("POST", ROUTES, { body: route });
    await server.ask("PUT", `${OWN}/settings`, {
      body: { authorized_prefixes: ["198.51.100.0/24", "203.0.113.0/24"] },
    });
    await server.ask("DELETE", ROUTES);
    for (const n of [5, 4, 3, 2]) expect(verdict(await revert(n)), String(n)).toBe("200");
    expect(await state()).toEqual(before);
    expect(await revision(server)).toBe(9);
  });

  test("can itself be reverted", async () => {
    await put(ORD, { mtu: 1300 });
    const changed = await state();
    await revert(2);
    expect(verdict(await revert(3))).toBe("200");
    expect(await state()).toEqual(changed);
  });

  test("with validate_only is told and not made", async () => {
    await put(ORD, { mtu: 1300 });
    const reply = await untouched(server, () =>
      server.ask("POST", `${OWN}/changes/2/revert?validate_only=true`),
    );
    expect(reply.body.result).toMatchObject({ revision: 3, reverts: 2 });
    expect(reply.body.messages).toEqual([expect.objectContaining({ code: 990900 })]);
    expect(reply.headers.get("x-patchbay-revision")).toBeNull();
  });
});

describe("what a later change touched", () => {
  test("is not undone under it: which change did is told, for each field", async () => {
    await put(ORD, { mtu: 1300, description: "two" });
    await put(ORD, { mtu: 1400 });
    await put(AMS, { mtu: 1200 });
    const reply = await untouched(server, () => revert(2));
    expect(verdict(reply)).toBe("409 990133");
    expect(reply.body.errors[0].message).toContain(
      `mtu of interconnect ${ORD} (pni_ord) was changed again by change 3`,
    );
    expect(reply.headers.get("x-should-retry")).toBe("false");
  });

  test("is left alone where it is another field, or another object", async () => {
    const before = await server.ask("GET", one(ORD));
    await put(ORD, { mtu: 1300, health_check: { rate: "high" } });
    await put(ORD, { description: "later", health_check: { type: "request" } });
    expect(verdict(await revert(2))).toBe("200");
    const { body } = await server.ask("GET", one(ORD));
    expect(body.result.interconnect).toMatchObject({
      mtu: 1476,
      description: "later",
      health_check: { rate: before.body.result.interconnect.health_check.rate, type: "request" },
    });
  });

  test("is undone once: a change that was undone has nothing more to undo, until that is undone", async () => {
    await put(ORD, { mtu: 1300 });
    await revert(2);
    expect((await untouched(server, () => revert(2))).body.errors[0].message).toContain("by change 3");
    await revert(3);
    expect(verdict(await revert(2))).toBe("200");
  });

  test("may be a name that another object took: who has it is told", async () => {
    await put(ORD, { name: "left" });
    await put(AMS, { name: "pni_ord" });
    const reply = await untouched(server, () => revert(2));
    expect(verdict(reply)).toMatch(/^409|^400/);
    expect(reply.body.errors[0].message).toContain(`interconnect ${AMS} (pni_ord)`);
    expect(problems(reply)).toEqual([expect.stringMatching(/^\d+$/)]);
  });

  test("may be what stands on it: a port with a CNI does not go", async () => {
    const slot = "182bd5e5-6e1a-4fe4-a799-aa6d9a6ab26e";
    const cni = `/client/v4/accounts/${ACCOUNT}/cni`;
    const port = await server.ask("POST", `${cni}/interconnects`, {
      body: { account: ACCOUNT, slot_id: slot, type: "direct" },
    });
    expect(verdict(port)).toBe("200");
    const magic = { conduit_name: "pni_new", description: "", mtu: 1500 };
    const made = await server.ask("POST", `${cni}/cnis`, {
      body: { account: ACCOUNT, interconnect: port.body.name, magic },
    });
    expect(verdict(made)).toBe("200");
    expect(verdict(await untouched(server, () => revert(2)))).toBe("409 990134");
    expect(verdict(await revert(3))).toBe("200");
    expect(verdict(await revert(2))).toBe("200");
  });
});

test("values come back that today's rules would not admit, and the answer says so", async () => {
  const settings = `${OWN}/settings`;
  for (const id of [ORD, AMS, SIN]) await put(id, { automatic_return_routing: false });
  await server.ask("PUT", settings, { body: { flags: ["coupler_integration"] } });
  await put(AMS, { automatic_return_routing: true });
  const on = await revision(server);
  await put(AMS, { automatic_return_routing: false });
  await server.ask("PUT", settings, { body: { flags: [] } });
  const reply = await revert(on + 1);
  expect(verdict(reply)).toBe("200");
  expect(reply.body.messages).toEqual([
    { code: 990902, message: expect.stringContaining("today's rules would not admit") },
  ]);
  const after = await server.ask("GET", one(AMS));
  expect(after.body.result.interconnect.automatic_return_routing).toBe(true);
});

describe("an account that is restored", () => {
  test("is as it was at that revision, what was removed included, by one change", async () => {
    await put(ORD, { mtu: 1300 });
    const then = await state();
    await put(ORD, { mtu: 1400, name: "x" });
    await put(AMS, { name: "pni_ord" });
    await server.ask("DELETE", ROUTES);
    await put(SIN, { description: "" });
    const reply = await restore(2);
    expect(verdict(reply)).toBe("200");
    expect(await state()).toEqual(then);
    expect(reply.body.result).toMatchObject({ revision: 7, operation: "restoreAccount", restores: 2 });
    expect(verdict(await revert(7))).toBe("200");
    expect(verdict(await restore(2))).toBe("200");
    expect(await state()).toEqual(then);
  });

  test("that is there already is left as it is", async () => {
    const reply = await untouched(server, () => restore(1));
    expect(reply.body).toMatchObject({ result: null, messages: [{ code: 990901 }] });
  });
});

describe("a condition is on the account as a whole:", () => {
  const undos: readonly (readonly [string, (asked: Ask, query?: string) => Promise<Reply>])[] = [
    ["a revert", (asked, query) => revert(2, asked, query)],
    ["a restoration", (asked, query) => restore(1, asked, query)],
  ];
  const under = (tag: string): Ask => ({ headers: { "if-match": tag } });
  const tagOf = async () => (await server.ask("GET", `${OWN}/state`)).headers.get("etag") ?? "";

  test.each(undos)("%s that was only judged tells what on, and is made under that", async (_, undo) => {
    await put(ORD, { mtu: 1300 });
    const judged = await undo({}, "?validate_only=1");
    expect(judged.headers.get("etag")).toBe(await tagOf());
    const reply = await undo(under(await tagOf()));
    expect(verdict(reply)).toBe("200");
    expect(reply.headers.get("etag")).toBe(await tagOf());
  });

  test.each(undos)("%s is not made if anything was changed since", async (_, undo) => {
    await put(ORD, { mtu: 1300 });
    const tag = await tagOf();
    await put(SIN, { mtu: 1300 });
    expect(verdict(await untouched(server, () => undo(under(tag))))).toBe("412 990014");
  });
});

describe("who may", () => {
  const reader = { token: "demo-magic-read-only-token-0000000000000" };
  const writer = { token: "demo-wan-write-token-0000000000000000000" };

  test("undo is who may do it, or who administers the account", async () => {
    await put(ORD, { mtu: 1300 });
    expect(verdict(await untouched(server, () => revert(2, reader)))).toBe("403 10000");
    expect(verdict(await revert(2, writer))).toBe("200");
  });

  test("a change of the settings is not undone by who may only write interconnects", async () => {
    await server.ask("PUT", `${OWN}/settings`, { body: { pools: { link: [] } } });
    expect(verdict(await untouched(server, () => revert(2, writer)))).toBe("403 10000");
    expect(verdict(await untouched(server, () => restore(1, writer)))).toBe("403 10000");
    expect(verdict(await revert(2))).toBe("200");
    expect(verdict(await untouched(server, () => revert(3, writer)))).toBe("403 10000");
  });
});

describe("is refused", () => {
  test.each<[string, () => Promise<Reply>, string]>([
    ["the beginning", () => revert(1), "409 990135"],
    ["a change that is not there", () => revert(9), "404 990024"],
    ["no number", () => server.ask("POST", `${OWN}/changes/x/revert`), "404 990024"],
    ["a body of an undo", () => revert(2, { body: { a: 1 } }), "400 1020"],
    ["a revision to come", () => restore(9), "404 990024"],
    ["a revision before the first", () => restore(0), "400 1020"],
    ["no revision", () => server.ask("POST", `${OWN}/restore`, { body: {} }), "400 1020"],
    ["another query", () => server.ask("POST", `${OWN}/changes/1/revert?force=1`), "400 990009"],
  ])("%s", async (_, act, wanted) => {
    expect(verdict(await untouched(server, act)).replace(/^(\d{3}) .*/, "$1")).toBe(wanted.slice(0, 3));
  });

  test("a reason with what is no text", async () => {
    for (const reason of ["\u00ff", "a\u0085b".replace("\u0085", "\u00c2\u0085"), "x".repeat(501)]) {
      const headers = { "x-patchbay-reason": reason };
      expect(verdict(await untouched(server, () => put(ORD, { mtu: 1300 }, headers)))).toMatch(/^400/);
    }
  });
});

test("a reason is kept with the change, in UTF-8, and nothing else of the request changes", async () => {
  const reason = "Wartung: Österreich → Slot 7";
  const headers = { "x-patchbay-reason": Buffer.from(reason).toString("latin1") };
  expect(verdict(await put(ORD, { mtu: 1300 }, headers))).toBe("200");
  expect((await record(2)).reason).toBe(reason);
});
