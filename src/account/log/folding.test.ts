import { describe, expect, test } from "vitest";
import type { ChangeRecord, FieldChange, ObjectChange } from "../change.ts";
import { patch } from "../change.ts";
import { fieldsBack, keyOf, RestoreFold, RevertFold } from "./folding.ts";

type Fields = Readonly<Record<string, FieldChange>>;
type Of = Pick<ChangeRecord, "reverts" | "restores" | "operation">;

const change = (id: string, fields: Fields, action: ObjectChange["action"] = "update"): ObjectChange => ({
  kind: "interconnect",
  id,
  action,
  fields,
});

function record(revision: number, objects: readonly ObjectChange[], of: Partial<Of> = {}): ChangeRecord {
  const actor = { type: "system", id: "test", name: "test" } as const;
  const time = "2026-01-01T00:00:00.000000Z";
  return { revision, time, actor, request_id: `r${revision}`, operation: "update", objects, ...of };
}

const EPOCH = "e";

/** A document as it was, from the current one and all records after it. */
function back(current: Parameters<typeof patch>[0], ...records: readonly ChangeRecord[]) {
  const fold = new RestoreFold(EPOCH, 0);
  for (const one of records) for (const _ of fold.take(one));
  const earlier = fold.get(keyOf("interconnect", "a"));
  if (!earlier || earlier.base === "absent") return undefined;
  return patch(earlier.base === "current" ? current : {}, fieldsBack(earlier), "before");
}

describe("a fold for restoring a revision", () => {
  test("has the oldest value of each field", () => {
    const records = [
      record(1, [change("a", { mtu: { before: 1, after: 2 } })]),
      record(2, [change("a", { mtu: { before: 2, after: 3 }, name: { before: "n", after: "m" } })]),
    ];
    expect(back({ mtu: 3, name: "m", x: 1 }, ...records)).toEqual({ mtu: 1, name: "n", x: 1 });
  });

  test("restores a field that was replaced by nested fields, and the reverse", () => {
    const inner = record(1, [change("a", { "gre.key": { before: 1, after: 2 } })]);
    const gone = record(2, [change("a", { "gre.key": { before: 2 }, gre: { after: null } })]);
    expect(back({ gre: null }, inner, gone)).toEqual({ gre: { key: 1 } });
    const replaced = record(1, [change("a", { gre: { before: null }, "gre.key": { after: 2 } })]);
    const later = record(2, [change("a", { "gre.key": { before: 2, after: 3 } })]);
    expect(back({ gre: { key: 3 } }, replaced, later)).toEqual({ gre: null });
  });

  test("restores a deleted object as it was before its last changes", () => {
    const updated = record(1, [change("a", { mtu: { before: 1, after: 2 } })]);
    const deleted = record(2, [change("a", { mtu: { before: 2 }, name: { before: "n" } }, "delete")]);
    const created = record(3, [change("a", { mtu: { after: 9 }, other: { after: true } }, "create")]);
    const later = record(4, [change("a", { other: { before: true, after: false } })]);
    expect(back({ mtu: 9, other: false }, updated, deleted, created, later)).toEqual({ mtu: 1, name: "n" });
  });

  test("has no earlier version of a created object, even if it was deleted and created again", () => {
    const created = record(1, [change("a", { mtu: { after: 1 } }, "create")]);
    const deleted = record(2, [change("a", { mtu: { before: 1 } }, "delete")]);
    const again = record(3, [change("a", { mtu: { after: 2 } }, "create")]);
    expect(back({ mtu: 2 }, created, deleted, again)).toBeUndefined();
  });

  test("contains each object once, in the order of the newest changes", () => {
    const fold = new RestoreFold(EPOCH, 0);
    for (let revision = 1; revision <= 100; revision++) {
      const objects = ["a", "b"].map((id) => change(id, { mtu: { before: revision, after: revision + 1 } }));
      for (const _ of fold.take(record(revision, objects, { operation: `op${revision % 2}` })));
    }
    for (const _ of fold.take(record(101, [change("a", { name: { before: "n" } })])));
    expect([fold.size, fold.upTo, [...fold.operations]]).toEqual([2, 101, ["op1", "op0", "update"]]);
    expect([...fold.objects()].map(({ id }) => id)).toEqual(["b", "a"]);
  });

  test("with one more record on top does not change the fold below", () => {
    const below = new RestoreFold(EPOCH, 0);
    for (const _ of below.take(record(1, [change("a", { mtu: { before: 1, after: 2 } })])));
    const above = below.with(
      record(2, [
        change("a", { name: { before: "n", after: "m" } }),
        change("b", { mtu: { before: 7, after: 8 } }),
      ]),
    );
    const fieldsOf = (fold: RestoreFold) => [...fold.objects()].map((one) => [one.id, fieldsBack(one)]);
    expect(fieldsOf(below)).toEqual([["a", { mtu: { before: 1 } }]]);
    expect(fieldsOf(above)).toEqual([
      ["a", { name: { before: "n" }, mtu: { before: 1 } }],
      ["b", { mtu: { before: 7 } }],
    ]);
    expect([below.upTo, above.upTo]).toEqual([1, 2]);
  });
});

describe("a fold for reverting a change", () => {
  const mtu = (after: number) => [change("a", { mtu: { before: after - 1, after } })];

  function touchedBy(...later: readonly ChangeRecord[]) {
    const fold = new RevertFold(EPOCH, 1);
    const [first] = mtu(2);
    for (const one of [record(1, mtu(2)), ...later]) for (const _ of fold.take(one));
    return first && fold.touched()(first);
  }

  test("finds the newest later change of the same field", () => {
    expect(touchedBy(record(2, mtu(3)), record(3, mtu(4)))).toEqual({ revision: 3, field: "mtu" });
    expect(touchedBy(record(2, [change("a", { name: { after: "n" } })]))).toBeUndefined();
    expect(touchedBy(record(2, [change("b", { mtu: { after: 3 } })]))).toBeUndefined();
    expect(touchedBy(record(2, [change("a", { mtu: { before: 2 } }, "delete")]))).toEqual({
      revision: 2,
      field: "",
    });
  });

  test("ignores a change that was rolled back, unless the rollback was rolled back", () => {
    const revert = (revision: number, reverts: number) => record(revision, mtu(2), { reverts });
    expect(touchedBy(record(2, mtu(3)), revert(3, 2))).toBeUndefined();
    expect(touchedBy(record(2, mtu(3)), revert(3, 2), revert(4, 3))?.revision).toBe(2);
    expect(touchedBy(record(2, mtu(3)), record(3, mtu(4)), revert(4, 3))?.revision).toBe(2);
  });

  test("ignores changes that many restores rolled back", () => {
    const records = Array.from({ length: 50 }, (_, index) => [
      record(2 * index + 2, mtu(3)),
      record(2 * index + 3, mtu(2), { restores: 2 * index + 1 }),
    ]).flat();
    expect(touchedBy(...records)).toBeUndefined();
    const last = records.at(-1)?.revision ?? 0;
    expect(touchedBy(...records, record(last + 1, mtu(2), { reverts: last }))?.revision).toBe(last - 1);
    // A restore to just after the change cancels the ranges in between.
    expect(touchedBy(...records, record(last + 1, mtu(2), { restores: 1 }))).toBeUndefined();
    // A restore to before the change touches the fields of the change.
    expect(touchedBy(...records, record(last + 1, mtu(1), { restores: 0 }))?.revision).toBe(last + 1);
  });
});
