/**
 * The state of one account (or of the directory): all its objects, in memory, with their indexes.
 *
 * A state holds two views at once. Decisions see the newest objects, those of changes that are still
 * on their way to the store included; answers are read from what is durable. An object that is being
 * changed keeps its previous version until the change is settled, so neither view is ever copied.
 */

import type { ErrorName } from "../contract/errors.ts";
import type { Json } from "../contract/json.ts";

/** What an object is, as stored: plain JSON. */
export interface Doc {
  readonly [field: string]: Json | undefined;
}

/** One version of an object. Immutable but for the link to the version before. */
export interface Entry {
  readonly id: string;
  readonly doc: Doc;
  /** The revision that made this version. */
  readonly revision: number;
  /** True of the version that stands for the object's deletion. */
  readonly deleted: boolean;
  /** The version before, while this one is not durable. */
  previous: Entry | undefined;
  /** Encoded representations, filled when first asked for; which they are is the encoder's matter. */
  encoded: object | undefined;
}

/** An object, whatever happens to it. */
export interface Slot {
  readonly kind: string;
  readonly id: string;
  /** The newest version; none before the object's creation is applied. */
  entry: Entry | undefined;
}

/** What the heart must know of a kind of object. */
export interface Kind {
  readonly name: string;
  /**
   * Fields that claim something no two objects of the state may hold (a name, a subnet, a token's
   * hash), and the keys they claim. Kinds that share a key's form exclude each other.
   */
  readonly claims: Readonly<Record<string, (doc: Doc) => readonly string[]>>;
  /** The problem of wanting what another object holds. */
  readonly conflict: (
    field: string,
    wanted: Doc,
    holder: string,
  ) => { readonly name: ErrorName; readonly values: Readonly<Record<string, string>> };
  /** Does `modified_on` follow the change's time? */
  readonly stamped: boolean;
  /** What people call the object. */
  readonly nameOf: (doc: Doc) => string | undefined;
  /** Fields, by dotted path, that are shown to nobody but in the vendor's own answers. */
  readonly masked: readonly string[];
  /** Objects without which this one cannot be: nobody takes them away from under it. */
  readonly references?: (doc: Doc) => readonly { readonly kind: string; readonly id: string }[];
  /** Of what spans accounts: those that an object concerns, `*` for all of them. */
  readonly concerns?: (id: string, doc: Doc) => readonly string[];
}

/** One object's part of a change: its versions before and after. */
export interface Edit {
  readonly slot: Slot;
  readonly kind: Kind;
  readonly before: Entry | undefined;
  readonly after: Entry | undefined;
}

/** A version of an object. */
export function entry(id: string, doc: Doc, revision: number): Entry {
  return { id, doc, revision, deleted: false, previous: undefined, encoded: undefined };
}

/** The newest version of an object that is there. */
export function present({ entry }: Slot): Entry | undefined {
  return entry?.deleted ? undefined : entry;
}

/** The change in the number of objects by an edit: 1 for a creation, -1 for a deletion. */
export function grownBy(before: Entry | undefined, after: Entry | undefined): -1 | 0 | 1 {
  const was = before !== undefined && !before.deleted;
  if (was === (after !== undefined)) return 0;
  return was ? -1 : 1;
}

function claims(kind: Kind, doc: Doc, key: string): boolean {
  return Object.values(kind.claims).some((claim) => claim(doc).includes(key));
}

interface Collection {
  readonly slots: Map<string, Slot>;
  /** Number of objects in the newest view. */
  count: number;
  /** Revision of the last durable change to an object of this kind. */
  revision: number;
  /** Revisions of changes to this kind that are not durable yet, in order. */
  pending: number[];
}

/** Numbered claims from one number to another, of which all below `floor` are known to be held. */
interface Range {
  readonly from: number;
  readonly to: number;
  floor: number;
}

/** Edits that are applied in one step: a quarter of a millisecond. */
const EDITS_AT_ONCE = 200;

/** The most ranges that are remembered; past them, floors are found anew. */
const MOST_RANGES = 1_000;

export class State {
  readonly id: string;
  readonly epoch: string;
  /** Of the newest change applied, durable or not. */
  revision = 0;
  /** Of the newest durable change. */
  durable = 0;
  /** The commit that the newest durable change came with, where the store tells. */
  head: string | undefined;
  /** When the newest change was made. Later changes are never told to be earlier, whatever the clock says. */
  time = "";
  readonly #collections = new Map<string, Collection>();
  readonly #claims = new Map<string, Slot>();
  /** Ranges in which free numbers were looked for, by the form of their claims and their bounds. */
  readonly #ranges = new Map<string, Map<string, Range>>();

  constructor(id: string, epoch: string) {
    this.id = id;
    this.epoch = epoch;
  }

  /** How many objects it has, those included that were removed since it was loaded. */
  get size(): number {
    let size = 0;
    for (const { slots } of this.#collections.values()) size += slots.size;
    return size;
  }

  /** The newest version of an object, for decisions. */
  newest(kind: string, id: string): Slot | undefined {
    const slot = this.#collections.get(kind)?.slots.get(id);
    return slot && present(slot) ? slot : undefined;
  }

  /** The durable version of an object, for answers. */
  get(kind: string, id: string): Entry | undefined {
    return this.#durable(this.#collections.get(kind)?.slots.get(id)?.entry);
  }

  /** The same of an object whose slot is known. */
  durableOf(slot: Slot): Entry | undefined {
    return this.#durable(slot.entry);
  }

  /** All durable objects of a kind, in the order they were made. */
  list(kind: string): Entry[] {
    const entries: Entry[] = [];
    for (const slot of this.#slots(kind)) {
      const seen = this.#durable(slot.entry);
      if (seen) entries.push(seen);
    }
    return entries;
  }

  /** Identifiers of all newest objects of a kind. */
  ids(kind: string): string[] {
    return [...this.#slots(kind)].filter(present).map((slot) => slot.id);
  }

  /** The number of objects of a kind, in the newest view. */
  count(kind: string): number {
    return this.#collections.get(kind)?.count ?? 0;
  }

  /** Who holds a claim, in the newest view. */
  holder(key: string): Slot | undefined {
    return this.#claims.get(key);
  }

  /**
   * Who holds a claim, in the durable view. What a change that is on its way gives up is held until that
   * is durable, and what it takes is not held before.
   */
  durableHolder(kind: Kind, key: string): Entry | undefined {
    const holds = (slot: Slot | undefined) => {
      const seen = this.#durable(slot?.entry);
      return seen && claims(kind, seen.doc, key) ? seen : undefined;
    };
    const newest = this.#claims.get(key);
    const found = newest?.kind === kind.name ? holds(newest) : undefined;
    if (found || !this.#collections.get(kind.name)?.pending.length) return found;
    for (const slot of this.#slots(kind.name)) {
      const held = holds(slot);
      if (held) return held;
    }
    return undefined;
  }

  /**
   * The lowest number of a range that nobody claims, in the newest view, where claims have the form
   * `<form>:<number>`. Numbers that were found to be held are not looked at again until one is given up,
   * so it costs the same however many are held.
   */
  firstFree(form: string, from: number, to: number): number | undefined {
    let ranges = this.#ranges.get(form);
    if (!ranges || ranges.size >= MOST_RANGES) {
      ranges = new Map();
      this.#ranges.set(form, ranges);
    }
    const name = `${from}-${to}`;
    let range = ranges.get(name);
    if (!range) {
      range = { from, to, floor: from };
      ranges.set(name, range);
    }
    while (range.floor <= to && this.#claims.has(`${form}:${range.floor}`)) range.floor++;
    return range.floor <= to ? range.floor : undefined;
  }

  /** Revision of the last durable change to this kind of object; 0 if there was none. */
  collectionRevision(kind: string): number {
    return this.#collections.get(kind)?.revision ?? 0;
  }

  /** The same in the newest view. */
  newestCollectionRevision(kind: string): number {
    const collection = this.#collections.get(kind);
    return collection?.pending.at(-1) ?? collection?.revision ?? 0;
  }

  /** A slot for an object that does not exist yet; it joins the state when its creation is applied. */
  slotFor(kind: string, id: string): Slot {
    return this.#collections.get(kind)?.slots.get(id) ?? { kind, id, entry: undefined };
  }

  /** Makes the edits the newest view, under the next revision. `time` is that of the change's record. */
  apply(edits: readonly Edit[], time = this.time): void {
    for (const _ of this.applyInSteps(edits, time));
  }

  /** The same, in steps of some edits. Answers meanwhile are read from what is durable; nothing may be decided. */
  *applyInSteps(edits: readonly Edit[], time = this.time): Generator<undefined, void> {
    let applied = 0;
    this.revision++;
    // It is not taken back with the change: all it does is to keep times from running backwards.
    if (time > this.time) this.time = time;
    for (const { slot, kind, before, after } of edits) {
      if (before) this.#release(slot, kind, before.doc, after?.doc);
      const collection = this.#collection(slot.kind);
      if (collection.pending.at(-1) !== this.revision) collection.pending.push(this.revision);
      collection.count += grownBy(before, after);
      if (after) {
        // Of an object that is made again, the version before is its removal.
        after.previous = before ?? slot.entry;
        collection.slots.set(slot.id, slot);
        this.#claim(slot, kind, after.doc, before?.doc);
      }
      slot.entry =
        after ??
        (before && { ...entry(slot.id, before.doc, this.revision), previous: before, deleted: true });
      if (++applied % EDITS_AT_ONCE === 0) yield;
    }
  }

  /** Takes back the newest change, which was applied and did not become durable. */
  takeBack(edits: readonly Edit[]): void {
    for (const { slot, kind, after } of edits) if (after) this.#release(slot, kind, after.doc);
    for (const { slot, kind, before, after } of edits) {
      const collection = this.#collection(slot.kind);
      if (collection.pending.at(-1) === this.revision) collection.pending.pop();
      collection.count -= grownBy(before, after);
      slot.entry = before ?? after?.previous;
      if (before) this.#claim(slot, kind, before.doc);
      else if (!slot.entry) collection.slots.delete(slot.id);
    }
    this.revision--;
  }

  /** The changes up to `revision` are durable: the versions before theirs are let go. */
  settle(edits: readonly Edit[], revision: number): void {
    this.durable = revision;
    for (const { slot, before, after } of edits) {
      const collection = this.#collection(slot.kind);
      collection.revision = revision;
      if (collection.pending[0] === revision) collection.pending.shift();
      // A removal that came later is not durable yet: until it is, there is something to read.
      const removed = slot.entry?.deleted && slot.entry.revision <= revision;
      if (!before || removed) collection.slots.delete(slot.id);
      if (after) after.previous = undefined;
      // What is made comes last, also if it was there before its removal in the same commit.
      if (after && !before) collection.slots.set(slot.id, slot);
    }
  }

  /** Adds an object as loaded from the store. */
  restore(kind: Kind, id: string, doc: Doc, revision: number): Slot {
    const slot: Slot = {
      kind: kind.name,
      id,
      entry: entry(id, doc, revision),
    };
    const collection = this.#collection(kind.name);
    collection.slots.set(id, slot);
    collection.count++;
    this.#claim(slot, kind, doc);
    return slot;
  }

  /** Sets the revisions of a state as loaded from the store, and the time of the last of them. */
  restoreRevisions(revision: number, collections: ReadonlyMap<string, number>, time = ""): void {
    this.revision = revision;
    this.durable = revision;
    this.time = time;
    for (const [kind, at] of collections) this.#collection(kind).revision = at;
  }

  #durable(newest: Entry | undefined): Entry | undefined {
    let seen = newest;
    while (seen && seen.revision > this.durable) seen = seen.previous;
    return seen?.deleted ? undefined : seen;
  }

  #slots(kind: string): Iterable<Slot> {
    return this.#collections.get(kind)?.slots.values() ?? [];
  }

  #collection(kind: string): Collection {
    let collection = this.#collections.get(kind);
    if (!collection) {
      collection = { slots: new Map(), count: 0, revision: 0, pending: [] };
      this.#collections.set(kind, collection);
    }
    return collection;
  }

  #claim(slot: Slot, kind: Kind, doc: Doc, unless?: Doc): void {
    for (const field in kind.claims) {
      if (unless && unless[field] === doc[field]) continue;
      for (const key of kind.claims[field]?.(doc) ?? []) this.#claims.set(key, slot);
    }
  }

  #release(slot: Slot, kind: Kind, doc: Doc, unless?: Doc): void {
    for (const field in kind.claims) {
      if (unless && unless[field] === doc[field]) continue;
      for (const key of kind.claims[field]?.(doc) ?? []) {
        if (this.#claims.get(key) !== slot) continue;
        this.#claims.delete(key);
        this.#lowerFloors(key);
      }
    }
  }

  /** A number that is given up may be the lowest free one of its ranges. */
  #lowerFloors(key: string): void {
    if (this.#ranges.size === 0) return;
    const colon = key.indexOf(":");
    const ranges = this.#ranges.get(key.slice(0, colon));
    if (!ranges) return;
    const number = Number(key.slice(colon + 1));
    for (const range of ranges.values()) {
      if (number >= range.from && number < range.floor) range.floor = number;
    }
  }
}
