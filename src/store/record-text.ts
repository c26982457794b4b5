/** Records of changes as the log keeps them. That of a bulk update is megabytes: it is encoded in slices ahead of its commit. */

import type { Change, ChangeRecord } from "../account/change.ts";
import { isSliceSpent, nextSlice, pause } from "./time-slice.ts";

/** Objects of a record that are encoded in one step: a millisecond. */
const FEW_OBJECTS = 500;

/** Characters that take more than a millisecond to parse. */
const LARGE_TEXT = 256 * 1024;

const encoded = new WeakMap<ChangeRecord, string>();

/** Encodes the records of large changes. `textOf` returns them, once. */
export async function encodeRecords(changes: readonly Change[]): Promise<void> {
  for (const { record } of changes) {
    if (record.objects.length <= FEW_OBJECTS) continue;
    const { objects, ...about } = record;
    const texts: string[] = [];
    for (const object of objects) {
      texts.push(JSON.stringify(object));
      if (isSliceSpent()) await nextSlice();
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

/** Parses the records of a page. A large one, which may be megabytes, is a step of its own. */
export async function parseRecords(texts: readonly string[]): Promise<ChangeRecord[]> {
  const records: ChangeRecord[] = [];
  for (const text of texts) {
    await (text.length > LARGE_TEXT ? nextSlice() : pause());
    records.push(JSON.parse(text));
    if (text.length > LARGE_TEXT) await nextSlice();
  }
  return records;
}
