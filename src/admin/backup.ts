/** `patchbay backup` and `patchbay restore`: a database as one file, and back as another history. */

import { existsSync } from "node:fs";
import { basename, dirname } from "node:path";
import { backup as copy, DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { ConfigError } from "../store/config-error.ts";
import { DATABASE, isDamage, messageOf, why } from "../store/sqlite/data-directory.ts";
import {
  type Content,
  examine,
  makeDatabase,
  openBeside,
  openToFill,
  renewEpochs,
} from "../store/sqlite/database-file.ts";
import { positionsIn } from "../store/sqlite/loss.ts";
import { MarkCheck } from "../store/sqlite/mark.ts";
import { refuseNewer, schemaVersion } from "../store/sqlite/schema.ts";
import { StoreRefused } from "../store/store.ts";
import { makeFile } from "./output.ts";
import { count, dataDirectory, type Environment, run, type Terminal } from "./run.ts";

/** Pages copied in one go. */
const RATE = 4_000;

export interface BackupOptions {
  readonly data?: string | undefined;
  readonly to: string;
}

export function backup(
  options: BackupOptions,
  environment: Environment,
  terminal: Terminal,
): Promise<number> {
  return run(terminal, async () => {
    const data = dataDirectory(
      options,
      environment,
      "A database is backed up by its own pg_dump, or by patchbay dump.",
    );
    let content: Content | undefined;
    await makeFile(options.to, async (at) => {
      using source = await openBeside(data, "older");
      await copyWhole(source, at, options.to);
      content = verify(at, options.to);
    });
    return `${options.to} holds ${tell(content)}, all read and found whole.`;
  });
}

/** Copies what a database holds at this moment, while others go on writing to it. */
async function copyWhole(source: DatabaseSync, at: string, name: string): Promise<void> {
  try {
    // A copy of one view: without it, the copy would begin anew whenever somebody writes.
    source.exec("BEGIN");
    source.prepare("SELECT count(*) FROM sqlite_schema").get();
    await copy(source, at, { rate: RATE });
  } catch (error) {
    throw new ConfigError(`${name} could not be made: ${why(error)}`);
  }
}

/** Reads everything, and makes the copy a file that needs none beside it. */
function verify(at: string, name: string): Content {
  try {
    using db = new DatabaseSync(at);
    db.exec("PRAGMA journal_mode = DELETE");
    return examine(db);
  } catch (error) {
    throw new ConfigError(
      `The copy is not whole (${messageOf(error)}), so ${name} was not made. The data directory may be damaged: keep your last backup.`,
    );
  }
}

export interface RestoreOptions {
  readonly data?: string | undefined;
  readonly from: string;
}

export function restore(
  options: RestoreOptions,
  environment: Environment,
  terminal: Terminal,
): Promise<number> {
  return run(terminal, async () => {
    const data = dataDirectory(
      options,
      environment,
      "A database is filled by its own pg_restore, or by patchbay load.",
    );
    const { from } = options;
    using source = openBackup(from);
    let content: Content | undefined;
    let missing: string | undefined;
    await makeDatabase(data, async (file) => {
      try {
        await copy(source, file, { rate: RATE });
        using db = openToFill(file);
        content = examine(db);
        if (content.states === 0)
          throw new StoreRefused(`Nothing can be read from ${from}. Restore another backup.`);
        // The database of a damaged data directory has its mark beside it.
        if (basename(from) === DATABASE) missing = new MarkCheck(dirname(from)).missing(positionsIn(db));
        renewEpochs(db);
      } catch (error) {
        if (!isDamage(error)) throw error;
        throw new StoreRefused(`${from} is damaged (${messageOf(error)}). Restore another backup.`);
      }
    });
    const lost = missing === undefined ? "" : ` Changes are missing: ${missing}.`;
    return `${data} holds ${tell(content)}, under new epochs: clients that follow the changes must read the state again.${lost}`;
  });
}

function openBackup(file: string): DatabaseSync {
  if (!existsSync(file)) throw new ConfigError(`There is no file ${file}.`);
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(locationOf(file), { readOnly: true });
    const version = schemaVersion(db);
    refuseNewer(version, file);
    if (version === 0) throw new Error("it holds none of Patchbay's tables");
    return db;
  } catch (error) {
    db?.close();
    if (error instanceof StoreRefused) throw error;
    throw new ConfigError(`${file} is no backup of Patchbay's: ${messageOf(error)}.`);
  }
}

/** A backup stands still, and may be where nothing can be written; a copy with its log beside it may not. */
function locationOf(file: string): string | URL {
  if (existsSync(`${file}-wal`)) return file;
  const url = pathToFileURL(file);
  url.searchParams.set("immutable", "1");
  return url;
}

function tell(content: Content | undefined): string {
  const { states = 0, objects = 0, changes = 0 } = content ?? {};
  return `${count(states, "state")} with ${count(objects, "object")} and ${count(changes, "change")}`;
}
