import { describe, expect, test } from "vitest";
import { circumstances } from "../../test/harness/worlds.ts";
import { MAX_OBJECTS_PER_KIND, MAX_ROLLBACK_BYTES, MAX_ROLLBACK_OBJECTS } from "../contract/limits.ts";
import { type Command, type Decision, decide, judgeRollback, type Wish } from "./decide.ts";
import { userKind } from "./directory.ts";
import { kinds } from "./kinds.ts";
import { type Kind, State } from "./state.ts";
import { staticRouteKind } from "./static-route.ts";

const plain: Kind = { ...staticRouteKind, claims: {} };

const create = (from: number, to: number, kind = plain): Command["propose"] =>
  function* (state): Generator<Wish> {
    for (let number = from; number < to; number++) {
      const slot = state.slotFor(kind.name, String(number));
      yield { kind, slot, doc: { number }, pointer: undefined };
    }
  };

const remove =
  (...numbers: number[]): Command["propose"] =>
  (state) =>
    numbers.map((number) => ({
      kind: plain,
      slot: state.slotFor(plain.name, String(number)),
      doc: undefined,
      pointer: undefined,
    }));

const run = (state: State, ...proposals: readonly Command["propose"][]): Decision =>
  decide(state, {
    operation: "test",
    circumstances: circumstances(),
    *propose(...args) {
      for (const propose of proposals) yield* propose(...args);
    },
  });

function make(state: State, decision: Decision): void {
  if (!decision.ok || !decision.change) throw new Error("The change is accepted.");
  state.apply(decision.change.edits);
  state.settle(decision.change.edits, decision.change.record.revision);
}

/** An account with the maximum number of objects of a kind. */
function full(): State {
  const state = new State("a", "e");
  for (let number = 0; number < MAX_OBJECTS_PER_KIND; number++)
    state.restore(plain, String(number), { number }, 1);
  state.restoreRevisions(1, new Map());
  return state;
}

const refused = { ok: false, problems: [{ name: "too_many_objects" }] };

describe("an account", () => {
  test("accepts objects of a kind up to the limit, and refuses one more", () => {
    const state = new State("a", "e");
    expect(run(state, create(0, MAX_OBJECTS_PER_KIND + 1))).toMatchObject(refused);
    make(state, run(state, create(0, MAX_OBJECTS_PER_KIND)));
    expect(state.count(plain.name)).toBe(MAX_OBJECTS_PER_KIND);
    expect(run(state, create(MAX_OBJECTS_PER_KIND, MAX_OBJECTS_PER_KIND + 1))).toMatchObject(refused);
  });

  test("at the limit can replace objects, and is at the limit again when a deletion is reverted", () => {
    const state = full();
    const [from, to] = [MAX_OBJECTS_PER_KIND, MAX_OBJECTS_PER_KIND + 1];
    expect(run(state, remove(0), create(from, to)).ok).toBe(true);
    expect(run(state, remove(0), create(from, to + 1))).toMatchObject(refused);
    const deletion = run(state, remove(0));
    if (!deletion.ok || !deletion.change) throw new Error("The deletion is accepted.");
    state.apply(deletion.change.edits);
    expect(run(state, create(from, to)).ok).toBe(true);
    state.takeBack(deletion.change.edits);
    expect(run(state, create(from, to))).toMatchObject(refused);
    expect(run(state, remove(0, 1)).ok).toBe(true);
  });

  test("above the limit, from before it existed, can still be changed and reduced", () => {
    const state = full();
    state.restore(plain, "more", {}, 1);
    expect(run(state, remove(0)).ok).toBe(true);
    expect(run(state, remove(0), create(MAX_OBJECTS_PER_KIND, MAX_OBJECTS_PER_KIND + 1)).ok).toBe(true);
  });

  test("with more objects than the limit can revert a pending deletion", () => {
    const state = full();
    for (const id of ["more", "most"]) state.restore(plain, id, {}, 1);
    const about = { ...circumstances(), confirmBy: "2026-03-04T05:07:00.000Z" };
    make(state, decide(state, { operation: "test", circumstances: about, propose: remove(0) }));
    const back = { operation: "test", circumstances: circumstances(), propose: create(0, 1) };
    expect(decide(state, { ...back, settles: 2 })).toMatchObject(refused);
    expect(decide(state, { ...back, settles: 2, of: { reverts: 1 } })).toMatchObject(refused);
    expect(decide(state, { ...back, settles: 2, of: { reverts: 2 } }).ok).toBe(true);
  });

  test("can be rolled back completely: its kinds together stay within the limit of a rollback", () => {
    const ofAccounts = [...kinds.values()].filter(({ concerns }) => !concerns);
    expect(ofAccounts.length * MAX_OBJECTS_PER_KIND).toBeLessThanOrEqual(MAX_ROLLBACK_OBJECTS);
  });
});

test("users and other objects of the directory are not counted", () => {
  const state = full();
  const kind = { ...userKind, claims: {}, concerns: () => [] };
  expect(run(state, create(0, 1, kind)).ok).toBe(true);
  expect(userKind.concerns).toBeDefined();
});

describe("a change with a deadline", () => {
  const change = { kind: "k", id: "i", action: "update", fields: { text: { after: "ü" } } } as const;
  const bytes = Buffer.byteLength(JSON.stringify(change)) + 1;
  function judge(changes: number, limits: { bytes: number; count: number }) {
    const steps = judgeRollback(Array(changes).fill(change), limits);
    for (;;) {
      const step = steps.next();
      if (step.done) return step.value?.name;
    }
  }

  test("is accepted up to the limit of objects, and refused with one more", () => {
    expect(judge(20, { bytes: 1e9, count: 20 })).toBeUndefined();
    expect(judge(21, { bytes: 1e9, count: 20 })).toBe("rollback_too_large");
  });

  test("is accepted up to the limit of bytes in the log, and refused with one more", () => {
    expect(judge(20, { bytes: 20 * bytes, count: 1e6 })).toBeUndefined();
    expect(judge(20, { bytes: 20 * bytes - 1, count: 1e6 })).toBe("rollback_too_large");
  });

  test("is refused if it is too large for a rollback, but accepted without a deadline", () => {
    const state = new State("a", "e");
    const text = "x".repeat(MAX_ROLLBACK_BYTES / 8);
    const propose: Command["propose"] = () =>
      Array.from({ length: 8 }, (_, number) => ({
        kind: plain,
        slot: state.slotFor(plain.name, String(number)),
        doc: { text },
        pointer: undefined,
      }));
    const about = { ...circumstances(), confirmBy: "2026-03-04T05:07:00.000Z" };
    expect(decide(state, { operation: "test", circumstances: about, propose })).toMatchObject({
      ok: false,
      problems: [{ name: "rollback_too_large" }],
    });
    expect(run(state, propose).ok).toBe(true);
  });
});
