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
  const full = fullUpdates['version "1.5"']?.update("text") ?? {};
  const { id, version, colo_name, created_on, modified_on, ...update } = full;
  const leaves = (value: object, path: readonly string[] = []): [string[], unknown][] =>
    Object.entries(value).flatMap(([key, item]) =>
      typeof item === "object" && !Array.isArray(item)
        ? leaves(item, [...path, key])
        : [[[...path, key], item] as [string[], unknown]],
    );
  /** An object in which only the value at a path stands. */
  const only = (path: readonly string[], value: unknown): object =>
    Object.fromEntries([[path[0], path.length === 1 ? value : only(path.slice(1), value)]]);
  const without = (shown: object) => ({ ...shown, modified_on: undefined });

  test.each(
    leaves(update)
      .filter(([path]) => path[1] !== "direction")
      .map(([path, value]) => [path.join("."), path, value] as const),
  )("%s alone changes nothing else", async (_, path, value) => {
    await server.reset();
    const before = await server.ask("GET", pathOf("1.5"));
    const reply = await server.ask("PUT", pathOf("1.5"), { body: only(path, value) });
    const expected = structuredClone(before.body.result.interconnect);
    const [last = ""] = path.slice(-1);
    const parent = path.slice(0, -1).reduce((at, key) => (at[key] ??= {}), expected);
    parent[last] = value;
    if (path[0] === "bgp") {
      Object.assign(expected.bgp, { cloudflare_endpoint: "10.213.0.10", customer_endpoint: "10.213.0.11" });
      const asn = expected.bgp.customer_asn ?? expected.bgp.as_no;
      if (asn !== undefined) Object.assign(expected.bgp, { customer_asn: asn, as_no: asn });
    }
    expect(without(reply.body.result.modified_interconnect)).toEqual(without(expected));
  });

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
