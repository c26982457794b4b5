import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { runs } from "../../test/harness/runs.ts";
import { decide, type Wish } from "./decide.ts";
import { interconnectKind } from "./interconnect.ts";
import { type Doc, type Edit, type Kind, State } from "./state.ts";

/** A second kind that claims names and subnets of the same form. */
const tunnelKind: Kind = { ...interconnectKind, name: "tunnel", stamped: false };
const kinds = [interconnectKind, tunnelKind] as const;

const names = ["a", "b", "c", "d", "e", "f"];
const addresses = ["10.0.0.0/31", "10.0.0.2/31", "10.0.0.1/30", "10.0.0.4/31", "10.0.0.6/31", "10.0.0.9/30"];
const ids = ["1", "2", "3"];
const keys = [
  ...names.map((name) => `tunnel-name:${name}`),
  ...addresses.flatMap(
    (interface_address) => interconnectKind.claims["interface_address"]?.({ interface_address }) ?? [],
  ),
];

interface Version {
  readonly kind: Kind;
  readonly id: string;
  readonly doc: Doc;
  readonly revision: number;
}

/** One revision: all objects in the order they were made, and the kinds that were touched. */
interface Snapshot {
  readonly objects: readonly Version[];
  readonly touched: ReadonlySet<Kind>;
}

/** What a state must show, from a full copy of every revision. */
class Copies {
  readonly snapshots: Snapshot[] = [{ objects: [], touched: new Set() }];
  durable = 0;

  apply(wishes: readonly Wish[]): void {
    const revision = this.snapshots.length;
    let objects = this.snapshots.at(-1)?.objects ?? [];
    for (const { kind, slot, doc } of wishes) {
      const is = (object: Version) => object.kind === kind && object.id === slot.id;
      const made = doc && { kind, id: slot.id, doc, revision };
      if (!made) objects = objects.filter((object) => !is(object));
      else if (objects.some(is)) objects = objects.map((object) => (is(object) ? made : object));
      else objects = [...objects, made];
    }
    this.snapshots.push({ objects, touched: new Set(wishes.map(({ kind }) => kind)) });
  }

  /** The revision of the last change to a kind, up to a revision. */
  last(kind: Kind, revision: number): number {
    const touching = this.snapshots.slice(0, revision + 1).findLastIndex(({ touched }) => touched.has(kind));
    return Math.max(0, touching);
  }
}

const seen = ({ id, doc, revision }: { id: string; doc: Doc; revision: number }) => ({ id, doc, revision });

/** Everything a state shows, as plain data. */
function shown(state: State) {
  return {
    revision: state.revision,
    durable: state.durable,
    kinds: kinds.map((kind) => ({
      list: state.list(kind.name).map(seen),
      get: ids.map((id) => state.get(kind.name, id)).map((found) => found && seen(found)),
      newest: ids.map((id) => state.newest(kind.name, id)?.entry).map((found) => found && seen(found)),
      ids: state.ids(kind.name).toSorted(),
      revision: state.collectionRevision(kind.name),
      newestRevision: state.newestCollectionRevision(kind.name),
    })),
    holders: keys.map((key) => state.holder(key)).map((slot) => slot && `${slot.kind} ${slot.id}`),
  };
}

/** The same, as the copies have it. */
function expected(copies: Copies): ReturnType<typeof shown> {
  const { snapshots, durable } = copies;
  const revision = snapshots.length - 1;
  const newest = snapshots[revision]?.objects ?? [];
  const settled = snapshots[durable]?.objects ?? [];
  const find = (objects: readonly Version[], kind: Kind, id: string) => {
    const found = objects.find((object) => object.kind === kind && object.id === id);
    return found && seen(found);
  };
  const holder = (key: string) => newest.find(({ doc }) => claimed(doc).includes(key));
  return {
    revision,
    durable,
    kinds: kinds.map((kind) => ({
      list: settled.filter((object) => object.kind === kind).map(seen),
      get: ids.map((id) => find(settled, kind, id)),
      newest: ids.map((id) => find(newest, kind, id)),
      ids: newest
        .filter((object) => object.kind === kind)
        .map(({ id }) => id)
        .toSorted(),
      revision: copies.last(kind, durable),
      newestRevision: copies.last(kind, revision),
    })),
    holders: keys.map(holder).map((object) => object && `${object.kind.name} ${object.id}`),
  };
}

function claimed(doc: Doc): readonly string[] {
  return Object.values(interconnectKind.claims).flatMap((claim) => claim(doc));
}

function wish(state: State, kind: Kind, id: string, doc: Doc | undefined): Wish {
  return { kind, slot: state.slotFor(kind.name, id), doc: doc && Object.freeze(doc), pointer: `/${id}` };
}

function editsOf(state: State, wishes: readonly Wish[]): readonly Edit[] | undefined {
  const circumstances = { time: "", actor: { type: "system", id: "", name: "" }, requestId: "" } as const;
  // Of the stamp nothing is asked here, so that both kinds are kept as they were wished for.
  const plain = wishes.map((one) => ({ ...one, kind: { ...one.kind, stamped: false } }));
  const decision = decide(state, { operation: "test", circumstances, propose: () => plain });
  return decision.ok ? decision.change?.edits : undefined;
}

type Step =
  | { readonly does: "settle" | "take back" }
  | { readonly does: "change"; readonly wants: readonly Want[] };
interface Want {
  readonly kind: 0 | 1;
  readonly id: string;
  readonly name: string;
  readonly address: string;
  readonly remove: boolean;
}

const want: fc.Arbitrary<Want> = fc.record({
  kind: fc.constantFrom(0, 1),
  id: fc.constantFrom(...ids),
  name: fc.constantFrom(...names),
  address: fc.constantFrom(...addresses),
  remove: fc.boolean(),
});
const wants = fc.uniqueArray(want, {
  minLength: 1,
  maxLength: 3,
  selector: ({ kind, id }) => `${kind} ${id}`,
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ does: fc.constant("change" as const), wants }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant("settle" as const) }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant("take back" as const) }) },
);

describe("a state", () => {
  test("shows what full copies of every revision show, whatever is applied, taken back and settled", () => {
    const counts = { applied: 0, settled: 0, "taken back": 0, remade: 0 };
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30, size: "max" }), (steps) => {
        const state = new State("account", "epoch");
        const copies = new Copies();
        const pending: (readonly Edit[])[] = [];
        for (const step of steps) {
          if (step.does === "change") {
            const wishes = step.wants.flatMap(({ kind, id, name, address, remove }) => {
              const there = state.newest(kinds[kind].name, id) !== undefined;
              if (remove && !there) return [];
              return [
                wish(state, kinds[kind], id, remove ? undefined : { name, interface_address: address }),
              ];
            });
            const edits = editsOf(state, wishes);
            if (!edits) continue;
            counts.remade += edits.filter(({ slot, before }) => slot.entry?.deleted && !before).length;
            state.apply(edits);
            copies.apply(wishes.filter(({ slot }) => edits.some((edit) => edit.slot === slot)));
            pending.push(edits);
            counts.applied++;
          } else if (step.does === "settle") {
            const edits = pending.shift();
            if (!edits) continue;
            copies.durable++;
            state.settle(edits, copies.durable);
            counts.settled++;
          } else {
            const edits = pending.pop();
            if (!edits) continue;
            state.takeBack(edits);
            copies.snapshots.pop();
            counts["taken back"]++;
          }
          expect(shown(state)).toEqual(expected(copies));
        }
      }),
      { numRuns: runs(1500) },
    );
    expect(Math.min(...Object.values(counts)), JSON.stringify(counts)).toBeGreaterThan(runs(100));
  });

  const doc = (name: string, interface_address: string): Doc => ({ name, interface_address });

  /** A state of two durable interconnects. */
  function twoInterconnects() {
    const state = new State("account", "epoch");
    const change = (...wishes: readonly Wish[]) => {
      const edits = editsOf(state, wishes);
      if (!edits) throw new Error("The change is refused.");
      state.apply(edits);
      return edits;
    };
    const made = change(
      wish(state, interconnectKind, "1", doc("a", "10.0.0.0/31")),
      wish(state, interconnectKind, "2", doc("b", "10.0.0.2/31")),
    );
    state.settle(made, 1);
    return { state, change };
  }

  test("shows to readers what is durable, and to decisions what is newest", () => {
    const { state, change } = twoInterconnects();
    const edits = change(wish(state, interconnectKind, "1", doc("c", "10.0.0.0/31")));
    expect(state.get("interconnect", "1")?.doc["name"]).toBe("a");
    expect(state.newest("interconnect", "1")?.entry?.doc["name"]).toBe("c");
    expect(state.holder("tunnel-name:a")).toBeUndefined();
    expect([state.durable, state.revision]).toEqual([1, 2]);
    state.settle(edits, 2);
    expect(state.get("interconnect", "1")?.doc["name"]).toBe("c");
    expect([state.durable, state.revision]).toEqual([2, 2]);
  });

  test("leaves a version that was read as it was", () => {
    const { state, change } = twoInterconnects();
    const read = state.get("interconnect", "1");
    const before = structuredClone(read?.doc);
    state.settle(change(wish(state, interconnectKind, "1", doc("c", "10.0.0.4/31"))), 2);
    state.settle(change(wish(state, interconnectKind, "1", undefined)), 3);
    expect(read).toMatchObject({ doc: before, revision: 1, deleted: false });
  });

  test("gives names and subnets back to those who held them before a swap", () => {
    const { state, change } = twoInterconnects();
    const before = shown(state);
    const swap = () =>
      change(
        wish(state, interconnectKind, "1", doc("b", "10.0.0.2/31")),
        wish(state, interconnectKind, "2", doc("a", "10.0.0.0/31")),
      );
    const [first, second] = [swap(), change(wish(state, interconnectKind, "1", undefined))];
    expect(state.holder("tunnel-name:a")?.id).toBe("2");
    state.takeBack(second);
    state.takeBack(first);
    expect(shown(state)).toEqual(before);
  });

  test("lists what was made again at the end, once that is durable", () => {
    const { state, change } = twoInterconnects();
    const list = () => state.list("interconnect").map(({ id }) => id);
    const removed = change(wish(state, interconnectKind, "1", undefined));
    const made = change(wish(state, interconnectKind, "1", doc("a", "10.0.0.0/31")));
    expect(list()).toEqual(["1", "2"]);
    state.settle(removed, 2);
    expect(list()).toEqual(["2"]);
    state.settle(made, 3);
    expect(list()).toEqual(["2", "1"]);
  });

  test("as loaded shows what it showed when it was stored", () => {
    const { state } = twoInterconnects();
    const loaded = new State("account", "epoch");
    for (const { id, doc, revision } of state.list("interconnect")) {
      loaded.restore(interconnectKind, id, doc, revision);
    }
    loaded.restoreRevisions(1, new Map([["interconnect", 1]]));
    expect(shown(loaded)).toEqual(shown(state));
  });
});
