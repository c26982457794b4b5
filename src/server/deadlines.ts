/**
 * Undoes changes that were to be confirmed and were not. When that is, the account's own state says; here is
 * only who looks at the clock. Several may look: the first undo counts, and the others find nothing to do.
 */

import type { Logger } from "pino";
import { durablePending, isDue, type PendingDoc } from "../account/pending.ts";
import { expireChange } from "../account/undo.ts";
import type { Accounts } from "../store/accounts.ts";
import type { LiveState } from "../store/live-state.ts";
import type { Store } from "../store/store.ts";
import { Backoff } from "./backoff.ts";
import type { Clock } from "./clock.ts";
import type { Rollbacks } from "./rollbacks.ts";

/** Milliseconds after which the clock is looked at again, since it may be set. */
const LONGEST_SLEEP = 1_000;
/** Milliseconds until the next check, if another change is pending after a rollback. */
const AGAIN = 1_000;
/** Milliseconds between two polls of a shared store for changes that are due, also in accounts that are not in memory. */
const BETWEEN_QUESTIONS = 500;

interface Needs {
  readonly accounts: Accounts;
  readonly store: Store;
  readonly rollbacks: Rollbacks;
  readonly clock: Clock;
  readonly log: Logger;
  readonly newRequestId: () => string;
  /** Does time advance only with requests (`--deterministic`)? Then there are no timers. */
  readonly byRequests?: boolean;
}

export class Deadlines {
  readonly #needs: Needs;
  /** By account. */
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #running = new Map<string, Promise<void>>();
  readonly #backoff = new Backoff();
  #asking: NodeJS.Timeout | undefined;
  #asked: Promise<void> | undefined;
  #closed = false;

  constructor(needs: Needs) {
    this.#needs = needs;
  }

  /** Rolls back the changes that are due, and starts timers for the others. */
  async start(): Promise<void> {
    await this.settle();
    if (!this.#needs.store.shared) return;
    await this.#ask();
    this.#asking = setInterval(() => {
      // While the database is unavailable, a poll may take longer than the interval.
      this.#asked ??= this.#ask().finally(() => {
        this.#asked = undefined;
      });
    }, BETWEEN_QUESTIONS);
  }

  /** Rolls back the changes that are due. With `byRequests`, call it before each request. */
  async settle(): Promise<void> {
    for (const account of this.#needs.accounts.all()) await this.#look(account);
  }

  /** What is due anywhere, whichever server made the change. While the database is away, nothing is. */
  async #ask(): Promise<void> {
    const { accounts, store } = this.#needs;
    try {
      // The directory, for its accounts, and the store's time.
      await accounts.fresh();
      for (const id of await store.due()) {
        await accounts.fresh(id);
        const account = accounts.get(id);
        if (account) await this.#look(account);
      }
    } catch (error) {
      this.#needs.log.debug({ err: error }, "the database could not be polled for changes that are due");
    }
  }

  /** To be told of every change of an account's state, or its replacement. */
  readonly moved = (id: string): void => {
    const account = this.#needs.accounts.get(id);
    if (account) void this.#look(account);
  };

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#asking);
    await this.#asked;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    await Promise.all(this.#running.values());
  }

  #look(account: LiveState): Promise<void> {
    const { id } = account.state;
    const running = this.#running.get(id);
    if (running) return running;
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
    const pending = durablePending(account.state);
    if (!pending) this.#backoff.forget(id);
    if (!pending || this.#closed) return Promise.resolve();
    const { clock, byRequests } = this.#needs;
    if (!isDue(pending, clock.timestamp())) {
      const left = Date.parse(pending.confirm_by) - clock.now();
      this.#sleep(account, Math.min(Math.max(left, 1), LONGEST_SLEEP));
      return Promise.resolve();
    }
    const delayed = byRequests ? 0 : this.#backoff.left(account.state, pending);
    if (delayed > 0) {
      this.#sleep(account, delayed);
      return Promise.resolve();
    }
    const undoing = this.#expire(account, pending).finally(() => {
      this.#running.delete(id);
      // Another change may be pending by now.
      const now = durablePending(account.state);
      if (now) this.#sleep(account, this.#backoff.left(account.state, now) || AGAIN);
    });
    this.#running.set(id, undoing);
    return undoing;
  }

  #failed({ state }: LiveState, pending: PendingDoc, reason: string | undefined, err?: unknown): void {
    const { log } = this.#needs;
    const { delay, isNews } = this.#backoff.failed(state, pending, err);
    const details = { err, reason, account: state.id, revision: pending.revision, retryAfterMs: delay };
    log[isNews ? "error" : "debug"](details, "a change that was not confirmed could not be rolled back");
  }

  #sleep(account: LiveState, milliseconds: number): void {
    if (this.#closed || this.#needs.byRequests) return;
    const { id } = account.state;
    clearTimeout(this.#timers.get(id));
    const timer = setTimeout(() => {
      this.#timers.delete(id);
      // An account that was deleted or left memory is not retried here; another may have taken its place.
      const now = this.#needs.accounts.get(id);
      if (now) void this.#look(now);
    }, milliseconds);
    this.#timers.set(id, timer);
  }

  async #expire(account: LiveState, pending: PendingDoc): Promise<void> {
    const { rollbacks, clock, log, newRequestId } = this.#needs;
    const { id } = account.state;
    const { revision } = pending;
    try {
      const actor = { type: "system", id: "deadline", name: `change ${revision} was not confirmed` } as const;
      const about = { time: clock.timestamp(), actor, requestId: newRequestId() };
      const decision = await rollbacks.forServer(async (read) => {
        const fold = await read.revertingPending(account, revision);
        return account.submit(expireChange(fold, about).command);
      });
      if (decision.ok) {
        log.warn({ account: id, revision }, "a change was not confirmed in time and was rolled back");
        return;
      }
      const [first] = decision.problems;
      // The change was confirmed, rolled back or extended first.
      if (first?.name === "nothing_pending") {
        log.info({ account: id, revision, reason: first.message }, "a rollback was not needed");
      } else this.#failed(account, pending, first?.message);
    } catch (error) {
      this.#failed(account, pending, undefined, error);
    }
  }
}
