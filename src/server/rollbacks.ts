/** Prepares rollbacks from the log and decides them. Few at a time, since each holds a part of the log in memory. */

import { type LogFold, RestoreFold, RevertFold } from "../account/log/folding.ts";
import { Outrun } from "../account/undo.ts";
import { MAX_ROLLBACK_ATTEMPTS, MAX_WAITING_ROLLBACKS } from "../contract/limits.ts";
import type { LiveState } from "../store/live-state.ts";
import type { Store } from "../store/store.ts";
import { Lane } from "./lane.ts";
import { bounds, type ReadBounds, readOnto, unbounded } from "./log-stretch.ts";
import { refuse } from "./refusal.ts";

export class Rollbacks {
  readonly #store: Store;
  readonly #most: ReadBounds;
  /** Requests keep their turn until they are decided and durable. */
  readonly #requests = new Lane();
  /** The server's own keep theirs while they read: a commit that is stuck delays no other account's deadline. */
  readonly #reads = new Lane();

  constructor(store: Store, most: ReadBounds = bounds) {
    this.#store = store;
    this.#most = most;
  }

  /**
   * Runs a request's rollback when it is its turn, and again if the account has moved on before it was decided. Throws the
   * refusal of a request that would wait behind too many others. An attempt must not start another rollback.
   */
  async forRequest<T>(attempt: (log: ReadLog) => Promise<T>): Promise<T> {
    if (this.#requests.waiting >= MAX_WAITING_ROLLBACKS)
      throw refuse("rollbacks_busy", { most: MAX_WAITING_ROLLBACKS });
    return this.#requests.run(() => {
      const log = new ReadLog(this.#store, this.#most);
      return untilCaughtUp(() => attempt(log));
    });
  }

  /** The same for the server itself, which rolls back at most one change per account. It is not refused. */
  forServer<T>(attempt: (log: ReadLog) => Promise<T>): Promise<T> {
    const log = new ReadLog(this.#store, this.#most, (read) => this.#reads.run(read));
    return untilCaughtUp(() => attempt(log));
  }
}

/** An account in memory. */
type Account = Pick<LiveState, "state" | "position" | "catchUp">;

/** Runs a read when it is its turn. */
type InTurn = <T>(read: () => Promise<T>) => Promise<T>;

/** The log as one rollback reads it. Read again, it folds only what is new. */
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

  /** Everything after a revision, which the log must hold. */
  restoring(account: Account, revision: number): Promise<RestoreFold> {
    return this.#read(
      account,
      `restore ${revision}`,
      this.#most,
      (epoch) => new RestoreFold(epoch, revision),
    );
  }

  /** A change and everything after it. */
  reverting(account: Account, revision: number): Promise<RevertFold> {
    return this.#read(account, `revert ${revision}`, this.#most, (epoch) => new RevertFold(epoch, revision));
  }

  /** The same for a change that is pending: it was accepted within the bounds, and nothing else was after it. */
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
    // A read that fails leaves a fold with a part of a record, which is not read on.
    this.#folds.delete(what);
    const found = await this.#inTurn(() => readOnto(this.#store, state, fold, most));
    this.#folds.set(what, fold);
    // Another server's changes may be in the log before this one knows of them: the rollback is decided on memory.
    await account.catchUp(found, position);
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
