import { expect, test } from "vitest";
import { LongBody } from "./long-body.ts";

test.each([0, 1, 2, 100, 5_000])("a body of %i texts has them all, separated by commas", async (count) => {
  const texts = Array.from({ length: count }, (_, number) =>
    JSON.stringify(`${number} ü € 😀 `.repeat(number % 40)),
  );
  const body = new LongBody('{"result":[');
  await body.addList(texts);
  const end = body.end('],"success":true}').toString();
  expect(end).toBe(`{"result":[${texts.join(",")}],"success":true}`);
});

test.each(["a", "€"])("texts of any length fit, of %s", async (unit) => {
  for (const length of [0, 1, 1_364, 1_365, 1_366, 4_095, 4_096, 4_097, 400_000, 2_000_000]) {
    const text = unit.repeat(length);
    const body = new LongBody("");
    await body.addList([text, "", text]);
    expect(body.end(".").toString() === `${text},,${text}.`, String(length)).toBe(true);
  }
});
