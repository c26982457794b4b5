/** A store that forgets when its process ends, for tests of what stands above a store. It keeps the same contract. */

import type { Change, ChangeRecord } from "../../src/account/change.ts";
import { kindNamed } from "../../src/account/kinds.ts";
import type { SeededState } from "../../src/account/seed.ts";
import { State } from "../../src/account/state.ts";
import { firstAt } from "../../src/store/search.ts";
import {
  type Batch,
  type Check,
  Conflict,
  type LockedState,
  type LogSize,
  MOST_EVENTS,
  type NumberedEvent,
  type Page,
  type Position,
  type StateEvent,
  type Store,
} from "../../src/store/store.ts";

interface Kept {
  readonly kind: string;
  readonly id: string;
  readonly revision: number;
  readonly doc: string;
}

interface KeptState {
  readonly epoch: string;
  readonly revision: number;
  readonly collections: ReadonlyMap<string, number>;
  /** In the order they were made. */
  readonly objects: ReadonlyMap<string, Kept>;
  readonly log: readonly string[];
  readonly events: readonly KeptEvent[];
  readonly deadline: string | null;
}

interface KeptEvent {
  readonly number: number;
  readonly time: string;
  readonly event: string;
}

const EMPTY: Omit<KeptState, "epoch"> = {
  revision: 0,
  collections: new Map(),
  objects: new Map(),
  log: [],
  events: [],
  deadline: null,
};

/** What outlives the store that wrote it. */
export type Memory = Map<string, KeptState>;

/** UTF-16 units of records in one page, past the first. */
const PAGE = 1024 * 1024;

const precisely = () => performance.timeOrigin + performance.now();

export class MemoryStore implements Store {
  /** Are there other stores on the same memory? */
  readonly shared: boolean;
  readonly #memory: Memory;

  readonly #now: () => number;

  constructor(
    memory: Memory = new Map(),
    { shared = false, now = precisely }: { readonly shared?: boolean; readonly now?: () => number } = {},
  ) {
    this.#memory = memory;
    this.shared = shared;
    this.#now = now;
  }

  async load(id: string): Promise<State | undefined> {
    const kept = this.#memory.get(id);
    if (!kept) return undefined;
    const state = new State(id, kept.epoch);
    for (const { kind, id: object, doc, revision } of kept.objects.values()) {
      state.restore(kindNamed(kind), object, JSON.parse(doc), revision);
    }
    state.restoreRevisions(kept.revision, kept.collections, timeOf(kept, kept.revision));
    return state;
  }

  async states(): Promise<readonly string[]> {
    return [...this.#memory.keys()].sort();
  }

  async create(id: string, epoch: string): Promise<void> {
    if (this.#memory.get(id)?.revision) throw new Conflict(`There is a state ${id} already.`);
    this.#memory.set(id, { ...EMPTY, epoch });
  }

  async renew(id: string, epoch: string, next: string): Promise<boolean> {
    const kept = this.#memory.get(id);
    if (kept?.epoch !== epoch) return false;
    this.#memory.set(id, { ...kept, epoch: next });
    return true;
  }

  async commit({ state, epoch, base, changes, deadline }: Batch): Promise<void> {
    const kept = this.#memory.get(state);
    if (!kept || kept.epoch !== epoch || kept.revision !== base)
      throw new Conflict(`The state ${state} has moved on.`);
    this.#memory.set(state, { ...changes.reduce(after, kept), deadline });
  }

  async check(ids: readonly string[]): Promise<Check> {
    const positions = new Map<string, Position>();
    for (const id of ids) {
      const kept = this.#memory.get(id);
      if (kept) positions.set(id, { epoch: kept.epoch, revision: kept.revision });
    }
    return { positions, time: this.#now() };
  }

  async due(): Promise<readonly string[]> {
    if (!this.shared) return [];
    const isDue = ({ deadline }: KeptState) => deadline !== null && Date.parse(deadline) <= this.#now();
    return [...this.#memory].flatMap(([id, kept]) => (isDue(kept) ? [id] : []));
  }

  async lock(id: string): Promise<LockedState | undefined> {
    const position = (await this.check([id])).positions.get(id);
    const nothing = async () => undefined;
    return position && { position, commit: (batch) => this.commit(batch), settle: nothing, release: nothing };
  }

  async changesAfter(id: string, revision: number, limit: number): Promise<Page | undefined> {
    return this.#page(id, limit, (log) => log.slice(revision));
  }

  async changesBefore(id: string, revision: number, limit: number): Promise<Page | undefined> {
    return this.#page(id, limit, (log) => log.slice(0, revision - 1).reverse());
  }

  #page(id: string, limit: number, part: (log: readonly string[]) => readonly string[]): Page | undefined {
    const kept = this.#memory.get(id);
    if (!kept) return undefined;
    const wanted = part(kept.log);
    const records: ChangeRecord[] = [];
    let size = 0;
    for (const text of wanted.slice(0, limit)) {
      size += text.length;
      if (records.length > 0 && size > PAGE) break;
      records.push(JSON.parse(text));
    }
    const { epoch, revision } = kept;
    return { records, more: records.length < wanted.length, position: { epoch, revision } };
  }

  async logSize(id: string, revision: number, limit: number): Promise<LogSize> {
    const part = (this.#memory.get(id)?.log ?? []).slice(revision, revision + limit);
    return {
      records: part.length,
      bytes: part.reduce((sum, text) => sum + Buffer.byteLength(text), 0),
      oldest: part.length === 0 ? 0 : revision + 1,
      newest: part.length === 0 ? 0 : revision + part.length,
    };
  }

  async change(id: string, revision: number): Promise<ChangeRecord | undefined> {
    const text = this.#memory.get(id)?.log[revision - 1];
    return text === undefined ? undefined : JSON.parse(text);
  }

  async changeAt(id: string, time: string): Promise<number | undefined> {
    const kept = this.#memory.get(id);
    return kept && firstAt(1, kept.revision + 1, time, (revision) => timeOf(kept, revision));
  }

  async note(events: readonly StateEvent[]): Promise<void> {
    for (const { state, event } of events) {
      const kept = this.#memory.get(state);
      if (!kept) continue;
      const last = kept.events.at(-1);
      const time = last && last.time > event.time ? last.time : event.time;
      const added = { number: (last?.number ?? 0) + 1, time, event: JSON.stringify({ ...event, time }) };
      this.#memory.set(state, { ...kept, events: [...kept.events, added].slice(-MOST_EVENTS) });
    }
  }

  async eventsAfter(id: string, number: number, limit: number): Promise<readonly NumberedEvent[]> {
    const events = this.#memory.get(id)?.events.filter((event) => event.number > number) ?? [];
    return events.slice(0, limit).map(numbered);
  }

  async eventsBefore(id: string, number: number, limit: number): Promise<readonly NumberedEvent[]> {
    const events = this.#memory.get(id)?.events.filter((event) => event.number < number) ?? [];
    return events.reverse().slice(0, limit).map(numbered);
  }

  async eventAt(id: string, time: string): Promise<number> {
    const events = this.#memory.get(id)?.events ?? [];
    return events.find((event) => event.time >= time)?.number ?? (events.at(-1)?.number ?? 0) + 1;
  }

  async replace(world: readonly SeededState[], ifEmpty = false): Promise<boolean> {
    if (ifEmpty && (await this.states()).length > 0) return false;
    this.#memory.clear();
    for (const { id, epoch, change } of world) {
      const nothing = { ...EMPTY, epoch };
      this.#memory.set(id, after(nothing, change));
    }
    return true;
  }

  async close(): Promise<void> {}
}

function after(kept: KeptState, { record, edits }: Change): KeptState {
  const { revision } = record;
  const collections = new Map(kept.collections);
  const objects = new Map(kept.objects);
  for (const { slot, after } of edits) {
    const { kind, id } = slot;
    collections.set(kind, revision);
    if (after) objects.set(`${kind}/${id}`, { kind, id, revision, doc: JSON.stringify(after.doc) });
    else objects.delete(`${kind}/${id}`);
  }
  return { ...kept, revision, collections, objects, log: [...kept.log, JSON.stringify(record)] };
}

function timeOf({ log }: KeptState, revision: number): string {
  const record: ChangeRecord = JSON.parse(log[revision - 1] ?? "{}");
  return record.time ?? "";
}

function numbered({ number, event }: KeptEvent): NumberedEvent {
  return { number, event: JSON.parse(event) };
}
