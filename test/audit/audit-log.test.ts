import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { ALWAYS, allOf, audit, type Entry, urlOf } from "../harness/audit.ts";
import { USER } from "../harness/directory.ts";
import {
  ACCOUNT,
  demo,
  LIST,
  ORD,
  OTHER_ACCOUNT,
  OWN,
  one,
  ROUTES,
  SIN,
  startTestServer,
  type TestServer,
} from "../harness/server.ts";
import { SetClock } from "../harness/set-clock.ts";
import { verdict } from "../harness/standing.ts";

const TRANSIT_READ_ONLY = "demo-transit-read-only-token-00000000000";
const READ_ONLY = "demo-magic-read-only-token-0000000000000";
const everything = "ed17574386854bf78a67040be0a770b0";
const byKey = { token: null, headers: { "x-auth-email": demo.email, "x-auth-key": demo.key } };

const clock = new SetClock("2026-03-01T00:00:00Z");
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({}, { clock });
});
beforeEach(async () => {
  clock.set("2026-03-01T00:00:00Z");
  await server.reset();
});
afterAll(() => server.close());

const put = (path: string, body: unknown, asked = {}) => server.ask("PUT", path, { ...asked, body });

/** The newest entry. */
async function newest(query = {}): Promise<Entry> {
  const { body } = await audit(server, { limit: 1, ...query });
  return body.result[0];
}

/** Makes changes at these times of the second of March, one each. */
async function changeAt(...times: string[]): Promise<void> {
  for (const time of times) {
    clock.set(`2026-03-02T${time}Z`);
    await put(one(ORD), { description: `at ${time}` });
  }
}

const times = (entries: readonly Entry[]) => entries.map(({ action }) => action.time.slice(11, 23));

describe("an entry tells", () => {
  test("who did what to which object when, from where, by which request", async () => {
    clock.set("2026-03-02T10:00:00Z");
    const reply = await put(one(ORD), { mtu: 1400, bgp: { md5_key: "not-to-be-shown" } });
    const { epoch } = (await server.ask("GET", `${OWN}/state`)).body.result;
    expect(await newest()).toEqual({
      id: `${epoch}a000000000000002`,
      account: { id: ACCOUNT, name: "Demonstration" },
      action: {
        description: "Update interconnect: pni_ord",
        result: "success",
        time: "2026-03-02T10:00:00.000000Z",
        type: "update",
      },
      actor: {
        context: "api_token",
        email: demo.email,
        id: USER,
        ip_address: "127.0.0.1",
        token_id: everything,
        token_name: "everything",
        type: "user",
      },
      raw: {
        cf_ray_id: reply.headers.get("cf-ray"),
        method: "PUT",
        status_code: 200,
        uri: `/accounts/${ACCOUNT}/magic/cf_interconnects/${ORD}`,
      },
      resource: {
        id: ORD,
        product: "magic",
        response: {
          log: "account",
          revision: 2,
          count: 1,
          objects: [
            {
              kind: "interconnect",
              id: ORD,
              name: "pni_ord",
              action: "update",
              fields: {
                mtu: { before: 1476, after: 1400 },
                "bgp.md5_key": { after: "(masked)" },
              },
            },
          ],
        },
        scope: "accounts",
        type: "interconnect",
      },
    });
  });

  test("a user by key as the vendor does", async () => {
    await put(one(ORD), { mtu: 1400 }, byKey);
    expect((await newest()).actor).toEqual({
      context: "api_key",
      email: demo.email,
      id: "7c5dae5552338874e5053f2534d2767a",
      ip_address: "127.0.0.1",
      type: "user",
    });
  });

  test("of a request for many how many, of the first ten what, and of one kind which", async () => {
    const routes = Array.from({ length: 12 }, (_, priority) => ({
      prefix: "192.0.2.0/24",
      nexthop: "10.213.0.9",
      priority,
    }));
    await server.ask("POST", ROUTES, { body: { routes } });
    const { action, raw, resource } = await newest();
    expect(action).toMatchObject({ description: "Create a route: 12 objects", type: "create" });
    expect(raw).toMatchObject({ method: "POST", uri: `/accounts/${ACCOUNT}/magic/routes` });
    expect(resource).toMatchObject({ type: "route", response: { count: 12 } });
    expect(resource).not.toHaveProperty("id");
    expect(resource.response.objects).toHaveLength(10);
  });

  test.each([
    [
      "create",
      () =>
        server.ask("POST", ROUTES, { body: { prefix: "192.0.2.0/24", nexthop: "10.213.0.9", priority: 1 } }),
    ],
    [
      "update",
      () =>
        put(LIST, {
          interconnects: [
            { id: ORD, mtu: 1400 },
            { id: SIN, mtu: 1400 },
          ],
        }),
    ],
    ["delete", () => server.ask("DELETE", `${ROUTES}/${demo.route}`)],
  ])("%s, by what became of its objects", async (type, act) => {
    await act();
    expect((await newest()).action.type).toBe(type);
  });

  test("the seed, as what Patchbay did itself, in the account and in the directory", async () => {
    const entries = await allOf(server, { direction: "asc" });
    expect(entries.map(({ resource }) => [resource.response.log, resource.response.count])).toEqual([
      ["directory", expect.any(Number)],
      ["account", 12],
    ]);
    for (const { actor, raw, action } of entries) {
      expect(actor).toEqual({ id: "seed", type: "system" });
      expect(raw).toEqual({ cf_ray_id: "seed" });
      expect(action.description).toMatch(/^seed: \d+ objects$/);
    }
  });

  test("nothing of what changed nothing, nor of what was refused for what it said", async () => {
    await put(one(ORD), { mtu: 1 });
    await put(`${one(ORD)}?validate_only=true`, { mtu: 1400 });
    await put(one(ORD), { mtu: 1476 });
    await server.ask("GET", LIST);
    expect(await allOf(server)).toHaveLength(2);
  });

  test("of another account nothing", async () => {
    await put(`/client/v4/accounts/${OTHER_ACCOUNT}/magic/cf_interconnects`, {
      interconnects: [{ id: "7d793037a0760186574b0282f2f435e7", mtu: 1400 }],
    });
    expect(await allOf(server)).toHaveLength(2);
    const other = await server.ask("GET", urlOf(ALWAYS, `/client/v4/accounts/${OTHER_ACCOUNT}/logs/audit`));
    expect(other.body.result[0]).toMatchObject({
      account: { id: OTHER_ACCOUNT, name: "Other account" },
      resource: { id: "7d793037a0760186574b0282f2f435e7" },
    });
  });
});

describe("the window", () => {
  beforeEach(() => changeAt("00:00:00.000", "10:00:00.000", "10:00:00.001", "23:59:59.999"));

  test.each([
    ["a day", { since: "2026-03-02", before: "2026-03-03" }, 4],
    ["the day before", { since: "2026-03-01", before: "2026-03-02" }, 2],
    ["the day after", { since: "2026-03-03", before: "2026-03-04" }, 0],
    ["from a moment on", { since: "2026-03-02T10:00:00Z", before: "2026-03-03" }, 3],
    ["up to, but not with, a moment", { since: "2026-03-02", before: "2026-03-02T10:00:00.001Z" }, 2],
    ["a millisecond", { since: "2026-03-02T10:00:00.001Z", before: "2026-03-02T10:00:00.002Z" }, 1],
    [
      "between two moments of the log",
      { since: "2026-03-02T10:00:00.0001Z", before: "2026-03-02T10:00:00.0009Z" },
      0,
    ],
    ["a day elsewhere", { since: "2026-03-02T00:00:00+01:00", before: "2026-03-03T00:00:00+01:00" }, 3],
    ["all times there are", { since: "0000-01-01", before: "9999-12-31" }, 6],
  ])("%s", async (_, window, count) => {
    expect(await allOf(server, window)).toHaveLength(count);
    expect(await allOf(server, { ...window, direction: "asc", limit: 1 })).toHaveLength(count);
  });

  test("is the whole log's also when the clock stepped back", async () => {
    await changeAt("12:00:00.000");
    clock.set("2026-03-04T00:00:00Z");
    await put(one(ORD), { mtu: 1400 });
    await changeAt("13:00:00.000");
    const day = await allOf(server, { since: "2026-03-02", before: "2026-03-03" });
    expect(day).toHaveLength(5);
    const later = await allOf(server, { since: "2026-03-02T23:59:59.999Z", before: "2026-03-05" });
    expect(times(later)).toEqual(["00:00:00.000", "00:00:00.000", "23:59:59.999", "23:59:59.999"]);
  });
});

describe("pages", () => {
  const directions = ["desc", "asc"] as const;

  /** Changes and refusals in turn, ten of each. */
  async function mixed(): Promise<void> {
    for (let second = 10; second < 30; second++) {
      clock.set(`2026-03-02T00:00:${second}Z`);
      const token = second % 2 === 0 ? demo.token : READ_ONLY;
      await put(one(ORD), { description: `at ${second}` }, { token });
    }
  }

  test("come newest first unless asked for otherwise, and merge changes with refusals", async () => {
    await mixed();
    const entries = await allOf(server);
    expect(entries).toHaveLength(22);
    expect(times(entries)).toEqual(times(entries).toSorted().reverse());
    expect(entries.slice(0, 4).map(({ action }) => action.result)).toEqual([
      "failure",
      "success",
      "failure",
      "success",
    ]);
    expect(await allOf(server, { direction: "asc" })).toEqual(entries.toReversed());
  });

  test.each([1, 2, 3, 7, 21, 22, 23])("of %i hold all there is, once", async (limit) => {
    await mixed();
    const whole = await allOf(server);
    for (const direction of directions) {
      const entries = await allOf(server, { limit, direction });
      expect(entries).toEqual(direction === "desc" ? whole : whole.toReversed());
    }
  });

  test("end without a cursor, in either of the places where clients look for it", async () => {
    await changeAt("10:00:00.000", "11:00:00.000");
    const { result_info } = (await audit(server, { limit: 4 })).body;
    expect(result_info).toEqual({ count: 4 });
    const short = (await audit(server, { limit: 3 })).body.result_info;
    expect(short).toEqual({ count: 3, cursor: expect.any(String), cursors: { after: short.cursor } });
  });

  test("newest first are not moved by what is added meanwhile", async () => {
    await mixed();
    const before = await allOf(server);
    const first = (await audit(server, { limit: 5 })).body;
    await put(one(ORD), { mtu: 1400 });
    await put(one(ORD), { mtu: 1400 }, { token: TRANSIT_READ_ONLY });
    const rest = await allOf(server, { limit: 100, cursor: first.result_info.cursor });
    expect([...first.result, ...rest]).toEqual(before);
  });

  test("oldest first come to what is added meanwhile", async () => {
    await mixed();
    const first = (await audit(server, { limit: 5, direction: "asc" })).body;
    await put(one(ORD), { mtu: 1400 });
    await put(one(ORD), { mtu: 1400 }, { token: TRANSIT_READ_ONLY });
    const rest = await allOf(server, { direction: "asc", cursor: first.result_info.cursor });
    expect([...first.result, ...rest]).toEqual(await allOf(server, { direction: "asc" }));
    expect(first.result.length + rest.length).toBe(24);
  });

  test("hold a hundred unless another limit up to a thousand is asked for", async () => {
    for (let turn = 0; turn < 103; turn++) await put(one(ORD), { description: `turn ${turn}` });
    expect((await audit(server)).body.result).toHaveLength(100);
    expect((await audit(server, { limit: 1000 })).body.result).toHaveLength(105);
  });

  test("are cut short, with a cursor, before they grow past a few megabytes", async () => {
    const extra_prefixes = (net: number) =>
      Array.from({ length: 1000 }, (_, index) => `${net}.${index >> 8}.${index & 255}.0/24`);
    for (let net = 1; net <= 160; net++)
      await put(one(ORD), { bgp: { extra_prefixes: extra_prefixes(net) } });
    const reply = await audit(server, { limit: 1000 });
    expect(Number(reply.headers.get("content-length"))).toBeLessThan(5 * 1024 * 1024);
    expect(reply.body.result_info.count).toBeLessThan(162);
    expect(await allOf(server, { limit: 1000 })).toHaveLength(162);
  });

  test.each([
    ["another window", { before: "2998-01-01" }],
    ["another direction", { direction: "asc" }],
    ["another filter", { action_type: "update" }],
    ["a filter less", { "actor_type.not": [] }],
    ["the same filter the other way", { "actor_type.not": [], actor_type: "system" }],
  ])("of %s do not take a cursor", async (_, other) => {
    await changeAt("10:00:00.000", "11:00:00.000");
    const filter = { "actor_type.not": "system" };
    const { cursor } = (await audit(server, { limit: 1, ...filter })).body.result_info;
    expect(verdict(await audit(server, { ...filter, cursor, limit: 7 }))).toBe("200");
    expect(verdict(await audit(server, { ...filter, cursor, ...other }))).toBe("400 990092");
  });

  test("of a history that is gone are told so", async () => {
    await changeAt("10:00:00.000", "11:00:00.000");
    const { cursor } = (await audit(server, { limit: 1 })).body.result_info;
    await server.reset();
    expect(verdict(await audit(server, { cursor }))).toBe("410 990037");
  });

  test("that a made-up cursor asks for are refused", async () => {
    const made = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const { cursor } = (await audit(server, { limit: 1 })).body.result_info;
    const [query, epochs, positions] = JSON.parse(Buffer.from(cursor, "base64url").toString());
    const wrong = [
      ...["x", "", "\0", "💥", "null", made(null), made({}), made([]), made([query, epochs])],
      ...[
        made([query, epochs, [1, 2]]),
        made([query, epochs, [1, 2, -1]]),
        made([query, epochs, [1, 2, 1.5]]),
      ],
      ...[made([query, epochs, [1, 2, "3"]]), made([query, [1, 2], positions]), made([7, epochs, positions])],
      ...[made([query, epochs, [1, 2, 2 ** 53]]), made([query, epochs, positions, 1]), cursor.slice(1)],
    ];
    for (const text of wrong) expect(verdict(await audit(server, { cursor: text })), text).toBe("400 990040");
    // One that names places out of the window begins at its end.
    const beyond = await audit(server, { cursor: made([query, epochs, [99, 99, 99]]) });
    expect(beyond.body.result).toHaveLength(2);
    const before = await audit(server, { cursor: made([query, epochs, [0, 0, 0]]) });
    expect(before.body).toMatchObject({ result: [], result_info: { count: 0 } });
  });
});
