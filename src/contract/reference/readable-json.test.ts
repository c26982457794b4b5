import fc from "fast-check";
import { expect, test } from "vitest";
import { readableJson } from "./readable-json.ts";

test("is the same JSON", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(JSON.parse(readableJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});

test("puts on one line what fits there", () => {
  const value = { list: [{ a: 1 }, { b: "x".repeat(75) }], empty: {}, none: [] };
  expect(readableJson(value)).toBe(
    [
      "{",
      '  "list": [',
      '    { "a": 1 },',
      `    { "b": "${"x".repeat(75)}" }`,
      "  ],",
      '  "empty": {},',
      '  "none": []',
      "}",
    ].join("\n"),
  );
});
