/**
 * What a change is: per object, which fields had which value before and have which after.
 *
 * A change lives in two forms: as edits, which hold both versions of each object and can be applied
 * and taken back at no cost, and as a record, which is what the log keeps and others read on.
 */

import type { Json } from "../contract/json.ts";
import type { Actor } from "../contract/log.ts";
import { accountOfField } from "./directory/membership.ts";
import { type Doc, type Edit, entry, type Kind, type State } from "./state.ts";

/** Before and after of one field. An absent side means the field had, or has, no value. */
export interface FieldChange {
  readonly before?: Json;
  readonly after?: Json;
}

export interface ObjectChange {
  readonly kind: string;
  readonly id: string;
  readonly name?: string;
  readonly action: "create" | "update" | "delete";
  /** In the directory: the accounts that the object concerned before, or concerns after; `*` is all of them. */
  readonly accounts?: readonly string[];
  /** By dotted path. For a creation all fields, for a deletion all that were. */
  readonly fields: Readonly<Record<string, FieldChange>>;
}

export interface ChangeRecord {
  readonly revision: number;
  /** RFC 3339, UTC, microseconds. */
  readonly time: string;
  readonly actor: Actor;
  readonly request_id: string;
  /** Where the request came from. */
  readonly address?: string;
  readonly operation: string;
  /** Why it was made, in the words of who made it. */
  readonly reason?: string;
  /** Of an undo: the revision of the change that it undoes. */
  readonly reverts?: number;
  /** Of a restoration: the revision that it goes back to. */
  readonly restores?: number;
  readonly objects: readonly ObjectChange[];
}

export interface Change {
  readonly record: ChangeRecord;
  readonly edits: readonly Edit[];
}

type Fields = Record<string, FieldChange>;

/** `modified_on` is the time of the change, so the log does not repeat it for every object. */
const STAMP = "modified_on";

function isObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Collects the leaves in which two documents differ. Empty objects and lists are leaves. */
function collectDifferences(before: Doc, after: Doc, path: string, fields: Fields): void {
  for (const key in after) {
    const is = after[key];
    const was = before[key];
    if (is !== was) collectDifference(was, is, path + key, fields);
  }
  for (const key in before) {
    if (!(key in after)) collectDifference(before[key], undefined, path + key, fields);
  }
}

function collectDifference(was: Json | undefined, is: Json | undefined, path: string, fields: Fields): void {
  if (isObject(is) && isObject(was)) collectDifferences(was, is, `${path}.`, fields);
  else if (isObject(is) && was === undefined && hasMembers(is))
    collectDifferences({}, is, `${path}.`, fields);
  else if (isObject(was) && is === undefined && hasMembers(was))
    collectDifferences(was, {}, `${path}.`, fields);
  else if (Array.isArray(is) && Array.isArray(was) && JSON.stringify(is) === JSON.stringify(was)) return;
  else if (was === undefined) {
    if (is !== undefined) fields[path] = { after: is };
  } else fields[path] = is === undefined ? { before: was } : { before: was, after: is };
}

function hasMembers(value: object): boolean {
  for (const _ in value) return true;
  return false;
}

/**
 * The fields in which two versions differ; `undefined` when they do not. They carry either version over
 * to the other as long as field names hold no dot and objects below the top are not empty.
 */
export function differences(before: Doc, after: Doc): Readonly<Record<string, FieldChange>> | undefined {
  const fields: Fields = {};
  collectDifferences(before, after, "", fields);
  return hasMembers(fields) ? fields : undefined;
}

/** The part of a record that tells one edit. */
export function objectChange(edit: Edit, fields?: Readonly<Record<string, FieldChange>>): ObjectChange {
  const { slot, kind, before, after } = edit;
  const name = kind.nameOf((after ?? before)?.doc ?? {});
  const changed = fields ?? differences(before?.doc ?? {}, after?.doc ?? {}) ?? {};
  const told = {
    action: before ? (after ? "update" : "delete") : "create",
    ...(kind.concerns && { accounts: concerned(edit, changed, kind.concerns) }),
    fields: changed,
  } as const;
  return name === undefined
    ? { kind: slot.kind, id: slot.id, ...told }
    : { kind: slot.kind, id: slot.id, name, ...told };
}

/**
 * The accounts that either version of an object concerns. What a change leaves alone would not tell. An update of nothing
 * but memberships concerns those accounts alone, so that its record does not grow with the others.
 */
function concerned(
  { slot, before, after }: Edit,
  fields: Readonly<Record<string, FieldChange>>,
  concerns: (id: string, doc: Doc) => readonly string[],
): readonly string[] {
  const memberships = Object.keys(fields).map(accountOfField);
  if (before && after && !memberships.includes(undefined))
    return memberships.filter((account) => account !== undefined);
  const versions = [before, after].flatMap((version) => (version ? concerns(slot.id, version.doc) : []));
  return [...new Set(versions)];
}

/** A document with the fields of a change set to their later (or, in reverse, earlier) values. */
export function patch(
  doc: Doc,
  fields: Readonly<Record<string, FieldChange>>,
  side: "before" | "after",
): Doc {
  const patched = { ...doc } as Record<string, Json>;
  for (const [path, change] of Object.entries(fields)) setAt(patched, path.split("."), change[side]);
  return patched;
}

function setAt(target: Record<string, Json>, path: readonly string[], value: Json | undefined): void {
  const [key, ...rest] = path;
  if (key === undefined) return;
  if (rest.length === 0) {
    if (value === undefined) delete target[key];
    else target[key] = value;
    return;
  }
  const inner: Record<string, Json> = isObject(target[key]) ? { ...target[key] } : {};
  setAt(inner, rest, value);
  // An object that was only there for its members goes with the last of them.
  if (value === undefined && !hasMembers(inner)) delete target[key];
  else target[key] = inner;
}

/** The edits that carry a state over a record read from the log. */
export function editsOf(state: State, record: ChangeRecord, kinds: ReadonlyMap<string, Kind>): Edit[] {
  return record.objects.map((change) => {
    const kind = kinds.get(change.kind);
    if (!kind) throw new Error(`The log holds an object of the unknown kind ${change.kind}.`);
    const slot = state.slotFor(change.kind, change.id);
    const before = slot.entry;
    if (change.action === "delete") return { slot, kind, before, after: undefined };
    const patched = patch(before?.doc ?? {}, change.fields, "after");
    const doc = before && kind.stamped ? { ...patched, [STAMP]: record.time } : patched;
    return { slot, kind, before, after: entry(slot.id, doc, record.revision) };
  });
}

/** A record as it may be shown: masked fields tell that they changed, not what they are. */
export function maskRecord(record: ChangeRecord, kinds: ReadonlyMap<string, Kind>): ChangeRecord {
  return { ...record, objects: record.objects.map((change) => maskChange(change, kinds)) };
}

/** One object's part of a record as it may be shown. */
export function maskChange(change: ObjectChange, kinds: ReadonlyMap<string, Kind>): ObjectChange {
  const masked = kinds.get(change.kind)?.masked.filter((path) => path in change.fields) ?? [];
  if (masked.length === 0) return change;
  const fields: Record<string, FieldChange> = { ...change.fields };
  for (const path of masked) fields[path] = maskField(fields[path] ?? {});
  return { ...change, fields };
}

/** Stands where a value is kept but not shown. */
export const MASK = "(masked)";

/** A document as it may be shown. */
export function maskDoc(doc: Doc, { masked }: Kind): Doc {
  const fields: Fields = {};
  for (const path of masked) {
    const value = path
      .split(".")
      .reduce<Json | undefined>((at, key) => (isObject(at) ? at[key] : undefined), doc as Json);
    if (value !== undefined) fields[path] = { after: MASK };
  }
  return hasMembers(fields) ? patch(doc, fields, "after") : doc;
}

function maskField(field: FieldChange): FieldChange {
  return {
    ...(field.before === undefined ? {} : { before: MASK }),
    ...(field.after === undefined ? {} : { after: MASK }),
  };
}
