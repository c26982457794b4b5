/** Prepares rollbacks from the log and decides them. One at a time, since each holds a part of the log in memory. */

import { type LogFold, RestoreFold, RevertFold } from "../account/log/folding.ts";
import { LogMovedOn } from "../account/undo.ts";
import { MAX_ROLLBACK_ATTEMPTS, MAX_WAITING_ROLLBACKS } from "../contract/limits.ts";
import type { LiveState } from "../store/live-state.ts";
import type { Store } from "../store/store.ts";
import { ConcurrencyLimit } from "./concurrency-limit.ts";
import { bounds, foldLog, type ReadBounds, unbounded } from "./log-records.ts";
import { refuse } from "./refusal.ts";

export class Rollbacks {
  readonly #store: Store;
  readonly #most: ReadBounds;
  /** A request keeps its turn until its rollback is durable. */
  readonly #requests = new ConcurrencyLimit();
  /** The server's own rollbacks keep their turn only while they read, so that a stuck commit delays no other account's deadline. */
  readonly #reads = new ConcurrencyLimit();

  constructor(store: Store, most: ReadBounds = bounds) {
    this.#store = store;
    this.#most = most;
  }

  /**
   * Runs a request's rollback when its turn comes, and retries it if the account has changed before it was decided. Refuses a
   * request that would wait behind too many others. An attempt must not start another rollback.
   */
  async forRequest<T>(attempt: (log: ReadLog) => Promise<T>): Promise<T> {
    if (this.#requests.waiting >= MAX_WAITING_ROLLBACKS)
      throw refuse("rollbacks_busy", { most: MAX_WAITING_ROLLBACKS });
    return this.#requests.run(() => {
      const log = new ReadLog(this.#store, this.#most);
      return untilCaughtUp(() => attempt(log));
    });
  }

  /** For the server's own rollbacks, of at most one change per account: never refused. */
  forServer<T>(attempt: (log: ReadLog) => Promise<T>): Promise<T> {
    const log = new ReadLog(this.#store, this.#most, (read) => this.#reads.run(read));
    return untilCaughtUp(() => attempt(log));
  }
}

/** An account in memory. */
type Account = Pick<LiveState, "state" | "position" | "catchUp">;

/** Runs a read when it is its turn. */
type InTurn = <T>(read: () => Promise<T>) => Promise<T>;

/** Reads the log for one rollback. A second read folds only new records. */
export class ReadLog {
  readonly #store: Store;
  readonly #most: ReadBounds;
  readonly #inTurn: InTurn;
  readonly #folds = new Map<string, LogFold>();

  constructor(store: Store, most = bounds, inTurn: InTurn = (read) => read()) {
    this.#store = store;
    this.#most = most;
    this.#inTurn = inTurn;
  }

  /** Folds all records after a revision, which the log must contain. */
  restoring(account: Account, revision: number): Promise<RestoreFold> {
    return this.#read(
      account,
      `restore ${revision}`,
      this.#most,
      (epoch) => new RestoreFold(epoch, revision),
    );
  }

  /** Folds a change and all records after it. */
  reverting(account: Account, revision: number): Promise<RevertFold> {
    return this.#read(account, `revert ${revision}`, this.#most, (epoch) => new RevertFold(epoch, revision));
  }

  /** The same for a pending change. Without bounds: it was accepted within them, and only extensions can follow it. */
  revertingPending(account: Account, revision: number): Promise<RevertFold> {
    return this.#read(account, `pending ${revision}`, unbounded, (epoch) => new RevertFold(epoch, revision));
  }

  async #read<F extends LogFold>(
    account: Account,
    what: string,
    most: ReadBounds,
    begin: (epoch: string) => F,
  ): Promise<F> {
    const { state, position } = account;
    const known = this.#folds.get(what) as F | undefined;
    const fold = known?.epoch === state.epoch ? known : begin(state.epoch);
    // After a failed read, the fold may contain part of a record and cannot be continued.
    this.#folds.delete(what);
    const found = await this.#inTurn(() => foldLog(this.#store, state, fold, most));
    this.#folds.set(what, fold);
    // The log may contain changes of another server that are not in memory yet, where the rollback is decided.
    await account.catchUp(found, position);
    return fold;
  }
}

/** Runs an attempt, and again if the account has changed before it was decided. */
export async function untilCaughtUp<T>(attempt: () => Promise<T>): Promise<T> {
  for (let attempts = 1; attempts <= MAX_ROLLBACK_ATTEMPTS; attempts++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof LogMovedOn)) throw error;
    }
  }
  throw refuse("undo_outrun");
}
