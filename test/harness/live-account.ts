/** One account's live state on a store that can be made to fail. */

import { expect } from "vitest";
import type { Change } from "../../src/account/change.ts";
import type { Command, Decision } from "../../src/account/decide.ts";
import type { State } from "../../src/account/state.ts";
import { LiveState } from "../../src/store/live-state.ts";
import { FaultyStore, type OnCommit } from "./faulty-store.ts";
import { MemoryStore } from "./memory-store.ts";
import { applied, FIRST_ACCOUNT, idOf, makeSmallWorld, snapshot } from "./worlds.ts";

export class LiveAccount {
  readonly store: FaultyStore;
  readonly live: LiveState;
  /** The changes of each commit that was made. */
  readonly commits: (readonly Change[])[] = [];

  /** If `shared`, other servers may commit to the account's store, and its row is locked after a lost race. */
  static async open(interconnects = 4, shared = false): Promise<LiveAccount> {
    const store = new FaultyStore(new MemoryStore(new Map(), { shared }));
    await store.replace(makeSmallWorld(interconnects));
    return new LiveAccount(store, await loadFrom(store));
  }

  private constructor(store: FaultyStore, state: State) {
    this.store = store;
    this.live = new LiveState(state, store, ({ changes }) => this.commits.push(changes));
  }

  submit(command: Command, dry?: boolean): Promise<Decision> {
    return this.live.submit(command, dry);
  }

  /** The state as a restart would find it. */
  stored(): Promise<State> {
    return loadFrom(this.store);
  }

  /** The state in memory is what a restart would find, and holds nothing more. */
  async expectNothingLost(): Promise<void> {
    expect(snapshot(this.live.state)).toEqual(snapshot(await this.stored()));
    expect(this.live.state.revision).toBe(this.live.state.durable);
  }

  /** Whose changes the log holds after the seed's, by request. */
  async requestsInLog(): Promise<string[]> {
    const page = await this.store.inner.changesAfter(FIRST_ACCOUNT, 1, 10_000);
    return page?.records.map(({ request_id }) => request_id) ?? [];
  }

  /** What another server does: commits commands past this state. */
  async others(...commands: readonly Command[]): Promise<void> {
    const state = await this.stored();
    const base = state.revision;
    const changes = commands.map((command) => applied(state, command));
    await this.store.inner.commit({ state: state.id, epoch: state.epoch, base, changes, deadline: null });
  }

  /** Somebody else is faster than a commit. */
  overtaken(...commands: readonly Command[]): OnCommit {
    return async (_, proceed) => {
      await this.others(...commands);
      await proceed();
    };
  }

  /** A field of the interconnect of this number, as a reader sees it. */
  field(number: number, name: string): unknown {
    return this.live.state.get("interconnect", idOf(number))?.doc[name];
  }

  /** Names of all interconnects, as a reader sees them. */
  names(): unknown[] {
    return this.live.state.list("interconnect").map(({ doc }) => doc["name"]);
  }
}

async function loadFrom(store: FaultyStore): Promise<State> {
  const state = await store.inner.load(FIRST_ACCOUNT);
  if (!state) throw new Error("The state is gone.");
  return state;
}

/** Names of the problems of a refusal. */
export function problemsOf(decision: Decision): string[] {
  return decision.ok ? [] : decision.problems.map(({ name }) => name);
}

/** Has the promise settled once everything that is on its way has gone through? */
export async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const note = () => {
    settled = true;
  };
  promise.then(note, note);
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  return settled;
}
