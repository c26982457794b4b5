/** Records of changes as the log keeps them. That of a bulk update is megabytes: it is encoded in slices ahead of its commit. */

import type { Change, ChangeRecord } from "../account/change.ts";
import { parsePieces } from "../contract/json/pieces.ts";
import { pause, runInSlices } from "./time-slice.ts";

/** A record of so many objects is encoded where it is written, in 3 ms. */
const FEW_OBJECTS = 2_000;
/** Objects that are encoded together, which takes less time than one by one. */
const TOGETHER = 200;

/** Characters that take more than a millisecond to parse. */
const LARGE_TEXT = 256 * 1024;

const encoded = new WeakMap<ChangeRecord, string>();

/** Encodes the records of large changes. `textOf` returns them, once. */
export async function encodeRecords(changes: readonly Change[]): Promise<void> {
  for (const { record } of changes) {
    if (record.objects.length <= FEW_OBJECTS) continue;
    const { objects, ...about } = record;
    const texts: string[] = [];
    for (let at = 0; at < objects.length; at += TOGETHER) {
      texts.push(JSON.stringify(objects.slice(at, at + TOGETHER)).slice(1, -1));
      await pause();
    }
    encoded.set(record, `${JSON.stringify(about).slice(0, -1)},"objects":[${texts.join(",")}]}`);
  }
}

export function textOf(record: ChangeRecord): string {
  const text = encoded.get(record);
  // Decided again after a failed commit, it is another record.
  encoded.delete(record);
  return text ?? JSON.stringify(record);
}

/** Parses the records of a page. A large one, which may be megabytes, is parsed in slices. */
export async function parseRecords(texts: readonly string[]): Promise<ChangeRecord[]> {
  const records: ChangeRecord[] = [];
  for (const text of texts) {
    await pause();
    records.push(text.length > LARGE_TEXT ? await parseInSlices(text) : JSON.parse(text));
  }
  return records;
}

async function parseInSlices(text: string): Promise<ChangeRecord> {
  const bytes = Buffer.from(text);
  await pause();
  const parsed = await runInSlices(parsePieces(bytes));
  // The text is not JSON: this throws the reason.
  return parsed ? (parsed.value as ChangeRecord) : JSON.parse(text);
}
