/**
 * The mark: a small file beside the database with the epoch and the newest revision of each state. A commit is synced
 * before it is marked, so a database that is behind its mark has lost changes, and is refused.
 *
 * The mark is not synced with each commit: after a power failure it may be behind the database, or unreadable in part, which
 * is no error. A line has a fixed length, so that a commit rewrites the lines of its own states in place.
 */

import { closeSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { hashSecret } from "../secrets.ts";
import type { Position } from "../store.ts";
import { isMissing, MARK, syncDirectory, syncFile } from "./data-directory.ts";

/** The mark for a replacement of all data, until that is committed. */
const NEXT = `${MARK}.new`;

const LINE = 128;
/** Characters of an id or an epoch. A longer one is replaced by its hash. */
const WORD = 40;

/** Positions of states, by id as written in the mark. */
type Positions = ReadonlyMap<string, Pick<Position, "epoch" | "revision">>;

/** A state's position. */
export interface StatePosition {
  readonly id: string;
  readonly epoch: string;
  readonly revision: number;
}

function word(text: string): string {
  return /^[\w.-]+$/.test(text) && text.length <= WORD ? text : hashSecret(text).slice(0, WORD);
}

function lineOf({ id, epoch, revision }: StatePosition): string {
  const text = `${word(id).padEnd(WORD)} ${word(epoch).padEnd(WORD)} ${String(revision).padStart(16)}`;
  return `${`${text} ${crc32(text).toString(16).padStart(8, "0")}`.padEnd(LINE - 1)}\n`;
}

/** Skips lines that cannot be read. */
function readLines(text: string): Positions {
  const found = new Map<string, Pick<Position, "epoch" | "revision">>();
  for (const line of text.split("\n")) {
    const [id = "", epoch = "", revision = ""] = line.trim().split(/ +/);
    if (line !== "" && `${line}\n` === lineOf({ id, epoch, revision: Number(revision) }))
      found.set(id, { epoch, revision: Number(revision) });
  }
  return found;
}

/** In one step: a running server may rename the file at any time. */
function read(file: string): string | undefined {
  try {
    return readFileSync(file, "latin1");
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Compares a database with the mark of its directory. */
export class MarkCheck {
  readonly #mark: string | undefined;
  readonly #next: string | undefined;

  /** Reads the mark. Read the database after it, since the database may be ahead of the mark, but never behind. */
  constructor(directory: string) {
    this.#next = read(join(directory, NEXT));
    this.#mark = read(join(directory, MARK));
  }

  /** Describes what the database lacks, if anything. */
  missing(states: readonly StatePosition[]): string | undefined {
    const positions = new Map(
      states.map(({ id, epoch, revision }) => [word(id), { epoch: word(epoch), revision }]),
    );
    if (this.#next !== undefined && states.length > 0 && lack(readLines(this.#next), positions) === undefined)
      return undefined;
    if (states.length === 0 && this.#mark) return "it is empty, but was not";
    return lack(readLines(this.#mark ?? ""), positions);
  }
}

function lack(marked: Positions, found: Positions): string | undefined {
  for (const [id, { epoch, revision }] of marked) {
    const position = found.get(id);
    if (!position) return `the state ${id} is missing`;
    // Before its first change, a state may be created again.
    if (revision > 0 && position.epoch !== epoch)
      return `the state ${id} has the epoch ${position.epoch}, but had ${epoch}`;
    if (position.revision < revision)
      return `the state ${id} is at revision ${position.revision}, but was at ${revision}`;
  }
  return undefined;
}

export class Mark implements Disposable {
  readonly #directory: string;
  #descriptor: number;
  /** By id, the number of the line. */
  #lines = new Map<string, number>();

  /** Writes a new mark of a database's content, in place of the old one. */
  constructor(directory: string, states: readonly StatePosition[]) {
    this.#directory = directory;
    this.#prepare(states);
    this.#descriptor = this.#adopt(states);
  }

  #prepare(states: readonly StatePosition[]): void {
    const file = join(this.#directory, NEXT);
    writeFileSync(file, states.map(lineOf).join(""), { mode: 0o600 });
    syncFile(file);
    syncDirectory(this.#directory);
  }

  #adopt(states: readonly StatePosition[]): number {
    const file = join(this.#directory, MARK);
    renameSync(join(this.#directory, NEXT), file);
    this.#lines = new Map(states.map(({ id }, line) => [id, line]));
    return openSync(file, "r+");
  }

  /** Marks committed states. A mark that cannot be written stays behind, which is no error. */
  note(states: readonly StatePosition[]): void {
    try {
      for (const state of states) {
        const line = this.#lines.get(state.id) ?? this.#lines.size;
        writeSync(this.#descriptor, lineOf(state), line * LINE, "latin1");
        this.#lines.set(state.id, line);
      }
    } catch {
      // The commit is saved. The next one writes the line again.
    }
  }

  /** Runs `commit`, which replaces all data. If it is interrupted at any point, one of the two marks matches the database. */
  replacing(states: readonly StatePosition[], commit: () => void): void {
    this.#prepare(states);
    commit();
    try {
      const before = this.#descriptor;
      this.#descriptor = this.#adopt(states);
      closeSync(before);
    } catch {
      // The prepared mark remains, and matches.
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor);
  }
}
