import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { allOf, audit, type Entry, type Query } from "../harness/audit.ts";
import {
  ACCOUNT,
  AMS,
  demo,
  LIST,
  ORD,
  one,
  ROUTES,
  SIN,
  startTestServer,
  type TestServer,
} from "../harness/server.ts";
import { SetClock } from "../harness/set-clock.ts";
import { verdict } from "../harness/standing.ts";

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
const rays = (entries: readonly Entry[]) => entries.map(({ raw }) => raw.cf_ray_id);

describe("a filter", () => {
  /** Some entries of every sort; the requests that made the last three. */
  let made: string[];
  beforeEach(async () => {
    const replies = [
      await put(LIST, {
        interconnects: [
          { id: ORD, mtu: 1400 },
          { id: SIN, mtu: 1400 },
        ],
      }),
      await server.ask("DELETE", `${ROUTES}/${demo.route}`, byKey),
      await put(one(AMS), { mtu: 1400 }, { token: READ_ONLY }),
    ];
    made = replies.map(({ headers }) => headers.get("cf-ray") ?? "");
  });

  /** Which of the last three a query finds. */
  async function found(query = {}): Promise<number[]> {
    const entries = await allOf(server, { ...query, direction: "asc" });
    return rays(entries).flatMap((ray) => (ray === "seed" ? [] : [made.indexOf(ray) + 1]));
  }

  test.each<[Query, number[]]>([
    [{}, [1, 2, 3]],
    [{ account_name: "Demonstration" }, [1, 2, 3]],
    [{ account_name: "demonstration" }, []],
    [{ action_result: "success" }, [1, 2]],
    [{ action_result: "failure" }, [3]],
    [{ action_result: ["failure", "success"] }, [1, 2, 3]],
    [{ action_type: "update" }, [1, 3]],
    [{ action_type: ["delete", "view"] }, [2]],
    [{ actor_context: "api_key" }, [2]],
    [{ actor_context: "dash" }, []],
    [{ actor_email: demo.email.toUpperCase() }, [1, 2]],
    [{ actor_email: ["nobody@example.com"] }, []],
    [{ actor_id: "7c5dae5552338874e5053f2534d2767a" }, [1, 2]],
    [{ actor_ip_address: "127.0.0.1" }, [1, 2, 3]],
    [{ actor_ip_address: "::ffff:127.0.0.1" }, [1, 2, 3]],
    [{ actor_ip_address: ["127.0.0.2", "2001:DB8:0::1"] }, []],
    [{ actor_token_id: everything }, [1]],
    [{ actor_token_name: ["everything", "read only"] }, [1, 3]],
    [{ actor_type: "user" }, [1, 2]],
    [{ actor_type: "system" }, []],
    [{ raw_method: ["DELETE", "GET"] }, [2]],
    [{ raw_status_code: 403 }, [3]],
    [{ raw_status_code: [200, 404] }, [1, 2]],
    [{ raw_uri: `/accounts/${ACCOUNT}/magic/cf_interconnects/${AMS}` }, [3]],
    [{ resource_id: SIN }, [1]],
    [{ resource_id: [AMS, demo.route] }, [2, 3]],
    [{ resource_product: "magic" }, [1, 2, 3]],
    [{ resource_scope: "accounts" }, [1, 2, 3]],
    [{ resource_scope: ["zones", "user", "memberships"] }, []],
    [{ resource_type: "route" }, [2]],
    [{ zone_id: "x" }, []],
    [{ zone_name: "example.com" }, []],
    [{ action_type: "update", action_result: "success" }, [1]],
    [{ action_type: "delete", "resource_type.not": "route" }, []],
  ])("%j finds %j", async (query, which) => {
    expect(await found(query)).toEqual(which);
    // What it finds is what its opposite leaves out.
    const [[name, value] = [], ...others] = Object.entries(query);
    if (name === undefined || others.length > 0) return;
    expect(await found({ [`${name}.not`]: value })).toEqual([1, 2, 3].filter((one) => !which.includes(one)));
  });

  test("by request finds it", async () => {
    for (const [index, raw_cf_ray_id] of made.entries())
      expect(await found({ raw_cf_ray_id })).toEqual([index + 1]);
    expect(await found({ "raw_cf_ray_id.not": made.slice(0, 2) })).toEqual([3]);
  });

  test.each(["id", "audit_log_id"])("by %s finds each entry, whichever log it is from", async (name) => {
    const entries = await allOf(server);
    for (const entry of entries) {
      expect((await audit(server, { [name]: entry.id })).body).toMatchObject({
        result: [entry],
        result_info: { count: 1 },
      });
    }
    const some = entries.filter((_, index) => index !== 1);
    expect(await allOf(server, { [name]: some.map(({ id }) => id), limit: 1 })).toEqual(some);
    expect(await allOf(server, { [`${name}.not`]: some.map(({ id }) => id) })).toEqual([entries[1]]);
    for (const id of ["x", "0".repeat(32), entries[0].id.toUpperCase(), `${entries[0].id}0`, "💥"])
      expect(await allOf(server, { [name]: id })).toEqual([]);
    expect(await allOf(server, { [name]: entries[0].id, since: "2000-01-01", before: "2000-01-02" })).toEqual(
      [],
    );
  });

  test("that matches nothing in more than 200,000 changes of objects is refused, and says where to go on", async () => {
    const routes = (weight: number) =>
      Array.from({ length: 10_000 }, (_, priority) => ({
        prefix: "192.0.2.0/24",
        nexthop: "10.213.0.9",
        priority,
        weight,
      }));
    await server.ask("POST", ROUTES, { body: { routes: routes(1) } });
    const { body } = await server.ask("GET", ROUTES);
    const ids = body.result.routes.map(({ id }: { id: string }) => id);
    for (let turn = 2; turn <= 23; turn++) {
      clock.set(`2026-03-02T00:00:${turn + 10}Z`);
      await put(ROUTES, { routes: ids.map((id: string) => ({ id, weight: turn })) });
    }
    const query = { actor_email: "nobody@example.com" };
    const reply = await audit(server, query);
    expect(verdict(reply)).toBe("400 990093");
    const [, time] = /go on with before=(\S+)\.$/.exec(reply.body.errors[0].message) ?? [];
    expect(time).toBe("2026-03-02T00:00:13.000001Z");
    expect(verdict(await audit(server, { ...query, before: time ?? "" }))).toBe("200");
    const forward = await audit(server, { ...query, direction: "asc" });
    expect(forward.body.errors[0].message).toMatch(/ go on with since=2026-03-02T00:00:31\.000000Z\.$/);
    // One that has found something gives that, and goes on.
    const some = await audit(server, { raw_method: "PUT" });
    expect(some.body.result_info).toMatchObject({ count: 20, cursor: expect.any(String) });
    expect(await allOf(server, { raw_method: "PUT" })).toHaveLength(24);
  });
});
