import Cloudflare from "cloudflare";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { clientOf } from "./harness/client.ts";
import {
  ACCOUNT,
  type Ask,
  demo,
  one as interconnect,
  ORD,
  OWN,
  problems,
  ROUTES,
  SIN,
  startTestServer,
  type TestServer,
} from "./harness/server.ts";
import { revision, untouched, verdict } from "./harness/standing.ts";
import { temporaryDirectory } from "./harness/temporary.ts";

const account_id = ACCOUNT;
const one = (id: string) => `${ROUTES}/${id}`;
const SEEDED = {
  id: demo.route,
  created_on: "2017-06-14T00:00:00Z",
  description: "Branch office behind ORD",
  modified_on: "2017-06-14T00:00:00Z",
  nexthop: "10.213.0.9",
  prefix: "172.16.10.0/24",
  priority: 100,
};
const FULL = {
  prefix: "192.0.2.0/24",
  nexthop: "10.213.0.14",
  priority: 200,
  description: "all there is",
  weight: 256,
  scope: { colo_names: ["den01"], colo_regions: ["APAC", "WEUR"] },
};
const ID = /^[0-9a-f]{32}$/;

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
beforeEach(() => server.reset());
afterAll(() => server.close());

const list = async () => (await server.ask("GET", ROUTES)).body.result.routes;
const make = (body: unknown, asked: Ask = {}) => server.ask("POST", ROUTES, { ...asked, body });

describe.each([
  ["token", {}],
  ["email and key", { apiToken: null, apiEmail: demo.email, apiKey: demo.key }],
])("the official client with %s", (_, options) => {
  test("creates, lists, gets, updates, updates many, deletes and empties", async () => {
    const { routes } = clientOf(server, options).magicTransit;
    const made = await routes.create({ account_id, ...FULL });
    expect(made).toMatchObject(FULL);
    expect(made.id).toMatch(ID);
    expect((await routes.list({ account_id })).routes).toEqual([SEEDED, made]);

    const updated = await routes.update(made.id, { account_id, ...FULL, priority: 50 });
    expect(updated).toMatchObject({
      modified: true,
      modified_route: { id: made.id, priority: 50, weight: 256 },
    });
    expect((await routes.get(made.id, { account_id })).route).toEqual(updated.modified_route);

    const both = [SEEDED, FULL].map(({ prefix, nexthop }, at) => ({
      id: at === 0 ? demo.route : made.id,
      prefix,
      nexthop,
      priority: 7,
    }));
    const many = await routes.bulkUpdate({ account_id, routes: both });
    expect(many.modified_routes?.map(({ id, priority }) => [id, priority])).toEqual([
      [demo.route, 7],
      [made.id, 7],
    ]);

    expect(await routes.delete(demo.route, { account_id })).toMatchObject({
      deleted: true,
      deleted_route: { id: demo.route, priority: 7 },
    });
    expect(await routes.empty({ account_id })).toMatchObject({
      deleted: true,
      deleted_routes: [{ id: made.id }],
    });
    expect((await routes.list({ account_id })).routes).toEqual([]);
    expect(await routes.empty({ account_id })).toEqual({ deleted: false, deleted_routes: [] });
  });

  test("raises its own error classes", async () => {
    const { routes } = clientOf(server, options).magicTransit;
    await expect(routes.get("0".repeat(32), { account_id })).rejects.toBeInstanceOf(Cloudflare.NotFoundError);
    const wrong = routes.create({ account_id, ...FULL, nexthop: "10.9.9.9" });
    await expect(wrong).rejects.toMatchObject({ status: 400, errors: [{ code: 990043 }] });
  });
});

describe("creating", () => {
  test("takes the older form, a list under routes, all or nothing, and answers in that form", async () => {
    const routes = [1, 2, 3].map((priority) => ({ prefix: "10.1.0.0/16", nexthop: "10.213.0.9", priority }));
    const { body } = await make({ routes });
    expect(body.result.routes).toMatchObject(routes);
    expect(await list()).toEqual([SEEDED, ...body.result.routes]);
    const wrong = [...routes.map((route) => ({ ...route, priority: route.priority + 10 })), { prefix: "x" }];
    const refused = await untouched(server, () => make({ routes: wrong }));
    expect(problems(refused)).toEqual(["990022 /routes/3", "990022 /routes/3"]);
  });

  test("is one change of the log, each route whole in it", async () => {
    const { body } = await make({ ...FULL, prefix: "192.0.2.0/24" });
    const { id, created_on } = body.result;
    const log = await server.ask("GET", `${OWN}/changes?limit=1`);
    expect(log.body.result[0]).toMatchObject({
      revision: 2,
      operation: "createRoutes",
      objects: [{ kind: "route", id, name: "192.0.2.0/24 via 10.213.0.14", action: "create" }],
    });
    expect(log.body.result[0].objects[0].fields).toMatchObject({
      prefix: { after: "192.0.2.0/24" },
      "scope.colo_names": { after: ["den01"] },
      created_on: { after: created_on },
    });
  });

  test("that is only to be judged makes nothing", async () => {
    const reply = await untouched(server, () =>
      server.ask("POST", `${ROUTES}?validate_only=true`, { body: FULL }),
    );
    expect(reply.body).toMatchObject({ result: FULL, messages: [{ code: 990900 }] });
    expect(reply.headers.get("etag")).toBeNull();
  });

  test("twice, as a retry after a lost answer does, makes one route and says which it is", async () => {
    const { body } = await make(FULL);
    const scope = { colo_names: ["den01"], colo_regions: ["WEUR", "APAC"] };
    const again = await untouched(server, () => make({ ...FULL, scope, description: "another" }));
    expect(problems(again)).toEqual(["990045 /prefix"]);
    expect(again.body.errors[0].message).toContain(body.result.id);
    const twins = await untouched(server, () =>
      make({ routes: [1, 2].map(() => ({ ...FULL, priority: 1 })) }),
    );
    expect(problems(twins)).toEqual(["990045 /routes/1/prefix"]);
    for (const other of [
      { priority: 201 },
      { nexthop: "10.213.0.9" },
      { scope: {} },
      { prefix: "192.0.2.0/25" },
    ])
      expect(verdict(await make({ ...FULL, ...other }))).toBe("200");
  });

  test.each([[], null, "x", 1, [FULL]])("refuses the body %j", async (body) => {
    expect(verdict(await untouched(server, () => make(JSON.stringify(body))))).toBe("400 1022");
  });
});

describe("a field", () => {
  interface Row {
    readonly given: object;
    readonly refused?: string;
    readonly says?: string;
    readonly shown?: object;
  }
  const rows: Row[] = [
    { given: { prefix: "192.0.2.1/24" }, refused: "990023 /prefix", says: "192.0.2.0/24" },
    { given: { prefix: "192.0.2.0" }, refused: "990023 /prefix", says: "such as 192.0.2.0/24" },
    { given: { prefix: "0.0.0.0/0" } },
    { given: { prefix: "2001:DB8:0::/48" }, refused: "990023 /nexthop", says: "an IPv6 address" },
    {
      given: { prefix: "2001:DB8:0::/48", nexthop: "2606:54c1:7:0:a9fe:12d2:1:201" },
      shown: { prefix: "2001:db8::/48", nexthop: "2606:54c1:7:0:a9fe:12d2:1:201" },
    },
    {
      given: { prefix: "2001:db8::/48", nexthop: "2606:54C1:7:0:a9fe:12d2:1:200" },
      refused: "990044 /nexthop",
      says: "2606:54c1:7:0:a9fe:12d2:1:201",
    },
    {
      given: { nexthop: "2606:54c1:7:0:a9fe:12d2:1:201" },
      refused: "990023 /nexthop",
      says: "an IPv4 address",
    },
    { given: { nexthop: "10.213.0.8" }, refused: "990044 /nexthop", says: `interconnect ${ORD} (pni_ord)` },
    {
      given: { nexthop: "10.213.0.12" },
      refused: "990044 /nexthop",
      says: "its customer's end is 10.213.0.14",
    },
    { given: { nexthop: "10.213.0.15" }, refused: "990044 /nexthop" },
    { given: { nexthop: "10.213.0.14" } },
    { given: { nexthop: "10.213.0.11" } },
    { given: { nexthop: "10.213.1.1" }, refused: "990043 /nexthop" },
    { given: { nexthop: "10.213.0.9/31" }, refused: "990023 /nexthop" },
    { given: { priority: -1 }, refused: "990023 /priority" },
    { given: { priority: 1.5 }, refused: "1022 /priority" },
    { given: { weight: 0 }, refused: "990023 /weight" },
    { given: { weight: 257 }, refused: "990023 /weight" },
    { given: { weight: 1 } },
    { given: { scope: { colo_regions: ["MARS"] } }, refused: "990023 /scope/colo_regions/0", says: '"APAC"' },
    { given: { scope: { colo_names: [""] } }, refused: "990023 /scope/colo_names/0" },
    { given: { scope: { places: [] } }, refused: "990020 /scope/places" },
    { given: { description: null }, refused: "1022 /description", says: "updating Route" },
    { given: { nextop: "10.213.0.9" }, refused: "990020 /nextop", says: "nexthop" },
  ];
  const base = { prefix: "192.0.2.0/24", nexthop: "10.213.0.9", priority: 300 };

  test.each(rows)("$given is judged alike when a route is made and when it is changed", async (row) => {
    const { given, refused, says = "", shown = given } = row;
    if (refused === undefined) {
      const made = await make({ ...base, ...given });
      expect(made.body.result).toMatchObject({ ...base, ...shown });
      await server.ask("DELETE", one(made.body.result.id));
      const { body } = await make(base);
      const changed = await server.ask("PUT", one(body.result.id), { body: given });
      expect(changed.body.result.modified_route).toMatchObject({ ...base, ...shown });
      return;
    }
    const { body } = await make(base);
    const replies = await untouched(server, async () => [
      await make({ ...base, priority: 301, ...given }),
      await server.ask("PUT", one(body.result.id), { body: given }),
    ]);
    for (const reply of replies) {
      expect(problems(reply)).toEqual([refused]);
      expect(reply.body.errors[0].message).toContain(says);
    }
    const many = await server.ask("PUT", ROUTES, { body: { routes: [{ id: body.result.id, ...given }] } });
    expect(problems(many)).toEqual([refused.replace(" ", " /routes/0")]);
  });
});

describe("updating", () => {
  test("keeps what is left out, at every depth, and clears by what is empty", async () => {
    const { id } = (await make(FULL)).body.result;
    const put = async (body: object) =>
      (await server.ask("PUT", one(id), { body })).body.result.modified_route;
    expect(await put({ weight: 5 })).toMatchObject({ ...FULL, weight: 5 });
    expect((await put({ scope: { colo_names: [] } })).scope).toEqual({ colo_regions: ["APAC", "WEUR"] });
    expect((await put({ scope: { colo_names: ["ams01"] } })).scope).toEqual({
      colo_names: ["ams01"],
      colo_regions: ["APAC", "WEUR"],
    });
    const bare = await put({ scope: { colo_names: [], colo_regions: [] }, description: "" });
    expect(Object.keys(bare)).toEqual([
      "id",
      "created_on",
      "modified_on",
      "nexthop",
      "prefix",
      "priority",
      "weight",
    ]);
  });

  test("with what was read changes nothing, and is no change of the log", async () => {
    const before = await revision(server);
    const reply = await server.ask("PUT", one(demo.route), { body: SEEDED });
    expect(reply.body.result).toEqual({ modified: true, modified_route: SEEDED });
    const many = await server.ask("PUT", ROUTES, { body: { routes: [SEEDED] } });
    expect(many.body.result).toEqual({ modified: true, modified_routes: [SEEDED] });
    expect(await revision(server)).toBe(before);
  });

  test("a route whose next hop's subnet has moved is possible, but not to that next hop anew", async () => {
    await server.ask("PUT", interconnect(ORD), { body: { interface_address: "10.213.0.20/31" } });
    const kept = await server.ask("PUT", one(demo.route), { body: { ...SEEDED, priority: 9 } });
    expect(kept.body.result.modified_route).toMatchObject({ priority: 9, nexthop: "10.213.0.9" });
    expect(problems(await make({ ...FULL, nexthop: "10.213.0.9" }))).toEqual(["990043 /nexthop"]);
    expect(verdict(await make({ ...FULL, nexthop: "10.213.0.21" }))).toBe("200");
  });

  test("many is all or nothing, tells all problems, and lets two routes swap what tells them apart", async () => {
    const second = (
      await make({ ...SEEDED, id: undefined, created_on: undefined, modified_on: undefined, priority: 1 })
    ).body.result;
    const swap = [
      { id: demo.route, priority: 1 },
      { id: second.id, priority: 100 },
    ];
    const reply = await server.ask("PUT", ROUTES, { body: { routes: swap } });
    expect(reply.body.result.modified_routes).toMatchObject(swap);
    const wrong = [
      { id: demo.route, priority: 5 },
      { id: demo.route },
      { id: "0".repeat(32) },
      { priority: 5 },
      { id: second.id, weight: 0 },
    ];
    const refused = await untouched(server, () => server.ask("PUT", ROUTES, { body: { routes: wrong } }));
    expect(problems(refused)).toEqual([
      "990026 /routes/1/id",
      "990042 /routes/2/id",
      "990022 /routes/3",
      "990023 /routes/4/weight",
    ]);
  });

  test("refuses another id than that of the path, and a route that is not there", async () => {
    const body = { id: "0".repeat(32) };
    expect(problems(await server.ask("PUT", one(demo.route), { body }))).toEqual(["990021 /id"]);
    expect(verdict(await server.ask("PUT", one("0".repeat(32)), { body }))).toBe("404 1020");
    expect(verdict(await server.ask("GET", one("0".repeat(32))))).toBe("404 1020");
    expect(verdict(await server.ask("DELETE", one("0".repeat(32))))).toBe("404 1020");
  });
});

describe("deleting", () => {
  test("many removes those that are named, all or none, and all without a body", async () => {
    const made = (await make({ routes: [1, 2, 3].map((priority) => ({ ...FULL, priority })) })).body.result
      .routes;
    const [first, second, third] = made;
    const named = await server.ask("DELETE", ROUTES, {
      body: { routes: [{ id: first.id }, { id: third.id }] },
    });
    expect(named.body.result).toEqual({ deleted: true, deleted_routes: [first, third] });
    const wrong = { routes: [{ id: second.id }, { id: first.id }, {}] };
    const refused = await untouched(server, () => server.ask("DELETE", ROUTES, { body: wrong }));
    expect(problems(refused)).toEqual(["990042 /routes/1/id", "990022 /routes/2"]);
    for (const body of ["{}", "[", "null"])
      expect((await untouched(server, () => server.ask("DELETE", ROUTES, { body }))).status).toBe(400);
    const all = await server.ask("DELETE", ROUTES);
    expect(all.body.result).toEqual({ deleted: true, deleted_routes: [SEEDED, second] });
    expect(await list()).toEqual([]);
  });

  test("that is only to be judged removes nothing", async () => {
    for (const path of [ROUTES, one(demo.route)]) {
      const reply = await untouched(server, () => server.ask("DELETE", `${path}?validate_only=true`));
      expect(reply.body.messages).toMatchObject([{ code: 990900 }]);
    }
  });
});

test("conditions hold on one route and on all of them, and interconnects have nothing to do with it", async () => {
  const all = await server.ask("GET", ROUTES);
  const tag = all.headers.get("etag") ?? "";
  await server.ask("PUT", interconnect(SIN), { body: { mtu: 1400 } });
  expect((await server.ask("GET", ROUTES, { headers: { "if-none-match": tag } })).status).toBe(304);
  expect(verdict(await make(FULL, { headers: { "if-match": tag } }))).toBe("200");
  for (const method of ["PUT", "POST", "DELETE"]) {
    const body = method === "POST" ? { ...FULL, priority: 1 } : { routes: [{ id: demo.route }] };
    const late = await untouched(server, () =>
      server.ask(method, ROUTES, { headers: { "if-match": tag }, body }),
    );
    expect(verdict(late)).toBe("412 990014");
  }
  const { headers } = await server.ask("GET", one(demo.route));
  const match = { "if-match": headers.get("etag") ?? "" };
  expect(verdict(await server.ask("PUT", one(demo.route), { headers: match, body: { weight: 3 } }))).toBe(
    "200",
  );
  expect(verdict(await server.ask("DELETE", one(demo.route), { headers: match }))).toBe("412 990014");
});

test("routes are there after a restart, in the state of the account and in no other's", async () => {
  const data = temporaryDirectory();
  let own = await startTestServer({ data });
  const made = (await own.ask("POST", ROUTES, { body: FULL })).body.result;
  await own.ask("DELETE", one(demo.route));
  await own.close();
  own = await startTestServer({ data });
  const { body } = await own.ask("GET", `${OWN}/state`);
  expect(body.result.routes).toEqual([made]);
  const foreign = "b1b2c3d4e5f60718293a4b5c6d7e8f90";
  expect(verdict(await own.ask("GET", one(foreign)))).toBe("404 1020");
  await own.close();
});

test("a seed's routes are judged like any", async () => {
  const text = `
accounts:
  - id: ${ACCOUNT}
    name: one
    interconnects: [{ id: "${ORD}", name: a, version: "2", interface_address: 10.0.0.0/31 }]
    routes: [{ id: "${SIN}", prefix: 192.0.2.0/24, nexthop: 10.0.0.0, priority: 1 }]`;
  const starting = startTestServer({}, { seed: { name: "wrong", text } });
  await expect(starting).rejects.toThrow(
    /^wrong:6:\d+: The next hop 10\.0\.0\.0 .* its customer's end is 10\.0\.0\.1\.$/,
  );
});
