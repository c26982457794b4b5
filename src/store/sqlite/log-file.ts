/**
 * Checks SQLite's write-ahead log (the `-wal` file) before SQLite opens it. SQLite reads it up to the first frame that is
 * not valid and drops the rest without an error: correct after a power failure, but a loss after damage.
 *
 * Format: https://sqlite.org/fileformat2.html#walformat. A header of 32 bytes, then frames: a header of 24 bytes and a
 * page. A frame's checksum continues that of the frame before. A frame with a database size ends a commit.
 *
 * Each commit is synced before the next one is written. So a power failure damages nothing before the last commit, and
 * a frame that is not valid is damage if a later commit is followed by frames that continue it. Whether the last commit is
 * missing cannot be seen in the log; the mark shows it (`mark.ts`).
 */

import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { isSliceSpent, nextSlice } from "../time-slice.ts";
import { isMissing } from "./data-directory.ts";

const HEADER = 32;
const FRAME_HEADER = 24;
const MAGIC = 0x377f0682;
const VERSION = 3007000;

/** Page size if neither file has a valid one. */
const USUAL_PAGE = 4096;

/** Attempts to read a log that another process may be writing. */
const ATTEMPTS = 5;

/** Describes the damage to the log of a database, if there is any. */
export async function damageOfLog(database: string): Promise<string | undefined> {
  let last: string | undefined;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const found = await examineOnce(database);
    // If another process is writing, the next attempt finds something else.
    if (found === undefined || found.identity === last) return found?.what;
    last = found.identity;
  }
  return undefined;
}

interface Damage {
  readonly what: string;
  /** Equal only for the same log, damaged in the same place. */
  readonly identity: string;
}

async function examineOnce(database: string): Promise<Damage | undefined> {
  const descriptor = openIfThere(`${database}-wal`);
  if (descriptor === undefined) return undefined;
  try {
    const header = Buffer.alloc(HEADER);
    if (readSync(descriptor, header, 0, HEADER, 0) < HEADER) return undefined;
    const identity = header.toString("hex");
    if (!isValidHeader(header)) {
      const holds = await holdsCommit(descriptor, header, pageSizeOf(database));
      return holds ? { what: "its header is not valid, and commits follow", identity } : undefined;
    }
    const log = new Log(descriptor, header.readUInt32BE(8), header[3] === 0x83);
    const frame = await firstLost(log, header);
    if (frame === undefined) return undefined;
    return { what: `frame ${frame} is not valid, and commits follow`, identity: `${identity} ${frame}` };
  } finally {
    closeSync(descriptor);
  }
}

function openIfThere(file: string): number | undefined {
  try {
    return openSync(file, "r");
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** The page size in a database's header. */
function pageSizeOf(database: string): number {
  const descriptor = openIfThere(database);
  if (descriptor === undefined) return USUAL_PAGE;
  try {
    const header = Buffer.alloc(18);
    readSync(descriptor, header, 0, header.length, 0);
    const size = header.readUInt16BE(16);
    return isPageSize(size === 1 ? 65536 : size) ? (size === 1 ? 65536 : size) : USUAL_PAGE;
  } finally {
    closeSync(descriptor);
  }
}

function isPageSize(size: number): boolean {
  return size >= 512 && size <= 65536 && (size & (size - 1)) === 0;
}

function isValidHeader(header: Buffer): boolean {
  const magic = header.readUInt32BE(0);
  if (magic >>> 1 !== MAGIC >>> 1 || header.readUInt32BE(4) !== VERSION) return false;
  if (!isPageSize(header.readUInt32BE(8))) return false;
  const sum = new Sum(magic === MAGIC + 1);
  sum.add(header, 0, 24);
  return sum.isAt(header, 24);
}

/** The number of the first frame that is not valid although a commit after it was followed by another. */
async function firstLost(log: Log, header: Buffer): Promise<number | undefined> {
  const salt = header.subarray(16, 24);
  let bad: number | undefined;
  let isAfterCommit = false;
  log.continue(header, 24);
  while (log.next()) {
    if (isSliceSpent()) await nextSlice();
    const isOurs = log.hasSalt(salt);
    const isLinked = isOurs && log.isLinked();
    if (bad !== undefined && isAfterCommit && isLinked) return bad;
    if (!isLinked) bad ??= log.number;
    isAfterCommit = bad !== undefined && isOurs && log.endsCommit;
    log.continueFrame();
  }
  return undefined;
}

/** Does a log whose header is not valid hold a commit, whichever byte order its checksums have? */
async function holdsCommit(descriptor: number, header: Buffer, page: number): Promise<boolean> {
  for (const isBigEndian of [false, true]) {
    const log = new Log(descriptor, page, isBigEndian);
    let salt: Buffer | undefined;
    let links = 0;
    log.continue(header, 24);
    while (log.next()) {
      if (isSliceSpent()) await nextSlice();
      if (!salt || !log.hasSalt(salt)) links = 0;
      salt = log.salt;
      if (log.isLinked()) links++;
      if (links > 0 && log.endsCommit) return true;
      log.continueFrame();
    }
  }
  return false;
}

/** The frames of a log, one after the other. */
class Log {
  readonly #descriptor: number;
  readonly #frame: Buffer;
  readonly #size: number;
  readonly #isBigEndian: boolean;
  /** The stored checksum of what is before the frame. */
  #before = Buffer.alloc(8);
  number = 0;

  constructor(descriptor: number, page: number, isBigEndian: boolean) {
    this.#descriptor = descriptor;
    this.#frame = Buffer.from(new ArrayBuffer(FRAME_HEADER + page));
    this.#size = fstatSync(descriptor).size;
    this.#isBigEndian = isBigEndian;
  }

  /** Reads the next frame. False if there is no complete one. */
  next(): boolean {
    const { length } = this.#frame;
    const position = HEADER + this.number * length;
    if (position + length > this.#size) return false;
    this.number++;
    return readSync(this.#descriptor, this.#frame, 0, length, position) === length;
  }

  get endsCommit(): boolean {
    return this.#frame.readUInt32BE(4) !== 0;
  }

  get salt(): Buffer {
    return Buffer.from(this.#frame.subarray(8, 16));
  }

  hasSalt(salt: Buffer): boolean {
    return this.#frame.compare(salt, 0, 8, 8, 16) === 0;
  }

  /** Does the frame's checksum continue the stored one of what is before it? */
  isLinked(): boolean {
    const sum = new Sum(this.#isBigEndian);
    sum.start(this.#before);
    sum.add(this.#frame, 0, 8);
    sum.add(this.#frame, FRAME_HEADER, this.#frame.length);
    return sum.isAt(this.#frame, 16);
  }

  continue(stored: Buffer, at: number): void {
    stored.copy(this.#before, 0, at, at + 8);
  }

  continueFrame(): void {
    this.continue(this.#frame, 16);
  }
}

/** The checksum of SQLite's log: two words, over pairs of words. */
class Sum {
  readonly #isBigEndian: boolean;
  #first = 0;
  #second = 0;

  constructor(isBigEndian: boolean) {
    this.#isBigEndian = isBigEndian;
  }

  /** Continues a stored checksum. It is stored big-endian, whatever the order of the words that it covers. */
  start(stored: Buffer): void {
    this.#first = stored.readUInt32BE(0);
    this.#second = stored.readUInt32BE(4);
  }

  add(bytes: Buffer, from: number, to: number): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const isLittleEndian = !this.#isBigEndian;
    let [first, second] = [this.#first, this.#second];
    for (let at = from; at < to; at += 8) {
      first = (first + view.getUint32(at, isLittleEndian) + second) | 0;
      second = (second + view.getUint32(at + 4, isLittleEndian) + first) | 0;
    }
    this.#first = first >>> 0;
    this.#second = second >>> 0;
  }

  isAt(bytes: Buffer, at: number): boolean {
    return bytes.readUInt32BE(at) === this.#first && bytes.readUInt32BE(at + 4) === this.#second;
  }
}
