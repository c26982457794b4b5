/** The database as a file: for whoever works on a data directory without serving it. */

import { closeSync, existsSync, openSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { kinds } from "../../account/kinds.ts";
import { newEpoch } from "../secrets.ts";
import { StoreRefused } from "../store.ts";
import { sumOfState } from "./checksums.ts";
import {
  ALONGSIDE,
  DATABASE,
  LOCK,
  lockDirectory,
  makeDirectory,
  OF_FILE_SYSTEM,
  refusal,
  syncDirectory,
  syncFile,
  UNFINISHED,
} from "./data-directory.ts";
import { positionsIn, refuseLoss } from "./loss.ts";
import { Mark, type StatePosition } from "./mark.ts";
import { Reading } from "./reading.ts";
import { migrate, refuseNewer, SCHEMA_VERSION, schemaVersion } from "./schema.ts";
import { whenUnlocked } from "./write-lock.ts";

/** Files that an empty directory may contain: those of an interrupted command, and the file system's own. */
const NOTHING = new Set([
  LOCK,
  `${LOCK}-journal`,
  OF_FILE_SYSTEM,
  ...ALONGSIDE.map((end) => UNFINISHED + end),
]);

/** The database file of a data directory. Throws `StoreRefused` if there is none. */
export function databaseIn(directory: string): string {
  const file = join(directory, DATABASE);
  if (existsSync(file)) return file;
  throw new StoreRefused(`There is no ${DATABASE} in ${directory}. Name a data directory with --data.`);
}

/**
 * Opens the database of a directory that a server may be serving meanwhile. One of another schema is
 * refused, unless an older one will do.
 */
export async function openBeside(directory: string, older: "older" | "this" = "this"): Promise<DatabaseSync> {
  const file = databaseIn(directory);
  let db: DatabaseSync | undefined;
  try {
    await refuseLoss(directory);
    const opened = new DatabaseSync(file, { timeout: 0 });
    db = opened;
    // A process that recovers the database after a crash, or is the last to close it, locks it for a moment.
    const version = await whenUnlocked(() => {
      opened.exec("PRAGMA synchronous = FULL; PRAGMA fullfsync = ON;");
      return schemaVersion(opened);
    });
    refuseNewer(version, `The data directory ${directory}`);
    if (version < SCHEMA_VERSION && older === "this") {
      throw new StoreRefused(
        `The data directory ${directory} was written by an older Patchbay (schema ${version}; this one writes ${SCHEMA_VERSION}). Back it up, start this version's server on it once, and try again.`,
      );
    }
    return db;
  } catch (error) {
    db?.close();
    throw refusal(directory, error);
  }
}

/**
 * Makes the database of an empty directory: all of it, durable, or nothing. `fill` is given the file to
 * make; until it is whole, it is not in its place. Throws `StoreRefused`.
 */
export async function makeDatabase(
  directory: string,
  fill: (file: string) => void | Promise<void>,
): Promise<void> {
  const file = join(directory, UNFINISHED);
  try {
    if (existsSync(directory) && statSync(directory).isDirectory()) refuseOccupied(directory);
    makeDirectory(directory);
    using _lock = lockDirectory(directory);
    refuseOccupied(directory);
    removeDatabase(file);
    try {
      closeSync(openSync(file, "wx", 0o600));
      await fill(file);
      syncFile(file);
      const states = positionsInFile(file);
      renameSync(file, join(directory, DATABASE));
      using _mark = new Mark(directory, states);
    } finally {
      removeDatabase(file);
    }
    syncDirectory(directory);
  } catch (error) {
    throw refusal(directory, error);
  }
}

function positionsInFile(file: string): readonly StatePosition[] {
  using db = new DatabaseSync(file, { readOnly: true });
  return positionsIn(db);
}

function refuseOccupied(directory: string): void {
  const [first, ...others] = readdirSync(directory).filter((name) => !NOTHING.has(name));
  if (first === undefined) return;
  const more = others.length === 0 ? "" : ` and ${others.length} more`;
  throw new StoreRefused(
    `The directory ${directory} is not empty: it holds ${first}${more}. Name an empty or a new one with --data.`,
  );
}

/** Removes a database that is not in use, with what is beside it. */
export function removeDatabase(file: string): void {
  for (const end of ALONGSIDE) rmSync(file + end, { force: true });
}

/**
 * Opens a file to be filled in one go. Nothing of it is durable, and nothing can be taken back: whoever
 * fails throws the file away.
 */
export function openToFill(file: string): DatabaseSync {
  const db = new DatabaseSync(file);
  db.exec("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -32000;");
  migrate(db, file);
  return db;
}

/** Begins new histories: a state that goes on from here is another than what goes on elsewhere. */
export function renewEpochs(db: DatabaseSync): void {
  const renew = db.prepare("UPDATE state SET epoch = ?, sum = ? WHERE id = ?");
  for (const row of db.prepare("SELECT id, folded, collections, content FROM state").all()) {
    const id = String(row["id"]);
    const epoch = newEpoch();
    const { folded, collections, content } = row;
    const summed = {
      id,
      epoch,
      folded: Number(folded),
      collections: String(collections),
      content: Number(content),
    };
    renew.run(epoch, sumOfState(summed), id);
  }
}

/** What is in a database whose every page and state could be read. */
export interface Content {
  readonly states: number;
  readonly objects: number;
  readonly changes: number;
}

/** Reads all of a database: its pages, and its states where it has this version's schema. Throws if it cannot. */
export function examine(db: DatabaseSync): Content {
  const told = db.prepare("PRAGMA integrity_check(1)").get()?.["integrity_check"];
  if (told !== "ok") throw new SyntaxError(String(told).replaceAll(/\s+/g, " "));
  const count = (table: string) => Number(db.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.["n"]);
  const content = { states: count("state"), objects: count("object"), changes: count("change") };
  if (schemaVersion(db) !== SCHEMA_VERSION) return content;
  const reading = new Reading(db);
  let objects = 0;
  for (const id of reading.states()) {
    const state = reading.load(id);
    reading.verifyLog(id);
    for (const kind of kinds.keys()) objects += state?.list(kind).length ?? 0;
  }
  return { ...content, objects };
}
