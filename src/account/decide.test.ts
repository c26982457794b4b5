import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../test/harness/arbitraries.ts";
import { asked, commandOf, drive } from "../../test/harness/decisions.ts";
import { IDS, POOR, RICH, seededState } from "../../test/harness/model-world.ts";
import { runs as runsOf } from "../../test/harness/runs.ts";
import { circumstances } from "../../test/harness/worlds.ts";
import { problem } from "../contract/errors.ts";
import { patch } from "./change.ts";
import { type Decision, decide, type Wish } from "./decide.ts";
import { interconnectKind } from "./interconnect.ts";
import { type Doc, type Kind, State } from "./state.ts";

const kind = interconnectKind.name;

/** The newest documents, by id, and the holders of all their claims. */
function newest(state: State) {
  const docs = state.ids(kind).map((id) => [id, state.newest(kind, id)?.entry?.doc ?? {}] as const);
  const keys = docs.flatMap(([, doc]) =>
    Object.values(interconnectKind.claims).flatMap((claim) => claim(doc)),
  );
  return {
    revision: state.revision,
    durable: state.durable,
    collection: state.newestCollectionRevision(kind),
    docs: new Map(docs),
    entries: docs.map(([id]) => state.newest(kind, id)?.entry),
    holders: keys.map((key) => [key, state.holder(key)?.id]),
  };
}

const sequence = fc.tuple(fc.constantFrom(RICH, POOR), fc.array(asked, { maxLength: 8 }));
const runs = { numRuns: runsOf(600) };

/** Counts what a property has seen, so that it cannot hold for want of cases. */
function tally() {
  const counts = { changed: 0, unchanged: 0, refused: 0 };
  return {
    count: (decision: Decision) => {
      if (!decision.ok) counts.refused++;
      else if (decision.change) counts.changed++;
      else counts.unchanged++;
    },
    check: () =>
      expect(Math.min(...Object.values(counts)), JSON.stringify(counts)).toBeGreaterThan(runsOf(50)),
  };
}

describe("a decision", () => {
  test("touches nothing, whether it grants or refuses: not the state, not the command", () => {
    const { count, check } = tally();
    fc.assert(
      fc.property(sequence, ([account, requests]) => {
        drive(account, requests, (state, command, decision) => {
          const before = newest(state);
          decide(state, command);
          expect(newest(state)).toStrictEqual(before);
          count(decision);
        });
      }),
      runs,
    );
    check();
  });

  test("is the same whenever the same is asked of the same state", () => {
    const { count, check } = tally();
    fc.assert(
      fc.property(sequence, ([account, requests]) => {
        const copy = seededState(account);
        drive(account, requests, (state, command, decision) => {
          expect(decide(state, command)).toEqual(decision);
          const elsewhere = decide(copy, command);
          expect(plain(elsewhere)).toEqual(plain(decision));
          count(decision);
          if (!elsewhere.ok || !elsewhere.change) return;
          copy.apply(elsewhere.change.edits, elsewhere.change.record.time);
          copy.settle(elsewhere.change.edits, elsewhere.change.record.revision);
        });
      }),
      runs,
    );
    check();
  });

  test("grants one result an element, in the request's order, and tells of those that change a value", () => {
    fc.assert(
      fc.property(sequence, ([account, requests]) => {
        drive(account, requests, (state, _command, decision) => {
          if (!decision.ok) return;
          const { change, results } = decision;
          const moved = results.filter((result) => result !== state.newest(kind, result.id)?.entry);
          expect(change?.edits.map(({ after }) => after) ?? []).toEqual(moved);
          expect(change?.record.objects.map(({ id }) => id) ?? []).toEqual(moved.map(({ id }) => id));
          expect(change?.record.revision ?? state.revision + 1).toBe(state.revision + 1);
          for (const { doc, revision } of moved) {
            expect(revision).toBe(state.revision + 1);
            expect(doc["modified_on"]).toBe(change?.record.time);
          }
        });
      }),
      runs,
    );
  });

  test("and the decision of its inverse give the state as it was, but for time and revision", () => {
    const { count, check } = tally();
    fc.assert(
      fc.property(sequence, ([account, requests]) => {
        drive(account, requests, (state, command, decision) => {
          count(decision);
          if (!decision.ok || !decision.change) return;
          const before = newest(state);
          const { edits, record } = decision.change;
          state.apply(edits);
          const inverse = decide(state, {
            operation: "undo",
            circumstances: command.circumstances,
            propose: () =>
              record.objects.map(({ id, fields }): Wish => {
                const slot = state.slotFor(kind, id);
                const doc = patch(slot.entry?.doc ?? {}, fields, "before");
                return { kind: interconnectKind, slot, doc, pointer: `/${id}` };
              }),
          });
          if (!inverse.ok || !inverse.change) throw new Error("The inverse is refused.");
          state.apply(inverse.change.edits);
          const { docs, holders } = newest(state);
          expect(unstamped(docs)).toEqual(unstamped(before.docs));
          expect(new Map(holders as [string, string][])).toEqual(
            new Map(before.holders as [string, string][]),
          );
          state.takeBack(inverse.change.edits);
          state.takeBack(edits);
          expect(newest(state)).toEqual(before);
        });
      }),
      runs,
    );
    check();
  });

  test("never leads to two of a name or to subnets that overlap", () => {
    const { count, check } = tally();
    fc.assert(
      fc.property(sequence, ([account, requests]) => {
        drive(account, requests, (state, _command, decision) => {
          count(decision);
          expect(collisions([...newest(state).docs.values()])).toEqual([]);
        });
      }),
      runs,
    );
    check();
  });

  test("is never told to be earlier than the change before it, though the clock steps back", () => {
    const state = seededState(RICH);
    const times = [30, 10, 20, 40].map((second, mtu) => {
      const elements = [{ at: 0, update: { mtu: 1400 + mtu } }];
      const decision = decide(state, commandOf({ form: "text", elements, one: false, second }));
      if (!decision.ok || !decision.change) throw new Error("The update is refused.");
      const { edits, record } = decision.change;
      state.apply(edits, record.time);
      // A change that is taken back leaves the later time, which no other change can go before.
      if (second === 10) state.takeBack(edits);
      expect(decision.results[0]?.doc["modified_on"]).toBe(record.time);
      return record.time.slice(17, 19);
    });
    expect(times).toEqual(["30", "30", "30", "40"]);
  });

  test("is a refusal for its condition alone, if that does not hold", () => {
    const refused = problem("precondition_failed", { etag: "x" });
    const wrong = { form: "text", elements: [{ at: 0, update: { mtu: 1 } }], one: false, second: 0 } as const;
    const command = { ...commandOf(wrong), condition: () => refused };
    expect(decide(seededState(RICH), command)).toEqual({ ok: false, problems: [refused] });
  });

  test("tells all that is wrong with all elements at once", () => {
    const updates = [{ mtu: 1, name: "" }, { interface_address: "10.0.0.0" }, { name: "one" }];
    const elements = updates.map((update, at) => ({ at, update }));
    const decision = decide(seededState(RICH), commandOf({ form: "text", elements, one: false, second: 0 }));
    expect(decision.ok ? [] : decision.problems.map(({ name, pointer }) => `${name} ${pointer}`)).toEqual([
      "invalid_value /0/name",
      "invalid_value /0/mtu",
      "invalid_value /1/interface_address",
      "name_taken /2/name",
    ]);
  });
});

/** A decision as data, without the slots, which are each state's own. */
function plain(decision: Decision) {
  if (!decision.ok) return decision;
  return {
    record: decision.change?.record,
    results: decision.results.map(({ id, doc, revision }) => ({ id, doc, revision })),
  };
}

function unstamped(docs: ReadonlyMap<string, Doc>) {
  return new Map([...docs].map(([id, { modified_on: _, ...doc }]) => [id, doc]));
}

/** The addresses of a subnet of 30 or 31 bits in the last octet. */
function hosts(prefix: string): string[] {
  const [, base = "", last = "0", length] = /^(.*\.)(\d+)\/(\d+)$/.exec(prefix) ?? [];
  const size = length === "31" ? 2 : 4;
  const first = Number(last) - (Number(last) % size);
  return Array.from({ length: size }, (_, n) => `${base}${first + n}`);
}

const overlap = (one: unknown, other: unknown) =>
  hosts(String(one)).some((host) => hosts(String(other)).includes(host));
const collide: Readonly<Record<string, (one: Doc, other: Doc) => boolean>> = {
  name: (one, other) => one["name"] === other["name"],
  interface_address: (one, other) => overlap(one["interface_address"], other["interface_address"]),
  interface_address6: (one, other) =>
    one["interface_address6"] !== undefined && one["interface_address6"] === other["interface_address6"],
};

/** Pairs that may not stand beside each other, by brute force. */
function collisions(docs: readonly Doc[]): string[] {
  return docs.flatMap((one, n) =>
    docs.slice(n + 1).flatMap((other) =>
      Object.keys(collide)
        .filter((field) => collide[field]?.(one, other))
        .map((field) => `${field} of ${one["name"]}`),
    ),
  );
}

describe("the set as it would be afterwards", () => {
  const tunnelKind: Kind = { ...interconnectKind, name: "tunnel" };
  const kinds = [interconnectKind, tunnelKind] as const;
  const names = ["a", "b", "c", "d", "e"];
  const addresses = [
    "10.0.0.0/31",
    "10.0.0.2/31",
    "10.0.0.3/31",
    "10.0.0.1/30",
    "10.0.0.4/31",
    "10.0.0.6/30",
  ];
  const want = fc.record({
    kind: fc.constantFrom(0, 1),
    id: fc.constantFrom("1", "2", "3"),
    name: fc.option(fc.constantFrom(...names)),
    address: fc.option(fc.constantFrom(...addresses)),
    remove: fc.integer({ min: 0, max: 4 }).map((n) => n === 0),
  });
  const wants = fc.uniqueArray(want, {
    minLength: 1,
    maxLength: 4,
    selector: ({ kind, id }) => `${kind} ${id}`,
  });

  test("is refused exactly for what stands in the way of it, at each place", () => {
    const counts = { granted: 0, refused: 0, several: 0 };
    fc.assert(
      fc.property(fc.array(wants, { minLength: 1, maxLength: 15, size: "max" }), (changes) => {
        const state = new State("account", "epoch");
        for (const wants of changes) {
          const wishes = wants.flatMap(({ kind: n, id, name, address, remove }): Wish[] => {
            const kind = kinds[n];
            const slot = state.slotFor(kind.name, id);
            const there = state.newest(kind.name, id)?.entry?.doc;
            const doc = {
              name: name ?? there?.["name"] ?? "a",
              interface_address: address ?? there?.["interface_address"] ?? "10.0.0.0/31",
            };
            if (remove) return there ? [{ kind, slot, doc: undefined, pointer: `/${n}${id}` }] : [];
            return [{ kind, slot, doc, pointer: `/${n}${id}` }];
          });
          const expected = inTheWay(state, wishes);
          const decision = decide(state, {
            operation: "test",
            circumstances: circumstances(),
            propose: () => wishes,
          });
          expect(decision.ok ? [] : decision.problems.map(({ pointer }) => pointer)).toEqual(expected);
          if (expected.length > 1) counts.several++;
          if (!decision.ok) counts.refused++;
          else if (decision.change) {
            counts.granted++;
            state.apply(decision.change.edits);
            state.settle(decision.change.edits, decision.change.record.revision);
          }
          const all = kinds.flatMap(({ name }) => state.list(name)).map(({ doc }) => doc);
          expect(collisions(all)).toEqual([]);
        }
      }),
      { numRuns: runsOf(1000) },
    );
    expect(Math.min(...Object.values(counts)), JSON.stringify(counts)).toBeGreaterThan(runsOf(200));
  });

  /** Pointers of the fields that collide with what stays, or with what an earlier wish takes. */
  function inTheWay(state: State, wishes: readonly Wish[]): string[] {
    const before = ({ slot }: Wish) => (slot.entry?.deleted ? undefined : slot.entry?.doc);
    return wishes.flatMap((wish, n) =>
      Object.keys(collide).flatMap((field) => {
        const moves = (other: Wish) => other.doc === undefined || before(other)?.[field] !== other.doc[field];
        if (!wish.doc || !moves(wish)) return [];
        const moving = new Set(wishes.filter(moves).map(({ slot }) => slot));
        const staying = kinds
          .flatMap(({ name }) => state.ids(name).map((id) => state.newest(name, id)))
          .flatMap((slot) => (slot?.entry && !moving.has(slot) ? [slot.entry.doc] : []));
        const earlier = wishes.slice(0, n).flatMap((other) => (other.doc && moves(other) ? [other.doc] : []));
        const { doc } = wish;
        return [...staying, ...earlier].some((other) => collide[field]?.(doc, other))
          ? [`${wish.pointer}/${field}`]
          : [];
      }),
    );
  }

  const two = (first: JsonObject, second: JsonObject) =>
    commandOf({
      form: "text",
      elements: [
        { at: 0, update: first },
        { at: 1, update: second },
      ],
      one: false,
      second: 0,
    });

  test.each([
    ["names", { name: "two" }, { name: "one" }],
    ["subnets", { interface_address: "10.0.0.2/31" }, { interface_address: "10.0.0.0/31" }],
    [
      "a subnet for its wider one",
      { interface_address: "10.0.1.0/31" },
      { interface_address: "10.0.0.1/30" },
    ],
  ])("may be had by exchanging %s", (_, first, second) => {
    expect(decide(seededState(RICH), two(first, second))).toMatchObject({ ok: true });
  });

  test.each([
    ["one that stays", { name: "three" }, {}, "name_taken", "/0/name", `interconnect ${IDS[2]} (three)`],
    [
      "one of the same request",
      { name: "x" },
      { name: "x" },
      "name_taken",
      "/1/name",
      `interconnect ${IDS[0]} (x), in this request at /0`,
    ],
    [
      "a neighbour's half",
      { interface_address: "10.0.0.1/30" },
      {},
      "address_overlap",
      "/0/interface_address",
      `interconnect ${IDS[1]} (two)`,
    ],
  ])("is refused for %s, and says whose it is", (_, first, second, name, pointer, holder) => {
    const decision = decide(seededState(RICH), two(first, second));
    expect(decision).toMatchObject({
      ok: false,
      problems: [{ name, pointer, message: expect.stringContaining(holder) }],
    });
  });
});
