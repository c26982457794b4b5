/**
 * The decision: `decide(state, command) → change | problems`.
 *
 * It reads no clock, no database and no environment: time, ids and actor come in with the command.
 * What a command wants is said by its kind of object; what holds for all of them is here: the
 * condition of the request, the judgement of the set as it would be afterwards, and the change.
 */

import { type Problem, Problems, problem } from "../contract/errors.ts";
import { MAX_OBJECTS_PER_KIND, MAX_ROLLBACK_BYTES, MAX_ROLLBACK_OBJECTS } from "../contract/limits.ts";
import type { Actor } from "../contract/log.ts";
import { runToEnd } from "../contract/steps.ts";
import { type Change, type ChangeRecord, differences, type ObjectChange, objectChange } from "./change.ts";
import { type PendingDoc, pendingKind, pendingOf, pendingSlot, type RevertOn, refusalOf } from "./pending.ts";
import {
  type Doc,
  type Edit,
  type Entry,
  entry,
  grownBy,
  type Kind,
  present,
  type Slot,
  type State,
} from "./state.ts";

/** Where and by whom a command was given. */
export interface Circumstances {
  /** RFC 3339, UTC, microseconds. */
  readonly time: string;
  readonly actor: Actor;
  readonly requestId: string;
  /** Where the request came from; none for what came from nowhere else. */
  readonly address?: string;
  /** Why, in the words of who asks. */
  readonly reason?: string;
  /** The change is undone at this time (RFC 3339, UTC), unless it is confirmed before. */
  readonly confirmBy?: string;
  /** With `confirmBy`: it is undone as well once what it touched is reported so. */
  readonly revertOn?: RevertOn;
}

/** One object a command wants to have, made from the version it was decided on. */
export interface Wish {
  readonly kind: Kind;
  readonly slot: Slot;
  /** The wanted document; `undefined` deletes. The stamp is set by the decision. */
  readonly doc: Doc | undefined;
  /** JSON pointer of the part of the request that speaks of this object; none where none does. */
  readonly pointer: string | undefined;
  /** What the request calls fields that the object claims by, where that is something else. */
  readonly fieldNames?: Readonly<Record<string, string>>;
  /** What a conflict is to this request, where that is not what it is to all. */
  readonly conflict?: Kind["conflict"];
}

/** Proposed changes, with `undefined` where the work between two of them may be interrupted. */
export type Proposed = Iterable<Wish | undefined>;

export interface Command {
  /** The operation's name, for the log. */
  readonly operation: string;
  readonly circumstances: Circumstances;
  /** What the log tells of it besides. */
  readonly of?: { readonly reverts?: number; readonly restores?: number };
  /** The revision of a change that may wait to be confirmed, or any: this command is about it, and is not kept waiting by it. */
  readonly settles?: number | "any";
  /** Judges the request's condition on the state. */
  readonly condition?: (state: State) => Problem | undefined;
  /** Adds every problem it finds, and returns the wishes that could be made out. */
  readonly propose: (state: State, problems: Problems) => Proposed;
  /** For a command that was made of the log: the same, where one more change has been made since. */
  readonly after?: (record: ChangeRecord) => Command;
}

export type Decision =
  | {
      readonly ok: true;
      readonly change: Change | undefined;
      /** What each wish that stays made, in their order. */
      readonly results: readonly Entry[];
      /** The last versions of what was removed. */
      readonly removed: readonly Entry[];
    }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export function decide(state: State, command: Command): Decision {
  return runToEnd(decideInSteps(state, command));
}

/** Proposed changes per step: well under a millisecond, so that the caller can end a slice in time. */
const STEP = 16;

/** The same, with pauses for whoever has something else to do. The state must not move meanwhile. */
export function* decideInSteps(state: State, command: Command): Generator<undefined, Decision> {
  const refused = judgePending(state, command) ?? command.condition?.(state);
  if (refused) return { ok: false, problems: [refused] };
  const problems = new Problems();
  const wishes: Wish[] = [];
  let looked = 0;
  for (const wish of command.propose(state, problems)) {
    if (wish) wishes.push(wish);
    if (++looked % STEP === 0) yield;
  }
  yield* judgeClaims(state, wishes, problems);
  if (problems.found) return { ok: false, problems: problems.list() };
  return yield* grant(state, command, wishes);
}

/** While a change waits to be confirmed, no other is made. */
function judgePending(state: State, { settles, circumstances }: Command): Problem | undefined {
  const pending = pendingOf(state);
  return pending && settles !== "any" && pending.revision !== settles
    ? refusalOf(pending, circumstances.time)
    : undefined;
}

/** The wish that a change has with it that is to be confirmed. */
function waiting(
  state: State,
  revision: number,
  { confirmBy, revertOn, actor, reason }: Circumstances,
): Wish | undefined {
  if (confirmBy === undefined) return undefined;
  const doc: PendingDoc = {
    revision,
    confirm_by: confirmBy,
    actor,
    ...(reason === undefined ? {} : { reason }),
    ...(revertOn === undefined ? {} : { revert_on: revertOn }),
  };
  return { kind: pendingKind, slot: pendingSlot(state), doc, pointer: undefined };
}

/** Turns wishes into edits. A wish that changes no value moves nothing. */
function* grant(state: State, command: Command, wishes: readonly Wish[]): Generator<undefined, Decision> {
  const revision = state.revision + 1;
  const { actor, requestId, address, reason } = command.circumstances;
  // A log whose times never run backwards can be searched for a time.
  const time = later(state.time, command.circumstances.time);
  const edits: Edit[] = [];
  const objects: ObjectChange[] = [];
  const results: Entry[] = [];
  const removed: Entry[] = [];
  const make = ({ kind, slot, doc }: Wish): Edit | undefined => {
    const before = present(slot);
    const fields = differences(before?.doc ?? {}, doc ?? {});
    if (before && doc && !fields) return undefined;
    const stamped = doc && before && kind.stamped ? { ...doc, modified_on: time } : doc;
    const edit = { slot, kind, before, after: stamped && entry(slot.id, stamped, revision) };
    edits.push(edit);
    objects.push(objectChange(edit, fields ?? {}));
    return edit;
  };
  for (const [index, wish] of wishes.entries()) {
    if (index % STEP === STEP - 1) yield;
    const edit = make(wish);
    const result = edit ? edit.after : wish.slot.entry;
    if (result) results.push(result);
    else if (edit?.before) removed.push(edit.before);
  }
  if (edits.length === 0) return { ok: true, change: undefined, results, removed };
  const refused =
    (revertsPending(state, command) ? undefined : checkQuotas(state, edits)) ??
    (command.circumstances.confirmBy === undefined ? undefined : yield* judgeRollback(objects));
  if (refused) return { ok: false, problems: [refused] };
  const wait = waiting(state, revision, command.circumstances);
  if (wait) make(wait);
  const record = {
    revision,
    time,
    actor,
    request_id: requestId,
    ...(address === undefined ? {} : { address }),
    operation: command.operation,
    ...(reason === undefined ? {} : { reason }),
    ...command.of,
    objects,
  };
  return { ok: true, change: { record, edits }, results, removed };
}

/**
 * Reverting the pending change returns the account to the objects that it had, since no other change was made meanwhile. If
 * an account had more objects before there were limits, they must not keep the change pending, and with it the account.
 */
function revertsPending(state: State, { of }: Command): boolean {
  return of?.reverts !== undefined && of.reverts === pendingOf(state)?.revision;
}

/** Limits the objects of each kind in an account. Objects of the directory, which span accounts, are not counted. */
function checkQuotas(state: State, edits: readonly Edit[]): Problem | undefined {
  const growth = new Map<Kind, number>();
  for (const { kind, before, after } of edits) {
    const by = kind.concerns ? 0 : grownBy(before, after);
    if (by !== 0) growth.set(kind, (growth.get(kind) ?? 0) + by);
  }
  for (const [{ name }, by] of growth) {
    const count = state.count(name) + by;
    if (by > 0 && count > MAX_OBJECTS_PER_KIND)
      return problem("too_many_objects", { kind: name, count, most: MAX_OBJECTS_PER_KIND });
  }
  return undefined;
}

const utf8 = new TextEncoder();

/** Refuses a change with a deadline that is too large for one rollback. */
export function* judgeRollback(
  objects: readonly ObjectChange[],
  { bytes, count } = { bytes: MAX_ROLLBACK_BYTES, count: MAX_ROLLBACK_OBJECTS },
): Generator<undefined, Problem | undefined> {
  if (objects.length > count)
    return problem("rollback_too_large", { what: `${objects.length} objects`, most: count });
  let size = 0;
  for (const [index, change] of objects.entries()) {
    if (index % STEP === STEP - 1) yield;
    size += utf8.encode(JSON.stringify(change)).length + 1;
  }
  return size > bytes
    ? problem("rollback_too_large", { what: `a record of ${size} bytes`, most: `${bytes} bytes` })
    : undefined;
}

/** The later of two times, both in UTC and equally precise. */
function later(one: string, other: string): string {
  return one > other ? one : other;
}

/**
 * Judges the set as it would be afterwards: no claim may be held twice. What an object of the same
 * request gives up may be taken, so that two interconnects can swap names or addresses.
 */
function* judgeClaims(state: State, wishes: readonly Wish[], problems: Problems): Generator<undefined, void> {
  const taken = new Map<string, Wish>();
  const given = new Set<string>();
  const wanted: { wish: Wish; field: string; keys: readonly string[] }[] = [];
  for (const [index, wish] of wishes.entries()) {
    if (index % STEP === STEP - 1) yield;
    const before = present(wish.slot)?.doc;
    for (const field in wish.kind.claims) {
      if (before && wish.doc && before[field] === wish.doc[field]) continue;
      const claim = wish.kind.claims[field];
      if (!claim) continue;
      if (before) for (const key of claim(before)) given.add(key);
      if (wish.doc) wanted.push({ wish, field, keys: claim(wish.doc) });
    }
  }
  // A key that several fields claim together is refused once.
  const refusals = new Map<Wish, Set<string>>();
  for (const [index, { wish, field, keys }] of wanted.entries()) {
    if (index % STEP === STEP - 1) yield;
    let refused = false;
    for (const key of keys) {
      if (refusals.get(wish)?.has(key)) continue;
      const rival = taken.get(key)?.slot ?? (given.has(key) ? undefined : state.holder(key));
      if (!rival || rival === wish.slot) taken.set(key, wish);
      else if (!refused) {
        const conflict = wish.conflict ?? wish.kind.conflict;
        const { name, values } = conflict(field, wish.doc ?? {}, describe(rival, taken.get(key)));
        const at =
          wish.pointer === undefined ? undefined : `${wish.pointer}/${wish.fieldNames?.[field] ?? field}`;
        problems.add(name, values, at);
        refused = true;
        refusals.set(wish, new Set([...(refusals.get(wish) ?? []), key]));
      }
    }
  }
}

/** An object in words: `interconnect c4a7… (pni_ord)`. */
export function describe(slot: Slot, wish?: Wish): string {
  const name = wish ? wish.kind.nameOf(wish.doc ?? {}) : undefined;
  const known = name ?? String(slot.entry?.doc["name"] ?? "");
  const where = wish?.pointer === undefined ? "" : `, in this request at ${wish.pointer || "/"}`;
  return `${slot.kind} ${slot.id}${known === "" ? "" : ` (${known})`}${where}`;
}
