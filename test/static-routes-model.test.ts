import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { isLong } from "./harness/runs.ts";
import { ACCOUNT, OWN, ROUTES, startTestServer, type TestServer } from "./harness/server.ts";

/** The account: two interconnects, no route. Their customer's ends are 10.0.0.1 and 10.0.0.5. */
const seed = `
accounts:
  - id: ${ACCOUNT}
    name: one
    interconnects:
      - { id: "${"1".repeat(32)}", name: a, version: "2", interface_address: 10.0.0.0/31 }
      - { id: "${"2".repeat(32)}", name: b, version: "2", interface_address: 10.0.0.6/30 }
tokens:
  - id: "${"f".repeat(32)}"
    name: model
    value: ${"m".repeat(40)}
    policies: [{ effect: allow, accounts: ["*"], permission_groups: [Magic WAN Write, Patchbay Read, Patchbay Admin] }]`;
const token = "m".repeat(40);

interface Route {
  readonly prefix: string;
  readonly nexthop: string;
  readonly priority: number;
  readonly weight?: number;
}

/** What is right and what is wrong of each field, by its value. */
const prefixes = { "192.0.2.0/24": true, "198.51.100.0/24": true, "192.0.2.1/24": false } as const;
const hops = { "10.0.0.1": true, "10.0.0.5": true, "10.0.0.0": false, "10.9.9.9": false } as const;
const priorities = { 1: true, 2: true, "-1": false } as const;
const weights = { 1: true, 256: true, 0: false } as const;

const isRight = ({ prefix, nexthop, priority, weight }: Partial<Route>, stored?: Route) =>
  (prefix === undefined || prefix === stored?.prefix || prefixes[prefix as keyof typeof prefixes]) &&
  (nexthop === undefined || nexthop === stored?.nexthop || hops[nexthop as keyof typeof hops]) &&
  (priority === undefined || priorities[priority as keyof typeof priorities]) &&
  (weight === undefined || weights[weight as keyof typeof weights]);

const key = ({ prefix, nexthop, priority }: Route) => `${prefix} ${nexthop} ${priority}`;

/** The routes of an account in the simplest form there is, and how each request moves them. */
class Model {
  routes = new Map<string, Route>();
  revision = 1;

  /** False if the outcome would not do; else that is what there is. */
  #take(routes: Map<string, Route>, before = this.routes): boolean {
    const keys = [...routes.values()].map(key);
    if (new Set(keys).size < keys.length) return false;
    const text = (map: Map<string, Route>) =>
      JSON.stringify([...map].map(([id, route]) => [id, shape(route)]));
    if (text(routes) !== text(before)) this.revision++;
    this.routes = routes;
    return true;
  }

  /** `ids` are those that the server gave, in the order of the request. */
  create(wanted: readonly Route[], ids: readonly string[]): boolean {
    if (!wanted.every((route) => isRight(route))) return false;
    const fresh = wanted.map((route, at) => [ids[at] ?? `none ${at}`, route] as const);
    return this.#take(new Map([...this.routes, ...fresh]));
  }

  update(wanted: readonly { readonly id: string; readonly fields: Partial<Route> }[]): boolean {
    if (new Set(wanted.map(({ id }) => id)).size < wanted.length) return false;
    const routes = new Map(this.routes);
    for (const { id, fields } of wanted) {
      const stored = routes.get(id);
      if (!stored || !isRight(fields, stored)) return false;
      routes.set(id, { ...stored, ...fields });
    }
    return this.#take(routes);
  }

  remove(ids: readonly string[]): boolean {
    if (new Set(ids).size < ids.length || ids.some((id) => !this.routes.has(id))) return false;
    return this.#take(new Map([...this.routes].filter(([id]) => !ids.includes(id))));
  }
}

function shape({ prefix, nexthop, priority, weight }: Route): Route {
  return weight === undefined ? { prefix, nexthop, priority } : { prefix, nexthop, priority, weight };
}

const one = <T extends object>(values: T) =>
  // Right ones more often, so that sequences get somewhere.
  fc.constantFrom(
    ...Object.keys(values),
    ...Object.keys(values).slice(0, 2),
    ...Object.keys(values).slice(0, 2),
  );
const whole = fc.record(
  {
    prefix: one(prefixes),
    nexthop: one(hops),
    priority: one(priorities).map(Number),
    weight: one(weights).map(Number),
  },
  { requiredKeys: ["prefix", "nexthop", "priority"] },
);
const part = fc.record(
  {
    prefix: one(prefixes),
    nexthop: one(hops),
    priority: one(priorities).map(Number),
    weight: one(weights).map(Number),
  },
  { requiredKeys: [] },
);
/** Which route is meant, as a number among those there are; past them, one that is not there. */
const which = fc.nat(5);

const request = fc.oneof(
  fc.record({ what: fc.constant("create" as const), route: whole }),
  fc.record({ what: fc.constant("create many" as const), routes: fc.array(whole, { maxLength: 3 }) }),
  fc.record({ what: fc.constant("update" as const), at: which, fields: part }),
  fc.record({
    what: fc.constant("update many" as const),
    all: fc.array(fc.record({ at: which, fields: part }), { maxLength: 3 }),
  }),
  fc.record({ what: fc.constant("delete" as const), at: which }),
  fc.record({ what: fc.constant("delete many" as const), at: fc.array(which, { maxLength: 2 }) }),
  fc.record({ what: fc.constant("delete all" as const) }),
);
type Request = typeof request extends fc.Arbitrary<infer T> ? T : never;

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({}, { seed: { name: "model", text: seed } });
});
afterAll(() => server.close());

/** Sends a request, and lets the model say whether it should have been taken. */
async function play(model: Model, asked: Request, dry: boolean): Promise<{ status: number; right: boolean }> {
  const ids = [...model.routes.keys()];
  const idAt = (at: number) => ids[at] ?? "0".repeat(32);
  const query = dry ? "?validate_only=true" : "";
  const send = async (method: string, path: string, body?: unknown) =>
    server.ask(method, path + query, body === undefined ? { token } : { token, body });
  const judge = dry ? Object.assign(new Model(), { routes: model.routes, revision: model.revision }) : model;
  switch (asked.what) {
    case "create": {
      const { status, body } = await send("POST", ROUTES, asked.route);
      return { status, right: judge.create([asked.route], [body.result?.id]) };
    }
    case "create many": {
      const { status, body } = await send("POST", ROUTES, { routes: asked.routes });
      const made = (body.result?.routes ?? []).map(({ id }: { id: string }) => id);
      return { status, right: judge.create(asked.routes, made) };
    }
    case "update": {
      const id = idAt(asked.at);
      const { status } = await send("PUT", `${ROUTES}/${id}`, asked.fields);
      return { status, right: judge.update([{ id, fields: asked.fields }]) };
    }
    case "update many": {
      const wanted = asked.all.map(({ at, fields }) => ({ id: idAt(at), fields }));
      const { status } = await send("PUT", ROUTES, {
        routes: wanted.map(({ id, fields }) => ({ id, ...fields })),
      });
      return { status, right: judge.update(wanted) };
    }
    case "delete": {
      const { status } = await send("DELETE", `${ROUTES}/${idAt(asked.at)}`);
      return { status, right: judge.remove([idAt(asked.at)]) };
    }
    case "delete many": {
      const wanted = asked.at.map(idAt);
      const { status } = await send("DELETE", ROUTES, { routes: wanted.map((id) => ({ id })) });
      return { status, right: judge.remove(wanted) };
    }
    case "delete all":
      return { status: (await send("DELETE", ROUTES)).status, right: judge.remove(ids) };
  }
}

test("after any sequence of requests, server and model agree on routes, revision and log", async () => {
  const counts = { taken: 0, refused: 0 };
  const sequence = fc.array(fc.tuple(request, fc.integer({ min: 0, max: 4 })), {
    maxLength: 16,
    size: "max",
  });
  const property = fc.asyncProperty(sequence, async (requests) => {
    await server.reset();
    const model = new Model();
    for (const [asked, dice] of requests) {
      const { status, right } = await play(model, asked, dice === 0);
      counts[right ? "taken" : "refused"]++;
      expect(status < 300, JSON.stringify(asked)).toBe(right);
      const { body } = await server.ask("GET", `${OWN}/state`, { token });
      expect(body.result.revision, JSON.stringify(asked)).toBe(model.revision);
      expect(body.result.routes.map((route: Route & { id: string }) => [route.id, shape(route)])).toEqual(
        [...model.routes].map(([id, route]) => [id, shape(route)]),
      );
    }
    const { body } = await server.ask("GET", `${OWN}/changes?after=1&limit=100`, { token });
    expect(body.result).toHaveLength(model.revision - 1);
  });
  await fc.assert(property, { numRuns: isLong ? 3_000 : 150 });
  console.log(`${counts.taken} requests on routes taken, ${counts.refused} refused`);
  expect(counts.taken).toBeGreaterThan(200);
  expect(counts.refused).toBeGreaterThan(200);
});
