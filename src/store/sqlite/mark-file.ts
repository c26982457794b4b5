/**
 * A file beside the database with the epoch and the newest revision of each state.
 *
 * A revision is written here after its commit is synced, and is not synced itself. A database that is behind its mark lost
 * acknowledged changes. A mark that is behind its database is normal: the power failed, or the disk was full.
 *
 * Each state has a slot of its own, which is overwritten in place. A slot that does not match its checksum shows nothing.
 */

import { closeSync, constants, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import type { Position } from "../store.ts";

export const MARK = "patchbay.mark";

/** Bytes of a slot. It divides a disk's sector, so that no slot is written in two parts. */
const SLOT_BYTES = 128;

type Positions = ReadonlyMap<string, Position>;

/** What the mark of a directory shows, or nothing if there is no mark. */
export function readMark(directory: string): Positions | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(join(directory, MARK));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
  const positions = new Map<string, Position>();
  for (let at = 0; at < bytes.length; at += SLOT_BYTES) {
    const [checksum, id, epoch, revision] = bytes
      .toString("utf8", at, at + SLOT_BYTES)
      .trim()
      .split(" ");
    if (id === undefined || epoch === undefined || revision === undefined) continue;
    if (checksum === checksumOf(`${id} ${epoch} ${revision}`))
      positions.set(id, { epoch, revision: Number(revision) });
  }
  return positions;
}

function checksumOf(text: string): string {
  return crc32(text).toString(16).padStart(8, "0");
}

function slotOf(id: string, { epoch, revision }: Position): Buffer | undefined {
  const text = `${id} ${epoch} ${revision}`;
  const line = `${checksumOf(text)} ${text}`;
  return Buffer.byteLength(line) < SLOT_BYTES ? Buffer.from(`${line.padEnd(SLOT_BYTES - 1)}\n`) : undefined;
}

export class MarkFile implements Disposable {
  readonly #file: string;
  /** Opened with the first position: an empty directory has no mark. */
  #descriptor: number | undefined;
  /** The number of each state's slot. */
  readonly #slots = new Map<string, number>();

  /** Opens the mark of a directory and brings it to where the database is. */
  constructor(directory: string, positions: Positions) {
    this.#file = join(directory, MARK);
    if (positions.size > 0) ftruncateSync(this.#open());
    this.noteAll(positions);
  }

  #open(): number {
    this.#descriptor ??= openSync(this.#file, constants.O_RDWR | constants.O_CREAT, 0o600);
    return this.#descriptor;
  }

  noteAll(positions: Positions): void {
    for (const [id, position] of positions) this.note(id, position);
  }

  /**
   * Writes where a state is, after that is durable. If it cannot be written, the mark stays behind. That is no error: the
   * commit counts.
   */
  note(id: string, position: Position): void {
    const slot = slotOf(id, position);
    if (!slot) return;
    const number = this.#slots.get(id) ?? this.#slots.size;
    try {
      writeSync(this.#open(), slot, 0, SLOT_BYTES, number * SLOT_BYTES);
      this.#slots.set(id, number);
    } catch {
      // See above.
    }
  }

  /**
   * Removes all positions, durably, and keeps the file: before new epochs are committed, so that a power failure cannot
   * leave the positions of the old epochs beside the new ones.
   */
  clear(): void {
    if (this.#descriptor === undefined) return;
    ftruncateSync(this.#descriptor);
    fsyncSync(this.#descriptor);
    this.#slots.clear();
  }

  [Symbol.dispose](): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}
