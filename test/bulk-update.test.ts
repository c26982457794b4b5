import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  ACCOUNT,
  AMS,
  LIST,
  ORD,
  OTHER_ACCOUNT,
  OWN,
  one,
  problems,
  type Reply,
  SIN,
  startTestServer,
  type TestServer,
} from "./harness/server.ts";
import { revision, standing, untouched, verdict } from "./harness/standing.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
beforeEach(() => server.reset());
afterAll(() => server.close());

const put = (body: unknown, query = "") => server.ask("PUT", LIST + query, { body });
const wrapped = (...elements: unknown[]) => ({ interconnects: elements });

interface Shown {
  readonly id: string;
  readonly name: string;
  readonly modified_on: string;
  readonly interface_address: string;
  readonly [field: string]: unknown;
}

/** All interconnects, as they are shown. */
async function list(): Promise<Shown[]> {
  const { body } = await server.ask("GET", LIST);
  return body.result.interconnects;
}

const results = ({ body }: Reply): Shown[] => body.result.modified_interconnects;
/** Without what is a matter of when. */
const timeless = (shown: readonly Shown[]) => shown.map(({ modified_on, ...rest }) => rest);
const fields = async (field: string) => (await list()).map((shown) => shown[field]);

describe("the forms of the body", () => {
  const element = { id: ORD, mtu: 1400, health_check: { rate: "high" } };
  const forms: [string, unknown][] = [
    ["a list under interconnects", wrapped(element)],
    ["a bare list", [element]],
    ["a bare element", element],
  ];

  test.each(forms)("%s", async (_, body) => {
    const reply = await put(body);
    expect(reply.body).toMatchObject({ success: true, errors: [], messages: [] });
    expect(Object.keys(reply.body.result).sort()).toEqual(["modified", "modified_interconnects"]);
    expect(reply.body.result.modified).toBe(true);
    expect(results(reply)).toMatchObject([
      { id: ORD, name: "pni_ord", mtu: 1400, health_check: { rate: "high" } },
    ]);
    expect(results(reply)).toEqual((await list()).slice(0, 1));
    expect(await revision(server)).toBe(2);
  });

  test.each([
    ["{}", {}],
    ["an empty list under interconnects", wrapped()],
    ["an empty list", []],
  ])("%s changes nothing and is no mistake", async (_, body) => {
    for (const query of ["", "?validate_only=true"]) {
      const reply = await untouched(server, () => put(body, query));
      expect(reply.status).toBe(200);
      expect(reply.body.result).toEqual({ modified: false, modified_interconnects: [] });
    }
  });

  test.each([
    ["neither list nor element", { id: ORD, interconnects: [] }, ["990020 /interconnects"]],
    ["the list under a wrong name", { interconects: [{ id: ORD }] }, ["990020 /interconects"]],
    ["the list of a sibling", { gre_tunnels: [] }, ["990020 /gre_tunnels"]],
    [
      "fields around the list",
      { interconnects: [], modified: true, x: 1 },
      ["990020 /modified", "990020 /x"],
    ],
    ["an object in place of the list", { interconnects: { id: ORD } }, ["1022 /interconnects"]],
    ["null in place of the list", { interconnects: null }, ["1022 /interconnects"]],
    ["a list in a list", [[{ id: ORD }]], ["1022 /0"]],
    [
      "an answer sent back",
      { result: { interconnects: [] }, success: true },
      ["990020 /result", "990020 /success"],
    ],
  ])("%s is refused", async (_, body, refused) => {
    const reply = await untouched(server, () => put(body));
    expect(reply.status).toBe(400);
    expect(problems(reply)).toEqual(refused);
  });

  test("a list under a name that is nearly right is told the right one", async () => {
    const reply = await put({ interconects: [] });
    expect(reply.body.errors[0].message).toContain("Did you mean interconnects?");
  });

  test("what a list of interconnects is answered with can be sent back whole", async () => {
    const { body } = await server.ask("GET", LIST);
    const reply = await untouched(server, () => put(body.result));
    expect(results(reply)).toEqual(body.result.interconnects);
  });
});

describe("all or nothing", () => {
  const bad: [string, object, string][] = [
    ["a value out of range", { id: SIN, mtu: 1 }, "990023 /interconnects/1/mtu"],
    ["an unknown interconnect", { id: "0".repeat(32), mtu: 1400 }, "990025 /interconnects/1/id"],
    ["a taken name", { id: SIN, name: "pni_ams" }, "990027 /interconnects/1/name"],
    ["an element of the wrong type", [], "1022 /interconnects/1"],
  ];
  test.each(bad)("%s keeps the good ones beside it from being made", async (_, element, refused) => {
    const body = wrapped({ id: ORD, mtu: 1400 }, element, { id: AMS, mtu: 1400 });
    const reply = await untouched(server, () => put(body));
    expect(problems(reply)).toEqual([refused]);
  });

  test("one change, one revision, one time for all", async () => {
    const reply = await put(wrapped({ id: ORD, mtu: 1400 }, { id: AMS, mtu: 1400 }, { id: SIN, mtu: 1400 }));
    const times = new Set(results(reply).map(({ modified_on }) => modified_on));
    expect(times.size).toBe(1);
    const { body } = await server.ask("GET", `${OWN}/changes/2`);
    expect([...times]).toEqual([body.result.time]);
    expect(body.result.time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    expect(body.result.objects.map(({ id }: { id: string }) => id)).toEqual([ORD, AMS, SIN]);
    expect(await revision(server)).toBe(2);
  });
});

describe("all problems at once, each at its place in the body as it was sent", () => {
  const elements = [
    { id: ORD, mtu: 1, nmae: "x", health_check: { rate: "fast", target: {} } },
    { id: AMS, gre: {}, bgp: { extra_prefixes: ["10.0.0.1/8", "x"] } },
    { id: "nobody", mtu: 1 },
    { mtu: 1400 },
    { id: SIN, interface_address: "10.213.0.8/31", description: null },
    { id: ORD },
    7,
  ];
  const found = [
    "990020 /0/nmae",
    "990035 /0/health_check/target",
    "990023 /0/health_check/rate",
    "990023 /0/mtu",
    "990030 /1/gre",
    "990023 /1/bgp/extra_prefixes/0",
    "990023 /1/bgp/extra_prefixes/1",
    "990025 /2/id",
    "990022 /3",
    "1022 /4/description",
    "990026 /5/id",
    "1022 /6",
    "990028 /4/interface_address",
  ];

  test("in a list under interconnects", async () => {
    const reply = await untouched(server, () => put(wrapped(...elements)));
    expect(problems(reply).sort()).toEqual(
      found.map((problem) => problem.replace(" ", " /interconnects")).sort(),
    );
  });

  test("in a bare list", async () => {
    const reply = await untouched(server, () => put(elements));
    expect(problems(reply).sort()).toEqual([...found].sort());
  });

  test("in a bare element", async () => {
    const reply = await untouched(server, () => put(elements[0]));
    const own = found
      .filter((problem) => problem.includes(" /0"))
      .map((problem) => problem.replace("/0/", "/"));
    expect(problems(reply).sort()).toEqual(own.sort());
  });

  test("the hundred first, and how many more there are", async () => {
    const reply = await put(Array.from({ length: 150 }, () => ({ mtu: 1400 })));
    expect(reply.body.errors).toHaveLength(101);
    expect(reply.body.errors.at(-1)).toMatchObject({ code: 990019, message: "and 50 more" });
    expect(reply.body.errors.at(-1)).not.toHaveProperty("source");
    const exact = await put(Array.from({ length: 100 }, () => ({ mtu: 1400 })));
    expect(exact.body.errors).toHaveLength(100);
  });
});

describe("the elements", () => {
  test("are answered in the order of the request", async () => {
    for (const order of [[SIN, ORD, AMS], [AMS, SIN, ORD], [SIN]]) {
      const reply = await put(wrapped(...order.map((id) => ({ id, description: "again" }))));
      expect(results(reply).map(({ id }) => id)).toEqual(order);
    }
    expect(await fields("id")).toEqual([ORD, AMS, SIN]);
  });

  test("each need an id, which no other has", async () => {
    const missing = await put(wrapped({ id: AMS }, { mtu: 1400 }));
    expect(problems(missing)).toEqual(["990022 /interconnects/1"]);
    expect(missing.body.errors[0].message).toBe(
      "id is missing. It says which interconnect the element is for.",
    );
    const twice = await put(wrapped({ id: AMS }, { id: ORD, mtu: 1400 }, { id: ORD, description: "x" }));
    expect(problems(twice)).toEqual(["990026 /interconnects/2/id"]);
    expect(twice.body.errors[0].message).toContain(`${ORD} stands in the list already, as element 1.`);
  });

  test("for an interconnect that does not exist: 400 in the list, 404 in the path", async () => {
    const id = "f".repeat(32);
    expect(verdict(await put(wrapped({ id })))).toBe("400 990025");
    expect(verdict(await server.ask("PUT", one(id), { body: {} }))).toBe("404 990024");
  });

  test("for an interconnect of another account: as if it did not exist", async () => {
    const id = "7d793037a0760186574b0282f2f435e7";
    expect(verdict(await put(wrapped({ id, mtu: 1400 })))).toBe("400 990025");
    expect(verdict(await server.ask("PUT", one(id), { body: { mtu: 1400 } }))).toBe("404 990024");
  });

  test.each([
    ["pni_ord", `That is the name of ${ORD}.`],
    [`${ORD.slice(0, -1)}2`, `Did you mean ${ORD}?`],
    [ORD.toUpperCase(), `Did you mean ${ORD}?`],
  ])("a near miss is told: %s", async (id, says) => {
    const reply = await put(wrapped({ id }));
    expect(reply.body.errors[0].message).toContain(says);
  });
});

describe("the set is judged as it would be afterwards", () => {
  const names = () => fields("name");
  const addresses = () => fields("interface_address");

  test("two swap their names", async () => {
    await put(wrapped({ id: ORD, name: "pni_ams" }, { id: AMS, name: "pni_ord" }));
    expect(await names()).toEqual(["pni_ams", "pni_ord", "pni_sin"]);
  });

  test("three pass their names on", async () => {
    const reply = await put(
      wrapped({ id: ORD, name: "pni_ams" }, { id: AMS, name: "pni_sin" }, { id: SIN, name: "pni_ord" }),
    );
    expect(verdict(reply)).toBe("200");
    expect(await names()).toEqual(["pni_ams", "pni_sin", "pni_ord"]);
  });

  test("two swap their addresses, and three pass theirs on", async () => {
    const swap = wrapped(
      { id: ORD, interface_address: "10.213.0.10/31" },
      { id: AMS, interface_address: "10.213.0.8/31" },
    );
    expect(verdict(await put(swap))).toBe("200");
    const rotate = wrapped(
      { id: ORD, interface_address: "10.213.0.13/30" },
      { id: AMS, interface_address: "10.213.0.10/31" },
      { id: SIN, interface_address: "10.213.0.8/31" },
    );
    expect(verdict(await put(rotate))).toBe("200");
    expect(await addresses()).toEqual(["10.213.0.13/30", "10.213.0.10/31", "10.213.0.8/31"]);
  });

  test("an IPv6 subnet moves from one to another", async () => {
    const subnet = "2606:54c1:7:0:a9fe:12d2:1:200/127";
    const body = wrapped({ id: SIN, interface_address6: subnet }, { id: ORD, interface_address6: "" });
    expect(verdict(await put(body))).toBe("200");
    expect(await fields("interface_address6")).toEqual([undefined, undefined, subnet]);
  });

  test("a name given up by one is taken by another, whichever stands first", async () => {
    const takes = { id: ORD, name: "pni_ams" };
    const gives = { id: AMS, name: "spare" };
    for (const elements of [
      [takes, gives],
      [gives, takes],
    ]) {
      await server.reset();
      expect(verdict(await put(wrapped(...elements)))).toBe("200");
      expect(await names()).toEqual(["pni_ams", "spare", "pni_sin"]);
    }
  });

  test("half of a /30 that becomes a /31 is free for another", async () => {
    const shrink = { id: SIN, interface_address: "10.213.0.12/31" };
    const takes = { id: ORD, interface_address: "10.213.0.14/31" };
    expect(problems(await put(wrapped(takes)))).toEqual(["990028 /interconnects/0/interface_address"]);
    expect(verdict(await put(wrapped(takes, shrink)))).toBe("200");
    const grow = { id: SIN, interface_address: "10.213.0.13/30" };
    expect(problems(await put(wrapped(grow)))).toEqual(["990028 /interconnects/0/interface_address"]);
  });

  test("what was given up in an earlier request is free, and what was taken is not", async () => {
    await put(wrapped({ id: AMS, name: "spare" }));
    expect(problems(await put(wrapped({ id: ORD, name: "spare" })))).toEqual([
      "990027 /interconnects/0/name",
    ]);
    expect(verdict(await put(wrapped({ id: ORD, name: "pni_ams" })))).toBe("200");
    expect(verdict(await put(wrapped({ id: AMS, name: "pni_ord" })))).toBe("200");
  });

  test("two that want the same are told of each other", async () => {
    const body = wrapped({ id: ORD, name: "new" }, { id: AMS, name: "new" });
    const reply = await untouched(server, () => put(body));
    expect(problems(reply)).toEqual(["990027 /interconnects/1/name"]);
    const holder = `interconnect ${ORD} (new), in this request at /interconnects/0`;
    expect(reply.body.errors[0].message).toBe(`The name "new" is taken by ${holder}.`);
    const overlap = wrapped(
      { id: ORD, interface_address: "10.1.0.1/30" },
      { id: SIN, interface_address: "10.1.0.2/31" },
    );
    expect(problems(await put(overlap))).toEqual(["990028 /interconnects/1/interface_address"]);
  });

  test("half of a swap is refused, with who holds what is wanted", async () => {
    const reply = await untouched(server, () =>
      put(wrapped({ id: ORD, name: "pni_ams" }, { id: AMS, mtu: 1400 })),
    );
    expect(problems(reply)).toEqual(["990027 /interconnects/0/name"]);
    expect(reply.body.errors[0].message).toContain(`interconnect ${AMS} (pni_ams)`);
  });

  test("a swap and a mistake elsewhere: only the mistake is told", async () => {
    const body = wrapped({ id: ORD, name: "pni_ams", mtu: 1 }, { id: AMS, name: "pni_ord", x: 1 });
    const reply = await untouched(server, () => put(body));
    expect(problems(reply).sort()).toEqual(["990020 /interconnects/1/x", "990023 /interconnects/0/mtu"]);
  });
});

describe("modified, modified_on and the revision", () => {
  test("modified is true for an accepted update that changes no value; the others stay", async () => {
    const before = await list();
    for (const body of [
      wrapped({ id: ORD }),
      wrapped({ id: ORD, mtu: 1476 }),
      { id: SIN, health_check: {} },
    ]) {
      const reply = await untouched(server, () => put(body));
      expect(reply.body.result.modified).toBe(true);
    }
    const reply = await untouched(server, () => server.ask("PUT", one(ORD), { body: {} }));
    expect(reply.body.result).toEqual({ modified: true, modified_interconnect: before[0] });
  });

  test("only those that changed have a new modified_on, and are in the log", async () => {
    const before = await list();
    const reply = await put(
      wrapped({ id: ORD, mtu: 1476 }, { id: AMS, mtu: 1400 }, { id: SIN, description: "new" }),
    );
    const [ord, ams, sin] = results(reply);
    expect(ord).toEqual(before[0]);
    expect(timeless([ams as Shown])).toEqual(timeless([{ ...(before[1] as Shown), mtu: 1400 }]));
    expect(ams?.modified_on).not.toBe(before[1]?.modified_on);
    expect(sin?.modified_on).toBe(ams?.modified_on);
    const { body } = await server.ask("GET", `${OWN}/changes/2`);
    expect(body.result.objects.map(({ id }: { id: string }) => id)).toEqual([AMS, SIN]);
  });

  test("created_on never moves", async () => {
    const before = await fields("created_on");
    await put(wrapped({ id: ORD, mtu: 1400, created_on: "2001-01-01T00:00:00Z" }, { id: SIN, mtu: 1400 }));
    expect(await fields("created_on")).toEqual(before);
  });

  test("a change back is a change", async () => {
    const before = await list();
    await put(wrapped({ id: ORD, mtu: 1400 }));
    await put(wrapped({ id: ORD, mtu: 1476 }));
    expect(timeless(await list())).toEqual(timeless(before));
    expect(await revision(server)).toBe(3);
  });

  test("another account stays as it is", async () => {
    const [own, , other] = await standing(server);
    await put(wrapped({ id: ORD, mtu: 1400 }));
    const [ownNow, , otherNow] = await standing(server);
    expect(otherNow).toEqual(other);
    expect(ownNow).not.toEqual(own);
    expect([ACCOUNT, OTHER_ACCOUNT]).toEqual(
      [own, other].map((state = "") => JSON.parse(state).result.account_id),
    );
  });
});
