import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hold, pathOf, type Rule, type Subject, shownAfter, title } from "./harness/rules.ts";
import { startTestServer, type TestServer } from "./harness/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const all: readonly Subject[] = ["1", "1.5", "2"];
const check = (rules: readonly Rule[]) =>
  test.each(rules.map((rule) => [title(rule), rule] as const))("%s", (_, rule) => hold(server, rule));

describe("health_check: its words", () => {
  const on = "1";
  const refused = (field: string) => `990023 /health_check/${field}`;
  check([
    ...["low", "mid", "high"].map((rate) => ({ on, update: { health_check: { rate } } }) as const),
    ...["reply", "request"].map((type) => ({ on, update: { health_check: { type } } }) as const),
    ...["unidirectional", "bidirectional"].map(
      (direction) => ({ on, update: { health_check: { direction } } }) as const,
    ),
    ...[true, false].map((enabled) => ({ on, update: { health_check: { enabled } } }) as const),
    {
      on,
      update: { health_check: { rate: "medium" } },
      refused: refused("rate"),
      says: '"low", "mid", "high"',
    },
    { on, update: { health_check: { rate: "" } }, refused: refused("rate"), says: 'rate is ""' },
    { on, update: { health_check: { rate: "LOW" } }, refused: refused("rate"), says: '"low", "mid", "high"' },
    { on, update: { health_check: { type: "icmp" } }, refused: refused("type"), says: '"reply", "request"' },
    {
      on,
      update: { health_check: { direction: "both" } },
      refused: refused("direction"),
      says: '"unidirectional", "bidirectional"',
    },
    {
      on,
      update: { health_check: { enabled: 1 } },
      refused: "1022 /health_check/enabled",
      says: "must be a boolean",
    },
  ]);
});

describe("health_check.target: a text, or an object with the header", () => {
  const on = "1";
  const text = (target: unknown, rest: object = {}): Rule => ({
    on,
    update: { health_check: { target } },
    ...rest,
  });
  const object = (target: unknown, rest: object = {}): Rule => ({ ...text(target, rest), form: "object" });
  const shown = (target: unknown) => ({ shown: { health_check: { target } } });
  const at = "/health_check/target";
  check([
    text("203.0.113.7"),
    text(""),
    text("2001:DB8::7", shown("2001:db8::7")),
    object({ saved: "203.0.113.7" }, shown({ effective: "203.0.113.7", saved: "203.0.113.7" })),
    object({ saved: "" }, shown({ effective: "192.0.2.1", saved: "" })),
    object({}, shown({ effective: "203.0.113.1", saved: "203.0.113.1" })),
    object({ effective: "anything" }, shown({ effective: "203.0.113.1", saved: "203.0.113.1" })),
    ...["x", "203.0.113", "203.0.113.7/32", "0.0.0.0", "127.0.0.1", "239.0.0.1", "example.com"].flatMap(
      (target) => [
        text(target, { refused: `990023 ${at}`, says: "the IP address of one host" }),
        object({ saved: target }, { refused: `990023 ${at}/saved`, says: "the IP address of one host" }),
      ],
    ),
    text(
      { saved: "203.0.113.7" },
      { refused: `990035 ${at}`, says: "must be a string, because x-magic-new-hc-target is absent or false" },
    ),
    object("203.0.113.7", {
      refused: `990035 ${at}`,
      says: "must be an object {saved}, because x-magic-new-hc-target is true",
    }),
    object(["203.0.113.7"], { refused: `1022 ${at}`, says: "not an array" }),
  ]);

  test("without the header the form is that of text", async () => {
    await server.reset();
    const body = { health_check: { target: { saved: "" } } };
    const { body: answer } = await server.ask("PUT", pathOf("1"), { body });
    expect(answer.errors).toMatchObject([{ code: 990035, source: { pointer: at } }]);
  });

  describe("the effective target is", () => {
    const saved = (target: string) => ({ health_check: { target: { saved: target } } });
    const direction = (direction: string) => ({ health_check: { direction } });
    const rows: [what: string, on: Subject, updates: object[], effective: string][] = [
      ["the saved one", "1", [saved("203.0.113.7")], "203.0.113.7"],
      ["the customer end of the link, where none is saved", "1", [saved("")], "192.0.2.1"],
      ["that of the link on version 2 too", "2", [], "192.0.2.5"],
      ["the customer end of the subnet, where there is no link", "bare", [], "10.213.0.9"],
      ["the other host of the subnet, when bidirectional", "1.5", [], "10.213.0.11"],
      ["the same, whatever is saved", "1.5", [saved("203.0.113.7")], "10.213.0.11"],
      ["the other one of a /30", "2", [direction("bidirectional")], "10.213.0.14"],
      [
        "where the subnet moved to",
        "2",
        [direction("bidirectional"), { interface_address: "10.0.0.2/30" }],
        "10.0.0.1",
      ],
      [
        "the saved one again, when unidirectional again",
        "2",
        [saved("203.0.113.7"), direction("bidirectional"), direction("unidirectional")],
        "203.0.113.7",
      ],
    ];
    test.each(rows)("%s (version %s)", async (_, on, updates, effective) => {
      const { health_check } = await shownAfter(server, on, "object", ...updates);
      expect(health_check.target.effective).toBe(effective);
    });
  });
});

describe("health_check.source and direction", () => {
  const bi = { direction: "bidirectional" };
  const uni = { direction: "unidirectional" };
  const check15 = (health_check: object, rest: object = {}): Rule => ({
    on: "1.5",
    update: { health_check },
    ...rest,
  });
  const at = "/health_check/source";
  const ranges = "10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 169.254.240.0/20, 198.41.199.224/27.";
  check([
    ...["10.1.2.3", "172.31.255.255", "192.168.0.0", "169.254.255.1", "198.41.199.224", "198.41.199.255"].map(
      (source) => check15({ source }),
    ),
    ...["198.41.199.223", "198.41.200.0", "203.0.113.1", "169.254.1.1", "198.51.100.1"].map((source) =>
      check15({ source }, { refused: `990029 ${at}`, says: ranges }),
    ),
    ...["x", "10.0.0.1/32", "2001:db8::1", "0.0.0.0", "10.0.0"].map((source) =>
      check15({ source }, { refused: `990023 ${at}`, says: "the IPv4 address of one host" }),
    ),
    check15({ ...bi, source: "10.1.2.3" }),
    check15({ source: "" }, { refused: "990032 /health_check", says: "needs health_check.source" }),
    check15(
      { ...uni, source: "10.1.2.3" },
      { refused: `990033 ${at}`, says: "A unidirectional health check has no" },
    ),
    check15({ ...uni, source: "10.213.255.1" }, { refused: `990033 ${at}` }),
    check15({ ...uni, source: "" }, { shown: { health_check: uni } }),
    ...(["1", "2"] as const).flatMap((on) => [
      { on, update: { health_check: bi } },
      ...["10.1.2.3", ""].map((source) => ({
        on,
        update: { health_check: { ...bi, source } },
        refused: `990031 ${at}`,
        says: `only for version 1.5 interconnects; this one is version ${on}`,
      })),
    ]),
  ]);

  test("unidirectional takes source away, and bidirectional needs another", async () => {
    const alone = await shownAfter(server, "1.5", "text", { health_check: uni });
    expect(alone.health_check).not.toHaveProperty("source");
    const bare = await server.ask("PUT", pathOf("1.5"), { body: { health_check: bi } });
    expect(bare.body.errors).toMatchObject([{ code: 990032, source: { pointer: "/health_check" } }]);
    const both = await server.ask("PUT", pathOf("1.5"), {
      body: { health_check: { ...bi, source: "10.1.2.3" } },
    });
    expect(both.body.result.modified_interconnect.health_check).toMatchObject({ ...bi, source: "10.1.2.3" });
  });

  test("a bidirectional one keeps its source when others of its fields change", async () => {
    const { health_check } = await shownAfter(
      server,
      "1.5",
      "text",
      { health_check: { rate: "low" } },
      { health_check: bi },
    );
    expect(health_check).toMatchObject({ ...bi, rate: "low", source: "10.213.255.1" });
  });
});

describe("bgp", () => {
  const bgp = (on: Subject, bgp: object, rest: object = {}): Rule => ({ on, update: { bgp }, ...rest });
  const refused = (code: number, field: string, says: string) => ({ refused: `${code} /bgp/${field}`, says });
  const shown = (bgp: object) => ({ shown: { bgp } });
  /** All printable ASCII that a key may have: 93 characters. */
  const printable = String.fromCharCode(...Array.from({ length: 95 }, (_, index) => 32 + index)).replace(
    /["?]/g,
    "",
  );
  check([
    ...all.flatMap((on) => [
      bgp(on, { customer_asn: 65001 }, shown({ customer_asn: 65001, as_no: 65001 })),
      bgp(on, { as_no: 65002 }, shown({ customer_asn: 65002, as_no: 65002 })),
      bgp(on, { as_no: 65003, customer_asn: 65003 }, shown({ customer_asn: 65003, as_no: 65003 })),
    ]),
    bgp("2", { as_no: 65010, customer_asn: 65003 }, shown({ customer_asn: 65003, as_no: 65003 })),
    bgp("1", { customer_asn: 0 }),
    bgp("1", { customer_asn: 2147483647 }),
    bgp("1", { customer_asn: -1 }, refused(990023, "customer_asn", "at least 0")),
    bgp("1", { customer_asn: 2147483648 }, refused(990023, "customer_asn", "at most 2147483647")),
    bgp("1", { customer_asn: 13335 }, refused(990023, "customer_asn", "another AS than the provider's own")),
    bgp("1", { as_no: 13335 }, refused(990023, "as_no", "another AS than the provider's own")),
    bgp(
      "1",
      { as_no: 65001, customer_asn: 65002 },
      refused(990023, "as_no", "the same as customer_asn, whose old name it is"),
    ),
    bgp("1", { customer_asn: "65001" }, refused(1022, "customer_asn", "must be an integer, not a string")),

    bgp("1", { extra_prefixes: ["192.0.2.0/24", "0.0.0.0/0", "203.0.113.7/32", "2001:db8::/32", "::/0"] }),
    bgp("1", { extra_prefixes: ["2001:DB8:0::/32"] }, shown({ extra_prefixes: ["2001:db8::/32"] })),
    bgp(
      "1",
      { extra_prefixes: ["10.0.0.0/8", "192.0.2.1/24"] },
      refused(990023, "extra_prefixes/1", "a prefix without host bits, 192.0.2.0/24"),
    ),
    bgp(
      "1",
      { extra_prefixes: ["2001:db8::1/32"] },
      refused(990023, "extra_prefixes/0", "a prefix without host bits, 2001:db8::/32"),
    ),
    ...["", "x", "192.0.2.0", "192.0.2/24", "010.0.0.0/8", "192.0.2.0/33"].map((prefix) =>
      bgp(
        "1",
        { extra_prefixes: [prefix] },
        refused(990023, "extra_prefixes/0", "a prefix such as 10.0.0.0/8"),
      ),
    ),
    bgp(
      "1",
      { extra_prefixes: Array(1001).fill("10.0.0.0/8") },
      refused(990023, "extra_prefixes", "at most 1000 elements"),
    ),
    bgp(
      "1",
      { extra_prefixes: "10.0.0.0/8" },
      refused(1022, "extra_prefixes", "must be an array, not a string"),
    ),

    bgp("1", { md5_key: printable.slice(0, 80) }),
    bgp("1", { md5_key: printable.slice(-80) }),
    bgp("1", { md5_key: printable.slice(0, 81) }, refused(990023, "md5_key", "at most 80 characters long")),
    ...['a"b', "a?b", "a\nb", "a\tb", "a\u007fb", "schlüssel"].map((md5_key) =>
      bgp("1", { md5_key }, refused(990023, "md5_key", 'printable ASCII without " and ?')),
    ),

    bgp("1", { import_filter_id: "a".repeat(32), export_filter_id: "b" }),
    bgp(
      "1",
      { import_filter_id: "a".repeat(33) },
      refused(990023, "import_filter_id", "at most 32 characters long"),
    ),

    ...(["1", "2"] as const).flatMap((on) => [
      bgp(on, { cloudflare_endpoint: "10.213.0.8", customer_endpoint: "203.0.113.7" }),
      bgp(
        on,
        { cloudflare_endpoint: "2001:db8::1" },
        refused(990023, "cloudflare_endpoint", "the IPv4 address of one host"),
      ),
      bgp(
        on,
        { customer_endpoint: "224.0.0.5" },
        refused(990023, "customer_endpoint", "the IPv4 address of one host"),
      ),
    ]),
    bgp(
      "1.5",
      { customer_asn: 65001 },
      shown({ cloudflare_endpoint: "10.213.0.10", customer_endpoint: "10.213.0.11" }),
    ),
    bgp("1.5", { customer_asn: 65001, cloudflare_endpoint: "10.213.0.10", customer_endpoint: "10.213.0.11" }),
    bgp(
      "1.5",
      { cloudflare_endpoint: "10.213.0.11" },
      refused(990021, "cloudflare_endpoint", 'read-only and is "10.213.0.10"'),
    ),
    bgp(
      "1.5",
      { customer_endpoint: "" },
      refused(990021, "customer_endpoint", 'read-only and is "10.213.0.11"'),
    ),
  ]);

  test("a refused key is not repeated", async () => {
    const { body } = await server.ask("PUT", pathOf("1"), { body: { bgp: { md5_key: "my?secret" } } });
    expect(JSON.stringify(body)).not.toContain("secret");
  });

  test("derived endpoints follow the address", async () => {
    const moved = await shownAfter(
      server,
      "1.5",
      "text",
      { bgp: { customer_asn: 65001 } },
      { interface_address: "198.51.100.1/31" },
    );
    expect(moved.bgp).toMatchObject({
      cloudflare_endpoint: "198.51.100.1",
      customer_endpoint: "198.51.100.0",
    });
  });
});
