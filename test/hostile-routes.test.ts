import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Path, pointer } from "./harness/hostile-bodies.ts";
import {
  expectNoKeyTwice,
  expectUnknown,
  expectWhatItCanBe,
  type GoodBody,
  LONG,
  placesOf,
} from "./harness/hostile-suite.ts";
import { demo, problems, ROUTES, startTestServer, type TestServer } from "./harness/server.ts";
import { untouched, verdict } from "./harness/standing.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const route = {
  prefix: "192.0.2.0/24",
  nexthop: "10.213.0.9",
  priority: 200,
  description: "all fields at once",
  weight: 256,
  scope: { colo_names: ["den01"], colo_regions: ["APAC"] },
};
const stamps = { created_on: "2017-06-14T00:00:00Z", modified_on: "2017-06-14T05:20:00Z" };
const id = demo.route;

/** Every body that a route operation takes, and where the route stands in it. */
const bodies = [
  { title: "create of one", method: "POST", path: ROUTES, body: route, at: [] },
  { title: "create of many", method: "POST", path: ROUTES, body: { routes: [route] }, at: ["routes", 0] },
  {
    title: "update of one",
    method: "PUT",
    path: `${ROUTES}/${id}`,
    body: { id, ...stamps, ...route },
    at: [],
  },
  {
    title: "update of many",
    method: "PUT",
    path: ROUTES,
    body: { routes: [{ id, ...stamps, ...route }] },
    at: ["routes", 0],
  },
  { title: "delete of many", method: "DELETE", path: ROUTES, body: { routes: [{ id }] }, at: ["routes", 0] },
] as const;

/** Where one of the odd values is one that the field takes. */
const legal: Record<string, string[]> = {
  "/created_on": ['""', '"x"', LONG],
  "/modified_on": ['""', '"x"', LONG],
  "/description": ['""', '"x"'],
  "/priority": ["0"],
  "/scope": ["{}"],
  "/scope/colo_names": ["[]"],
  "/scope/colo_names/0": ['"x"'],
  "/scope/colo_regions": ["[]"],
};

function isLegal(method: string, place: Path, at: Path, json: string): boolean {
  const name = pointer(place);
  const wrapped = at.length > 0;
  if (wrapped && name === "/routes") return json === "[]";
  if (name === "" && method === "PUT") return json === "{}" || (wrapped && json === "[]");
  // An empty list is no route, and a delete that names none removes none.
  if (name === "" && method === "DELETE") return json === "[]";
  return legal[name.slice(pointer(at).length)]?.includes(json) ?? false;
}

describe.each(bodies)("in the body of the $title", ({ method, path, body, at }) => {
  const send = (text: string) => server.ask(method, path, { body: text });
  const good: GoodBody = { body, send, isLegal: (place, json) => isLegal(method, place, at, json) };

  test("without anything wrong, it is taken", async () => {
    await server.reset();
    expect(verdict(await send(JSON.stringify(body)))).toBe("200");
  });

  test.each(placesOf(body))("$name is what it can be, or refused", ({ place }) =>
    expectWhatItCanBe(server, good, place),
  );

  test("a key that stands twice is refused at its place, at every depth", () =>
    expectNoKeyTwice(server, good));

  test.each(["__proto__", "constructor", "toString", "", "a/b~c", "0", "💥"])(
    "a key named %j is one that is not known, at every depth",
    (key) => expectUnknown(server, good, key, ['{"priority":1,"polluted":true}']),
  );

  test.each(["{", "[1,]", "NaN", "", '{"routes":[]}}'])("%j is no JSON", async (text) => {
    // Without a body, a delete is of all.
    if (method === "DELETE" && text === "") return;
    expect(verdict(await untouched(server, () => send(text)))).toBe("400 1022");
  });
});

test("more than 10,000 elements are refused, and 10,000 are taken", async () => {
  await server.reset();
  const routes = Array.from({ length: 10_000 }, (_, priority) => ({ ...route, priority }));
  const more = [...routes, { ...route, priority: 10_000 }];
  for (const method of ["POST", "PUT", "DELETE"]) {
    const reply = await untouched(server, () => server.ask(method, ROUTES, { body: { routes: more } }));
    expect(problems(reply)).toEqual(["990018 /routes"]);
  }
  const made = await server.ask("POST", ROUTES, { body: { routes } });
  expect(made.body.result.routes).toHaveLength(10_000);
  const gone = await server.ask("DELETE", ROUTES);
  expect(gone.body.result.deleted_routes).toHaveLength(10_001);
});

test.each(["..%2f", "%00", "x".repeat(500), "{}", "__proto__", "null", "%F0%9F%92%A5"])(
  "a route called %s is not there",
  async (name) => {
    for (const method of ["GET", "PUT", "DELETE"]) {
      const body = method === "PUT" ? { body: {} } : {};
      const reply = await untouched(server, () => server.ask(method, `${ROUTES}/${name}`, body));
      expect(verdict(reply)).toBe("404 1020");
    }
  },
);
