/** Pages of a log, encoded. Requests that ask for the same page at the same time share one read and one text. */

import { setImmediate } from "node:timers";
import { type ChangeRecord, maskChange } from "../account/change.ts";
import { kinds } from "../account/kinds.ts";
import type { ResponseInfo } from "../contract/envelope.ts";
import type { LiveState } from "../store/live-state.ts";
import type { Page, Position, Store } from "../store/store.ts";
import { afterResult } from "./envelope.ts";
import type { LogReads } from "./log-reads.ts";
import { LongBody } from "./long-body.ts";

export interface LogPage {
  readonly position: Position;
  readonly count: number;
  /** The revision of the first record. */
  readonly first: number | undefined;
  readonly body: Buffer;
}

export class LogPages {
  readonly #store: Store;
  readonly #reads: LogReads;
  /** Pages that are being read, by what they are and where the state stood when the read began. */
  readonly #shared = new Map<string, Promise<LogPage | undefined>>();

  constructor(store: Store, reads: LogReads) {
    this.#store = store;
    this.#reads = reads;
  }

  /** Records after a revision, oldest first. `undefined` if the store has no such state at the moment. */
  after(live: LiveState, after: number, limit: number): Promise<LogPage | undefined> {
    const { position } = live;
    const { id } = live.state;
    // A follower that has read everything: memory is as new as the store was when the request arrived.
    if (after === position.revision && !live.isStale) return encodePage({ records: [], position });
    const key = JSON.stringify([id, position, after, limit]);
    const known = this.#shared.get(key);
    if (known) return known;
    const reading = this.#reads.run(id, after, limit, () => this.#read(id, after, limit));
    this.#shared.set(key, reading);
    // Not longer: a page may be many megabytes. Followers that one change wakes ask in the same turn.
    const forget = () => void setImmediate(() => this.#shared.delete(key));
    reading.then(forget, forget);
    return reading;
  }

  async #read(id: string, after: number, limit: number): Promise<LogPage | undefined> {
    const page = await this.#store.changesAfter(id, after, limit);
    return page && encodePage(page);
  }
}

/** A page in the envelope, with secrets masked. `info` is added to its `result_info`. */
export async function encodePage(
  { records, position }: Pick<Page, "records" | "position">,
  info: Readonly<Record<string, unknown>> = {},
): Promise<LogPage> {
  const { epoch, revision } = position;
  const about = { count: records.length, epoch, revision, ...info };
  const body = new LongBody('{"result":[');
  for (const record of [...records]) {
    if (record !== records[0]) body.add(",");
    await addRecord(body, record);
  }
  const end = `],"success":true,"errors":[],"messages":[],"result_info":${JSON.stringify(about)}}`;
  return { position, count: records.length, first: records[0]?.revision, body: body.end(end) };
}

/** One record in the envelope, with secrets masked. Without a record, the result is `null`. */
export async function encodeRecord(
  record: ChangeRecord | undefined,
  messages: readonly ResponseInfo[] = [],
): Promise<Buffer> {
  const body = new LongBody('{"result":');
  if (record) await addRecord(body, record);
  else body.add("null");
  return body.end(afterResult(messages));
}

async function addRecord(body: LongBody, { objects, ...record }: ChangeRecord): Promise<void> {
  body.add(`${JSON.stringify(record).slice(0, -1)},"objects":[`);
  await body.addList(encodeChanges(objects));
  body.add("]}");
}

/** The record of a bulk update has thousands of objects. */
function* encodeChanges(objects: ChangeRecord["objects"]): Generator<string> {
  for (const object of objects) yield JSON.stringify(maskChange(object, kinds));
}
