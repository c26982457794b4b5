import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  AMS,
  codes,
  LIST,
  ORD,
  OWN,
  one,
  problems,
  type Reply,
  SIN,
  startTestServer,
  type TestServer,
} from "./harness/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
beforeEach(() => server.reset());
afterAll(() => server.close());

interface Fields {
  readonly [field: string]: unknown;
}

const bulk = (body: unknown, query = "") => server.ask("PUT", LIST + query, { body });
const state = async () => (await server.ask("GET", `${OWN}/state`)).body.result;
const stored = async (id: string): Promise<Fields> =>
  (await server.ask("GET", one(id))).body.result.interconnect;
const results = (reply: Reply): Fields[] => reply.body.result.modified_interconnects;

/** Every form the body may have, and the pointer of the element at an index in it. */
const forms: [string, (elements: unknown[]) => unknown, (index: number) => string][] = [
  ["wrapped", (interconnects) => ({ interconnects }), (index) => `/interconnects/${index}`],
  ["a bare list", (elements) => elements, (index) => `/${index}`],
];

describe.each(forms)("a bulk update, %s", (_, wrap, at) => {
  test("changes every element and answers in the order of the request", async () => {
    const reply = await bulk(
      wrap([
        { id: SIN, mtu: 1400 },
        { id: ORD, description: "x" },
        { id: AMS, name: "ams" },
      ]),
    );
    expect(reply.status).toBe(200);
    expect(reply.body.result.modified).toBe(true);
    expect(results(reply).map(({ id }) => id)).toEqual([SIN, ORD, AMS]);
    for (const result of results(reply)) expect(await stored(String(result["id"]))).toEqual(result);
    expect((await state()).revision).toBe(2);
  });

  test("tells all problems of all elements at once, and changes nothing", async () => {
    const before = await state();
    const reply = await bulk(
      wrap([
        { id: ORD, mtu: 1400 },
        { id: SIN, mtu: 1, nmae: "x", health_check: { rate: "fast", enabled: 1 } },
        { mtu: 1400 },
        { id: "0".repeat(32), mtu: 1400 },
        { id: ORD, mtu: 1300 },
        "text",
        { id: AMS, gre: {}, version: "2", description: null },
      ]),
    );
    expect(reply.status).toBe(400);
    expect(new Set(problems(reply))).toEqual(
      new Set([
        `990020 ${at(1)}/nmae`,
        `990023 ${at(1)}/health_check/rate`,
        `1022 ${at(1)}/health_check/enabled`,
        `990023 ${at(1)}/mtu`,
        `990022 ${at(2)}`,
        `990025 ${at(3)}/id`,
        `990026 ${at(4)}/id`,
        `1022 ${at(5)}`,
        `1022 ${at(6)}/description`,
        `990021 ${at(6)}/version`,
        `990030 ${at(6)}/gre`,
      ]),
    );
    expect(await state()).toEqual(before);
  });

  test("of no elements changes nothing", async () => {
    const reply = await bulk(wrap([]));
    expect(reply.status).toBe(200);
    expect(reply.body.result).toEqual({ modified: false, modified_interconnects: [] });
  });
});

describe("other forms of the body", () => {
  test("one bare object with an id is an update of one element, its pointers from the top", async () => {
    const reply = await bulk({ id: ORD, mtu: 1400 });
    expect(results(reply)).toMatchObject([{ id: ORD, mtu: 1400 }]);
    expect(problems(await bulk({ id: ORD, mtu: 1 }))).toEqual(["990023 /mtu"]);
  });

  test("an empty object changes nothing", async () => {
    const reply = await bulk({});
    expect(reply.status).toBe(200);
    expect(reply.body.result).toEqual({ modified: false, modified_interconnects: [] });
  });

  test.each([
    ["a text", '"x"', ["1022"]],
    ["a number", "5", ["1022"]],
    ["null", "null", ["1022"]],
    ["an object without id", '{"mtu": 1400}', ["990020 /mtu"]],
    ["a misspelt list", '{"interconects": []}', ["990020 /interconects"]],
    ["a list and more", '{"interconnects": [], "mtu": 1}', ["990020 /mtu"]],
    ["a null list", '{"interconnects": null}', ["1022 /interconnects"]],
    ["an object as the list", '{"interconnects": {}}', ["1022 /interconnects"]],
    ["nothing", "", ["1022"]],
  ])("%s is refused", async (_, body, expected) => {
    const reply = await bulk(body);
    expect(reply.status).toBe(400);
    expect(problems(reply).map((text) => text.trim())).toEqual(expected);
  });

  test("a misspelt list is told what it should be", async () => {
    const reply = await bulk({ interconects: [] });
    expect(reply.body.errors[0].message).toContain("Did you mean interconnects?");
  });
});

describe("the set is judged as it would be afterwards", () => {
  test("two interconnects swap names", async () => {
    const reply = await bulk([
      { id: ORD, name: "pni_ams" },
      { id: AMS, name: "pni_ord" },
    ]);
    expect(results(reply).map(({ name }) => name)).toEqual(["pni_ams", "pni_ord"]);
  });

  test("two interconnects swap addresses", async () => {
    const ord = "10.213.0.8/31";
    const ams = "10.213.0.10/31";
    const reply = await bulk([
      { id: ORD, interface_address: ams },
      { id: AMS, interface_address: ord },
    ]);
    expect(results(reply).map(({ interface_address }) => interface_address)).toEqual([ams, ord]);
  });

  test("three rotate", async () => {
    const reply = await bulk([
      { id: ORD, name: "pni_ams" },
      { id: AMS, name: "pni_sin" },
      { id: SIN, name: "pni_ord" },
    ]);
    expect(reply.status).toBe(200);
  });

  test("what one gives up another may take, in either order", async () => {
    expect(
      (
        await bulk([
          { id: AMS, name: "pni_ord" },
          { id: ORD, name: "new" },
        ])
      ).status,
    ).toBe(200);
    expect(
      (
        await bulk([
          { id: AMS, name: "newer" },
          { id: SIN, name: "pni_ord" },
        ])
      ).status,
    ).toBe(200);
  });

  test("what an element keeps another may not take", async () => {
    const reply = await bulk([
      { id: ORD, mtu: 1400 },
      { id: AMS, name: "pni_ord" },
    ]);
    expect(problems(reply)).toEqual(["990027 /1/name"]);
    expect(reply.body.errors[0].message).toBe(
      `The name "pni_ord" is taken by interconnect ${ORD} (pni_ord).`,
    );
  });

  test("two elements may not want the same, and the first is named", async () => {
    const reply = await bulk([
      { id: ORD, name: "same" },
      { id: AMS, name: "same" },
    ]);
    expect(problems(reply)).toEqual(["990027 /1/name"]);
    expect(reply.body.errors[0].message).toContain(`${ORD} (same), in this request at /0`);
  });

  test("a /30 overlaps with either /31 inside it", async () => {
    const reply = await bulk([
      { id: SIN, interface_address: "10.5.0.1/30" },
      { id: ORD, interface_address: "10.5.0.2/31" },
    ]);
    expect(problems(reply)).toEqual(["990028 /1/interface_address"]);
  });
});

test("an unknown id is 400 in the list and 404 in the path, and a name in its place is recognised", async () => {
  const inList = await bulk([{ id: "pni_ord", mtu: 1400 }]);
  expect([inList.status, ...codes(inList)]).toEqual([400, 990025]);
  const inPath = await server.ask("PUT", one("pni_ord"), { body: { mtu: 1400 } });
  expect([inPath.status, ...codes(inPath)]).toEqual([404, 990024]);
  const read = await server.ask("GET", one("pni_ord"));
  expect([read.status, ...codes(read)]).toEqual([404, 990024]);
  for (const reply of [inList, inPath, read]) {
    expect(reply.body.errors[0].message).toContain(`That is the name of ${ORD}.`);
  }
});

describe("validate_only", () => {
  const body = [
    { id: ORD, mtu: 1400, health_check: { rate: "high" } },
    { id: AMS, name: "renamed" },
  ];

  test.each(["true", "1"])("=%s gives the answer of the real call and keeps nothing", async (value) => {
    const before = await state();
    const dry = await bulk(body, `?validate_only=${value}`);
    expect(await state()).toEqual(before);
    expect(dry.body.messages).toHaveLength(1);
    expect(dry.body.messages[0].message).toContain("nothing was changed");
    const real = await bulk(body);
    const timeless = (reply: Reply) => results(reply).map(({ modified_on: _, ...rest }) => rest);
    expect(timeless(dry)).toEqual(timeless(real));
    expect(dry.body.result.modified).toBe(real.body.result.modified);
  });

  test.each(["false", "0"])("=%s makes the change", async (value) => {
    await bulk(body, `?validate_only=${value}`);
    expect(await stored(ORD)).toMatchObject({ mtu: 1400 });
  });

  test("gives the refusal of the real call", async () => {
    const wrong = [
      { id: ORD, mtu: 1 },
      { id: AMS, name: "pni_sin" },
    ];
    const dry = await bulk(wrong, "?validate_only=true");
    expect(dry.body).toEqual((await bulk(wrong)).body);
  });

  test.each(["", "yes", "TRUE", "2", "true,false"])("=%j is refused and changes nothing", async (value) => {
    const reply = await bulk(body, `?validate_only=${encodeURIComponent(value)}`);
    expect([reply.status, ...codes(reply)]).toEqual([400, 990011]);
    expect((await state()).revision).toBe(1);
  });

  test("misspelt is refused, not ignored", async () => {
    const reply = await bulk(body, "?validate-only=true");
    expect([reply.status, ...codes(reply)]).toEqual([400, 990012]);
    expect(reply.body.errors[0].message).toContain("Did you mean validate_only?");
    expect((await state()).revision).toBe(1);
  });
});

describe("modified, modified_on and the revision", () => {
  test("an update that changes no value is accepted, and moves neither time nor revision", async () => {
    const before = await stored(ORD);
    const reply = await bulk([{ id: ORD, mtu: 1476, name: "pni_ord", health_check: {} }]);
    expect(reply.body.result.modified).toBe(true);
    expect(results(reply)).toEqual([before]);
    expect((await state()).revision).toBe(1);
  });

  test("only the elements whose values change get a new time, all of them the same", async () => {
    const before = await stored(AMS);
    const reply = await bulk([
      { id: ORD, mtu: 1400 },
      { id: AMS, mtu: 1476 },
      { id: SIN, mtu: 1400 },
    ]);
    const [ord, ams, sin] = results(reply);
    expect(ams).toEqual(before);
    expect(ord?.["modified_on"]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    expect(ord?.["modified_on"]).toBe(sin?.["modified_on"]);
    expect(ord?.["created_on"]).toBe("2017-06-14T00:00:00Z");
  });

  test("each accepted change moves the revision by one", async () => {
    for (let mtu = 1000; mtu < 1010; mtu++)
      await bulk([
        { id: ORD, mtu },
        { id: SIN, mtu },
      ]);
    expect((await state()).revision).toBe(11);
  });
});
