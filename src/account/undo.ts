/**
 * Undoing: the inverse of a change, and the way back to a revision, each as one change more.
 *
 * An undo brings back the values that were there. They were accepted once, so rules that have changed since
 * do not keep them from coming back; what would break the account itself does: a name that another object
 * has by now, or a port that something still stands on.
 */

import { Problems, problem } from "../contract/errors.ts";
import { type ChangeRecord, type ObjectChange, patch } from "./change.ts";
import { type Circumstances, type Command, describe, type Wish } from "./decide.ts";
import { kindNamed, kinds } from "./kinds.ts";
import { isDue, PENDING_ID, pendingKind, pendingOf, pendingSlot } from "./pending.ts";
import { rejudges, type Surroundings } from "./rejudging.ts";
import { type Doc, type Kind, present, type Slot, type State } from "./state.ts";

/** A part of the log that begins with a change and goes on without a gap, oldest first. */
export type Stretch = readonly ChangeRecord[];

/** The state has come further than the log was read: read on, and decide again. */
export class Outrun extends Error {}

const key = (kind: string, id: string) => `${kind} ${id}`;

/** Paths meet if one is the other, or leads to it. */
function meet(one: string, other: string): boolean {
  return one === other || one.startsWith(`${other}.`) || other.startsWith(`${one}.`);
}

/** The changes after a revision that were undone, with those that undid them. An undo may be undone itself. */
function cancelled(since: number, records: Stretch): ReadonlySet<number> {
  const found = new Set<number>();
  for (const { revision, reverts, restores } of records.toReversed()) {
    if (found.has(revision)) continue;
    const from = reverts ?? (restores === undefined ? undefined : restores + 1);
    if (from === undefined || from <= since) continue;
    const to = restores === undefined ? from : revision - 1;
    for (let one = from; one <= to; one++) found.add(one);
    found.add(revision);
  }
  return found;
}

/** What later changes did to an object. */
class Later {
  readonly #changes = new Map<string, { revision: number; change: ObjectChange }[]>();

  /** Of the changes after a revision. What was undone since, and what undid it, touched nothing. */
  constructor(since: number, records: Stretch) {
    const without = cancelled(since, records);
    for (const { revision, objects } of records) {
      if (without.has(revision)) continue;
      for (const change of objects) {
        const at = key(change.kind, change.id);
        const list = this.#changes.get(at) ?? [];
        list.push({ revision, change });
        this.#changes.set(at, list);
      }
    }
  }

  /** The newest revision that touched what an undo would set, and the field by which it did. */
  touched({ kind, id, action, fields }: ObjectChange): { revision: number; field: string } | undefined {
    for (const { revision, change } of this.#changes.get(key(kind, id))?.toReversed() ?? []) {
      if (action !== "update" || change.action !== "update") return { revision, field: "" };
      const field = Object.keys(change.fields).find((path) =>
        Object.keys(fields).some((own) => meet(own, path)),
      );
      if (field !== undefined) return { revision, field };
    }
    return undefined;
  }
}

/** The document before a change, from the one after it; `undefined` if there was none. */
function before(change: ObjectChange, after: Doc | undefined): Doc | undefined {
  if (change.action === "create") return undefined;
  return patch(change.action === "delete" ? {} : (after ?? {}), change.fields, "before");
}

function wishFor(state: State, change: { kind: string; id: string }, doc: Doc | undefined): Wish | undefined {
  const slot = state.slotFor(change.kind, change.id);
  const kind = kindNamed(change.kind);
  // What is not there, and shall not be, needs nothing.
  if (doc === undefined && present(slot)?.doc === undefined) return undefined;
  return { kind, slot, doc, pointer: undefined };
}

/** Ends the wait for a confirmation, if it is for this change. */
function endOfWait(state: State, revision: number): Wish | undefined {
  if (pendingOf(state)?.revision !== revision) return undefined;
  return { kind: pendingKind, slot: pendingSlot(state), doc: undefined, pointer: undefined };
}

function isPending({ kind, id }: ObjectChange): boolean {
  return kind === pendingKind.name && id === PENDING_ID;
}

/** An undo, and what may be said of it besides. */
export interface Undoing {
  readonly command: Command;
  /** Of values that today's rules would not admit, a sentence each; there once the command is decided. */
  readonly remarks: readonly string[];
}

function* inverse(state: State, [record, ...later]: Stretch, problems: Problems): Iterable<Wish> {
  if (!record) return;
  const since = new Later(record.revision, later);
  for (const change of record.objects) {
    if (isPending(change)) continue;
    const touched = since.touched(change);
    const slot = state.slotFor(change.kind, change.id);
    if (touched) {
      const what = touched.field === "" ? "" : `${touched.field} of `;
      problems.add("undo_overtaken", {
        what: `${what}${describe(slot)}`,
        revision: record.revision,
        later: touched.revision,
      });
      continue;
    }
    const wish = wishFor(state, change, before(change, present(slot)?.doc));
    if (wish) yield wish;
  }
}

/**
 * The inverse of the first change of a stretch that reaches to the newest. Refused where a later change
 * touched the same fields. If the change waits to be confirmed, it does so no more.
 */
export function revertChange(stretch: Stretch, circumstances: Circumstances, condition?: Condition): Undoing {
  const revision = stretch[0]?.revision ?? 0;
  const of = { reverts: revision };
  const way: Way = { operation: "revertChange", of, settles: revision, circumstances, ...condition };
  return undoing(way, stretch, inverse);
}

/** The same, by the server itself, when the time is over and nobody confirmed. */
export function expireChange(stretch: Stretch, circumstances: Circumstances): Undoing {
  const revision = stretch[0]?.revision ?? 0;
  const command: Way = {
    operation: "expireChange",
    of: { reverts: revision },
    settles: revision,
    circumstances,
    condition: (state) => {
      const pending = pendingOf(state);
      return pending?.revision === revision && isDue(pending, circumstances.time)
        ? undefined
        : problem("nothing_pending", { revision });
    },
  };
  return undoing(command, stretch, inverse);
}

/** The same, by the server itself, while the change waits: for what became of what it touched. */
export function revertWaiting(stretch: Stretch, circumstances: Circumstances): Undoing {
  const revision = stretch[0]?.revision ?? 0;
  return revertChange(stretch, circumstances, {
    condition: (state) =>
      pendingOf(state)?.revision === revision ? undefined : problem("nothing_pending", { revision }),
  });
}

/** All objects as they were at a revision, by undoing the stretch after it, which reaches to the newest change. */
export function restoreAccount(
  revision: number,
  stretch: Stretch,
  circumstances: Circumstances,
  condition?: Condition,
): Undoing {
  const way: Way = {
    operation: "restoreAccount",
    of: { restores: revision },
    circumstances,
    ...condition,
  };
  return undoing(way, stretch, wishesBack, revision);
}

function* wishesBack(state: State, stretch: Stretch): Iterable<Wish> {
  const docs = new Map<string, { change: ObjectChange; doc: Doc | undefined }>();
  for (const { objects } of stretch.toReversed()) {
    for (const change of objects) {
      if (isPending(change)) continue;
      const at = key(change.kind, change.id);
      const known = docs.get(at);
      const after = known ? known.doc : present(state.slotFor(change.kind, change.id))?.doc;
      docs.set(at, { change, doc: before(change, after) });
    }
  }
  // Oldest first, so that what is made again stands in the order in which it was made.
  for (const { change, doc } of [...docs.values()].toReversed()) {
    const wish = wishFor(state, change, doc);
    if (wish) yield wish;
  }
}

/** Of the request, on the account. */
type Condition = Pick<Command, "condition">;

type Way = Omit<Command, "propose" | "after" | "settles"> & { readonly settles?: number };

function undoing(
  way: Way,
  stretch: Stretch,
  wishesOf: (state: State, stretch: Stretch, problems: Problems) => Iterable<Wish>,
  start = 0,
): Undoing {
  const remarks: string[] = [];
  const over = (records: Stretch): Command => ({
    ...way,
    propose: (state, problems) => {
      if ((records.at(-1)?.revision ?? start) !== state.revision) throw new Outrun();
      const wishes = [...wishesOf(state, records, problems)];
      if (!problems.found) judgeReferences(state, wishes, problems);
      remarks.splice(0, remarks.length, ...remarksOn(state, wishes));
      const end = way.settles === undefined ? undefined : endOfWait(state, way.settles);
      return end ? [...wishes, end] : wishes;
    },
    after: (record) => over([...records, record]),
  });
  return { command: over(stretch), remarks };
}

/** What an object stands on must be there afterwards, whoever takes it away. */
function judgeReferences(state: State, wishes: readonly Wish[], problems: Problems): void {
  const wished = new Map(wishes.map((wish) => [key(wish.kind.name, wish.slot.id), wish.doc]));
  const docOf = (kind: string, id: string) => {
    const at = key(kind, id);
    return wished.has(at) ? wished.get(at) : present(state.slotFor(kind, id))?.doc;
  };
  const judge = (kind: Kind, slot: Slot) => {
    const doc = docOf(kind.name, slot.id);
    for (const needed of (doc && kind.references?.(doc)) ?? []) {
      if (docOf(needed.kind, needed.id)) continue;
      problems.add("undo_breaks", { object: describe(slot), needed: `${needed.kind} ${needed.id}` });
    }
  };
  for (const { kind, slot } of wishes) judge(kind, slot);
  if (wishes.every(({ doc }) => doc)) return;
  for (const kind of kinds.values()) {
    if (!kind.references) continue;
    for (const id of state.ids(kind.name)) {
      if (!wished.has(key(kind.name, id))) judge(kind, state.slotFor(kind.name, id));
    }
  }
}

/** The most remarks on one undo. */
const MOST_REMARKS = 20;

/** What today's rules have against the values that come back. */
function remarksOn(state: State, wishes: readonly Wish[]): string[] {
  const holder = holderAfter(state, wishes);
  const remarks: string[] = [];
  for (const { kind, slot, doc: comes } of wishes) {
    const rejudge = rejudges.get(kind.name);
    if (!comes || !rejudge || remarks.length >= MOST_REMARKS) continue;
    const problems = new Problems();
    rejudge({ slot, is: present(slot)?.doc, comes }, { state, holder, problems });
    for (const { message } of problems.list()) {
      remarks.push(`Brought back although today's rules would not admit it, ${describe(slot)}: ${message}`);
    }
  }
  return remarks.slice(0, MOST_REMARKS);
}

/** Who holds a claim once the wishes are granted. */
function holderAfter(state: State, wishes: readonly Wish[]): Surroundings["holder"] {
  const wished = new Map(wishes.map((wish) => [wish.slot, wish]));
  const claimed = new Map<string, Wish>();
  for (const wish of wishes) {
    const { doc } = wish;
    if (doc)
      for (const claim of Object.values(wish.kind.claims))
        for (const one of claim(doc)) claimed.set(one, wish);
  }
  return (claim) => {
    const wish = claimed.get(claim);
    if (wish?.doc) return { kind: wish.slot.kind, id: wish.slot.id, doc: wish.doc };
    const slot = state.holder(claim);
    const doc = slot && !wished.has(slot) ? present(slot)?.doc : undefined;
    return slot && doc && { kind: slot.kind, id: slot.id, doc };
  };
}
