import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { formHeader } from "./harness/hostile-bodies.ts";
import { hold, pathOf, type Rule, type Subject, title } from "./harness/rules.ts";
import { AMS, ORD, startTestServer, type TestServer } from "./harness/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const all: readonly Subject[] = ["1", "1.5", "2"];
const withTitles = (rules: readonly Rule[]) => rules.map((rule) => [title(rule), rule] as const);
const check = (rules: readonly Rule[]) => test.each(withTitles(rules))("%s", (_, rule) => hold(server, rule));

/** Rows of one field: values that are taken, and values that are refused with a code and what the sentence says. */
function field(on: readonly Subject[], make: (value: unknown) => object, at: string) {
  return {
    takes: (...values: readonly unknown[]): Rule[] =>
      on.flatMap((on) => values.map((value) => ({ on, update: make(value) }))),
    refuses: (code: number, says: string | readonly string[], ...values: readonly unknown[]): Rule[] =>
      on.flatMap((on) =>
        values.map((value) => ({ on, update: make(value), refused: `${code} ${at}`, says })),
      ),
  };
}

describe("mtu: from 576 to what the version leaves room for", () => {
  const mtu = (...on: Subject[]) => field(on, (value) => ({ mtu: value }), "/mtu");
  check([
    ...mtu(...all).takes(576, 1475, 1476),
    ...mtu("1.5", "2").takes(1477, 1500),
    ...mtu("1").refuses(990023, "from 576 to 1476 on a version 1 interconnect", 575, 0, -1, 1477, 1500, 9000),
    ...mtu("1.5").refuses(990023, "from 576 to 1500 on a version 1.5 interconnect", 575, 1501),
    ...mtu("2").refuses(990023, "from 576 to 1500 on a version 2 interconnect", 575, 1501),
    ...mtu("1").refuses(1022, "mtu must be an integer, not a string", "1400", ""),
    ...mtu("1").refuses(1022, "mtu must be an integer, not a number", 1400.5),
  ]);
});

describe("interface_address: the provider's end of a point-to-point subnet", () => {
  const address = (...on: Subject[]) =>
    field(on, (value) => ({ interface_address: value }), "/interface_address");
  const ranges = "10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 169.254.240.0/20";
  check([
    ...address(...all).takes(
      "10.0.0.0/31",
      "10.0.0.1/31",
      "10.255.255.254/31",
      "172.16.0.0/31",
      "172.31.255.255/31",
      "192.168.10.11/31",
      "192.168.255.254/31",
      "169.254.240.0/31",
      "169.254.255.255/31",
    ),
    ...address("1", "2").takes("10.0.0.1/30", "10.0.0.2/30", "169.254.240.1/30"),
    ...address("1", "2").refuses(990023, "10.0.0.1/30 or 10.0.0.2/30", "10.0.0.0/30", "10.0.0.3/30"),
    ...address("1", "2").refuses(
      990029,
      `outside of the ranges that may be used: ${ranges}.`,
      "9.255.255.254/31",
      "11.0.0.0/31",
      "172.15.255.254/31",
      "172.32.0.0/31",
      "192.167.255.254/31",
      "192.169.0.0/31",
      "169.254.239.254/31",
      "169.255.0.0/31",
      "100.64.0.0/31",
      "127.0.0.0/31",
      // The vendor's own example.
      "192.0.2.0/31",
      // Authorised, for version 1.5.
      "198.51.100.0/31",
    ),
    ...address("1.5").takes("198.51.100.0/31", "198.51.100.255/31"),
    ...address("1.5").refuses(990029, `${ranges}, 198.51.100.0/24.`, "198.51.99.254/31", "198.51.101.0/31"),
    ...address("1.5").refuses(
      990023,
      "an IPv4 prefix of /31 on a version 1.5",
      "10.0.0.1/30",
      "198.51.100.3/29",
    ),
    ...address("1", "2").refuses(
      990023,
      "an IPv4 prefix of /31 or /30 on a version",
      "10.0.0.3/29",
      "10.0.0.1/32",
      "10.0.0.1/0",
      "10.0.0.0",
      "10.0.0.0/",
      "/31",
      "",
      " 10.0.0.0/31",
      "10.0.0.0/31 ",
      "10.0.0.0/31/31",
      "10.0.0/31",
      "010.0.0.0/31",
      "10.0.0.00/31",
      "0x0a.0.0.0/31",
      "167772160/31",
      "10.0.0.256/31",
      "10.0.0.0/031",
      "10.0.0.0/+31",
      "１0.0.0.0/31",
      "fd00::/127",
      "::ffff:10.0.0.0/127",
    ),
    ...address("1").refuses(
      990028,
      `overlaps with the subnet of interconnect ${AMS} (pni_ams)`,
      "10.213.0.10/31",
      "10.213.0.11/31",
      "10.213.0.9/30",
    ),
    ...address("1").refuses(990028, "(pni_sin)", "10.213.0.12/31", "10.213.0.15/31", "10.213.0.14/30"),
  ]);
});

describe("interface_address6: the first address of a /127 in the account's /96", () => {
  const address6 = (...on: Subject[]) =>
    field(on, (value) => ({ interface_address6: value }), "/interface_address6");
  const space = "2606:54c1:7:0:a9fe:12d2:";
  check([
    ...address6(...all).takes(`${space}1:202/127`, `${space}0:2/127`, `${space}ffff:fffe/127`),
    ...all.map((on) => ({
      on,
      update: { interface_address6: "2606:54C1:0007:0000:A9FE:12D2:0001:0204/127" },
      shown: { interface_address6: `${space}1:204/127` },
    })),
    ...address6("1").refuses(
      990023,
      "an IPv6 prefix of /127",
      `${space}1:202/126`,
      `${space}1:202`,
      "10.0.0.0/31",
      "x",
    ),
    ...address6("1").refuses(
      990023,
      `the first address of its subnet, ${space}1:202/127`,
      `${space}1:203/127`,
    ),
    ...address6("1").refuses(990023, "another subnet than the account's virtual_subnet6", `${space}:/127`),
    ...address6("1").refuses(990029, `${space}:/96.`, "2606:54c1:7:0:a9fe:12d3::/127", "2001:db8::/127"),
    ...address6("2").refuses(990028, `interconnect ${ORD} (pni_ord)`, `${space}1:200/127`),
    ...address6("bare").refuses(990023, "this account has no virtual_subnet6", "2001:db8::/127"),
    { on: "1", update: { interface_address6: "fe80::1%eth0/127" }, refused: "990023 /interface_address6" },
  ]);

  test('"" takes it away, and then it is not shown', async () => {
    await server.reset();
    const { body } = await server.ask("PUT", pathOf("1"), { body: { interface_address6: "" } });
    expect(body.result.modified_interconnect).not.toHaveProperty("interface_address6");
  });
});

describe("gre: version 1 alone", () => {
  const endpoint = (...on: Subject[]) =>
    field(on, (value) => ({ gre: { cloudflare_endpoint: value } }), "/gre/cloudflare_endpoint");
  check([
    ...endpoint("1").takes("203.0.113.2", "2001:db8::1"),
    { on: "1", update: { gre: {} }, shown: { gre: { cloudflare_endpoint: "203.0.113.1" } } },
    {
      on: "1",
      update: { gre: { cloudflare_endpoint: "2001:DB8:0::1" } },
      shown: { gre: { cloudflare_endpoint: "2001:db8::1" } },
    },
    ...endpoint("1").refuses(
      990023,
      "must be the IP address of one host",
      "",
      "x",
      "203.0.113.1/32",
      "0.0.0.0",
      "127.0.0.1",
      "224.0.0.1",
      "255.255.255.255",
      "::1",
      "ff02::1",
      "fe80::1%eth0",
    ),
    ...(["1.5", "2"] as const).flatMap((on) =>
      [{}, { cloudflare_endpoint: "203.0.113.2" }].map((gre) => ({
        on,
        update: { gre },
        refused: "990030 /gre",
        says: `gre cannot be set on a version ${on} interconnect.`,
      })),
    ),
  ]);

  test("and shown there alone", async () => {
    const shown = await Promise.all(all.map((on) => server.ask("GET", pathOf(on))));
    expect(shown.map(({ body }) => "gre" in body.result.interconnect)).toEqual([true, false, false]);
  });
});

describe("name and description", () => {
  const name = field(["1"], (value) => ({ name: value }), "/name");
  const description = field(["1"], (value) => ({ description: value }), "/description");
  check([
    ...name.takes("x", "PNI_ORD", "pni ord", "é💥", "x".repeat(255)),
    ...name.refuses(990023, "a text of 1 to 255 characters", ""),
    ...name.refuses(990023, "none of them a control character", "a\nb", "a\u007fb"),
    ...name.refuses(990023, "at most 255 characters long", "x".repeat(256)),
    ...name.refuses(990027, `The name "pni_ams" is taken by interconnect ${AMS} (pni_ams).`, "pni_ams"),
    ...description.takes("", "x", "two\nlines", "x".repeat(1024)),
    ...description.refuses(990023, "at most 1024 characters long", "x".repeat(1025)),
  ]);

  test("the same name is free in another account", async () => {
    await server.reset();
    const { body } = await server.ask("PUT", pathOf("bare"), { body: { name: "pni_ams" } });
    expect(body.result.modified_interconnect.name).toBe("pni_ams");
  });
});

describe("automatic_return_routing: with the account's flag coupler_integration", () => {
  const routing = (...on: Subject[]) =>
    field(on, (value) => ({ automatic_return_routing: value }), "/automatic_return_routing");
  check([
    ...routing(...all).takes(true, false),
    ...routing("bare").takes(false),
    ...routing("bare").refuses(990034, "needs the account flag coupler_integration", true),
    ...routing("1").refuses(1022, "must be a boolean, not a string", "true"),
  ]);
});

describe("what is read-only is ignored or must be as it is", () => {
  const object = (target: object | string) => ({ health_check: { target } });
  check([
    {
      on: "1",
      update: { created_on: "2001-01-01T00:00:00Z" },
      shown: { created_on: "2017-06-14T00:00:00Z" },
    },
    {
      on: "1",
      update: { modified_on: "2001-01-01T00:00:00Z" },
      shown: { modified_on: "2017-06-14T05:20:00Z" },
    },
    {
      on: "1",
      form: "object",
      update: object({ effective: "192.0.2.99", saved: "203.0.113.9" }),
      shown: object({ effective: "203.0.113.9", saved: "203.0.113.9" }),
    },
    ...field(["1"], (value) => ({ colo_name: value }), "/colo_name").takes("pni_ord"),
    ...field(["1"], (value) => ({ colo_name: value }), "/colo_name").refuses(
      990021,
      'is "pni_ord"',
      "",
      "pni_ams",
    ),
    ...field(["1"], (value) => ({ version: value }), "/version").takes("1"),
    ...field(["1"], (value) => ({ version: value }), "/version").refuses(
      990021,
      'version is read-only and is "1"',
      "1.5",
      "2",
      "",
    ),
    ...field(["1"], (id) => ({ virtual_port_reservation_id: id }), "/virtual_port_reservation_id").takes(ORD),
    ...field(["1.5"], (id) => ({ virtual_port_reservation_id: id }), "/virtual_port_reservation_id").refuses(
      990021,
      "is read-only and is not set",
      ORD,
    ),
  ]);

  test("id in the body of PUT one: that of the path, or refused", async () => {
    expect((await server.ask("PUT", pathOf("1"), { body: { id: ORD } })).status).toBe(200);
    const { body } = await server.ask("PUT", pathOf("1"), { body: { id: AMS } });
    expect(body.errors).toMatchObject([{ code: 990021, source: { pointer: "/id" } }]);
  });
});

describe("null is refused, at every depth", () => {
  const type = (name: string) => `type "${name}" is not permitted to be null`;
  const on = "1.5";
  check([
    { on, update: { description: null }, refused: "1022 /description", says: type("string") },
    { on, update: { mtu: null }, refused: "1022 /mtu", says: type("integer") },
    {
      on,
      update: { automatic_return_routing: null },
      refused: "1022 /automatic_return_routing",
      says: type("boolean"),
    },
    { on, update: { health_check: null }, refused: "1022 /health_check", says: type("object") },
    {
      on,
      update: { health_check: { rate: null } },
      refused: "1022 /health_check/rate",
      says: type("string"),
    },
    {
      on,
      update: { health_check: { target: null } },
      refused: "1022 /health_check/target",
      says: type("string"),
    },
    {
      on,
      form: "object",
      update: { health_check: { target: null } },
      refused: "1022 /health_check/target",
      says: type("object"),
    },
    {
      on,
      form: "object",
      update: { health_check: { target: { saved: null } } },
      refused: "1022 /health_check/target/saved",
      says: type("string"),
    },
    { on, update: { bgp: null }, refused: "1022 /bgp", says: type("object") },
    { on, update: { bgp: { md5_key: null } }, refused: "1022 /bgp/md5_key", says: type("string") },
    {
      on,
      update: { bgp: { extra_prefixes: null } },
      refused: "1022 /bgp/extra_prefixes",
      says: type("array"),
    },
    {
      on,
      update: { bgp: { extra_prefixes: ["192.0.2.0/24", null] } },
      refused: "1022 /bgp/extra_prefixes/1",
      says: type("string"),
    },
  ]);

  test("in the vendor's own words", async () => {
    const { body } = await server.ask("PUT", pathOf("1"), { body: { description: null } });
    expect(body.errors[0].message).toBe(
      'Invalid Request: error parsing request body while updating Interconnect: type "string" is not permitted to be null',
    );
  });
});

describe("an unknown field is refused, and the nearest known one named", () => {
  const on = "1";
  const rows: [update: object, pointer: string, says: string][] = [
    [{ mut: 1400 }, "/mut", "Did you mean mtu?"],
    [{ MTU: 1400 }, "/MTU", "Did you mean mtu?"],
    [{ discription: "x" }, "/discription", "Did you mean description?"],
    [{ healthcheck: {} }, "/healthcheck", "Did you mean health_check?"],
    [{ interface_adress: "x" }, "/interface_adress", "Did you mean interface_address?"],
    [{ health_check: { rat: "low" } }, "/health_check/rat", "Did you mean rate?"],
    [{ bgp: { custmer_asn: 1 } }, "/bgp/custmer_asn", "Did you mean customer_asn?"],
    [{ gre: { customer_endpoint: "x" } }, "/gre/customer_endpoint", "Known: cloudflare_endpoint."],
    [{ psk: "secret" }, "/psk", "Known: id, "],
    [{ "a/b~c": 1 }, "/a~1b~0c", 'no field "a/b~c"'],
  ];
  check(rows.map(([update, at, says]) => ({ on, update, refused: `990020 ${at}`, says })));

  test("also in the object form of the target", async () => {
    const body = { health_check: { target: { save: "" } } };
    const reply = await server.ask("PUT", pathOf("1"), { body, headers: formHeader("object") });
    expect(reply.body.errors[0]).toMatchObject({
      code: 990020,
      source: { pointer: "/health_check/target/save" },
    });
    expect(reply.body.errors[0].message).toContain("Did you mean saved?");
  });
});
