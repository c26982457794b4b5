/**
 * Checksums of rows: CRC-32, which detects every burst of up to 32 bits, and misses one in four billion of other errors.
 *
 * SQLite checks the structure of its file, not the values in it. A log record has the checksum of the record before it and its
 * own, which covers that one, so that a changed, missing or foreign record is detected. An object has its own checksum, and the
 * row of its state the sum of them all, so that a missing object is detected.
 */

import type { DatabaseSync } from "node:sqlite";
import { crc32 } from "node:zlib";

/** The checksum before the first record. */
export const FIRST_SUM = 0;

/** A row of the log. */
export interface LogRow {
  readonly revision: number;
  readonly time: string;
  /** The checksum of the record before, and this one's. */
  readonly before: number;
  readonly sum: number;
  readonly record: string;
}

export function sumOfRecord(state: string, { revision, time, before, record }: Omit<LogRow, "sum">): number {
  return crc32(record, crc32(`${state}\n${revision}\n${time}\n`, before));
}

export interface ObjectSummed {
  readonly number: number;
  readonly kind: string;
  readonly id: string;
  readonly revision: number;
  readonly doc: string;
}

export function sumOfObject(state: string, { number, kind, id, revision, doc }: ObjectSummed): number {
  return crc32(doc, crc32(`${state}\n${number}\n${kind}\n${id}\n${revision}\n`));
}

/** What the checksum of a state's row covers. Its revision is not covered: it is compared with the end of the log. */
export interface StateSummed {
  readonly id: string;
  readonly epoch: string;
  readonly folded: number;
  readonly collections: string;
  /** The sum of the checksums of all objects, modulo 2^32. */
  readonly content: number;
}

export function sumOfState({ id, epoch, folded, collections, content }: StateSummed): number {
  return crc32([id, epoch, folded, collections, content].join("\n"));
}

/** Adds a checksum to the sum of a state's objects; a negative one is subtracted. */
export function addSum(content: number, sum: number): number {
  return (content + sum) >>> 0;
}

/** Computes and writes all checksums of a database. */
export function seal(db: DatabaseSync): void {
  sealLogs(db);
  const contents = sealObjects(db);
  const update = db.prepare("UPDATE state SET content = ?, sum = ? WHERE id = ?");
  for (const row of db.prepare("SELECT id, epoch, folded, collections FROM state").all()) {
    const id = String(row["id"]);
    const content = contents.get(id) ?? 0;
    const { epoch, folded, collections } = row;
    const sum = sumOfState({
      id,
      epoch: String(epoch),
      folded: Number(folded),
      collections: String(collections),
      content,
    });
    update.run(content, sum, id);
  }
}

function sealLogs(db: DatabaseSync): void {
  const update = db.prepare(`UPDATE change SET "before" = ?, sum = ? WHERE state = ? AND revision = ?`);
  const records = db.prepare("SELECT state, revision, time, record FROM change ORDER BY state, revision");
  let last = { state: "", sum: FIRST_SUM };
  for (const row of records.iterate()) {
    const state = String(row["state"]);
    const revision = Number(row["revision"]);
    const before = state === last.state ? last.sum : FIRST_SUM;
    const sum = sumOfRecord(state, {
      revision,
      time: String(row["time"]),
      before,
      record: String(row["record"]),
    });
    update.run(before, sum, state, revision);
    last = { state, sum };
  }
}

/** Returns the sums of the objects of each state. */
function sealObjects(db: DatabaseSync): Map<string, number> {
  const update = db.prepare("UPDATE object SET sum = ? WHERE number = ?");
  const contents = new Map<string, number>();
  for (const row of db.prepare("SELECT number, state, kind, id, revision, doc FROM object").iterate()) {
    const state = String(row["state"]);
    const number = Number(row["number"]);
    const sum = sumOfObject(state, {
      number,
      kind: String(row["kind"]),
      id: String(row["id"]),
      revision: Number(row["revision"]),
      doc: String(row["doc"]),
    });
    update.run(sum, number);
    contents.set(state, addSum(contents.get(state) ?? 0, sum));
  }
  return contents;
}
