/** Judges a world that was loaded: do its logs lead to its objects, and can its objects be together? */

import type { DatabaseSync } from "node:sqlite";
import { isDeepStrictEqual } from "node:util";
import { type ChangeRecord, editsOf } from "../account/change.ts";
import { kindNamed, kinds } from "../account/kinds.ts";
import { type Entry, State } from "../account/state.ts";
import { messageOf } from "../store/sqlite/data-directory.ts";
import { Reading } from "../store/sqlite/reading.ts";
import { lineRefusal } from "./input.ts";
import type { Told } from "./loading.ts";

export interface LoadedState extends Told {
  /** The revision before the oldest change that is there. */
  readonly floor: number;
  readonly objects: number;
}

export function judgeWorld(
  db: DatabaseSync,
  states: readonly Told[],
  archived: readonly Told[],
): readonly LoadedState[] {
  for (const { file, line, at } of archived) {
    if (!states.some((told) => told.line.id === line.id))
      throw lineRefusal(
        file,
        at,
        `the state ${line.id} is not in the dump that the archive should go before`,
      );
  }
  const reading = new Reading(db, "unsealed");
  return states.map((told) => {
    const before = archived.filter(({ line }) => line.id === told.line.id);
    return judgeState(reading, told, before);
  });
}

function judgeState(reading: Reading, told: Told, archived: readonly Told[]): LoadedState {
  const { id, revision } = told.line;
  const floor = (reading.oldest(id) ?? revision + 1) - 1;
  const stored = reading.stateAsFolded(id);
  if (!stored) throw new Error(`The state ${id} was not written.`);
  judgeClaims(stored, told);
  if (floor === 0) judgeLog(reading, stored, told, archived);
  else judgePruned(reading, stored, told, archived, floor);
  let objects = 0;
  for (const kind of kinds.keys()) objects += stored.list(kind).length;
  return { ...told, floor, objects };
}

/** The line of an object, by its place among those of its state. */
function lineOf({ line, at }: Told, place: number): number {
  return at + line.revision - line.after + 1 + place;
}

function* entriesOf(state: State): Generator<{ kind: string; entry: Entry; place: number }> {
  let place = 0;
  for (const kind of kinds.keys())
    for (const entry of state.list(kind)) yield { kind, entry, place: place++ };
}

/** No two objects may hold the same name, address or secret. */
function judgeClaims(state: State, told: Told): void {
  const { file } = told;
  const held = new Map<string, string>();
  for (const { kind, entry, place } of entriesOf(state)) {
    const { claims } = kindNamed(kind);
    for (const [field, claim] of Object.entries(claims)) {
      let keys: readonly string[];
      try {
        keys = claim(entry.doc);
      } catch (error) {
        throw lineRefusal(file, lineOf(told, place), `this is no ${kind}: ${messageOf(error)}`);
      }
      for (const key of keys) {
        const rival = held.get(key);
        if (rival !== undefined && rival !== `${kind} ${entry.id}`)
          throw lineRefusal(
            file,
            lineOf(told, place),
            `the ${field} of ${kind} ${entry.id} is that of ${rival}`,
          );
        held.set(key, `${kind} ${entry.id}`);
      }
    }
  }
}

/** The changes from the first on, one after the other. Throws where one is missing, or does not fit. */
function* changes(reading: Reading, { file, line, at }: Told, from: number): Generator<ChangeRecord> {
  let next = from + 1;
  for (const text of reading.records(line.id, from)) {
    const record: ChangeRecord = JSON.parse(text);
    if (record.revision !== next) break;
    yield record;
    next++;
  }
  if (next <= line.revision)
    throw lineRefusal(file, at, `change ${next} of the state ${line.id} is in none of the files`);
}

/** A log that begins with the first change must lead to the objects exactly. */
function judgeLog(reading: Reading, stored: State, told: Told, archived: readonly Told[]): void {
  const { line } = told;
  const replayed = new State(line.id, line.epoch);
  for (const record of changes(reading, told, 0)) {
    const [file, at] = placeOf(record.revision, told, archived);
    const edits = editsOf(replayed, record, kinds);
    for (const [index, { before }] of edits.entries()) {
      const { action, kind, id } = record.objects[index] ?? {};
      if ((action === "create") === (before === undefined)) continue;
      throw lineRefusal(
        file,
        at,
        `the ${kind} ${id} ${before ? "is there already" : "is not there"}, so this change was not made on what stands before it`,
      );
    }
    replayed.apply(edits);
    replayed.settle(edits, record.revision);
  }
  compare(replayed, stored, told);
}

/** Where a change stands. */
function placeOf(revision: number, told: Told, archived: readonly Told[]): [file: string, line: number] {
  const { file, line, at } =
    [...archived, told].find((one) => one.line.after < revision && revision <= one.line.revision) ?? told;
  return [file, at + revision - line.after];
}

function compare(replayed: State, stored: State, told: Told): void {
  const { file, at } = told;
  for (const kind of kinds.keys()) {
    const says = replayed.collectionRevision(kind);
    if (says === stored.collectionRevision(kind)) continue;
    throw lineRefusal(
      file,
      at,
      `the log changes objects of the kind ${kind} at revision ${says} last, but collections says otherwise`,
    );
  }
  const expected = [...entriesOf(replayed)];
  const found = [...entriesOf(stored)];
  for (const [index, { kind, entry, place }] of found.entries()) {
    const other = expected[index];
    const same =
      other?.kind === kind &&
      other.entry.id === entry.id &&
      other.entry.revision === entry.revision &&
      isDeepStrictEqual(other.entry.doc, entry.doc);
    if (!same)
      throw lineRefusal(
        file,
        lineOf(told, place),
        `this is not what the changes of the state ${stored.id} lead to`,
      );
  }
  const [missing] = expected.slice(found.length);
  if (missing)
    throw lineRefusal(
      file,
      lineOf(told, found.length),
      `the ${missing.kind} ${missing.entry.id} is missing before this, which the changes lead to`,
    );
}

/**
 * Of a log whose beginning was pruned: each object must be of the revision of the last change to it,
 * and what was removed must be gone.
 */
function judgePruned(
  reading: Reading,
  stored: State,
  told: Told,
  archived: readonly Told[],
  floor: number,
): void {
  const { file, line, at } = told;
  const stranger = archived.find((one) => one.line.epoch !== line.epoch);
  if (stranger)
    throw lineRefusal(
      stranger.file,
      stranger.at,
      `this is of another history than the dump (epoch ${stranger.line.epoch}, not ${line.epoch}). Only with all archives, from the first change on, can it be told whether they fit`,
    );
  const last = new Map<string, { revision: number; gone: boolean }>();
  const collections = new Map<string, number>();
  for (const record of changes(reading, told, floor)) {
    for (const { kind, id, action } of record.objects) {
      last.set(`${kind}/${id}`, { revision: record.revision, gone: action === "delete" });
      collections.set(kind, record.revision);
    }
  }
  for (const { kind, entry, place } of entriesOf(stored)) {
    const change = last.get(`${kind}/${entry.id}`);
    last.delete(`${kind}/${entry.id}`);
    const wrong = change ? change.gone || change.revision !== entry.revision : entry.revision > floor;
    if (wrong)
      throw lineRefusal(
        file,
        lineOf(told, place),
        `this is not what the changes of the state ${stored.id} lead to`,
      );
  }
  for (const [key, { gone }] of last)
    if (!gone)
      throw lineRefusal(file, at, `the ${key.replace("/", " ")} is missing, which the changes lead to`);
  for (const kind of kinds.keys()) {
    const says = collections.get(kind);
    const stands = stored.collectionRevision(kind);
    if (says === undefined ? stands <= floor : stands === says) continue;
    throw lineRefusal(
      file,
      at,
      `collections says that objects of the kind ${kind} changed at revision ${stands} last, but the changes say otherwise`,
    );
  }
}
