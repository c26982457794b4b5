import fc from "fast-check";
import { expect, test } from "vitest";
import { runs } from "../../test/harness/runs.ts";
import { entry, type Kind, State } from "./state.ts";

/** Objects that each hold some numbers. */
const kind: Kind = {
  name: "thing",
  claims: { numbers: (doc) => (doc["numbers"] as readonly number[]).map((number) => `number:${number}`) },
  conflict: () => ({ name: "invalid_seed", values: {} }),
  stamped: false,
  nameOf: () => undefined,
  masked: [],
};

const step = fc.oneof(
  fc.record({ do: fc.constant("take" as const), least: fc.nat(12), most: fc.nat(12) }),
  fc.record({ do: fc.constant("hold" as const), number: fc.nat(12) }),
  fc.record({ do: fc.constant("free" as const), at: fc.nat(12) }),
  fc.record({ do: fc.constant("take back" as const), at: fc.nat(12) }),
);

test("the lowest free number of any range is found, whatever was taken, given up and taken back", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const state = new State("a", "e");
      /** Numbers held, by the object that holds each. */
      const held = new Map<string, number>();
      let made = 0;
      const hold = (number: number, keep: boolean) => {
        if ([...held.values()].includes(number)) return;
        const id = `thing ${made++}`;
        const after = entry(id, { numbers: [number] }, state.revision + 1);
        const edits = [{ slot: state.slotFor("thing", id), kind, before: undefined, after }];
        state.apply(edits);
        if (keep) held.set(id, number);
        else state.takeBack(edits);
      };
      for (const one of steps) {
        if (one.do === "hold") hold(one.number, true);
        if (one.do === "take back") hold(one.at, false);
        if (one.do === "free") {
          const id = [...held.keys()][one.at];
          const slot = id === undefined ? undefined : state.newest("thing", id);
          if (!slot || id === undefined) continue;
          state.apply([{ slot, kind, before: slot.entry, after: undefined }]);
          held.delete(id);
        }
        if (one.do === "take") {
          const [from, to] = [Math.min(one.least, one.most), Math.max(one.least, one.most)];
          const all = Array.from({ length: to - from + 1 }, (_, index) => from + index);
          const lowest = all.find((number) => ![...held.values()].includes(number));
          expect(state.firstFree("number", from, to)).toBe(lowest);
          if (lowest !== undefined) hold(lowest, true);
        }
      }
    }),
    { numRuns: runs(500) },
  );
});
