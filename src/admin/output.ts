/** A new file that is whole and durable, or not there. */

import { closeSync, existsSync, openSync, renameSync, writeSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { ConfigError } from "../store/config-error.ts";
import { syncDirectory, syncFile, why } from "../store/sqlite/data-directory.ts";
import { removeDatabase } from "../store/sqlite/database-file.ts";

/** Characters gathered until they are written. */
const CHUNK = 1 << 20;

/** Where a file is made, until it is whole. */
const unfinished = (file: string) => `${file}.part`;

/** Throws if there is something of this name already. */
function refuseThere(file: string): void {
  if (existsSync(file)) throw new ConfigError(`${file} is there already. Name a new file.`);
}

/** The operator's sentence for whatever the system or the database has against a file; a defect stays one. */
function unwritable(file: string, error: unknown): unknown {
  if (error instanceof ConfigError || !(error instanceof Error && "code" in error)) return error;
  return new ConfigError(`${file} could not be written: ${why(error)}`);
}

/**
 * Makes a file of which only its user may read anything: what `make` leaves under the name it is given,
 * synced, under its own name. Nothing is overwritten, and what fails leaves nothing.
 */
export async function makeFile(file: string, make: (at: string) => void | Promise<void>): Promise<void> {
  refuseThere(file);
  const at = unfinished(file);
  try {
    removeDatabase(at);
    closeSync(openSync(at, "wx", 0o600));
  } catch (error) {
    throw unwritable(file, error);
  }
  try {
    await make(at);
    syncFile(at);
    refuseThere(file);
    renameSync(at, file);
    syncDirectory(dirname(resolve(file)));
  } catch (error) {
    throw unwritable(file, error);
  } finally {
    removeDatabase(at);
  }
}

/** Writes lines to a file that `makeFile` made, and tells what goes wrong under the file's later name. */
export class Lines {
  readonly #file: string;
  readonly #descriptor: number;
  #gathered: string[] = [];
  #length = 0;

  constructor(at: string, file: string) {
    this.#file = file;
    this.#descriptor = openSync(at, "r+");
  }

  /** Adds a line, which has no line's end in it. */
  add(line: string): void {
    this.#gathered.push(line, "\n");
    this.#length += line.length + 1;
    if (this.#length >= CHUNK) this.#write();
  }

  #write(): void {
    const bytes = Buffer.from(this.#gathered.join(""));
    this.#gathered = [];
    this.#length = 0;
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#descriptor, bytes, at);
    } catch (error) {
      throw unwritable(this.#file, error);
    }
  }

  /** Writes what is left. */
  finish(): void {
    this.#write();
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor);
  }
}
