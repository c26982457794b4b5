/** `patchbay prune`: moves old changes out of the log, into an archive. */

import { ConfigError } from "../store/config-error.ts";
import type { OldChanges, PrunableLog } from "../store/pruning.ts";
import { refusal } from "../store/sqlite/data-directory.ts";
import { openBeside } from "../store/sqlite/database-file.ts";
import { prunableLog } from "../store/sqlite/pruning.ts";
import { ChangeLines, writeLine } from "./dump.ts";
import { type EndLine, FORMAT } from "./line.ts";
import { Lines, makeFile } from "./output.ts";
import {
  count,
  dataPlace,
  type Environment,
  type PlaceOptions,
  run,
  type Terminal,
  timestamp,
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
        "Give an archive for the changes with --archive FILE, or delete them with --discard.",
      );
    }
    const use = async (log: PrunableLog) => {
      const old = await log.old(timestamp(new Date(before)));
      if (old.length === 0)
        return `No changes of ${place.name} are older than ${new Date(before).toISOString()}.`;
      if (archive !== undefined) await writeArchive(log, old, archive);
      let removed = 0;
      for (const one of old) removed += await log.remove(one);
      return `${count(removed, "change")} of ${count(old.length, "state")} ${archive === undefined ? "removed" : `moved to ${archive}`}.`;
    };
    if (place.database === undefined) return pruneDirectory(place.data, use);
    const { prune } = await import("../store/postgres/postgres-store.ts");
    return prune(place.database, use);
  });
}

async function pruneDirectory<T>(directory: string, use: (log: PrunableLog) => Promise<T>): Promise<T> {
  using db = await openBeside(directory);
  try {
    return await use(prunableLog(db));
  } catch (error) {
    throw refusal(directory, error);
  }
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

/** Writes the changes to a durable archive. Call before removing them. */
async function writeArchive(log: PrunableLog, old: readonly OldChanges[], archive: string): Promise<void> {
  await makeFile(archive, async (at) => {
    using lines = new Lines(at, archive);
    const end = { type: "end", states: 0, changes: 0, objects: 0, rows: 0 } satisfies EndLine;
    writeLine(lines, { type: "header", format: FORMAT, holds: "archive" });
    for (const { id, epoch, after, revision } of old) {
      writeLine(lines, { type: "state", id, epoch, revision, after });
      end.states++;
      const records = new ChangeLines(lines, id, after);
      for await (const text of log.records(id, after)) {
        if (records.last === revision) break;
        records.add(text);
      }
      records.finish(revision);
      end.changes += revision - after;
    }
    writeLine(lines, end);
    lines.finish();
  });
}
