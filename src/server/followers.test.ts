import { expect, test } from "vitest";
import { Followers } from "./followers.ts";
import { Refusal } from "./refusal.ts";

function refusalOf(act: () => unknown): Refusal | undefined {
  try {
    act();
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  return undefined;
}

test("an account has as many followers as it may, and one more is refused", () => {
  const followers = new Followers(10, 3);
  const places = [1, 2, 3].map(() => followers.enter("one"));
  const refusal = refusalOf(() => followers.enter("one"));
  expect(refusal?.problems).toMatchObject([{ name: "too_many_followers" }]);
  expect(refusal?.message).toContain("3 requests already wait for changes of this account; at most 3");
  expect(refusal?.headers).toEqual({ "retry-after": "5" });
  expect(refusalOf(() => followers.enter("other"))).toBeUndefined();
  places[0]?.[Symbol.dispose]();
  expect(refusalOf(() => followers.enter("one"))).toBeUndefined();
});

test("a server has as many followers as it may, whatever the account", () => {
  const followers = new Followers(3, 3);
  const places = ["a", "b", "c"].map((id) => followers.enter(id));
  expect(refusalOf(() => followers.enter("d"))?.message).toContain("on this server; at most 3");
  for (const place of places) place[Symbol.dispose]();
  expect(refusalOf(() => followers.enter("d"))).toBeUndefined();
});
