/** `patchbay dump`: the whole world, logs included, as lines of JSON. */

import type { DatabaseSync } from "node:sqlite";
import { kinds } from "../account/kinds.ts";
import { ConfigError } from "../store/config-error.ts";
import { why } from "../store/sqlite/data-directory.ts";
import { collectionsOf, otherTables, rowsOf } from "../store/sqlite/filling.ts";
import { consistently, Reading } from "../store/sqlite/reading.ts";
import { type EndLine, FORMAT, type Line } from "./line.ts";
import { Lines, makeFile } from "./output.ts";
import { openToRead } from "./place.ts";
import { count, dataPlace, type Environment, type PlaceOptions, run, type Terminal } from "./run.ts";

export interface DumpOptions extends PlaceOptions {
  readonly to: string;
}

export function dump(options: DumpOptions, environment: Environment, terminal: Terminal): Promise<number> {
  return run(terminal, async () => {
    const place = dataPlace(options, environment);
    let end: EndLine | undefined;
    await makeFile(options.to, async (at) => {
      await using db = await openToRead(place);
      using lines = new Lines(at, options.to);
      end = dumpAll(db.file, place.what, lines);
    });
    const { states = 0, changes = 0, objects = 0 } = end ?? {};
    return `${options.to} holds ${count(states, "state")} with ${count(objects, "object")} and ${count(changes, "change")}.`;
  });
}

function dumpAll(db: DatabaseSync, what: string, lines: Lines): EndLine {
  try {
    // One view for all of it, so that a server may go on meanwhile.
    return consistently(db, () => writeWorld(db, lines));
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(`${what} could not be dumped: ${why(error)}`);
  }
}

export function writeLine(lines: Lines, line: Line): void {
  lines.add(JSON.stringify(line));
}

function writeWorld(db: DatabaseSync, lines: Lines): EndLine {
  const reading = new Reading(db);
  const end = { type: "end", states: 0, changes: 0, objects: 0, rows: 0 } satisfies EndLine;
  writeLine(lines, { type: "header", format: FORMAT, holds: "world" });
  for (const id of reading.states()) {
    const state = reading.load(id);
    if (!state) continue;
    const { epoch, durable: revision } = state;
    const after = (reading.oldest(id) ?? revision + 1) - 1;
    writeLine(lines, { type: "state", id, epoch, revision, after, collections: collectionsOf(state) });
    end.states++;
    const records = new ChangeLines(lines, id, after);
    for (const text of reading.records(id, after)) records.add(text);
    records.finish(revision);
    end.changes += revision - after;
    for (const kind of kinds.keys()) {
      for (const { id: object, revision: changed, doc } of state.list(kind)) {
        writeLine(lines, { type: "object", kind, id: object, revision: changed, doc });
        end.objects++;
      }
    }
  }
  for (const table of otherTables(db)) {
    for (const values of rowsOf(db, table)) {
      writeLine(lines, { type: "row", table, values });
      end.rows++;
    }
  }
  writeLine(lines, end);
  lines.finish();
  return end;
}

/** Writes the stored records of a state. Throws if one is missing or cannot be read. */
export class ChangeLines {
  readonly #lines: Lines;
  readonly #id: string;
  /** The revision of the newest record that was written. */
  last: number;

  constructor(lines: Lines, id: string, after: number) {
    this.#lines = lines;
    this.#id = id;
    this.last = after;
  }

  add(text: string): void {
    const record: { revision?: unknown } = JSON.parse(text);
    if (record.revision !== ++this.last)
      throw new SyntaxError(`the log of ${this.#id} lacks revision ${this.last}`);
    this.#lines.add(`{"type":"change","record":${text}}`);
  }

  finish(revision: number): void {
    if (this.last !== revision)
      throw new SyntaxError(`the log of ${this.#id} lacks revision ${this.last + 1}`);
  }
}
