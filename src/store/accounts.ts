/** The live states of one store: the directory and every account. */

import { DIRECTORY_ID } from "../account/directory.ts";
import type { SeededState } from "../account/seed.ts";
import { type CommitObserver, LiveState } from "./live-state.ts";
import type { Store } from "./store.ts";

export class Accounts {
  readonly #store: Store;
  readonly #observe: CommitObserver;
  #states = new Map<string, LiveState>();

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

  /** Puts a new world in the place of everything, log included, in one step. */
  async replace(world: readonly SeededState[]): Promise<void> {
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
    const states = new Map<string, LiveState>();
    for (const id of ids) {
      const state = await this.#store.load(id);
      if (!state) continue;
      const live = this.#states.get(id);
      live?.replaceState(state);
      states.set(id, live ?? new LiveState(state, this.#store, this.#observe));
    }
    this.#states = states;
  }
}
