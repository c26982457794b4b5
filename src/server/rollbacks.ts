/** Prepares rollbacks from the log and decides them, one at a time in a process. */

import { type LogFold, RestoreFold, RevertFold } from "../account/log/folding.ts";
import type { State } from "../account/state.ts";
import { Outrun } from "../account/undo.ts";
import { MAX_ROLLBACK_ATTEMPTS, MAX_WAITING_ROLLBACKS } from "../contract/limits.ts";
import type { Store } from "../store/store.ts";
import { bounds, type ReadBounds, readOnto, unbounded } from "./log-stretch.ts";
import { refuse } from "./refusal.ts";

/** For whom a rollback is: the server's own come first and are never refused. There is at most one per account. */
export type For = "request" | "server";

export class Rollbacks {
  readonly #store: Store;
  readonly #most: ReadBounds;
  #isBusy = false;
  readonly #waiting: Record<For, (() => void)[]> = { server: [], request: [] };

  constructor(store: Store, most: ReadBounds = bounds) {
    this.#store = store;
    this.#most = most;
  }

  /**
   * Runs an action when it is its turn, and again if the account has moved on before it was decided. Throws the refusal
   * of a request that would wait behind too many others. An action must not start another one here.
   */
  async run<T>(whose: For, attempt: (log: ReadLog) => Promise<T>): Promise<T> {
    await this.#turn(whose);
    try {
      const log = new ReadLog(this.#store, this.#most);
      return await untilCaughtUp(() => attempt(log));
    } finally {
      const next = this.#waiting.server.shift() ?? this.#waiting.request.shift();
      if (next) next();
      else this.#isBusy = false;
    }
  }

  async #turn(whose: For): Promise<void> {
    if (!this.#isBusy) {
      this.#isBusy = true;
      return;
    }
    const queue = this.#waiting[whose];
    if (whose === "request" && queue.length >= MAX_WAITING_ROLLBACKS)
      throw refuse("rollbacks_busy", { most: MAX_WAITING_ROLLBACKS });
    await new Promise<void>((resolve) => queue.push(resolve));
  }
}

/** The log as one rollback reads it. Read again, it folds only what is new. */
export class ReadLog {
  readonly #store: Store;
  readonly #most: ReadBounds;
  readonly #folds = new Map<string, LogFold>();

  constructor(store: Store, most = bounds) {
    this.#store = store;
    this.#most = most;
  }

  /** Everything after a revision, which the log must hold. */
  restoring(state: State, revision: number): Promise<RestoreFold> {
    return this.#read(state, `restore ${revision}`, this.#most, () => new RestoreFold(state.epoch, revision));
  }

  /** A change and everything after it. */
  reverting(state: State, revision: number): Promise<RevertFold> {
    return this.#read(state, `revert ${revision}`, this.#most, () => new RevertFold(state.epoch, revision));
  }

  /** The same for a change that is pending: it was accepted within the bounds, and nothing else was after it. */
  revertingPending(state: State, revision: number): Promise<RevertFold> {
    return this.#read(state, `pending ${revision}`, unbounded, () => new RevertFold(state.epoch, revision));
  }

  async #read<F extends LogFold>(state: State, what: string, most: ReadBounds, begin: () => F): Promise<F> {
    const known = this.#folds.get(what) as F | undefined;
    const fold = known?.epoch === state.epoch ? known : begin();
    // A read that fails leaves a fold with a part of a record, which is not read on.
    this.#folds.delete(what);
    await readOnto(this.#store, state, fold, most);
    this.#folds.set(what, fold);
    return fold;
  }
}

/** Runs an action, and again if the account has moved on before it was decided. */
export async function untilCaughtUp<T>(attempt: () => Promise<T>): Promise<T> {
  for (let attempts = 1; attempts <= MAX_ROLLBACK_ATTEMPTS; attempts++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof Outrun)) throw error;
    }
  }
  throw refuse("undo_outrun");
}
