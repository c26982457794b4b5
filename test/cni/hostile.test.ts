import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  CNIS,
  cni,
  direct,
  PORTS,
  partner,
  ports,
  SETTINGS,
  SIN_CNI,
  SLOTS,
  sinCni,
  slots,
} from "../harness/cni-world.ts";
import { type Path, pointer } from "../harness/hostile-bodies.ts";
import {
  expectNoKeyTwice,
  expectUnknown,
  expectWhatItCanBe,
  type GoodBody,
  LONG,
  placesOf,
} from "../harness/hostile-suite.ts";
import { ACCOUNT, OWN, startTestServer, type TestServer } from "../harness/server.ts";
import { untouched, verdict } from "../harness/standing.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const bgp = { customer_asn: 65001, extra_prefixes: ["192.0.2.0/24"], md5_key: "secret" };
const slot = {
  ccr_device_name: "ccr01.fra",
  facility: { address: ["1 Street"], name: "A building" },
  site: "FRA",
  speed: "10G",
  version: "1",
};
const slotId = "aaaaaaaa-0000-4000-8000-000000000001";

/** Every body of the CNI API and of its administration. */
const bodies = [
  { title: "direct port", method: "POST", path: PORTS, body: { ...direct(slots.ord), speed: "10G" } },
  { title: "partner's port", method: "POST", path: PORTS, body: partner(1) },
  { title: "new CNI", method: "POST", path: CNIS, body: cni(ports.sin, "new", { bgp }) },
  {
    title: "update of a CNI",
    method: "PUT",
    path: SIN_CNI,
    body: { ...sinCni, bgp, bgp_mode: "advertise_only" },
  },
  { title: "CNI settings", method: "PUT", path: SETTINGS, body: { default_asn: 65001 } },
  { title: "new slot", method: "POST", path: `${OWN}/slots`, body: { ...slot, id: slotId } },
  {
    title: "update of a slot",
    method: "PUT",
    path: `${OWN}/slots/${slots.ord}`,
    body: { ...slot, id: slots.ord, account: ACCOUNT, occupied: false },
  },
  {
    title: "account's settings",
    method: "PUT",
    path: `${OWN}/settings`,
    body: {
      authorized_prefixes: ["198.51.100.0/24"],
      flags: ["coupler_integration"],
      pools: { interface: ["10.99.0.0/16"], link: ["203.0.113.0/24"] },
      virtual_subnet6: "2606:54c1:7:0:a9fe:12d2::/127",
    },
  },
  {
    title: "new interconnect",
    method: "POST",
    path: `${OWN}/interconnects`,
    body: {
      id: "a".repeat(32),
      automatic_return_routing: false,
      bgp,
      colo_name: "iad",
      created_on: "2020-01-01T00:00:00Z",
      description: "all fields at once",
      gre: { cloudflare_endpoint: "203.0.113.5" },
      health_check: {
        direction: "unidirectional",
        enabled: true,
        rate: "low",
        target: "203.0.113.6",
        type: "reply",
      },
      interface_address: "10.9.0.0/31",
      interface_address6: "2606:54c1:7:0:a9fe:12d2:1:300/127",
      link: { cust_ip: "198.51.100.1/31", p2p_ip: "198.51.100.0/31" },
      modified_on: "2020-01-01T00:00:00Z",
      mtu: 1400,
      name: "new",
      version: "1",
      virtual_port_reservation_id: "b".repeat(32),
    },
  },
] as const;

/** Where one of the odd values is one that the field takes, by operation and place. */
const legal: Record<string, Record<string, string[]>> = {
  "direct port": { "/speed": ["null"] },
  "new CNI": {
    "/magic/conduit_name": ['"x"'],
    "/magic/description": ['""', '"x"'],
    "/bgp/customer_asn": ["0"],
    "/bgp/extra_prefixes": ["[]"],
    "/bgp/md5_key": ["null", '"x"'],
  },
  "CNI settings": { "": ["{}"], "/default_asn": ["null", "0"] },
  "new slot": {
    "/ccr_device_name": ["null", '"x"'],
    "/facility/address/0": ['"x"'],
    "/facility/name": ['"x"'],
    "/site": ["0", '"x"'].slice(1),
  },
  "update of a slot": { "": ["{}"], "/facility": ["{}"] },
  "account's settings": {
    "": ["{}"],
    "/authorized_prefixes": ["[]"],
    "/flags/0": [],
    "/pools": ["{}"],
    "/pools/interface": ["[]"],
    "/pools/link": ["[]"],
  },
  "new interconnect": {
    "/automatic_return_routing": ["true"],
    "/bgp": ["{}"],
    "/bgp/customer_asn": ["0"],
    "/bgp/extra_prefixes": ["[]"],
    "/bgp/md5_key": ['""', '"x"'],
    "/colo_name": ['""', '"x"', LONG],
    "/description": ['""', '"x"'],
    "/gre": ["{}"],
    "/health_check": ["{}"],
    "/health_check/enabled": ["true"],
    "/health_check/target": ['""'],
    "/interface_address6": ['""'],
    "/name": ['"x"'],
  },
};
legal["update of a CNI"] = legal["new CNI"] ?? {};
legal["update of a slot"] = { ...legal["new slot"], ...legal["update of a slot"] };

/** The demonstration's interconnects need what these say. */
const isLegal = (title: string, place: Path, json: string): boolean =>
  legal[title]?.[pointer(place)]?.includes(json) ?? false;

describe.each(bodies)("in the body of the $title", ({ title, method, path, body }) => {
  const send = (text: string) => server.ask(method, path, { body: text });
  const good: GoodBody = { body, send, isLegal: (place, json) => isLegal(title, place, json) };

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

  test.each(["{", "[1,]", "NaN", "", "{}}"])("%j is no JSON", async (text) => {
    expect(verdict(await untouched(server, () => send(text)))).toBe("400 1022");
  });
});

describe.each([SLOTS, PORTS, CNIS, SETTINGS, `${OWN}/slots`, `${OWN}/settings`])("of %s", (path) => {
  test.each(["__proto__=1", "validate_only=true", "a%00b=1", "limit=1&limit=1", "cursor[]=1"])(
    "the query %s is refused",
    async (query) => {
      expect((await untouched(server, () => server.ask("GET", `${path}?${query}`))).status).toBe(400);
    },
  );
});

test.each(["..%2f", "%00", "x".repeat(500), "{}", "__proto__", "null", "%F0%9F%92%A5"])(
  "nothing is called %s",
  async (name) => {
    for (const path of [SLOTS, PORTS, CNIS, `${OWN}/slots`])
      expect((await server.ask("GET", `${path}/${name}`)).status).toBe(404);
    for (const path of [PORTS, CNIS, `${OWN}/slots`, `${OWN}/interconnects`]) {
      const reply = await untouched(server, () => server.ask("DELETE", `${path}/${name}`));
      expect(reply.status).toBe(404);
    }
  },
);
