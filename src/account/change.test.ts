import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { update } from "../../test/harness/arbitraries.ts";
import { IDS, RICH, seededState } from "../../test/harness/model-world.ts";
import { runs as runsOf } from "../../test/harness/runs.ts";
import { circumstances, snapshot } from "../../test/harness/worlds.ts";
import type { Json } from "../contract/json.ts";
import { type ChangeRecord, differences, editsOf, MASK, maskRecord, objectChange, patch } from "./change.ts";
import { decide, type Wish } from "./decide.ts";
import { interconnectKind } from "./interconnect.ts";
import { updateInterconnects } from "./interconnect-update.ts";
import { kinds } from "./kinds.ts";
import { type Doc, entry, type State } from "./state.ts";

/**
 * Documents as they are kept: field names without dots, and below the top no object without members
 * (an object goes with the last of its members, so the log cannot tell an empty one from none).
 */
const document: fc.Arbitrary<Doc> = fc.letrec<{ doc: Doc; value: Json; inner: Doc }>((tie) => {
  const field = fc.constantFrom("a", "b", "c", "a/b", "~", "0", "");
  return {
    doc: fc.dictionary(field, tie("value"), { maxKeys: 4, noNullPrototype: true }),
    inner: fc.dictionary(field, tie("value"), { minKeys: 1, maxKeys: 3, noNullPrototype: true }),
    value: fc.oneof(
      { maxDepth: 3, depthSize: "small" },
      fc.constantFrom<Json>(0, 1, "", "x", true, false, null),
      fc.array(fc.constantFrom<Json>(0, "x", null, {}, { a: 1 }, { b: 1 }), {
        maxLength: 2,
      }) as fc.Arbitrary<Json>,
      tie("inner") as fc.Arbitrary<Json>,
    ),
  };
}).doc;

const runs = { numRuns: runsOf(5000) };

describe("the differences of two documents", () => {
  test("carry the one over to the other, and back", () => {
    fc.assert(
      fc.property(document, document, (before, after) => {
        const fields = differences(before, after) ?? {};
        expect(patch(before, fields, "after")).toStrictEqual(after);
        expect(patch(after, fields, "before")).toStrictEqual(before);
      }),
      runs,
    );
  });

  test("do so as well once they have been written and read", () => {
    fc.assert(
      fc.property(document, document, (before, after) => {
        const fields = JSON.parse(JSON.stringify(differences(before, after) ?? {}));
        expect(patch(before, fields, "after")).toStrictEqual(after);
      }),
      runs,
    );
  });

  test("are none exactly if the two are equal", () => {
    fc.assert(
      fc.property(document, document, (one, other) => {
        expect(differences(one, structuredClone(one))).toBeUndefined();
        const equal = JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
        expect(differences(one, other) === undefined).toBe(equal);
      }),
      runs,
    );
  });

  test("tell of no field that is the same on both sides", () => {
    fc.assert(
      fc.property(document, document, (before, after) => {
        for (const change of Object.values(differences(before, after) ?? {})) {
          expect(change.before).not.toEqual(change.after);
        }
      }),
      runs,
    );
  });

  test("and patches leave what they are made of as it was", () => {
    fc.assert(
      fc.property(document, document, (before, after) => {
        const copies = structuredClone({ before, after });
        const fields = differences(before, after) ?? {};
        const told = structuredClone(fields);
        patch(before, fields, "after");
        patch(after, fields, "before");
        expect({ before, after }).toStrictEqual(copies);
        expect(fields).toStrictEqual(told);
      }),
      runs,
    );
  });

  test.each<[string, Doc, Doc, object]>([
    ["a value", { mtu: 1 }, { mtu: 2 }, { mtu: { before: 1, after: 2 } }],
    ["a new field", {}, { mtu: 2 }, { mtu: { after: 2 } }],
    ["a field gone", { mtu: 1 }, {}, { mtu: { before: 1 } }],
    [
      "a member",
      { hc: { rate: "low", type: "x" } },
      { hc: { rate: "mid", type: "x" } },
      { "hc.rate": { before: "low", after: "mid" } },
    ],
    ["a new object", {}, { gre: { endpoint: "x" } }, { "gre.endpoint": { after: "x" } }],
    [
      "an object gone",
      { bgp: { asn: 1, key: "x" } },
      {},
      { "bgp.asn": { before: 1 }, "bgp.key": { before: "x" } },
    ],
    ["a list, whole", { list: [1, 2] }, { list: [1] }, { list: { before: [1, 2], after: [1] } }],
    ["null, which is a value", { a: null }, {}, { a: { before: null } }],
    ["an object in place of a value", { a: 1 }, { a: { b: 1 } }, { a: { before: 1, after: { b: 1 } } }],
  ])("tell %s", (_, before, after, fields) => {
    expect(differences(before, after)).toStrictEqual(fields);
  });
});

/** A document with its fields in order, for comparing texts. */
function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value;
  const entries = Object.entries(value).map(([key, item]) => [key, sorted(item)] as const);
  return entries.sort(([one], [other]) => (one < other ? -1 : 1));
}

/** A change of some interconnects, by their places in the seed; of some, their removal or making. */
interface Step {
  readonly updates: readonly { readonly at: number; readonly update: object }[];
  readonly removes: number | undefined;
  readonly makes: string | undefined;
}

const step: fc.Arbitrary<Step> = fc.record({
  updates: fc.uniqueArray(fc.record({ at: fc.nat(4), update: update("text") }), {
    maxLength: 3,
    selector: ({ at }) => at,
  }),
  removes: fc.option(fc.nat(4), { nil: undefined, freq: 6 }),
  makes: fc.option(fc.constantFrom("f1", "f2"), { nil: undefined, freq: 6 }),
});

/** The changes that a state accepts of these, each applied and durable. */
function record(state: State, steps: readonly Step[]): ChangeRecord[] {
  const records: ChangeRecord[] = [];
  for (const { updates, removes, makes } of steps) {
    const about = { ...circumstances(), time: `2026-01-01T00:00:0${records.length % 10}.000000Z` };
    const elements = updates.map(({ at, update }) => ({ id: IDS[at], ...update }));
    const asked = { elements, pointerOf: String, form: "text", condition: () => undefined } as const;
    const { propose } = updateInterconnects(asked, about);
    const others = (taken: readonly Wish[]) => {
      const wishes: Wish[] = [];
      const removed = state.newest(interconnectKind.name, IDS[removes ?? 9] ?? "");
      if (removed) wishes.push({ kind: interconnectKind, slot: removed, doc: undefined, pointer: "" });
      const slot = state.slotFor(interconnectKind.name, makes ?? "");
      const doc = {
        name: slot.id,
        interface_address: `10.1.0.${makes === "f1" ? 0 : 2}/31`,
        modified_on: "before",
      };
      if (makes && !slot.entry) wishes.push({ kind: interconnectKind, slot, doc, pointer: "" });
      return wishes.filter((wish) => !taken.some((other) => other.slot === wish.slot));
    };
    const decision = decide(state, {
      operation: "test",
      circumstances: about,
      propose: (state, problems) => {
        const wishes = [...propose(state, problems)].filter((wish) => wish !== undefined);
        return [...wishes, ...others(wishes)];
      },
    });
    if (!decision.ok || !decision.change) continue;
    state.apply(decision.change.edits);
    state.settle(decision.change.edits, decision.change.record.revision);
    records.push(decision.change.record);
  }
  return records;
}

describe("a record of the log", () => {
  test("carries a state that reads on to where the first one went", () => {
    let recorded = 0;
    fc.assert(
      fc.property(fc.array(step, { maxLength: 8 }), (steps) => {
        const [first, follower] = [seededState(RICH), seededState(RICH)];
        for (const record_ of record(first, steps)) {
          const read: ChangeRecord = JSON.parse(JSON.stringify(record_));
          const edits = editsOf(follower, read, kinds);
          follower.apply(edits);
          follower.settle(edits, read.revision);
          recorded++;
        }
        expect(snapshot(follower)).toStrictEqual(snapshot(first));
        for (const { doc } of first.list(interconnectKind.name)) {
          const claims = Object.values(interconnectKind.claims).flatMap((claim) => claim(doc));
          for (const key of claims) expect(follower.holder(key)?.id).toBe(first.holder(key)?.id);
        }
      }),
      { numRuns: runsOf(500) },
    );
    expect(recorded).toBeGreaterThan(runsOf(300));
  });

  test("of an unknown kind is not read on", () => {
    const state = seededState(RICH);
    const [first] = record(state, [
      { updates: [{ at: 0, update: { mtu: 1400 } }], removes: undefined, makes: undefined },
    ]);
    if (!first) throw new Error("The update is refused.");
    const unknown = {
      ...first,
      objects: [{ kind: "robot", id: "1", action: "create" as const, fields: {} }],
    };
    expect(() => editsOf(state, unknown, kinds)).toThrow("robot");
  });

  const slot = { kind: interconnectKind.name, id: "1", entry: undefined };
  const versions = (before?: Doc, after?: Doc) => ({
    slot,
    kind: interconnectKind,
    before: before && entry("1", before, 1),
    after: after && entry("1", after, 2),
  });

  test("tells a creation by all fields that are, a deletion by all that were", () => {
    const doc = { name: "a", bgp: { customer_asn: 1 } };
    expect(objectChange(versions(undefined, doc))).toEqual({
      kind: "interconnect",
      id: "1",
      name: "a",
      action: "create",
      fields: { name: { after: "a" }, "bgp.customer_asn": { after: 1 } },
    });
    expect(objectChange(versions(doc, undefined))).toMatchObject({
      name: "a",
      action: "delete",
      fields: { name: { before: "a" }, "bgp.customer_asn": { before: 1 } },
    });
  });

  test("names an object by its new name", () => {
    expect(objectChange(versions({ name: "a" }, { name: "b" }))).toMatchObject({
      name: "b",
      action: "update",
    });
  });

  test("is shown without its secrets, but tells that they changed", () => {
    const keys = (before?: string, after?: string) => [
      objectChange(
        versions(
          { name: "a", ...(before === undefined ? {} : { bgp: { md5_key: before } }) },
          { name: "a", mtu: 1, ...(after === undefined ? {} : { bgp: { md5_key: after } }) },
        ),
      ),
    ];
    const masked = (before?: string, after?: string) => {
      const { actor, time } = circumstances();
      const whole = {
        revision: 2,
        time,
        actor,
        request_id: "1",
        operation: "test",
        objects: keys(before, after),
      };
      const copy = structuredClone(whole);
      const shown = maskRecord(whole, kinds);
      expect(whole).toEqual(copy);
      expect(JSON.stringify(shown)).not.toContain("secret");
      return shown.objects[0]?.fields;
    };
    expect(masked("secret1", "secret2")).toEqual({
      mtu: { after: 1 },
      "bgp.md5_key": { before: MASK, after: MASK },
    });
    expect(masked(undefined, "secret2")).toEqual({ mtu: { after: 1 }, "bgp.md5_key": { after: MASK } });
    expect(masked("secret1")).toEqual({ mtu: { after: 1 }, "bgp.md5_key": { before: MASK } });
    expect(masked()).toEqual({ mtu: { after: 1 } });
  });
});
