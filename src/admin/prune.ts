/** `patchbay prune`: moves old changes out of the log, into an archive. */

import type { DatabaseSync } from "node:sqlite";
import type { ChangeRecord } from "../account/change.ts";
import { durablePending } from "../account/pending.ts";
import { ConfigError } from "../store/config-error.ts";
import { refusal } from "../store/sqlite/data-directory.ts";
import { foldUpTo, removeUpTo } from "../store/sqlite/pruning.ts";
import { consistently, Reading } from "../store/sqlite/reading.ts";
import { writeChanges, writeLine } from "./dump.ts";
import { type EndLine, FORMAT, type StateLine } from "./line.ts";
import { Lines, makeFile } from "./output.ts";
import { openToRead } from "./place.ts";
import {
  count,
  type DataPlace,
  dataPlace,
  type Environment,
  type PlaceOptions,
  run,
  type Terminal,
} from "./run.ts";

export interface PruneOptions extends PlaceOptions {
  readonly before: string;
  readonly archive?: string | undefined;
  readonly discard?: boolean | undefined;
}

export function prune(options: PruneOptions, environment: Environment, terminal: Terminal): Promise<number> {
  return run(terminal, async () => {
    const place = dataPlace(options, environment);
    const before = readTime(options.before, Date.now());
    const { archive } = options;
    if ((archive === undefined) === (options.discard !== true)) {
      throw new ConfigError(
        "Say where the changes go with --archive FILE, or that nobody needs them with --discard.",
      );
    }
    await using opened = await openToRead(place);
    const db = opened.file;
    try {
      const old = findOld(db, before);
      if (old.length === 0)
        return `No changes of ${place.name} are older than ${new Date(before).toISOString()}.`;
      if (archive !== undefined) await writeArchive(db, old, archive);
      const removed = await removeOld(place, db, old);
      return `${count(removed, "change")} of ${count(old.length, "state")} ${archive === undefined ? "removed" : `moved to ${archive}`}.`;
    } catch (error) {
      throw place.database === undefined ? refusal(place.data, error) : error;
    }
  });
}

const UNITS: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000 };

/** The time in milliseconds that `2026-01-31`, `2026-01-31T12:00:00Z` or (before now) `90d` and `12h` mean. */
export function readTime(text: string, now: number): number {
  const [, amount, unit = ""] = /^(\d{1,6})([dh])$/.exec(text) ?? [];
  if (amount !== undefined) return now - Number(amount) * (UNITS[unit] ?? 0);
  const form = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}(\.\d{1,6})?Z)?$/.test(text);
  const time = form ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time) || new Date(time).toISOString().slice(0, 10) !== text.slice(0, 10)) {
    throw new ConfigError(
      `--before is ${text}, but must be a time such as 2026-01-31 or 2026-01-31T12:00:00Z (UTC), or 90d for what is older than 90 days.`,
    );
  }
  if (time > now) throw new ConfigError(`--before is ${text}, which is still to come.`);
  return time;
}

/** The changes of a state that are to go: those after `after`, up to `revision`. */
type Old = StateLine;

/** For each state, its changes from the oldest on that were made before a time; never the newest change, nor one that waits to be confirmed. */
function findOld(db: DatabaseSync, before: number): readonly Old[] {
  const reading = new Reading(db);
  return consistently(db, () =>
    reading.states().flatMap((id) => {
      const standing = reading.standing(id);
      const oldest = reading.oldest(id);
      if (!standing || oldest === undefined) return [];
      const after = oldest - 1;
      let revision = after;
      // A change that waits to be confirmed may have to be undone yet: by its record, and those after it.
      const state = reading.load(id);
      const waiting = state && durablePending(state)?.revision;
      const end = Math.min(standing.revision, waiting ?? standing.revision);
      for (const text of reading.records(id, after)) {
        const record: ChangeRecord = JSON.parse(text);
        if (Date.parse(record.time) >= before || record.revision >= end) break;
        revision = record.revision;
      }
      const { epoch } = standing;
      return revision > after ? [{ type: "state", id, epoch, revision, after } as const] : [];
    }),
  );
}

/** Writes them where they will last, before anything is removed. */
async function writeArchive(db: DatabaseSync, old: readonly Old[], archive: string): Promise<void> {
  await makeFile(archive, (at) => {
    using lines = new Lines(at, archive);
    const end = { type: "end", states: 0, changes: 0, objects: 0, rows: 0 } satisfies EndLine;
    const reading = new Reading(db);
    consistently(db, () => {
      writeLine(lines, { type: "header", format: FORMAT, holds: "archive" });
      for (const line of old) {
        writeLine(lines, line);
        end.states++;
        end.changes += writeChanges(reading, lines, line.id, { after: line.after, upTo: line.revision });
      }
      writeLine(lines, end);
    });
    lines.finish();
  });
}

async function removeOld(place: DataPlace, db: DatabaseSync, old: readonly Old[]): Promise<number> {
  if (place.database !== undefined) {
    const { prune } = await import("../store/postgres/postgres-store.ts");
    return prune(place.database, old);
  }
  const reading = new Reading(db);
  let removed = 0;
  for (const one of old) {
    await foldUpTo(db, reading, one.id, one.revision);
    removed += await removeUpTo(db, reading, one);
  }
  return removed;
}
