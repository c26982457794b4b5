/** A store that keeps commits in memory only: what the same server does without a disk. */

import type { ChangeRecord } from "../src/account/change.ts";
import type { SeededState } from "../src/account/seed.ts";
import { State } from "../src/account/state.ts";
import { firstAt } from "../src/store/search.ts";
import type {
  Batch,
  Check,
  LockedState,
  LogSize,
  NumberedEvent,
  Page,
  Position,
  StateEvent,
  Store,
} from "../src/store/store.ts";

export class MemoryStore implements Store {
  readonly shared = false;
  readonly #states = new Map<string, { state: State; records: ChangeRecord[] }>();
  readonly #events: StateEvent[] = [];

  async load(id: string): Promise<State | undefined> {
    return this.#states.get(id)?.state;
  }

  async states(): Promise<readonly string[]> {
    return [...this.#states.keys()];
  }

  async create(id: string, epoch: string): Promise<void> {
    this.#states.set(id, { state: new State(id, epoch), records: [] });
  }

  async commit({ state, changes }: Batch): Promise<void> {
    const kept = this.#states.get(state);
    for (const { record } of changes) kept?.records.push(record);
  }

  async check(ids: readonly string[]): Promise<Check> {
    const positions = new Map<string, Position>();
    for (const id of ids) {
      const kept = this.#states.get(id);
      if (kept) positions.set(id, { epoch: kept.state.epoch, revision: kept.records.length });
    }
    return { positions, time: performance.timeOrigin + performance.now() };
  }

  async renew(): Promise<boolean> {
    return false;
  }

  async due(): Promise<readonly string[]> {
    return [];
  }

  async lock(id: string): Promise<LockedState | undefined> {
    const position = (await this.check([id])).positions.get(id);
    const nothing = async () => undefined;
    return position && { position, commit: (batch) => this.commit(batch), settle: nothing, release: nothing };
  }

  async changesAfter(id: string, revision: number, limit: number): Promise<Page | undefined> {
    return this.#page(id, (record) => record.revision > revision, limit);
  }

  async changesBefore(id: string, revision: number, limit: number): Promise<Page | undefined> {
    return this.#page(id, (record) => record.revision < revision, limit);
  }

  async logSize(id: string, revision: number, limit: number): Promise<LogSize> {
    const after = this.#states.get(id)?.records.filter((record) => record.revision > revision) ?? [];
    const part = after.slice(0, limit);
    return {
      records: part.length,
      bytes: part.reduce((sum, record) => sum + Buffer.byteLength(JSON.stringify(record)), 0),
      oldest: part[0]?.revision ?? 0,
      newest: part.at(-1)?.revision ?? 0,
    };
  }

  async change(id: string, revision: number): Promise<ChangeRecord | undefined> {
    return this.#states.get(id)?.records.find((record) => record.revision === revision);
  }

  async changeAt(id: string, time: string): Promise<number | undefined> {
    const records = this.#states.get(id)?.records;
    return records && firstAt(1, records.length + 1, time, (revision) => records[revision - 1]?.time ?? "");
  }

  async note(events: readonly StateEvent[]): Promise<void> {
    this.#events.push(...events);
  }

  async eventsAfter(id: string, number: number, limit: number): Promise<readonly NumberedEvent[]> {
    return this.#of(id)
      .filter((event) => event.number > number)
      .slice(0, limit);
  }

  async eventsBefore(id: string, number: number, limit: number): Promise<readonly NumberedEvent[]> {
    return this.#of(id)
      .filter((event) => event.number < number)
      .reverse()
      .slice(0, limit);
  }

  async eventAt(id: string, time: string): Promise<number> {
    const events = this.#of(id);
    return events.find(({ event }) => event.time >= time)?.number ?? events.length + 1;
  }

  #of(id: string): NumberedEvent[] {
    return this.#events
      .filter(({ state }) => state === id)
      .map(({ event }, index) => ({ number: index + 1, event }));
  }

  async replace(world: readonly SeededState[], ifEmpty = false): Promise<boolean> {
    if (ifEmpty && (await this.states()).length > 0) return false;
    for (const { id, epoch, change } of world) {
      const state = new State(id, epoch);
      state.apply(change.edits, change.record.time);
      state.settle(change.edits, change.record.revision);
      this.#states.set(id, { state, records: [change.record] });
    }
    return true;
  }

  async close(): Promise<void> {}

  #page(id: string, wanted: (record: ChangeRecord) => boolean, limit: number): Page | undefined {
    const kept = this.#states.get(id);
    if (!kept) return undefined;
    const records = kept.records.filter(wanted).slice(0, limit);
    return { records, more: false, position: { epoch: kept.state.epoch, revision: kept.records.length } };
  }
}
