/** How long a rollback of a pending change that failed waits before it is tried again. */

import type { PendingDoc } from "../account/pending.ts";
import type { State } from "../account/state.ts";
import { ROLLBACK_RETRY } from "../contract/limits.ts";
import { Away } from "../store/store.ts";

interface Failure {
  /** Which pending change it was of. */
  readonly of: string;
  /** Milliseconds until the next attempt, and when these are over by `performance.now()`. */
  readonly delay: number;
  readonly until: number;
}

/** The last failure of each account's pending change. More time given to a change is another chance. */
export class Backoff {
  readonly #failures = new Map<string, Failure>();

  /**
   * Notes a failure and returns the delay, which doubles each time. While the database is unavailable it does not, since an
   * attempt then costs nothing. `isNews` says whether the operator has not read of it yet.
   */
  failed(
    state: State,
    pending: PendingDoc,
    error?: unknown,
  ): { readonly delay: number; readonly isNews: boolean } {
    const { first, most } = ROLLBACK_RETRY;
    const before = this.#of(state, pending);
    const isAway = error instanceof Away;
    const delay = !before ? first : isAway ? before.delay : Math.min(2 * before.delay, most);
    const until = performance.now() + delay;
    this.#failures.set(state.id, { of: nameOf(state, pending), delay, until });
    return { delay, isNews: !before || !isAway };
  }

  /** Milliseconds until a pending change may be rolled back; 0 if it may be now. */
  left(state: State, pending: PendingDoc): number {
    const failure = this.#of(state, pending);
    return failure ? Math.max(0, Math.ceil(failure.until - performance.now())) : 0;
  }

  /** Nothing is pending there any more. */
  forget(id: string): void {
    this.#failures.delete(id);
  }

  #of(state: State, pending: PendingDoc): Failure | undefined {
    const failure = this.#failures.get(state.id);
    return failure?.of === nameOf(state, pending) ? failure : undefined;
  }
}

function nameOf({ epoch }: State, { revision, confirm_by }: PendingDoc): string {
  return `${epoch} ${revision} ${confirm_by}`;
}
