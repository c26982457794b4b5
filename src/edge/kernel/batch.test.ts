import { expect, test } from "vitest";
import { failures, isGone } from "./batch.ts";

test("what a batch prints tells which lines failed and why", () => {
  const printed = `RTNETLINK answers: File exists
Command failed -:3
Error: argument "68x" is wrong: Invalid "mtu" value
Command failed -:12
`;
  expect([...failures(printed)]).toEqual([
    [3, "File exists"],
    [12, 'argument "68x" is wrong: Invalid "mtu" value'],
  ]);
});

test.each(['Cannot find device "pb-1"', "No such process", "Cannot assign requested address"])(
  "%s: it is gone already",
  (reason) => expect(isGone(reason)).toBe(true),
);

test("File exists: it is not", () => expect(isGone("File exists")).toBe(false));
