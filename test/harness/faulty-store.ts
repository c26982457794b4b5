/** A store whose commits and reads go as a test wants them to. */

import type { SeededState } from "../../src/account/seed.ts";
import type { Batch, LockedState, StateEvent, Store } from "../../src/store/store.ts";

/** Stands in the way of a commit: `proceed` makes it for real. */
export type OnCommit = (batch: Batch, proceed: () => Promise<void>) => Promise<void>;

/** Stands in the way of a read of this name. */
export type OnRead = (
  name:
    | "load"
    | "states"
    | "check"
    | "due"
    | "lock"
    | "changesAfter"
    | "changesBefore"
    | "logSize"
    | "change",
) => Promise<void>;

export class FaultyStore implements Store {
  readonly inner: Store;
  /** Every commit that was asked for, also those that failed. */
  readonly asked: Batch[] = [];
  onCommit: OnCommit = (_, proceed) => proceed();
  onRead: OnRead = async () => undefined;
  /** What happens to events that are to be kept. */
  onNote: (proceed: () => Promise<void>) => Promise<void> = (proceed) => proceed();
  readonly #next: OnCommit[] = [];

  constructor(inner: Store) {
    this.inner = inner;
  }

  /** What is to happen to the next commits, one after the other; after them, `onCommit` again. */
  next(...happenings: readonly OnCommit[]): void {
    this.#next.push(...happenings);
  }

  get shared(): boolean {
    return this.inner.shared;
  }

  commit(batch: Batch): Promise<void> {
    return this.#commit(batch, () => this.inner.commit(batch));
  }

  #commit(batch: Batch, proceed: () => Promise<void>): Promise<void> {
    this.asked.push(batch);
    const happening = this.#next.shift() ?? this.onCommit;
    return happening(batch, proceed);
  }

  async check(ids: readonly string[]) {
    await this.onRead("check");
    return this.inner.check(ids);
  }

  async due() {
    await this.onRead("due");
    return this.inner.due();
  }

  async lock(id: string): Promise<LockedState | undefined> {
    await this.onRead("lock");
    const locked = await this.inner.lock(id);
    return (
      locked && {
        position: locked.position,
        commit: (batch) => this.#commit(batch, () => locked.commit(batch)),
        settle: () => locked.settle(),
        release: () => locked.release(),
      }
    );
  }

  renew(id: string, epoch: string, next: string): Promise<boolean> {
    return this.inner.renew(id, epoch, next);
  }

  create(id: string, epoch: string): Promise<void> {
    return this.inner.create(id, epoch);
  }

  async load(id: string) {
    await this.onRead("load");
    return this.inner.load(id);
  }

  async states() {
    await this.onRead("states");
    return this.inner.states();
  }

  async changesAfter(id: string, revision: number, limit: number) {
    await this.onRead("changesAfter");
    return this.inner.changesAfter(id, revision, limit);
  }

  async changesBefore(id: string, revision: number, limit: number) {
    await this.onRead("changesBefore");
    return this.inner.changesBefore(id, revision, limit);
  }

  async logSize(id: string, revision: number, limit: number) {
    await this.onRead("logSize");
    return this.inner.logSize(id, revision, limit);
  }

  async change(id: string, revision: number) {
    await this.onRead("change");
    return this.inner.change(id, revision);
  }

  changeAt(id: string, time: string) {
    return this.inner.changeAt(id, time);
  }

  note(events: readonly StateEvent[]) {
    return this.onNote(() => this.inner.note(events));
  }

  eventsAfter(id: string, number: number, limit: number) {
    return this.inner.eventsAfter(id, number, limit);
  }

  eventsBefore(id: string, number: number, limit: number) {
    return this.inner.eventsBefore(id, number, limit);
  }

  eventAt(id: string, time: string) {
    return this.inner.eventAt(id, time);
  }

  replace(world: readonly SeededState[], ifEmpty?: boolean): Promise<boolean> {
    return this.inner.replace(world, ifEmpty);
  }

  close(): Promise<void> {
    return this.inner.close();
  }
}

/** A commit that waits to be let through. */
export function gate(): { readonly held: OnCommit; readonly reached: Promise<void>; open(): void } {
  const reached = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  return {
    held: async (_, proceed) => {
      reached.resolve();
      await opened.promise;
      await proceed();
    },
    reached: reached.promise,
    open: () => opened.resolve(),
  };
}
