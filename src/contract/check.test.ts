import fc from "fast-check";
import Type from "typebox";
import { Compile } from "typebox/compile";
import { describe, expect, test } from "vitest";
import { runs } from "../../test/harness/runs.ts";
import { Checker, show } from "./check.ts";
import { MOST_PROBLEMS, Problems } from "./errors.ts";
import { UpdateWithObject, UpdateWithText } from "./interconnect.ts";
import { Seed } from "./seed.ts";

const closed = { additionalProperties: false } as const;
const schema = Type.Object(
  {
    name: Type.Optional(Type.String({ minLength: 1, maxLength: 3 })),
    size: Type.Optional(Type.Integer({ minimum: 2, maximum: 4 })),
    rate: Type.Optional(Type.Enum(["low", "high"])),
    on: Type.Optional(Type.Boolean()),
    inner: Type.Optional(
      Type.Object({ text: Type.Optional(Type.String()), flag: Type.Optional(Type.Boolean()) }, closed),
    ),
    list: Type.Optional(Type.Array(Type.String({ maxLength: 2 }), { maxItems: 3 })),
    items: Type.Optional(Type.Array(Type.Object({ id: Type.String() }, closed))),
  },
  closed,
);
const checker = new Checker(schema);

function read(value: unknown, by: Checker<typeof schema> = checker) {
  const problems = new Problems();
  const kept = by.read(value, "/at", problems);
  const told = problems.list().map(({ name, pointer }) => `${name} ${pointer}`);
  return { kept, told, messages: problems.list().map(({ message }) => message) };
}

describe("a value that is right", () => {
  test.each([
    {},
    { name: "abc", size: 2, rate: "low", on: false },
    { inner: { text: "", flag: true }, list: ["ab", ""], items: [{ id: "x" }] },
  ])("is taken as it is: %j", (value) => {
    expect(read(value)).toEqual({ kept: value, told: [], messages: [] });
    expect(read(value).kept).toBe(value);
  });
});

describe("a value that is wrong", () => {
  test.each<[unknown, string[], unknown]>([
    [null, ["null_not_permitted /at"], undefined],
    ["x", ["invalid_request /at"], undefined],
    [[], ["invalid_request /at"], undefined],
    [{ name: 5, on: true }, ["invalid_request /at/name"], { on: true }],
    [{ name: null, on: true }, ["null_not_permitted /at/name"], { on: true }],
    [{ name: "" }, ["invalid_value /at/name"], {}],
    [{ name: "abcd" }, ["invalid_value /at/name"], {}],
    [{ size: 1 }, ["invalid_value /at/size"], {}],
    [{ size: 5 }, ["invalid_value /at/size"], {}],
    [{ size: 2.5 }, ["invalid_request /at/size"], {}],
    [{ size: "2" }, ["invalid_request /at/size"], {}],
    [{ rate: "mid" }, ["invalid_value /at/rate"], {}],
    [{ rate: 7 }, ["invalid_value /at/rate"], {}],
    [{ rate: null }, ["null_not_permitted /at/rate"], {}],
    [{ on: "true" }, ["invalid_request /at/on"], {}],
    [{ inner: null }, ["null_not_permitted /at/inner"], {}],
    [{ inner: [] }, ["invalid_request /at/inner"], {}],
    [{ inner: { text: 1, flag: true } }, ["invalid_request /at/inner/text"], { inner: { flag: true } }],
    [{ inner: { other: 1, flag: true } }, ["unknown_field /at/inner/other"], { inner: { flag: true } }],
    [{ "a/b~": 1 }, ["unknown_field /at/a~1b~0"], {}],
    [JSON.parse('{"__proto__":{"on":true}}'), ["unknown_field /at/__proto__"], {}],
    [{ constructor: 1, toString: 2 }, ["unknown_field /at/constructor", "unknown_field /at/toString"], {}],
    [{ list: "ab" }, ["invalid_request /at/list"], {}],
    [
      { list: ["a", 1, null], on: true },
      ["invalid_request /at/list/1", "null_not_permitted /at/list/2"],
      { on: true },
    ],
    [{ list: ["a", "abc"], on: true }, ["invalid_value /at/list/1"], { on: true }],
    [{ list: ["a", "b", "c", "d"] }, ["invalid_value /at/list"], {}],
    // Without what it must have, an object is none that could be judged further.
    [{ items: [{ id: "x" }, {}], on: true }, ["missing_field /at/items/1"], undefined],
    [{ items: [{ id: 1 }] }, ["invalid_request /at/items/0/id"], undefined],
  ])("is told where: %j", (value, told, kept) => {
    const { kept: left, told: problems } = read(value);
    expect(problems).toEqual(told);
    expect(left).toEqual(kept);
  });

  test("is told of in all places at once", () => {
    const value = { name: 5, size: 9, other: 1, inner: { flag: "x", more: null }, on: true };
    const { told, kept } = read(value);
    expect(told.toSorted()).toEqual([
      "invalid_request /at/inner/flag",
      "invalid_request /at/name",
      "invalid_value /at/size",
      "unknown_field /at/inner/more",
      "unknown_field /at/other",
    ]);
    expect(kept).toEqual({ inner: {}, on: true });
  });

  test("is told in words that say what would be right", () => {
    expect(read({ nmae: 1 }).messages).toEqual(['There is no field "nmae" here. Did you mean name?']);
    expect(read({ zzzzzz: 1 }).messages[0]).toContain("Known: name, size, rate, on, inner, list, items.");
    expect(read({ inner: { tex: 1 } }).messages[0]).toContain("Did you mean text?");
    expect(read({ rate: "mid" }).messages[0]).toContain('one of "low", "high"');
    expect(read({ size: 1 }).messages[0]).toContain("at least 2");
    expect(read({ size: 5 }).messages[0]).toContain("at most 4");
    expect(read({ size: "2" }).messages[0]).toContain("size must be an integer, not a string");
    expect(read({ inner: { flag: [] } }).messages[0]).toContain("inner.flag must be a boolean, not an array");
    expect(read({ name: null }).messages[0]).toContain('type "string" is not permitted to be null');
    expect(read(7).messages[0]).toContain("the body must be an object, not a number");
  });

  test("may be put in the words of the caller", () => {
    const by = new Checker(schema, (path, value, problems, pointer) => {
      if (path !== "/inner/text" || typeof value !== "number") return false;
      problems.add("target_form", { header: "true", expected: "a text" }, pointer);
      return true;
    });
    expect(read({ inner: { text: 5, flag: true } }, by)).toMatchObject({
      told: ["target_form /at/inner/text"],
      kept: { inner: { flag: true } },
    });
    expect(read({ inner: { text: null } }, by).told).toEqual(["null_not_permitted /at/inner/text"]);
  });

  test("with very many faults is told of the first hundred, and how many more there are", () => {
    const faults = Object.fromEntries(Array.from({ length: 5000 }, (_, n) => [`x${n}`, n]));
    const { told, messages, kept } = read({ ...faults, on: true });
    expect(told).toHaveLength(MOST_PROBLEMS + 1);
    expect(messages.at(-1)).toBe("and 4900 more");
    expect(kept).toEqual({ on: true });
  });
});

describe("whatever is sent", () => {
  const keys = [
    ...[
      "id",
      "name",
      "mtu",
      "bgp",
      "gre",
      "health_check",
      "target",
      "saved",
      "as_no",
      "extra_prefixes",
      "rate",
    ],
    ...[
      "customer_asn",
      "interface_address",
      "enabled",
      "source",
      "accounts",
      "tokens",
      "interconnects",
      "__proto__",
      "a/b",
    ],
  ];
  const value = fc.letrec<{ any: unknown }>((tie) => ({
    any: fc.oneof(
      { maxDepth: 5, depthSize: "medium" },
      fc.constantFrom<unknown>(
        null,
        true,
        0,
        1400,
        1.5,
        -1,
        1e300,
        "",
        "low",
        "x".repeat(70),
        "1".repeat(32),
      ),
      fc.array(tie("any"), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...keys), tie("any"), { maxKeys: 5, noNullPrototype: true }),
    ),
  })).any;

  const schemas = { UpdateWithText, UpdateWithObject, Seed };

  test.each(Object.entries(schemas))(
    "%s takes it, or tells where it is wrong and keeps what is right",
    (_, schema) => {
      const checker = new Checker<typeof schema>(schema);
      const compiled = Compile(schema);
      fc.assert(
        fc.property(value, (value) => {
          const sent = JSON.stringify(value);
          const problems = new Problems();
          const kept = checker.read(value, "/at", problems);
          expect(problems.found).toBe(!compiled.Check(value));
          if (kept !== undefined) expect(compiled.Check(kept)).toBe(true);
          for (const { pointer } of problems.list()) expect(isWithin(value, pointer)).toBe(true);
          expect(JSON.stringify(value)).toBe(sent);
        }),
        { numRuns: runs(2000) },
      );
    },
  );

  /** Does the pointer lead to a place in the value? A count of further problems has none. */
  function isWithin(value: unknown, pointer: string | undefined): boolean {
    if (pointer === undefined) return true;
    const [, at, ...path] = pointer.split("/");
    let here = value;
    for (const token of path) {
      const key = token.replaceAll("~1", "/").replaceAll("~0", "~");
      if (typeof here !== "object" || here === null || !Object.hasOwn(here, key)) return false;
      here = Reflect.get(here, key);
    }
    return at === "at";
  }
});

test("a sentence repeats plain values, and of others the type", () => {
  const texts = ['a "b"', 5, false, null, [1], { a: 1 }].map(show);
  expect(texts).toEqual(['"a \\"b\\""', "5", "false", "null", "an array", "an object"]);
});
