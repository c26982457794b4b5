import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Form, formHeader, fullUpdates } from "./harness/hostile-bodies.ts";
import { pathOf, type Subject, shownAfter } from "./harness/rules.ts";
import { startTestServer, type TestServer } from "./harness/server.ts";
import { revision, verdict } from "./harness/standing.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const all: readonly Subject[] = ["1", "1.5", "2"];

describe("what is left out stays, at every depth", () => {
  const { id, version, colo_name, created_on, modified_on, ...full } =
    fullUpdates['version "1.5"']?.update("text") ?? {};
  /** Another value for every field of the full update. */
  const other = {
    description: "another text",
    mtu: 1300,
    automatic_return_routing: true,
    bgp: {
      as_no: 65002,
      customer_asn: 65002,
      export_filter_id: "c",
      import_filter_id: "d",
      extra_prefixes: ["198.51.100.0/24"],
      md5_key: "another key",
    },
    name: "another_name",
    interface_address: "10.213.0.40/31",
    interface_address6: "2606:54c1:7:0:a9fe:12d2:1:206/127",
    health_check: {
      direction: "bidirectional",
      enabled: true,
      rate: "low",
      source: "10.213.255.3",
      target: "203.0.113.8",
      type: "request",
    },
  };
  const leaves = (value: object, path: readonly string[] = []): { path: string[]; value: unknown }[] =>
    Object.entries(value).flatMap(([key, item]) =>
      typeof item === "object" && !Array.isArray(item)
        ? leaves(item, [...path, key])
        : [{ path: [...path, key], value: item }],
    );
  /** An object in which only the value at a path stands. */
  const only = (path: readonly string[], value: unknown): object =>
    Object.fromEntries([[path[0], path.length === 1 ? value : only(path.slice(1), value)]]);
  /** What follows from a change of one field in others. */
  const implied: Record<string, object> = {
    "bgp.as_no": { bgp: { customer_asn: 65002 } },
    "bgp.customer_asn": { bgp: { as_no: 65002 } },
    interface_address: { bgp: { cloudflare_endpoint: "10.213.0.40", customer_endpoint: "10.213.0.41" } },
  };

  test("for which there is another value of each field", () => {
    const paths = (value: object) => leaves(value).map(({ path }) => path.join("."));
    expect(paths(other).sort()).toEqual(paths(full).sort());
  });

  test.each(leaves(other).map(({ path, value }) => ({ name: path.join("."), path, value })))(
    "$name alone changes nothing else",
    async ({ name, path, value }) => {
      const expected = await shownAfter(server, "1.5", "text", full);
      const update = only(path, value);
      const reply = await server.ask("PUT", pathOf("1.5"), { body: update });
      for (const change of [update, implied[name] ?? {}]) {
        for (const { path, value } of leaves(change)) {
          const [last = "", ...around] = path.toReversed();
          const parent = around.toReversed().reduce((at, key) => at[key], expected);
          parent[last] = value;
        }
      }
      const { modified_interconnect } = reply.body.result;
      expect(modified_interconnect).toEqual({ ...expected, modified_on: modified_interconnect.modified_on });
    },
  );

  test("empty objects change nothing at all", async () => {
    await server.reset();
    const reply = await server.ask("PUT", pathOf("1.5"), { body: { bgp: {}, health_check: {} } });
    expect(verdict(reply)).toBe("200");
    expect(await revision(server)).toBe(1);
  });
});

describe('"" takes a value away', () => {
  const bgp = {
    md5_key: "k",
    import_filter_id: "a",
    export_filter_id: "b",
    cloudflare_endpoint: "10.0.0.1",
    customer_endpoint: "10.0.0.2",
  };
  test.each(Object.keys(bgp))("bgp.%s", async (field) => {
    const shown = await shownAfter(
      server,
      "1",
      "text",
      { bgp: { ...bgp, customer_asn: 65001 } },
      { bgp: { [field]: "" } },
    );
    const { [field]: _, ...rest } = { ...bgp, customer_asn: 65001, as_no: 65001 } as Record<string, unknown>;
    expect(shown.bgp).toEqual(rest);
  });

  test("bgp.extra_prefixes by an empty list", async () => {
    const shown = await shownAfter(server, "2", "text", { bgp: { extra_prefixes: [] } });
    expect(shown.bgp).toEqual({ customer_asn: 65010, as_no: 65010 });
  });

  test("bgp is not shown when nothing is left of it", async () => {
    const shown = await shownAfter(
      server,
      "1",
      "text",
      { bgp },
      { bgp: Object.fromEntries(Object.keys(bgp).map((key) => [key, ""])) },
    );
    expect(shown).not.toHaveProperty("bgp");
  });

  test("description and health_check.target are then empty texts", async () => {
    const shown = await shownAfter(server, "1", "text", { description: "", health_check: { target: "" } });
    expect(shown).toMatchObject({ description: "", health_check: { target: "" } });
  });
});

describe("what was read can be sent back", () => {
  const forms: Form[] = ["text", "object"];
  const filled = {
    "1": fullUpdates['version "1"'],
    "1.5": fullUpdates['version "1.5"'],
    "2": undefined,
    bare: undefined,
  };

  test.each(all.flatMap((on) => forms.map((form) => ({ on, form }))))(
    "whole and unchanged (version $on, target as $form), and changes nothing",
    async ({ on, form }) => {
      const headers = formHeader(form);
      for (const update of [{}, filled[on]?.update(form) ?? { description: "x" }]) {
        const interconnect = await shownAfter(server, on, form, update);
        const at = await revision(server);
        const one = await server.ask("PUT", pathOf(on), { body: interconnect, headers });
        expect(one.body.result).toEqual({ modified: true, modified_interconnect: interconnect });
        const collection = pathOf(on).slice(0, pathOf(on).lastIndexOf("/"));
        const list = await server.ask("GET", collection, { headers });
        const all = await server.ask("PUT", collection, { body: list.body.result, headers });
        expect(all.body.result).toEqual({
          modified: true,
          modified_interconnects: list.body.result.interconnects,
        });
        expect(await revision(server)).toBe(at);
      }
    },
  );

  test("with one value changed, and changes that one", async () => {
    const interconnect = await shownAfter(
      server,
      "1.5",
      "object",
      fullUpdates['version "1.5"']?.update("object") ?? {},
    );
    const body = { ...interconnect, interface_address: "10.213.0.30/31" };
    const reply = await server.ask("PUT", pathOf("1.5"), { body, headers: formHeader("object") });
    expect(reply.body.result.modified_interconnect).toMatchObject({
      interface_address: "10.213.0.30/31",
      bgp: { cloudflare_endpoint: "10.213.0.30", customer_endpoint: "10.213.0.31" },
      health_check: { target: { effective: "10.213.0.31" } },
    });
  });
});

test("what nobody said is as the vendor documents it", async () => {
  await server.reset();
  const { body } = await server.ask("GET", pathOf("bare"));
  expect(body.result.interconnect).toMatchObject({
    mtu: 1476,
    automatic_return_routing: false,
    health_check: { enabled: true, rate: "mid", type: "reply", direction: "unidirectional", target: "" },
  });
  for (const optional of ["description", "bgp", "interface_address6", "virtual_port_reservation_id"]) {
    expect(body.result.interconnect).not.toHaveProperty(optional);
  }
});
