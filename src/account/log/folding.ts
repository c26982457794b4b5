/**
 * Folds the log, one record at a time, into the data that a rollback needs. Memory grows with the number of objects, not with
 * the number of records. Each `take` is a generator that yields between small units of work, for `runInSlices`.
 */

import type { Json } from "../../contract/json.ts";
import type { ChangeRecord, FieldChange, ObjectChange } from "../change.ts";
import { PENDING } from "./net.ts";

/** Objects folded between two yields. */
const STEP = 50;

/** Consecutive records of a log, folded. */
export interface LogFold {
  /** The epoch of the records. */
  readonly epoch: string;
  /** The first revision that the log must hold. */
  readonly first: number;
  /** The newest revision that is folded in. */
  readonly upTo: number;
  /** Distinct objects held. */
  readonly size: number;
  /** Bytes of the records that were folded in. Set by the reader. */
  bytes: number;
  /** The commit that the newest folded record came with, if the store reports it. Set by the reader. */
  head: string | undefined;
  take(record: ChangeRecord): Generator<undefined, void>;
}

export const keyOf = (kind: string, id: string) => `${kind} ${id}`;

/** One path equals the other or is a prefix of it. */
function overlap(one: string, other: string): boolean {
  return one === other || one.startsWith(`${other}.`) || other.startsWith(`${one}.`);
}

/** What an object was before the oldest folded change to it. */
export interface Earlier {
  readonly kind: string;
  readonly id: string;
  /**
   * How the earlier version is derived: it did not exist, it consists of `fields` alone, or it is the current version
   * with `fields` set back.
   */
  base: "absent" | "nothing" | "current";
  /** By path: the value before the oldest change of the field. Newest path last, so apply them in reverse. */
  readonly fields: Map<string, Json | undefined>;
}

/** Folds the changes after a revision, for restoring that revision. */
export class RestoreFold implements LogFold {
  readonly epoch: string;
  readonly first: number;
  upTo: number;
  bytes = 0;
  head: string | undefined;
  /** The operations that made the folded changes. */
  readonly operations: Set<string>;
  /** In the order of the newest change to each object. */
  readonly #objects = new Map<string, Earlier>();
  readonly #below: RestoreFold | undefined;

  constructor(epoch: string, revision: number, below?: RestoreFold) {
    this.epoch = epoch;
    this.first = revision;
    this.upTo = below?.upTo ?? revision;
    this.operations = new Set(below?.operations);
    this.#below = below;
  }

  get size(): number {
    return this.#objects.size + (this.#below?.size ?? 0);
  }

  *take({ revision, operation, objects }: ChangeRecord): Generator<undefined, void> {
    let done = 0;
    for (const change of objects) {
      if (change.kind !== PENDING) this.#fold(change);
      if (++done % STEP === 0) yield;
    }
    this.operations.add(operation);
    this.upTo = revision;
  }

  /** Returns a fold with one more record on top of this one, which stays as it is. */
  with(record: ChangeRecord): RestoreFold {
    const above = new RestoreFold(this.epoch, this.first, this);
    for (const _ of above.take(record));
    return above;
  }

  #fold({ kind, id, action, fields }: ObjectChange): void {
    const key = keyOf(kind, id);
    const known = this.#objects.get(key) ?? copyOf(this.#below?.get(key));
    const earlier: Earlier = known ?? {
      kind,
      id,
      base: action === "create" ? "absent" : "current",
      fields: new Map(),
    };
    // The object moves to the end: it was changed last.
    if (known) this.#objects.delete(key);
    this.#objects.set(key, earlier);
    // For an object that was created or deleted since, later changes do not matter.
    if (earlier.base !== "current") return;
    for (const path in fields) {
      if (![...parentsOf(path)].some((outer) => earlier.fields.has(outer)))
        earlier.fields.set(path, fields[path]?.before);
    }
    if (action === "delete") earlier.base = "nothing";
  }

  get(key: string): Earlier | undefined {
    return this.#objects.get(key) ?? this.#below?.get(key);
  }

  /** All objects, in the order of the newest change to each. */
  *objects(): Generator<Earlier> {
    if (this.#below)
      for (const earlier of this.#below.objects())
        if (!this.#objects.has(keyOf(earlier.kind, earlier.id))) yield earlier;
    yield* this.#objects.values();
  }
}

function copyOf(earlier: Earlier | undefined): Earlier | undefined {
  return earlier && { ...earlier, fields: new Map(earlier.fields) };
}

/** A path and everything that it is inside of: `a.b.c`, `a.b`, `a`. */
function* parentsOf(path: string): Generator<string> {
  for (let end = path.length; end > 0; end = path.lastIndexOf(".", end - 1)) yield path.slice(0, end);
}

/** The fields that restore the earlier version of an object, oldest last. */
export function fieldsBack({ fields }: Earlier): Readonly<Record<string, FieldChange>> {
  return Object.fromEntries(
    [...fields].reverse().map(([path, before]) => [path, before === undefined ? {} : { before }]),
  );
}

/** A later change to an object that the reverted change touched. */
interface Touch {
  readonly revision: number;
  /** The field that both changed; empty if one of them created or deleted the object. */
  readonly field: string;
}

/** A record that rolls back other changes. */
type Rollback = Pick<ChangeRecord, "revision" | "reverts" | "restores">;

/** Folds a change and those after it, for reverting the first one. */
export class RevertFold implements LogFold {
  readonly epoch: string;
  readonly first: number;
  upTo: number;
  bytes = 0;
  head: string | undefined;
  /** The change to revert. */
  #record: ChangeRecord | undefined;
  /** By object of that change: later changes of the same fields, ascending. */
  readonly #touches = new Map<string, Touch[]>();
  readonly #changes: Map<string, ObjectChange>;
  readonly #rollbacks: Rollback[];
  readonly #below: RevertFold | undefined;

  constructor(epoch: string, revision: number, below?: RevertFold) {
    this.epoch = epoch;
    this.first = revision;
    this.upTo = below?.upTo ?? revision - 1;
    this.#record = below?.record;
    this.#changes = below ? below.#changes : new Map();
    this.#rollbacks = [...(below ? below.#rollbacks : [])];
    this.#below = below;
  }

  get record(): ChangeRecord | undefined {
    return this.#record;
  }

  get size(): number {
    return this.#changes.size;
  }

  *take(record: ChangeRecord): Generator<undefined, void> {
    const { revision, objects, reverts, restores } = record;
    let done = 0;
    for (const change of objects) {
      if (this.#record) this.#touch(revision, change);
      else this.#changes.set(keyOf(change.kind, change.id), change);
      if (++done % STEP === 0) yield;
    }
    this.#record ??= record;
    if (reverts !== undefined || restores !== undefined)
      this.#rollbacks.push({
        revision,
        ...(reverts === undefined ? {} : { reverts }),
        ...(restores === undefined ? {} : { restores }),
      });
    this.upTo = revision;
  }

  /** Returns a fold with one more record on top of this one, which stays as it is. */
  with(record: ChangeRecord): RevertFold {
    const above = new RevertFold(this.epoch, this.first, this);
    for (const _ of above.take(record));
    return above;
  }

  #touch(revision: number, { kind, id, action, fields }: ObjectChange): void {
    const key = keyOf(kind, id);
    const own = this.#changes.get(key);
    if (!own) return;
    const field = action !== "update" || own.action !== "update" ? "" : overlapping(own.fields, fields);
    if (field === undefined) return;
    const touches = this.#touches.get(key);
    if (touches) touches.push({ revision, field });
    else this.#touches.set(key, [{ revision, field }]);
  }

  /** Returns, per object, the newest later change of a field that a revert would set. Changes that were rolled back do not count. */
  touched(): (change: ObjectChange) => Touch | undefined {
    const cancelled = cancelledBy(this.#rollbacks, this.first);
    return ({ kind, id }) => this.newest(keyOf(kind, id), cancelled);
  }

  private newest(key: string, cancelled: (revision: number) => boolean): Touch | undefined {
    const own = this.#touches.get(key)?.findLast(({ revision }) => !cancelled(revision));
    return own ?? this.#below?.newest(key, cancelled);
  }
}

/** Returns a path of the later change that overlaps one of the earlier change. */
function overlapping(earlier: ObjectChange["fields"], later: ObjectChange["fields"]): string | undefined {
  for (const path in later) {
    // If they are equal, return the earlier change's string, so that it is in memory once.
    for (const own in earlier) if (overlap(own, path)) return own === path ? own : path;
  }
  return undefined;
}

/** Finds the changes after a revision that were rolled back, and their rollbacks. A rollback may itself be rolled back. */
function cancelledBy(rollbacks: readonly Rollback[], since: number): (revision: number) => boolean {
  const singles = new Set<number>();
  // Disjoint, newest first: the range of a restore that counts begins below every later one.
  const ranges: { readonly from: number; readonly to: number }[] = [];
  const isCancelled = (revision: number) => {
    if (singles.has(revision)) return true;
    let [low, high] = [0, ranges.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((ranges[middle]?.from ?? 0) <= revision) high = middle;
      else low = middle + 1;
    }
    return (ranges[low]?.to ?? 0) >= revision;
  };
  // Newest first: whether a rollback counts is decided by the later ones.
  for (const { revision, reverts, restores } of rollbacks.toReversed()) {
    if (isCancelled(revision)) continue;
    const from = reverts ?? (restores === undefined ? undefined : restores + 1);
    if (from === undefined || from <= since) continue;
    if (restores === undefined) singles.add(from).add(revision);
    else ranges.push({ from, to: revision });
  }
  return isCancelled;
}
