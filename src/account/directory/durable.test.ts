import { expect, test } from "vitest";
import { decide } from "../decide.ts";
import { DIRECTORY_ID, findToken, findUser, type TokenDoc, tokenKind, userKind } from "../directory.ts";
import { type Doc, type Edit, State } from "../state.ts";
import { createToken, deleteToken, rollToken } from "./token.ts";
import { deleteUser, rollUserKey, updateUser } from "./user.ts";

const USER = "a".repeat(32);
const TOKEN = "b".repeat(32);
const owner = { user: USER };
const operation = "test";
const asker = { by: "key", id: USER } as const;
const standing = { operation, owner, asker };
const any = () => undefined;
const circumstances = {
  time: "2030-01-01T00:00:00.000000Z",
  actor: { type: "user", id: USER, name: "user@example.com" },
  requestId: "request",
} as const;

function directory(): State {
  const state = new State(DIRECTORY_ID, "epoch");
  const token: TokenDoc = { name: "first", hash: "one", owner, status: "active", policies: [] };
  state.restore(userKind, USER, { email: "user@example.com", key_hash: "key", accounts: [] }, 1);
  state.restore(tokenKind, TOKEN, token as Doc, 1);
  state.restoreRevisions(1, new Map());
  return state;
}

/** Decides and applies, as for a commit that is on its way. */
function begin(
  state: State,
  command: Parameters<typeof decide>[1],
): { edits: readonly Edit[]; revision: number } {
  const decision = decide(state, command);
  if (!decision.ok || !decision.change) throw new Error("Nothing was decided.");
  state.apply(decision.change.edits);
  return { edits: decision.change.edits, revision: decision.change.record.revision };
}

const known = (state: State) => ["one", "two", "three"].filter((hash) => findToken(state, hash));
const roll = (hash: string) => rollToken({ id: TOKEN, hash }, standing, any, circumstances);
const remove = deleteToken(TOKEN, standing, any, circumstances);

test("a token that is rolled works by its old secret until the new one is durable, and then by that alone", () => {
  const state = directory();
  const change = begin(state, roll("two"));
  expect(known(state)).toEqual(["one"]);
  state.settle(change.edits, change.revision);
  expect(known(state)).toEqual(["two"]);
});

test("a roll that fails changes nothing", () => {
  const state = directory();
  const change = begin(state, roll("two"));
  state.takeBack(change.edits);
  expect(known(state)).toEqual(["one"]);
});

test("of rolls on their way, each counts when it is durable", () => {
  const state = directory();
  const first = begin(state, roll("two"));
  const second = begin(state, roll("three"));
  expect(known(state)).toEqual(["one"]);
  state.settle(first.edits, first.revision);
  expect(known(state)).toEqual(["two"]);
  state.takeBack(second.edits);
  expect(known(state)).toEqual(["two"]);
});

test("a token that is deleted works until that is durable", () => {
  const state = directory();
  const change = begin(state, remove);
  expect(known(state)).toEqual(["one"]);
  state.settle(change.edits, change.revision);
  expect(known(state)).toEqual([]);
});

test("a token that is made works once it is durable, and not before", () => {
  const state = directory();
  const wanted = { ...standing, body: { name: "made", policies: [] }, newId: () => "", id: "c".repeat(32) };
  const change = begin(state, createToken({ ...wanted, hash: "two" }, circumstances));
  expect(known(state)).toEqual(["one"]);
  state.settle(change.edits, change.revision);
  expect(known(state)).toEqual(["one", "two"]);
});

test("a token that is rolled and then deleted works by neither secret in the end", () => {
  const state = directory();
  const first = begin(state, roll("two"));
  const second = begin(state, remove);
  expect(known(state)).toEqual(["one"]);
  state.settle(first.edits, first.revision);
  expect(known(state)).toEqual(["two"]);
  state.settle(second.edits, second.revision);
  expect(known(state)).toEqual([]);
});

test("a user is found by the address and key that are durable", () => {
  const state = directory();
  const found = () =>
    ["user@example.com", "other@example.com"].map((email) => findUser(state, email)?.doc.key_hash ?? "none");
  const renamed = begin(
    state,
    updateUser(USER, { email: "other@example.com" }, () => "", any, circumstances),
  );
  const rolled = begin(state, rollUserKey(USER, "new key", any, circumstances));
  const deleted = begin(state, deleteUser(USER, any, circumstances));
  expect(found()).toEqual(["key", "none"]);
  state.settle(renamed.edits, renamed.revision);
  expect(found()).toEqual(["none", "key"]);
  state.settle(rolled.edits, rolled.revision);
  expect(found()).toEqual(["none", "new key"]);
  expect(known(state)).toEqual(["one"]);
  state.settle(deleted.edits, deleted.revision);
  expect(found()).toEqual(["none", "none"]);
  expect(known(state)).toEqual([]);
});
