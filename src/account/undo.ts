/**
 * Undoing: the inverse of a change, and the way back to a revision, each as one change more.
 *
 * An undo brings back the values that were there. They were accepted once, so rules that have changed since
 * do not keep them from coming back; what would break the account itself does: a name that another object
 * has by now, or a port that something still stands on.
 */

import { Problems, problem } from "../contract/errors.ts";
import { type ChangeRecord, type ObjectChange, patch } from "./change.ts";
import { type Circumstances, type Command, describe, type Proposed, type Wish } from "./decide.ts";
import { kindNamed, kinds } from "./kinds.ts";
import { fieldsBack, keyOf, type LogFold, type RestoreFold, type RevertFold } from "./log/folding.ts";
import { isDue, PENDING_ID, pendingKind, pendingOf, pendingSlot } from "./pending.ts";
import { rejudges, type Surroundings } from "./rejudging.ts";
import { type Doc, type Kind, present, type Slot, type State } from "./state.ts";

/** The state is no longer at the revision up to which the log was read: read on, and decide again. */
export class LogMovedOn extends Error {}

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

function* inverse(state: State, fold: RevertFold, problems: Problems): Proposed {
  const { record } = fold;
  if (!record) return;
  const touchedBy = fold.touched();
  for (const change of record.objects) {
    if (isPending(change)) continue;
    const touched = touchedBy(change);
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
    yield wishFor(state, change, before(change, present(slot)?.doc));
  }
}

/**
 * The inverse of a change, from a fold of it and everything after it. Refused if a later change touched the same fields. If
 * the change is pending, the revert settles it.
 */
export function revertChange(fold: RevertFold, circumstances: Circumstances, condition?: Condition): Undoing {
  const revision = fold.first;
  const of = { reverts: revision };
  const way: Way = { operation: "revertChange", of, settles: revision, circumstances, ...condition };
  return undoing(way, fold, inverse);
}

/** The same, by the server itself, when the time is over and nobody confirmed. */
export function expireChange(fold: RevertFold, circumstances: Circumstances): Undoing {
  const revision = fold.first;
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
  return undoing(command, fold, inverse);
}

/** The same, by the server itself, while the change waits: for what became of what it touched. */
export function revertWaiting(fold: RevertFold, circumstances: Circumstances): Undoing {
  const revision = fold.first;
  return revertChange(fold, circumstances, {
    condition: (state) =>
      pendingOf(state)?.revision === revision ? undefined : problem("nothing_pending", { revision }),
  });
}

/** Restores all objects as they were at a revision, from a fold of everything after it. */
export function restoreAccount(
  fold: RestoreFold,
  circumstances: Circumstances,
  condition?: Condition,
): Undoing {
  const way: Way = {
    operation: "restoreAccount",
    of: { restores: fold.first },
    circumstances,
    ...condition,
  };
  return undoing(way, fold, wishesBack);
}

/** In the order of the newest changes, so that objects are created again in the order in which they were deleted. */
function* wishesBack(state: State, fold: RestoreFold): Proposed {
  for (const earlier of fold.objects()) {
    const { kind, id, base } = earlier;
    const is = base === "current" ? present(state.slotFor(kind, id))?.doc : undefined;
    const doc = base === "absent" ? undefined : patch(is ?? {}, fieldsBack(earlier), "before");
    // Yield for objects without a change, too: each is a step.
    yield wishFor(state, earlier, doc);
  }
}

/** Of the request, on the account. */
type Condition = Pick<Command, "condition">;

type Way = Omit<Command, "propose" | "after" | "settles"> & { readonly settles?: number };

function undoing<F extends LogFold & { with(record: ChangeRecord): F }>(
  way: Way,
  fold: F,
  wishesOf: (state: State, fold: F, problems: Problems) => Proposed,
): Undoing {
  const remarks: string[] = [];
  const over = (folded: F): Command => ({
    ...way,
    *propose(state, problems) {
      if (folded.epoch !== state.epoch || folded.upTo !== state.revision) throw new LogMovedOn();
      const wishes: Wish[] = [];
      for (const wish of wishesOf(state, folded, problems)) {
        if (wish) wishes.push(wish);
        yield undefined;
      }
      if (!problems.found) yield* judgeReferences(state, wishes, problems);
      const found = yield* remarksOn(state, wishes);
      remarks.splice(0, remarks.length, ...found);
      yield* wishes;
      const end = way.settles === undefined ? undefined : endOfWait(state, way.settles);
      if (end) yield end;
    },
    after: (record) => over(folded.with(record)),
  });
  return { command: over(fold), remarks };
}

/** What an object stands on must be there afterwards, whoever takes it away. */
function* judgeReferences(
  state: State,
  wishes: readonly Wish[],
  problems: Problems,
): Generator<undefined, void> {
  const wished = new Map(wishes.map((wish) => [keyOf(wish.kind.name, wish.slot.id), wish.doc]));
  const docOf = (kind: string, id: string) => {
    const at = keyOf(kind, id);
    return wished.has(at) ? wished.get(at) : present(state.slotFor(kind, id))?.doc;
  };
  const judge = (kind: Kind, slot: Slot) => {
    const doc = docOf(kind.name, slot.id);
    for (const needed of (doc && kind.references?.(doc)) ?? []) {
      if (docOf(needed.kind, needed.id)) continue;
      problems.add("undo_breaks", { object: describe(slot), needed: `${needed.kind} ${needed.id}` });
    }
  };
  for (const { kind, slot } of wishes) {
    judge(kind, slot);
    yield;
  }
  if (wishes.every(({ doc }) => doc)) return;
  for (const kind of kinds.values()) {
    if (!kind.references) continue;
    for (const id of state.ids(kind.name)) {
      if (!wished.has(keyOf(kind.name, id))) judge(kind, state.slotFor(kind.name, id));
      yield;
    }
  }
}

/** The most remarks on one undo. */
const MOST_REMARKS = 20;

/** What today's rules have against the values that come back. */
function* remarksOn(state: State, wishes: readonly Wish[]): Generator<undefined, string[]> {
  const holder = yield* holderAfter(state, wishes);
  const remarks: string[] = [];
  for (const { kind, slot, doc: comes } of wishes) {
    if (remarks.length >= MOST_REMARKS) break;
    const rejudge = rejudges.get(kind.name);
    if (!comes || !rejudge) continue;
    const problems = new Problems();
    rejudge({ slot, is: present(slot)?.doc, comes }, { state, holder, problems });
    for (const { message } of problems.list()) {
      remarks.push(`Brought back although today's rules would not admit it, ${describe(slot)}: ${message}`);
    }
    yield;
  }
  return remarks.slice(0, MOST_REMARKS);
}

/** Who holds a claim once the wishes are granted. */
function* holderAfter(state: State, wishes: readonly Wish[]): Generator<undefined, Surroundings["holder"]> {
  const wished = new Map(wishes.map((wish) => [wish.slot, wish]));
  const claimed = new Map<string, Wish>();
  for (const wish of wishes) {
    const { doc } = wish;
    if (doc)
      for (const claim of Object.values(wish.kind.claims))
        for (const one of claim(doc)) claimed.set(one, wish);
    yield;
  }
  return (claim) => {
    const wish = claimed.get(claim);
    if (wish?.doc) return { kind: wish.slot.kind, id: wish.slot.id, doc: wish.doc };
    const slot = state.holder(claim);
    const doc = slot && !wished.has(slot) ? present(slot)?.doc : undefined;
    return slot && doc && { kind: slot.kind, id: slot.id, doc };
  };
}
