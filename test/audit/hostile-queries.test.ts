import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ALWAYS, AUDIT, audit, urlOf } from "../harness/audit.ts";
import { startTestServer, type TestServer } from "../harness/server.ts";
import { untouched, verdict } from "../harness/standing.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

describe("a query that is wrong is refused:", () => {
  const time = "990011";

  test.each([
    ["", "990090 990090"],
    ["?since=2026-01-01", "990090"],
    ["?before=2026-01-01", "990090"],
    ["?since=&before=2026-01-01", time],
    ["?since=yesterday&before=now", `${time} ${time}`],
    ["?since=2026-02-30&before=2026-03-01", time],
    ["?since=2026-01-01T00:00:00&before=2026-01-02", time],
    ["?since=2026-01-01T00:00:00+01:00&before=2026-01-02", time],
    ["?since=1767225600&before=1767312000", `${time} ${time}`],
    ["?since=2026-01-01&since=2026-01-02&before=2026-01-03", time],
    ["?since=2026-01-02&before=2026-01-01", "990091"],
    ["?since=2026-01-02&before=2026-01-02", "990091"],
    ["?since=2026-01-02T00:00:00Z&before=2026-01-02T01:00:00%2B02:00", "990091"],
    ["?since=2026-01-02&before=2026-01-01&limit=0&direction=up&action_type=x", "990011 990011 990011 990091"],
    ["?since[]=2026-01-01&before=2026-01-02", "990012"],
    ["?Since=2026-01-01&before=2026-01-02", "990012"],
  ])("%s", async (query, expected) => {
    const reply = await untouched(server, () => server.ask("GET", AUDIT + query));
    const codes = reply.body.errors.map(({ code }: { code: number }) => code).sort();
    expect(`${reply.status} ${codes.join(" ")}`).toBe(`400 ${expected}`);
  });

  test("a plus that means a space is told of", async () => {
    const reply = await server.ask("GET", `${AUDIT}?since=2026-01-01T00:00:00+01:00&before=2026-01-02`);
    expect(reply.body.errors[0].message).toContain("the + of an offset is %2B in a query");
  });

  test.each(["", "0", "1001", "-1", "1.5", "1e2", "ten", "9".repeat(30), " 5", "0x10"])(
    "limit=%s",
    async (limit) => {
      const reply = await audit(server, { limit });
      expect(verdict(reply)).toBe("400 990011");
      expect(reply.body.errors[0].message).toContain("a whole number from 1 to 1000");
    },
  );

  const enums = ["action_result", "action_type", "actor_context", "actor_type", "resource_scope"];
  test.each(enums.flatMap((name) => [name, `${name}.not`]))("%s of no such value", async (name) => {
    for (const value of ["", "x", "SUCCESS", "__proto__", "success,failure", "💥", "x".repeat(2000)]) {
      const reply = await audit(server, { [name]: ["create", value] });
      expect(reply.status, value.slice(0, 20)).toBe(400);
      expect(reply.body.errors.at(-1).message).toContain(`parameter ${name} is `);
    }
  });

  test.each([
    ["raw_status_code", ["", "x", "99", "600", "2xx", "200.0", "-200"]],
    ["actor_ip_address", ["", "x", "127.1", "010.0.0.1", "10.0.0.0/8", "fe80::1%eth0"]],
    ["resource_id", [""]],
    ["zone_id.not", [""]],
  ])("%s of %j", async (name, values) => {
    for (const value of values) expect(verdict(await audit(server, { [name]: value }))).toBe("400 990011");
  });

  test("product_category, of which Patchbay has none", async () => {
    expect(verdict(await audit(server, { product_category: ["zerotrust", "x"] }))).toBe("400 990094 990094");
  });

  test.each([
    "actor_email.is",
    "actor.email",
    "actor_emails",
    "per_page",
    "page",
    "export",
    "action.type",
    "__proto__",
  ])("an unknown parameter, %s", async (name) => {
    expect(verdict(await server.ask("GET", `${urlOf(ALWAYS)}&${name}=1`))).toBe("400 990012");
  });

  test("odd text in a filter of text matches nothing, and breaks nothing", async () => {
    const odd = ["\0", "%", "'; DROP TABLE change; --", "__proto__", "💥", "\u2028", "x".repeat(8000)];
    for (const value of odd) {
      for (const name of ["account_name", "actor_email", "raw_uri", "resource_id", "id", "zone_name"]) {
        expect((await audit(server, { [name]: value })).body.result).toEqual([]);
        expect((await audit(server, { [`${name}.not`]: [value, "x"] })).body.result).toHaveLength(2);
      }
    }
    const many = Array.from({ length: 500 }, (_, index) => `id-${index}`);
    expect((await audit(server, { "resource_id.not": many })).body.result).toHaveLength(2);
  });

  test("views that Patchbay does not have: 404", async () => {
    for (const path of [
      `${AUDIT}/product_categories`,
      `${AUDIT}/${"0".repeat(32)}/history`,
      AUDIT.replace("logs/audit", "audit_logs"),
    ])
      expect(verdict(await server.ask("GET", urlOf(ALWAYS, path)))).toBe("404 7003");
  });

  test("by other methods than GET: 405", async () => {
    for (const method of ["POST", "PUT", "DELETE", "PATCH"])
      expect(verdict(await server.ask(method, urlOf(ALWAYS)))).toBe("405 7001");
  });
});
