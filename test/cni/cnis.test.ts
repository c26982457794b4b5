import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { CNIS, cni, direct, magicId, PORTS, ports, SIN_CNI, sinCni, slots } from "../harness/cni-world.ts";
import {
  LIST,
  ORD,
  OTHER_ACCOUNT,
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

const create = (body: unknown) => server.ask("POST", CNIS, { body });
const put = (body: unknown) => server.ask("PUT", SIN_CNI, { body });
const sin = async () => (await server.ask("GET", SIN_CNI)).body;
const magicSin = async () => (await server.ask("GET", one(SIN))).body.result.interconnect;
const lastChange = async () => (await server.ask("GET", `${OWN}/changes?limit=1`)).body.result[0];
const state = async () => (await server.ask("GET", `${OWN}/state`)).body.result;

describe("a CNI that is made", () => {
  test("is a Magic interconnect of its name from then on", async () => {
    const bgp = { customer_asn: 65001, extra_prefixes: ["192.0.2.0/24", "10.0.0.0/8"], md5_key: "secret" };
    const made = await create(cni(ports.gcp, "pni_new", { bgp }));
    expect(made.body).toEqual({
      ...cni(ports.gcp, "pni_new", { bgp }),
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
      p2p_ip: "192.0.2.128/31",
      cust_ip: "192.0.2.129/31",
    });
    const seen = await server.ask("GET", one(magicId(made.body.id)));
    expect(seen.body.result.interconnect).toEqual({
      id: magicId(made.body.id),
      automatic_return_routing: false,
      bgp: { ...bgp, as_no: 65001 },
      colo_name: "pni_new",
      created_on: expect.any(String),
      health_check: { direction: "unidirectional", enabled: true, rate: "mid", target: "", type: "reply" },
      interface_address: "10.213.1.0/31",
      modified_on: expect.any(String),
      mtu: 1500,
      name: "pni_new",
      version: "2",
      virtual_port_reservation_id: "6b0c2f4e8d174a939c5e1f2d3b4a5c6e",
    });
    expect(seen.headers.get("etag")).toBe(made.headers.get("etag"));
    const record = await lastChange();
    expect(record.operation).toBe("createCni");
    expect(record.objects).toHaveLength(1);
    expect(record.objects[0]).toMatchObject({ kind: "interconnect", name: "pni_new", action: "create" });
    expect(record.objects[0].fields["bgp.md5_key"]).toEqual({ after: "(masked)" });
  });

  test("has its health checked at the customer's end of its link, unless told otherwise", async () => {
    const made = await create(cni(ports.sin, "pni_new"));
    const headers = { "x-magic-new-hc-target": "true" };
    const { body } = await server.ask("GET", one(magicId(made.body.id)), { headers });
    const { target } = body.result.interconnect.health_check;
    expect(target).toEqual({ effective: "192.0.2.129", saved: "" });
  });

  test("can be the next hop of routes, and then it stays until they are gone", async () => {
    const made = await create(cni(ports.sin, "pni_new"));
    const route = { prefix: "172.16.99.0/24", nexthop: "10.213.1.1", priority: 7 };
    const { body } = await server.ask("POST", ROUTES, { body: route });
    const path = `${CNIS}/${made.body.id}`;
    const refused = await untouched(server, () => server.ask("DELETE", path));
    expect(verdict(refused)).toBe("400 990078");
    expect(refused.body.errors[0].message).toContain(`172.16.99.0/24 via 10.213.1.1 (${body.result.id})`);
    await server.ask("DELETE", `${ROUTES}/${body.result.id}`);
    expect((await server.ask("DELETE", path)).status).toBe(200);
  });

  test("and unmade again leaves everything as it was", async () => {
    const before = await state();
    const made = await create(cni(ports.sin, "pni_new"));
    const path = `${CNIS}/${made.body.id}`;
    const gone = await server.ask("DELETE", path);
    expect([gone.status, gone.body, gone.headers.get("content-type")]).toEqual([200, undefined, null]);
    expect(await state()).toEqual({ ...before, revision: before.revision + 2 });
    expect(verdict(await server.ask("DELETE", path))).toBe("404 990071");
    expect(verdict(await server.ask("GET", one(magicId(made.body.id))))).toBe("404 990024");
    const again = await create(cni(ports.sin, "pni_new"));
    expect(again.body).toEqual({ ...made.body, id: again.body.id });
    expect(again.body.id).not.toBe(made.body.id);
  });

  test("has a long route over IPv6 counted as well", async () => {
    const address6 = "2606:54c1:7:0:a9fe:12d2:1:300/127";
    await server.ask("PUT", one(SIN), { body: { interface_address6: address6 } });
    const route = { prefix: "2001:db8::/32", nexthop: "2606:54c1:7:0:a9fe:12d2:1:301", priority: 7 };
    expect((await server.ask("POST", ROUTES, { body: route })).status).toBe(200);
    expect(verdict(await server.ask("DELETE", SIN_CNI))).toBe("400 990078");
  });
});

describe("a name that is taken", () => {
  test("is a conflict, which the vendor's client is told not to ask again about", async () => {
    const reply = await untouched(server, () => create(cni(ports.sin, "pni_ord")));
    expect(reply.status).toBe(409);
    expect(reply.headers.get("x-should-retry")).toBe("false");
    expect(problems(reply)).toEqual(["990070 /magic/conduit_name"]);
    expect(reply.body.errors[0].message).toBe(
      `Name Conflict: "pni_ord" is taken by interconnect ${ORD} (pni_ord).`,
    );
  });

  test("is told after what else is wrong, and then it is a 400", async () => {
    const magic = { conduit_name: "pni_ord", description: "", mtu: 0 };
    const reply = await untouched(server, () => create({ ...cni(ports.sin, ""), magic }));
    expect(reply.status).toBe(400);
    expect(problems(reply)).toEqual(["990023 /magic/mtu", "990070 /magic/conduit_name"]);
  });

  test("goes to one of those who ask for it at once", async () => {
    const replies = await Promise.all(Array.from({ length: 8 }, () => create(cni(ports.sin, "wanted"))));
    expect(replies.map(({ status }) => status).toSorted()).toEqual([200, ...Array(7).fill(409)]);
  });

  test("is free again when it is given up, through either view", async () => {
    await put({ ...sinCni, magic: { ...sinCni.magic, conduit_name: "other" } });
    expect((await create(cni(ports.sin, "pni_sin"))).status).toBe(200);
    await server.ask("PUT", one(SIN), { body: { name: "third" } });
    expect((await create(cni(ports.sin, "other"))).status).toBe(200);
  });

  test("is refused to an update as everywhere", async () => {
    const body = { ...sinCni, magic: { ...sinCni.magic, conduit_name: "pni_ord" } };
    const reply = await untouched(server, () => put(body));
    expect([reply.status, ...problems(reply)]).toEqual([400, "990027 /magic/conduit_name"]);
  });
});

describe("the version of what is made is that of its slot", () => {
  const made = async (version: string, mtu: number) => {
    await server.ask("PUT", `${OWN}/slots/${slots.ord}`, { body: { version } });
    const port = await server.ask("POST", PORTS, { body: direct(slots.ord) });
    const body = cni(port.body.name, `mtu ${mtu}`);
    return create({ ...body, magic: { ...body.magic, mtu } });
  };

  test.each([
    ["1", 576, 1476],
    ["1.5", 576, 1500],
    ["2", 576, 1500],
  ])("%s, with an MTU from %i to %i", async (version, least, most) => {
    for (const mtu of [least - 1, most + 1, 0]) {
      await server.reset();
      const reply = await made(version, mtu);
      expect(problems(reply)).toEqual(["990023 /magic/mtu"]);
      expect(reply.body.errors[0].message).toContain(`from ${least} to ${most} on a version ${version}`);
    }
    for (const mtu of [least, most]) {
      await server.reset();
      const { body } = await made(version, mtu);
      const seen = await server.ask("GET", one(magicId(body.id)));
      expect(seen.body.result.interconnect).toMatchObject({ version, mtu });
    }
  });

  test.each([
    ["1", { gre: { cloudflare_endpoint: "203.0.113.9" } }, "200"],
    ["1.5", { gre: { cloudflare_endpoint: "203.0.113.9" } }, "400 990030"],
    ["2", { gre: { cloudflare_endpoint: "203.0.113.9" } }, "400 990030"],
    ["1", { health_check: { direction: "bidirectional", source: "10.0.0.1" } }, "400 990031"],
    ["1.5", { health_check: { direction: "bidirectional", source: "10.0.0.1" } }, "200"],
    ["2", { health_check: { direction: "bidirectional", source: "10.0.0.1" } }, "400 990031"],
    ["1", { interface_address: "10.8.0.1/30" }, "200"],
    ["1.5", { interface_address: "10.8.0.1/30" }, "400 990023"],
    ["1.5", { interface_address: "198.51.100.0/31" }, "200"],
    ["2", { interface_address: "198.51.100.0/31" }, "400 990029"],
  ])("%s, by whose rules Magic judges %j: %s", async (version, body, right) => {
    const { id } = (await made(version, 1400)).body;
    expect(verdict(await server.ask("PUT", one(magicId(id)), { body }))).toBe(right);
  });

  test("and stays when the slot is given another", async () => {
    await server.ask("PUT", `${OWN}/slots/${slots.taken}`, { body: { version: "1" } });
    expect((await magicSin()).version).toBe("2");
    const { id } = (
      await create(cni(ports.sin, "new", { magic: { conduit_name: "new", description: "", mtu: 1400 } }))
    ).body;
    expect((await server.ask("GET", one(magicId(id)))).body.result.interconnect.version).toBe("1");
  });
});

describe("an update", () => {
  test("of what was read changes nothing", async () => {
    const reply = await untouched(server, () => put(sinCni));
    expect(reply.body).toEqual(sinCni);
  });

  test("shows in the other view, and is one change of the fields that moved", async () => {
    const bgp = { customer_asn: 65020, extra_prefixes: [], md5_key: "key" };
    const magic = { conduit_name: "renamed", description: "Another", mtu: 1400 };
    const { body } = await put({ ...sinCni, magic, bgp, bgp_mode: "dynamic_route_exchange" });
    expect(body).toEqual({ ...sinCni, magic, bgp, bgp_mode: "dynamic_route_exchange" });
    expect(await magicSin()).toMatchObject({
      name: "renamed",
      description: "Another",
      mtu: 1400,
      bgp: { customer_asn: 65020, md5_key: "key" },
    });
    const { operation, objects } = await lastChange();
    expect(operation).toBe("updateCni");
    expect(objects).toHaveLength(1);
    expect(Object.keys(objects[0].fields).toSorted()).toEqual([
      "bgp.customer_asn",
      "bgp.extra_prefixes",
      "bgp.md5_key",
      "cni.bgp_mode",
      "description",
      "mtu",
      "name",
    ]);
    expect((await put(sinCni)).body).toEqual(sinCni);
    expect(await magicSin()).toMatchObject({ name: "pni_sin", mtu: 1500, bgp: sinCni.bgp });
  });

  test("through Magic shows in the CNI", async () => {
    const body = {
      name: "renamed",
      description: "",
      mtu: 1400,
      bgp: { customer_asn: 65020, extra_prefixes: [] },
    };
    await server.ask("PUT", LIST, { body: { interconnects: [{ id: SIN, ...body }] } });
    expect(await sin()).toEqual({
      ...sinCni,
      magic: { conduit_name: "renamed", description: "", mtu: 1400 },
      bgp: { customer_asn: 65020, extra_prefixes: [] },
    });
  });

  test("without a session ends it, and what Magic alone knows of it stays", async () => {
    await server.ask("PUT", one(SIN), { body: { bgp: { import_filter_id: "filter", md5_key: "x" } } });
    const { bgp: _bgp, ...rest } = sinCni;
    expect((await put(rest)).body).toEqual(rest);
    expect((await magicSin()).bgp).toEqual({ import_filter_id: "filter" });
    expect((await untouched(server, () => put(rest))).body).toEqual(rest);
    expect((await put(sinCni)).body).toEqual(sinCni);
    expect((await magicSin()).bgp).toMatchObject({ ...sinCni.bgp, import_filter_id: "filter" });
  });

  test("says the whole session: a key that is left out is cleared", async () => {
    const bgp = { ...sinCni.bgp, md5_key: "key" };
    expect((await put({ ...sinCni, bgp })).body.bgp).toEqual(bgp);
    expect((await put({ ...sinCni, bgp: { ...bgp, md5_key: null } })).body.bgp).toEqual(sinCni.bgp);
  });

  test("takes back IPv6 prefixes that Magic was given, and no new ones", async () => {
    await server.ask("PUT", one(SIN), { body: { bgp: { extra_prefixes: ["2001:db8::/32"] } } });
    const read = await sin();
    expect(read.bgp.extra_prefixes).toEqual(["2001:db8::/32"]);
    expect((await untouched(server, () => put(read))).status).toBe(200);
    const bgp = { ...read.bgp, extra_prefixes: ["2001:db8::/32", "2001:db8:1::/48"] };
    expect(problems(await put({ ...read, bgp }))).toEqual(["990023 /bgp/extra_prefixes/1"]);
  });

  test("cannot move a CNI, nor choose its addresses", async () => {
    const body = {
      ...sinCni,
      id: "0".repeat(32),
      account: OTHER_ACCOUNT,
      interconnect: ports.gcp,
      p2p_ip: "192.0.2.128/31",
      cust_ip: "192.0.2.129/31",
    };
    expect(problems(await untouched(server, () => put(body)))).toEqual([
      "990021 /id",
      "990021 /account",
      "990021 /interconnect",
      "990021 /p2p_ip",
      "990021 /cust_ip",
    ]);
  });

  test("must say the whole CNI", async () => {
    const { body } = await untouched(server, () => put({ magic: { mtu: 1400 } }));
    const missing = body.errors.map(({ message }: { message: string }) => message.split(" ")[0]);
    expect(missing.toSorted()).toEqual(
      ["account", "conduit_name", "cust_ip", "description", "id", "interconnect", "p2p_ip"].toSorted(),
    );
  });

  test("is made on the version that was read, if it says so", async () => {
    const stale = { "if-match": (await server.ask("GET", SIN_CNI)).headers.get("etag") ?? "" };
    await server.ask("PUT", one(SIN), { body: { mtu: 1400 } });
    const body = { ...sinCni, magic: { ...sinCni.magic, mtu: 1300 } };
    for (const [method, asked] of [
      ["PUT", { headers: stale, body }],
      ["DELETE", { headers: stale }],
    ] as const) {
      expect(verdict(await untouched(server, () => server.ask(method, SIN_CNI, asked)))).toBe("412 990014");
    }
    const tag = (await server.ask("GET", one(SIN))).headers.get("etag") ?? "";
    expect((await server.ask("PUT", SIN_CNI, { headers: { "if-match": tag }, body })).status).toBe(200);
  });
});

describe("refused is a CNI", () => {
  const bgp = { customer_asn: 65001, extra_prefixes: [] as string[] };

  test.each([
    ["on a port that is not there", cni("none", "x"), "990074 /interconnect"],
    ["on a Magic interconnect", cni("pni_ord", "x"), "990074 /interconnect"],
    ["of another account", cni(ports.sin, "x", { account: OTHER_ACCOUNT }), "990023 /account"],
    ["without a name", cni(ports.sin, ""), "990023 /magic/conduit_name"],
    ["whose name has a line end", cni(ports.sin, "a\nb"), "990023 /magic/conduit_name"],
    [
      "that peers with the provider's own AS",
      cni(ports.sin, "x", { bgp: { ...bgp, customer_asn: 13335 } }),
      "990023 /bgp/customer_asn",
    ],
    [
      "whose prefix has host bits",
      cni(ports.sin, "x", { bgp: { ...bgp, extra_prefixes: ["10.0.0.1/8"] } }),
      "990023 /bgp/extra_prefixes/0",
    ],
    [
      "whose prefix is of IPv6",
      cni(ports.sin, "x", { bgp: { ...bgp, extra_prefixes: ["2001:db8::/32"] } }),
      "990023 /bgp/extra_prefixes/0",
    ],
    [
      "whose prefix is none",
      cni(ports.sin, "x", { bgp: { ...bgp, extra_prefixes: ["all"] } }),
      "990023 /bgp/extra_prefixes/0",
    ],
    ["whose MD5 key is empty", cni(ports.sin, "x", { bgp: { ...bgp, md5_key: "" } }), "990023 /bgp/md5_key"],
    [
      "whose MD5 key has a question mark",
      cni(ports.sin, "x", { bgp: { ...bgp, md5_key: "a?" } }),
      "990023 /bgp/md5_key",
    ],
    [
      "whose MD5 key is too long",
      cni(ports.sin, "x", { bgp: { ...bgp, md5_key: "a".repeat(81) } }),
      "990023 /bgp/md5_key",
    ],
    ["that says its addresses", cni(ports.sin, "x", { p2p_ip: "192.0.2.128/31" }), "990020 /p2p_ip"],
    ["that says its mode", cni(ports.sin, "x", { bgp_mode: "advertise_only" }), "990020 /bgp_mode"],
    [
      "without a description",
      cni(ports.sin, "x", { magic: { conduit_name: "x", mtu: 1500 } }),
      "990022 /magic",
    ],
  ])("%s", async (_, body, problem) => {
    const reply = await untouched(server, () => create(body));
    expect([reply.status, ...problems(reply)]).toEqual([400, problem]);
  });
});

test.each([
  ["an interconnect that came from no CNI", "c4a7362d-577a-6c30-19a4-74fd6f485821", "was not made by a CNI"],
  ["the name of one that came from a CNI", "pni_sin", `has the CNI ${sinCni.id}`],
  ["nothing", "00000000-0000-4000-8000-000000000000", "There is no CNI"],
  ["no UUID", "%00", "There is no CNI"],
])("of %s there is no CNI", async (_, id, says) => {
  for (const [method, asked] of [
    ["GET", {}],
    ["PUT", { body: sinCni }],
    ["DELETE", {}],
  ] as const) {
    const reply = await untouched(server, () => server.ask(method, `${CNIS}/${id}`, asked));
    expect(verdict(reply)).toBe("404 990071");
    expect(reply.body.errors[0].message).toContain(says);
  }
});

test("a CNI is found by its UUID in either case, and by its digits", async () => {
  for (const id of [sinCni.id.toUpperCase(), sinCni.id]) {
    expect((await server.ask("GET", `${CNIS}/${id}`)).body).toEqual(sinCni);
  }
});

test("the list holds CNIs alone, in pages, and none of another account's", async () => {
  const names: string[] = [sinCni.id];
  for (const name of ["a", "b", "c"]) names.push((await create(cni(ports.gcp, name))).body.id);
  const found = async (query: string) => {
    const { body } = await server.ask("GET", `${CNIS}?${query}`);
    return [body.items.map(({ id }: { id: string }) => id), body.next];
  };
  expect(await found("")).toEqual([names, null]);
  expect(await found("limit=3")).toEqual([names.slice(0, 3), 3]);
  expect(await found("limit=3&cursor=3")).toEqual([names.slice(3), null]);
  expect(await found(`slot=${slots.taken.toUpperCase()}`)).toEqual([[sinCni.id], null]);
  expect(await found(`slot=${slots.taken}&tunnel_id=${magicId(names[1] ?? "")}`)).toEqual([[], null]);
  expect(await found("slot=x")).toEqual([[], null]);
  expect(await found("tunnel_id=x")).toEqual([[], null]);
});
