/**
 * The live states of one store: the directory and every account.
 *
 * Of a store that is not shared all are in memory from the start, and always as new as what is there. Of a shared
 * one an account comes into memory when it is first asked for; `fresh` says how new memory must be before it is read.
 */

import type { Command, Decision } from "../account/decide.ts";
import { accountKind, DIRECTORY_ID } from "../account/directory.ts";
import type { SeededState } from "../account/seed.ts";
import { State } from "../account/state.ts";
import { Freshness } from "./freshness.ts";
import { type CommitObserver, LiveState, type LossObserver } from "./live-state.ts";
import { OutcomeUnknown, type Position, type Store, StoreRefused, Unreadable } from "./store.ts";
import { pause, runInSlices } from "./time-slice.ts";

/** Objects of a shared store's accounts that stay in memory, past those that are in use; each takes about 3 KB. */
const MOST_OBJECTS = 200_000;
/** Milliseconds between two looks at accounts whose next change somebody waits for. */
const BETWEEN_LOOKS = 200;

/** Told of the store's time, in milliseconds since 1970, whenever it is looked at. */
export type TimeObserver = (time: number) => void;

export class Accounts {
  readonly #store: Store;
  readonly #observe: CommitObserver;
  readonly #observeTime: TimeObserver;
  readonly #observeLoss: LossObserver;
  readonly #freshness: Freshness;
  /** Of a shared store, in the order in which they were last asked for. */
  #states = new Map<string, LiveState>();
  readonly #loading = new Map<string, Promise<void>>();
  #looking: NodeJS.Timeout | undefined;
  #isLooking = false;
  /** The end of the line of those who make accounts or replace the world. */
  #last: Promise<unknown> = Promise.resolve();

  /** Loads what is to be in memory from the start. */
  static async open(
    store: Store,
    observe: CommitObserver,
    observeTime: TimeObserver = () => undefined,
    observeLoss: LossObserver = () => undefined,
  ): Promise<Accounts> {
    const accounts = new Accounts(store, observe, observeTime, observeLoss);
    await accounts.#load();
    if (store.shared) {
      observeTime((await store.check([])).time);
      accounts.#looking = setInterval(() => void accounts.#lookForWatchers(), BETWEEN_LOOKS).unref();
    }
    return accounts;
  }

  private constructor(
    store: Store,
    observe: CommitObserver,
    observeTime: TimeObserver,
    observeLoss: LossObserver,
  ) {
    this.#store = store;
    this.#observe = observe;
    this.#observeTime = observeTime;
    this.#observeLoss = observeLoss;
    this.#freshness = new Freshness(store, (id) => this.#states.get(id)?.position);
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

  /** All states that are in memory at the time of the call, the directory included. */
  all(): readonly LiveState[] {
    return [...this.#states.values()];
  }

  /**
   * Resolves once the directory, and an account if there is one of that id, are in memory as they were in the store at
   * the time of the call, or newer. `undefined` if they are always. Rejects with `Away` or `Unreadable`.
   *
   * `isAdmitted` judges by the directory in memory. If it returns false for the newest directory, the store is not
   * asked for the account, and the account is not loaded.
   */
  fresh(id?: string, isAdmitted: () => boolean = () => true): Promise<void> | undefined {
    return this.#store.shared ? this.#refresh(id, isAdmitted) : undefined;
  }

  async #refresh(id: string | undefined, isAdmitted: () => boolean): Promise<void> {
    // Almost always the directory in memory is the newest: one check finds both.
    const both = id !== undefined && isAdmitted();
    const { found, before } = await this.#freshness.look(both ? [DIRECTORY_ID, id] : [DIRECTORY_ID]);
    this.#observeTime(found.time);
    const bring = (one: string) => this.#bring(one, found.positions.get(one), before.get(one));
    await bring(DIRECTORY_ID);
    if (id === undefined || !isAdmitted()) return;
    await (both ? bring(id) : this.#refresh(id, isAdmitted));
  }

  /** Brings a state in memory to where it was found. */
  async #bring(id: string, found: Position | undefined, before: Position | undefined): Promise<void> {
    const live = this.#states.get(id);
    if (!found && id === DIRECTORY_ID) throw new Unreadable("there is no directory in it any more");
    if (!found) {
      // It went with the world that it was of.
      if (live && before && this.#states.delete(id)) live.drop();
    } else if (live) {
      // What was not there when the look began came by a load that may have begun before it.
      await live.catchUp(found, before ?? found);
      // To the end of the line.
      if (this.#states.delete(id)) this.#states.set(id, live);
    } else if (id === DIRECTORY_ID || this.directory.state.get(accountKind.name, id)) {
      await this.#loadOnce(id);
      // The load may be one that somebody else had begun before the look.
      await this.#states.get(id)?.catchUp(found, found);
    }
  }

  /** Who was asked for least recently goes first, once there is too much. */
  #makeRoom(): void {
    let objects = 0;
    for (const { state } of this.#states.values()) objects += state.size;
    for (const [id, live] of this.#states) {
      if (objects <= MOST_OBJECTS) return;
      if (id === DIRECTORY_ID || live.isBusy || live.isWatched) continue;
      this.#states.delete(id);
      objects -= live.state.size;
    }
  }

  #loadOnce(id: string): Promise<void> {
    const known = this.#loading.get(id);
    if (known) return known;
    const loading = this.#store
      .load(id)
      .then((state) => {
        if (!state || this.#states.has(id)) return;
        if (this.#store.shared) this.#makeRoom();
        this.#states.set(id, new LiveState(state, this.#store, this.#observe, this.#observeLoss));
      })
      .finally(() => this.#loading.delete(id));
    this.#loading.set(id, loading);
    return loading;
  }

  /** Others' changes are seen when somebody asks; who waits for them has asked already. */
  async #lookForWatchers(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    const watched = [...this.#states].filter(([, live]) => live.isWatched).map(([id]) => id);
    // While the database is away, they wait on.
    await Promise.allSettled(watched.map((id) => this.fresh(id)));
    this.#isLooking = false;
  }

  close(): void {
    clearInterval(this.#looking);
  }

  /**
   * Makes an account: an empty state, and then its entry in the directory, as `command` makes it. What the
   * directory does not name is no account, so that one of which only the state was made, before the power
   * went, is not there; it can be made again.
   */
  create(id: string, epoch: string, command: Command): Promise<Decision> {
    return this.#inTurn(async () => {
      const { directory } = this;
      try {
        const verdict = await directory.submit(command, true);
        if (!verdict.ok) return verdict;
        await this.#store.create(id, epoch);
        return await directory.submit(command);
      } finally {
        await this.#adopt(id);
      }
    });
  }

  /**
   * Writes seed data into an empty store. False if the store is not empty: if several servers start at the same time, one
   * writes its seed data and the others serve it.
   */
  begin(world: readonly SeededState[]): Promise<boolean> {
    return this.#inTurn(async () => {
      const filled = await this.#store.replace(world, true);
      await this.#load();
      return filled;
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

  /** Loads an account if the directory names it and it is not there yet. */
  async #adopt(id: string): Promise<void> {
    if (this.#states.has(id) || !this.directory.state.get(accountKind.name, id)) return;
    await this.#loadOnce(id).catch((error: unknown) => {
      throw new OutcomeUnknown(error instanceof Error ? error.message : String(error));
    });
  }

  async #replace(world: readonly SeededState[]): Promise<void> {
    const held = [...this.#states.values()];
    const replaceAll = async () => {
      await this.#store.replace(world);
      if (this.#store.shared) await this.#load();
      else this.#adoptAll(await statesOf(world));
    };
    // Holds one state after the other, then replaces while none of them decides.
    const hold = (index: number): Promise<void> =>
      held[index]?.exclusively(() => hold(index + 1)) ?? replaceAll();
    await hold(0);
  }

  /** `undefined` if there is nothing in the store yet. */
  async #loadDirectory(): Promise<State | undefined> {
    const directory = await this.#store.load(DIRECTORY_ID);
    if (directory || (await this.#store.states()).length === 0) return directory;
    // Another server may have begun the world between the two looks; directory and accounts come in one step.
    const begun = await this.#store.load(DIRECTORY_ID);
    if (begun) return begun;
    throw new StoreRefused("The data hold accounts, but no directory of them. Restore them from a backup.");
  }

  async #load(): Promise<void> {
    const directory = await this.#loadDirectory();
    const ids = this.#store.shared ? [DIRECTORY_ID] : await this.#store.states();
    const found: State[] = [];
    for (const id of ids) {
      const state = id === DIRECTORY_ID ? directory : await this.#store.load(id);
      if (state && (state === directory || directory?.get(accountKind.name, id))) found.push(state);
    }
    this.#adoptAll(found);
  }

  /** Puts these states in the place of all others. */
  #adoptAll(found: readonly State[]): void {
    const states = new Map<string, LiveState>();
    for (const state of found) {
      const live = this.#states.get(state.id);
      live?.replaceState(state);
      states.set(state.id, live ?? new LiveState(state, this.#store, this.#observe, this.#observeLoss));
    }
    const gone = [...this.#states].filter(([id]) => !states.has(id));
    this.#states = states;
    for (const [, live] of gone) live.drop();
  }
}

/** The states of a new world, as a load would find them in a store that no other process changes. */
async function statesOf(world: readonly SeededState[]): Promise<State[]> {
  const states: State[] = [];
  for (const { id, epoch, change } of world) {
    const state = new State(id, epoch);
    await runInSlices(state.applyInSteps(change.edits, change.record.time));
    await pause();
    state.settle(change.edits, change.record.revision);
    states.push(state);
    await pause();
  }
  return states;
}
