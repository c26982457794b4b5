/** The live states of one store: the directory and every account. */

import type { Command, Decision } from "../account/decide.ts";
import { accountKind, DIRECTORY_ID } from "../account/directory.ts";
import type { SeededState } from "../account/seed.ts";
import { type CommitObserver, LiveState } from "./live-state.ts";
import { newEpoch } from "./secrets.ts";
import { OutcomeUnknown, type Store, StoreRefused } from "./store.ts";

export class Accounts {
  readonly #store: Store;
  readonly #observe: CommitObserver;
  #states = new Map<string, LiveState>();
  /** The end of the line of those who make accounts or replace the world. */
  #last: Promise<unknown> = Promise.resolve();

  /** Loads all states of a store. */
  static async open(store: Store, observe: CommitObserver): Promise<Accounts> {
    const accounts = new Accounts(store, observe);
    await accounts.#load();
    return accounts;
  }

  private constructor(store: Store, observe: CommitObserver) {
    this.#store = store;
    this.#observe = observe;
  }

  get isEmpty(): boolean {
    return this.#states.size === 0;
  }

  /** The directory. There is none before the first seed. */
  get directory(): LiveState {
    const directory = this.#states.get(DIRECTORY_ID);
    if (!directory) throw new Error("The store holds no directory.");
    return directory;
  }

  get(id: string): LiveState | undefined {
    return id === DIRECTORY_ID ? undefined : this.#states.get(id);
  }

  /** All states, the directory included. */
  all(): Iterable<LiveState> {
    return this.#states.values();
  }

  /**
   * Makes an account: an empty state, and then its entry in the directory, as `command` makes it. What the
   * directory does not name is no account, so that one of which only the state was made, before the power
   * went, is not there; it can be made again.
   */
  create(id: string, command: Command): Promise<Decision> {
    return this.#inTurn(async () => {
      const { directory } = this;
      try {
        const verdict = await directory.submit(command, true);
        if (!verdict.ok) return verdict;
        await this.#store.create(id, newEpoch());
        return await directory.submit(command);
      } finally {
        await this.#adopt();
      }
    });
  }

  /** Puts a new world in the place of everything, log included, in one step. */
  replace(world: readonly SeededState[]): Promise<void> {
    return this.#inTurn(() => this.#replace(world));
  }

  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(action);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /** Loads the accounts that the directory names and that are not there yet. */
  async #adopt(): Promise<void> {
    for (const { id } of this.directory.state.list(accountKind.name)) {
      if (this.#states.has(id)) continue;
      const state = await this.#store.load(id).catch((error: unknown) => {
        throw new OutcomeUnknown(error instanceof Error ? error.message : String(error));
      });
      if (state) this.#states.set(id, new LiveState(state, this.#store, this.#observe));
    }
  }

  async #replace(world: readonly SeededState[]): Promise<void> {
    const held = [...this.#states.values()];
    const replaceAll = async () => {
      await this.#store.replace(world);
      await this.#load();
    };
    // Holds one state after the other, then replaces while none of them decides.
    const hold = (index: number): Promise<void> =>
      held[index]?.exclusively(() => hold(index + 1)) ?? replaceAll();
    await hold(0);
  }

  async #load(): Promise<void> {
    const ids = await this.#store.states();
    const directory = await this.#store.load(DIRECTORY_ID);
    if (!directory && ids.length > 0)
      throw new StoreRefused("The data hold accounts, but no directory of them. Restore them from a backup.");
    const states = new Map<string, LiveState>();
    for (const id of ids) {
      const state = id === DIRECTORY_ID ? directory : await this.#store.load(id);
      if (!state || (state !== directory && !directory?.get(accountKind.name, id))) continue;
      const live = this.#states.get(id);
      live?.replaceState(state);
      states.set(id, live ?? new LiveState(state, this.#store, this.#observe));
    }
    this.#states = states;
  }
}
