/** The delay before a failed rollback of a pending change is retried. */

import type { PendingDoc } from "../account/pending.ts";
import type { State } from "../account/state.ts";
import { ROLLBACK_RETRY } from "../contract/limits.ts";
import { Away } from "../store/store.ts";

interface Failure {
  /** The pending change. */
  readonly of: string;
  /** Milliseconds to the next attempt, and its time by `performance.now()`. */
  readonly delay: number;
  readonly until: number;
}

/** The last failure of each account's pending change. Extending the deadline of a change resets its delay. */
export class Backoff {
  readonly #failures = new Map<string, Failure>();

  /**
   * Records a failure and returns the delay. The delay doubles with each failure, except while the database is unavailable,
   * since such an attempt costs nothing. `isNews`: the failure is not in the log yet.
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

  /** Milliseconds until the next attempt; 0 if it is due. */
  left(state: State, pending: PendingDoc): number {
    const failure = this.#of(state, pending);
    return failure ? Math.max(0, Math.ceil(failure.until - performance.now())) : 0;
  }

  /** For an account without a pending change. */
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
