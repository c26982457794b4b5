import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { sinCni } from "../harness/cni-world.ts";
import {
  AMS,
  LIST,
  ORD,
  OWN,
  one,
  problems,
  ROUTES,
  SIN,
  startTestServer,
  type TestServer,
} from "../harness/server.ts";
import { untouched, verdict } from "../harness/standing.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
beforeEach(() => server.reset());
afterAll(() => server.close());

const SETTINGS = `${OWN}/settings`;
const INTERCONNECTS = `${OWN}/interconnects`;
const settings = async () => (await server.ask("GET", SETTINGS)).body.result;
const put = (body: unknown) => server.ask("PUT", SETTINGS, { body });

const demonstration = {
  authorized_prefixes: ["198.51.100.0/24"],
  flags: ["coupler_integration"],
  pools: { link: ["192.0.2.128/25"], interface: ["10.213.1.0/24"] },
  virtual_subnet6: "2606:54c1:7:0:a9fe:12d2::/127",
};

describe("an account's settings", () => {
  test("are told whole, and changed in part and back", async () => {
    expect(await settings()).toEqual(demonstration);
    const changed = await put({
      pools: { link: ["203.0.113.0/24"] },
      flags: ["coupler_integration", "more"],
    });
    const expected = {
      ...demonstration,
      flags: ["coupler_integration", "more"],
      pools: { ...demonstration.pools, link: ["203.0.113.0/24"] },
    };
    expect(changed.body.result).toEqual(expected);
    expect(await settings()).toEqual(expected);
    expect((await put(demonstration)).body.result).toEqual(demonstration);
    expect((await untouched(server, () => put({}))).body.result).toEqual(demonstration);
    expect((await untouched(server, () => put(demonstration))).body.result).toEqual(demonstration);
  });

  test("count for the very next request", async () => {
    await put({ authorized_prefixes: ["198.51.100.0/24", "203.0.113.0/24"] });
    const moved = await server.ask("PUT", one(AMS), { body: { interface_address: "203.0.113.0/31" } });
    expect(moved.status).toBe(200);
  });

  test("that interconnects need stay, and the refusal names both", async () => {
    await server.ask("PUT", one(AMS), { body: { interface_address: "198.51.100.0/31" } });
    const body = { flags: [], authorized_prefixes: [], virtual_subnet6: "" };
    const reply = await untouched(server, () => put(body));
    expect(problems(reply)).toEqual([
      "990084 /flags",
      "990084 /authorized_prefixes",
      "990084 /virtual_subnet6",
    ]);
    const [flags, prefixes] = reply.body.errors;
    expect(flags.message).toContain(`interconnect ${ORD} (pni_ord)`);
    expect(prefixes.message).toContain(`interconnect ${AMS} (pni_ams)`);
  });

  test("that nobody needs any more can go", async () => {
    await server.ask("PUT", one(ORD), { body: { automatic_return_routing: false, interface_address6: "" } });
    const body = {
      flags: [],
      authorized_prefixes: [],
      virtual_subnet6: "",
      pools: { link: [], interface: [] },
    };
    const { virtual_subnet6: _gone, ...rest } = demonstration;
    expect((await put(body)).body.result).toEqual({ ...rest, ...body, virtual_subnet6: undefined });
  });

  test("may take a pool away from which addresses were given: they stay given", async () => {
    await put({ pools: { link: ["203.0.113.0/24"], interface: ["10.99.0.0/24"] } });
    const { body } = await server.ask("GET", `/client/v4/accounts/${sinCni.account}/cni/cnis/${sinCni.id}`);
    expect(body).toEqual(sinCni);
  });

  test.each([
    ["a pool prefix with host bits", { pools: { link: ["203.0.113.1/24"] } }, "990023 /pools/link/0"],
    ["a pool prefix of IPv6", { pools: { link: ["2001:db8::/64"] } }, "990023 /pools/link/0"],
    ["a pool prefix of one address", { pools: { link: ["203.0.113.0/32"] } }, "990023 /pools/link/0"],
    ["a pool of everything", { pools: { link: ["0.0.0.0/0"] } }, "990023 /pools/link/0"],
    ["a pool of multicast", { pools: { link: ["224.0.0.0/24"] } }, "990023 /pools/link/0"],
    [
      "a pool of what no interface can have",
      { pools: { interface: ["203.0.113.0/24"] } },
      "990029 /pools/interface/0",
    ],
    ["a pool twice", { pools: { link: ["203.0.113.0/24", "203.0.113.128/25"] } }, "990028 /pools/link/1"],
    ["a pool in the other", { pools: { link: ["10.213.0.0/16"] } }, "990028 /pools/interface/0"],
    ["a pool that there is not", { pools: { links: [] } }, "990020 /pools/links"],
    ["more prefixes than 100", { pools: { link: Array(101).fill("203.0.113.0/24") } }, "990023 /pools/link"],
    ["a prefix that is none", { authorized_prefixes: ["x"] }, "990023 /authorized_prefixes/0"],
    ["an IPv6 space that is none", { virtual_subnet6: "x" }, "990023 /virtual_subnet6"],
    ["a flag without a name", { flags: [""] }, "990023 /flags/0"],
    ["null", { flags: null }, "1022 /flags"],
  ])("cannot be %s", async (_, body, problem) => {
    const reply = await untouched(server, () => put(body));
    expect([reply.status, ...problems(reply)]).toEqual([400, problem]);
  });

  test("are changed only as they were read, if the request says so", async () => {
    const stale = { "if-match": (await server.ask("GET", SETTINGS)).headers.get("etag") ?? "" };
    const asked = { headers: stale, body: { flags: ["coupler_integration", "x"] } };
    expect((await server.ask("PUT", SETTINGS, asked)).status).toBe(200);
    expect(verdict(await untouched(server, () => server.ask("PUT", SETTINGS, asked)))).toBe("412 990014");
  });
});

describe("an administrator", () => {
  const given = {
    id: "a".repeat(32),
    name: "pni_iad",
    colo_name: "iad",
    description: "Made by hand",
    version: "1",
    created_on: "2020-01-01T00:00:00Z",
    interface_address: "10.9.0.0/31",
    mtu: 1400,
    gre: { cloudflare_endpoint: "203.0.113.5" },
    health_check: { rate: "low", target: "203.0.113.6" },
    virtual_port_reservation_id: "b".repeat(32),
    link: { p2p_ip: "198.51.100.1/30", cust_ip: "198.51.100.2/30" },
  };
  const make = (body: unknown) => server.ask("POST", INTERCONNECTS, { body });

  test("makes an interconnect with all that a seed may say, which is then one of the account's", async () => {
    const made = await make(given);
    const { link: _link, ...shown } = given;
    const { body } = await server.ask("GET", one(given.id));
    expect(made.body.result).toEqual(body.result.interconnect);
    expect(made.body.result).toMatchObject({ ...shown, modified_on: given.created_on });
    const list = await server.ask("GET", LIST);
    expect(list.body.result.interconnects).toHaveLength(4);
  });

  test("may leave out all but name, version and address", async () => {
    const made = await make({ name: "pni_iad", version: "1.5", interface_address: "10.9.0.0/31" });
    expect(made.body.result).toMatchObject({
      id: expect.stringMatching(/^[0-9a-f]{32}$/),
      mtu: 1476,
      version: "1.5",
    });
  });

  test.each([
    ["of the version that CNIs make", { version: "2" }, "990023 /version"],
    ["under an id that is taken", { id: ORD }, "990086 /id"],
    ["under an id that is none", { id: "x" }, "990023 /id"],
    ["under a name that is taken", { name: "pni_ord" }, "990027 /name"],
    ["in a subnet that is taken", { interface_address: "10.213.0.9/31" }, "990028 /interface_address"],
    [
      "on a link that is taken",
      { link: { p2p_ip: "192.0.2.1/31", cust_ip: "192.0.2.0/31" } },
      "990028 /link",
    ],
    [
      "on a link of one end",
      { link: { p2p_ip: "198.51.100.0/31", cust_ip: "198.51.100.0/31" } },
      "990023 /link/cust_ip",
    ],
    [
      "on a link of two subnets",
      { link: { p2p_ip: "198.51.100.0/31", cust_ip: "198.51.100.2/31" } },
      "990023 /link/cust_ip",
    ],
    [
      "on a link of the wrong size",
      { link: { p2p_ip: "198.51.100.1/29", cust_ip: "198.51.100.2/30" } },
      "990023 /link/p2p_ip",
    ],
    ["with an MTU that its version has not", { mtu: 1500 }, "990023 /mtu"],
    ["at a time that there is not", { created_on: "2020-02-30T00:00:00Z" }, "990023 /created_on"],
    ["as a CNI", { cni: { port: "x" } }, "990020 /cni"],
  ])("makes none %s", async (_, more, problem) => {
    const reply = await untouched(server, () => make({ ...given, ...more }));
    expect([reply.status, ...problems(reply)]).toEqual([400, problem]);
  });

  test("removes what no CNI made, and that alone", async () => {
    const before = (await server.ask("GET", `${OWN}/state`)).body.result;
    await make(given);
    const gone = await server.ask("DELETE", `${INTERCONNECTS}/${given.id}`);
    expect(gone.body.result.name).toBe("pni_iad");
    const after = (await server.ask("GET", `${OWN}/state`)).body.result;
    expect(after).toEqual({ ...before, revision: before.revision + 2 });
    expect(verdict(await server.ask("DELETE", `${INTERCONNECTS}/${given.id}`))).toBe("404 990024");
    const cni = await untouched(server, () => server.ask("DELETE", `${INTERCONNECTS}/${SIN}`));
    expect(verdict(cni)).toBe("400 990085");
    expect(cni.body.errors[0].message).toContain(sinCni.id);
  });

  test("removes nothing over which routes lead", async () => {
    const reply = await untouched(server, () => server.ask("DELETE", `${INTERCONNECTS}/${ORD}`));
    expect(verdict(reply)).toBe("400 990078");
    expect(reply.body.errors[0].message).toContain("172.16.10.0/24 via 10.213.0.9");
    await server.ask("DELETE", ROUTES);
    expect((await server.ask("DELETE", `${INTERCONNECTS}/${ORD}`)).status).toBe(200);
  });
});
