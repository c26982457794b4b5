/**
 * A state in memory, and the one queue of decisions on it.
 *
 * Commands that arrive together, or while a commit is on its way, are decided one after the other on
 * the newest view and share the next commit. Their answers, refusals included, are released when all
 * they were decided on is durable; readers see only what is durable.
 */

import { randomUUID } from "node:crypto";
import type { Change } from "../account/change.ts";
import { type Command, type Decision, decideInSteps } from "../account/decide.ts";
import { pendingOf } from "../account/pending.ts";
import type { State } from "../account/state.ts";
import { carryOver } from "./carry-over.ts";
import { nextTurn } from "./next-turn.ts";
import { standingOf } from "./position.ts";
import { encodeRecords } from "./record-text.ts";
import { newEpoch } from "./secrets.ts";
import {
  Conflict,
  type LockedState,
  NotCommitted,
  OutcomeUnknown,
  type Position,
  type Store,
} from "./store.ts";
import { runInSlices } from "./time-slice.ts";

/** The most commands of one commit: a bound on how long the first of them waits for the last. */
const MOST_COMMANDS = 256;
/** The most objects of one commit, past the first command. */
const MOST_EDITS = 2_000;
/** How often a batch is decided again before its commands fail. */
const MOST_ATTEMPTS = 5;
/** How many records a lost race reads on; past that the state is loaded anew. */
const MOST_READ_ON = 1_000;

interface Pending {
  readonly command: Command;
  /** Decide, and forget: nothing is applied. */
  readonly dry: boolean;
  /** Decided before it, and only together with it. */
  readonly first: Command | undefined;
  readonly resolve: (decision: Decision) => void;
  readonly reject: (error: unknown) => void;
}

/** Somebody who knows of a newer state than the one in memory. */
interface Behind {
  readonly found: Position;
  readonly before: Position;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

interface Decided {
  readonly pending: Pending;
  readonly decision: Decision;
  /** What was applied to the state for it, in order. */
  readonly changes: readonly Change[];
}

/** A commit whose outcome is unknown: it may be in the log, now or soon. */
interface OpenAttempt {
  /** The revision of its first record, and the request that the record is of. */
  readonly revision: number;
  readonly requestId: string | undefined;
  readonly decided: readonly Decided[];
  /** By `performance.now()`. */
  readonly began: number;
}

function secondsSince(began: number): number {
  return (performance.now() - began) / 1000;
}

/** Told of every commit. Sizes in commands and objects; `seconds` of the commit alone. */
export type CommitObserver = (commit: {
  readonly state: string;
  readonly revision: number;
  readonly changes: readonly Change[];
  readonly seconds: number;
}) => void;

/** Called when the store has lost acknowledged changes: `known` was its position before, `found` is its position now. */
export type LossObserver = (loss: {
  readonly state: string;
  readonly known: Position;
  readonly found: Position;
}) => void;

export class LiveState {
  readonly #store: Store;
  readonly #observe: CommitObserver;
  readonly #observeLoss: LossObserver;
  #state: State;
  /** Is the store known to be elsewhere, or not known where? Then the state is loaded before the next decision. */
  #stale = false;
  #queue: Pending[] = [];
  #behind: Behind[] = [];
  #running: Promise<void> | undefined;
  #exclusive: Promise<void> = Promise.resolve();
  #held = 0;
  #waiters = new Set<() => void>();

  constructor(
    state: State,
    store: Store,
    observe: CommitObserver,
    observeLoss: LossObserver = () => undefined,
  ) {
    this.#state = state;
    this.#store = store;
    this.#observe = observe;
    this.#observeLoss = observeLoss;
  }

  /** For reading what is durable; ask again for each answer. */
  get state(): State {
    return this.#state;
  }

  /**
   * Decides a command and resolves once its answer may be told. With `dry` nothing is changed. A command that
   * is to go `first` is a change of its own, but made only if both are granted; a refusal of either is the answer.
   */
  submit(command: Command, dry = false, first?: Command): Promise<Decision> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ command, dry, first, resolve, reject });
      this.#start();
    });
  }

  /** Resolves at the next change of the state, or its replacement. Call the returned function to stop waiting. */
  onMove(wake: () => void): () => void {
    this.#waiters.add(wake);
    return () => this.#waiters.delete(wake);
  }

  /** Runs when no decision is under way, and keeps new ones waiting: for what replaces the state. */
  async exclusively<T>(action: () => Promise<T>): Promise<T> {
    const before = this.#exclusive;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#exclusive = promise;
    this.#held++;
    try {
      await before;
      await this.#running;
      return await action();
    } finally {
      this.#held--;
      resolve();
      this.#start();
    }
  }

  /** Puts another state in this one's place. Only within `exclusively`. */
  replaceState(state: State): void {
    this.#state = state;
    this.#stale = false;
    this.#wake();
  }

  /** Where it stands, as it is durable. */
  get position(): Position {
    const { epoch, durable, head } = this.#state;
    return { epoch, revision: durable, head };
  }

  /** Is the state in memory known to differ from the store's, or no longer kept up to date? */
  get isStale(): boolean {
    return this.#stale;
  }

  /** Does anybody wait for the next change? */
  get isWatched(): boolean {
    return this.#waiters.size > 0;
  }

  /** Is anything under way on it? */
  get isBusy(): boolean {
    return this.#running !== undefined || this.#held > 0 || !this.#isIdle;
  }

  /** Carries the state to where a look at the store found it, which began when the state stood at `before`. */
  catchUp(found: Position, before: Position): Promise<void> {
    if (standingOf(this.position, found, before) === "there") return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#behind.push({ found, before, resolve, reject });
      this.#start();
    });
  }

  /** Reads on to a position. False if that is in another history or too far ahead: then reload the state. */
  async #reach(found: Position, before: Position): Promise<boolean> {
    const standing = standingOf(this.position, found, before);
    return standing === "behind" ? this.#readOn(this.#state.durable) : standing === "there";
  }

  /** It is not there any more, or no longer in memory: who waits looks for itself. */
  drop(): void {
    this.#stale = true;
    this.#wake();
  }

  #start(): void {
    if (this.#running || this.#held > 0 || this.#isIdle) return;
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
      this.#start();
    });
  }

  async #run(): Promise<void> {
    if (this.#queue.length > 0) await nextTurn();
    // By turns, so that neither who reads nor who writes is kept waiting by the other.
    while (!this.#isIdle && this.#held === 0) {
      if (this.#behind.length > 0) await this.#readOnFor(this.#behind.splice(0));
      if (this.#queue.length > 0 && this.#held === 0) await this.#decideBatch(this.#takeBatch());
    }
  }

  get #isIdle(): boolean {
    return this.#queue.length === 0 && this.#behind.length === 0;
  }

  /** What carries the state to where the first wants it, most often does for the others. */
  async #readOnFor(behind: readonly Behind[]): Promise<void> {
    let failed: { readonly error: unknown } | undefined;
    for (const { found, before, resolve, reject } of behind) {
      try {
        if (!failed && !(await this.#reach(found, before))) await this.#reload();
      } catch (error) {
        failed = { error };
      }
      if (failed) reject(failed.error);
      else resolve();
    }
  }

  #takeBatch(): Pending[] {
    return this.#queue.splice(0, MOST_COMMANDS);
  }

  async #decideBatch(taken: Pending[]): Promise<void> {
    let batch = taken;
    let unknown: OutcomeUnknown | undefined;
    const open: OpenAttempt[] = [];
    for (let attempt = 1; ; attempt++) {
      let lock: LockedState | undefined;
      let committed: OpenAttempt | undefined;
      try {
        if (this.#stale) await this.#reload();
        if (attempt > 1) lock = await this.#hold();
        // Whoever holds the lock knows that every earlier attempt has ended: what is not in the log now never will be.
        committed = await this.#committedOf(open);
        if (committed) await lock?.settle();
      } catch (error) {
        await lock?.release();
        const reason = unknown ?? new NotCommitted(error instanceof Error ? error.message : String(error));
        for (const pending of batch) pending.reject(reason);
        return;
      }
      if (committed) {
        await lock?.release();
        return this.#answer(committed.decided, secondsSince(committed.began));
      }
      const base = this.#state.revision;
      // A batch that is decided again stays together: an earlier attempt may have made all of it.
      const { decided, rest } = await this.#decideAll(batch, attempt === 1 ? MOST_EDITS : Infinity);
      const changes = decided.flatMap((one) => one.changes);
      this.#queue.unshift(...rest);
      const began = performance.now();
      let seconds: number;
      try {
        seconds = await this.#commit(base, changes, lock ?? this.#store);
      } catch (error) {
        this.#takeBack(changes);
        if (error instanceof OutcomeUnknown) {
          unknown = error;
          open.push({ revision: base + 1, requestId: changes[0]?.record.request_id, decided, began });
        }
        const outcome = await this.#recover(error, base, attempt, open);
        if (outcome === "again") {
          batch = decided.map(({ pending }) => pending);
          continue;
        }
        if (outcome !== "failed") return this.#answer(outcome.decided, secondsSince(outcome.began));
        // What an earlier attempt left open is not closed by a later one that failed.
        for (const { pending } of decided) pending.reject(unknown ?? error);
        return;
      } finally {
        await lock?.release();
      }
      return this.#answer(decided, seconds);
    }
  }

  /** Releases the answers to durable decisions. `seconds` is how long the commit took. */
  #answer(decided: readonly Decided[], seconds: number): void {
    for (const { pending, decision } of decided) pending.resolve(decision);
    const changes = decided.flatMap((one) => one.changes);
    if (changes.length === 0) return;
    this.#wake();
    this.#report(changes, seconds);
  }

  /** After a lost compare-and-swap, locks the state's row before retrying, so that every server gets through. */
  async #hold(): Promise<LockedState | undefined> {
    if (!this.#store.shared) return undefined;
    for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt++) {
      const lock = await this.#store.lock(this.#state.id);
      try {
        if (!lock || (await this.#reach(lock.position, this.position))) return lock;
      } catch (error) {
        await lock?.release();
        throw error;
      }
      // A new epoch changes the locked row, so release the lock first.
      await lock.release();
      await this.#reload();
    }
    throw new Conflict(`The state ${this.#state.id} is changed faster than it can be read.`);
  }

  /** Decides until the batch has so many edits; what is left over waits for the next. */
  async #decideAll(batch: Pending[], limit: number): Promise<{ decided: Decided[]; rest: Pending[] }> {
    const decided: Decided[] = [];
    let edits = 0;
    let taken = 0;
    for (const pending of batch) {
      if (edits >= limit) break;
      taken++;
      try {
        const one = await this.#decideOne(pending);
        for (const change of one.changes) edits += change.edits.length;
        decided.push(one);
      } catch (error) {
        // A defect in one command's rules is that command's alone.
        pending.reject(error);
      }
    }
    return { decided, rest: batch.slice(taken) };
  }

  /** Decides one, after what goes first, and applies both. What is not granted, or dry, leaves nothing. */
  async #decideOne(pending: Pending): Promise<Decided> {
    const changes: Change[] = [];
    let keep = false;
    try {
      for (const command of pending.first ? [pending.first, pending.command] : [pending.command]) {
        const last = command === pending.command;
        const made = changes.at(-1);
        const decision = await this.#decide((made && command.after?.(made.record)) ?? command);
        if (decision.ok && decision.change && !(last && pending.dry)) {
          await runInSlices(this.#state.applyInSteps(decision.change.edits, decision.change.record.time));
          changes.push(decision.change);
        }
        if (!decision.ok || last) {
          keep = decision.ok && !pending.dry;
          return { pending, decision, changes: keep ? changes : [] };
        }
      }
      throw new Error("There was no command.");
    } finally {
      if (!keep) this.#takeBack(changes);
    }
  }

  /** Decides in slices, so that reads are answered in between. */
  #decide(command: Command): Promise<Decision> {
    return runInSlices(decideInSteps(this.#state, command));
  }

  /** Returns the seconds that the store took. */
  async #commit(base: number, changes: readonly Change[], to: Pick<Store, "commit">): Promise<number> {
    if (changes.length === 0) return 0;
    const { id, epoch, head } = this.#state;
    await encodeRecords(changes);
    const start = performance.now();
    const deadline = pendingOf(this.#state)?.confirm_by ?? null;
    const commit = this.#store.shared ? randomUUID() : undefined;
    const own = commit === undefined ? {} : { id: commit, head };
    await to.commit({ state: id, epoch, base, changes, deadline, ...own });
    this.#state.head = commit;
    for (const { edits, record } of changes) this.#state.settle(edits, record.revision);
    return secondsSince(start);
  }

  /** Reports a settled commit. If the observer fails, the commit remains. */
  #report(changes: readonly Change[], seconds: number): void {
    const { id: state, durable: revision } = this.#state;
    try {
      this.#observe({ state, revision, changes, seconds });
    } catch (error) {
      process.emitWarning(error instanceof Error ? error : String(error));
    }
  }

  #takeBack(changes: readonly Change[]): void {
    for (const { edits } of changes.toReversed()) this.#state.takeBack(edits);
  }

  /** After a failed commit: decide again, fail, or return the attempt that was committed after all. */
  async #recover(
    error: unknown,
    base: number,
    attempt: number,
    open: readonly OpenAttempt[],
  ): Promise<"again" | "failed" | OpenAttempt> {
    try {
      if (error instanceof OutcomeUnknown) await this.#reload();
      else if (error instanceof Conflict) {
        if (!(await this.#readOn(base))) await this.#reload();
      } else if (!(error instanceof NotCommitted)) throw error;
      // What this attempt lost the race to may be an earlier one, whose outcome was unknown.
      const committed = error instanceof NotCommitted ? undefined : await this.#committedOf(open);
      if (committed) return committed;
    } catch {
      this.#stale = true;
      return "failed";
    }
    return attempt < (error instanceof NotCommitted ? 2 : MOST_ATTEMPTS) ? "again" : "failed";
  }

  /** The attempt that is in the log. A request's id is its own, so the record shows whose commit it came with. */
  async #committedOf(open: readonly OpenAttempt[]): Promise<OpenAttempt | undefined> {
    for (const attempt of open) {
      const logged = await this.#store.change(this.#state.id, attempt.revision);
      if (attempt.requestId !== undefined && logged?.request_id === attempt.requestId) return attempt;
    }
    return undefined;
  }

  /** Applies the changes that other servers made. False if they do not continue this state's history. */
  async #readOn(base: number): Promise<boolean> {
    const page = await this.#store.changesAfter(this.#state.id, base, MOST_READ_ON);
    if (!page || page.more || page.position.epoch !== this.#state.epoch) return false;
    // A standby's log, which does not contain the state in memory.
    if (page.from !== this.#state.head) return false;
    // The next records were pruned.
    if ((page.records[0]?.revision ?? base + 1) !== base + 1) return false;
    for (const record of page.records) carryOver(this.#state, record);
    this.#state.head = page.position.head;
    this.#wake();
    return true;
  }

  /**
   * Gives the state a new epoch if the store has lost the newest change in memory, as after a failover to a standby that was
   * behind. Another change may be at a revision that clients know: the new epoch makes the server refuse their tags and
   * cursors.
   */
  async #renewAfterLoss(): Promise<void> {
    const { id } = this.#state;
    const known = this.position;
    const { epoch, revision, head } = known;
    const page = await this.#store.changesAfter(id, revision, 1);
    if (page?.position.epoch !== epoch) return;
    const { position: found, from } = page;
    const isReplaced = head !== undefined && from !== undefined && from !== head;
    if (found.revision >= revision && !isReplaced) return;
    // If several servers detect the loss, one of them renews the epoch and reports it.
    if (await this.#store.renew(id, epoch, newEpoch())) this.#observeLoss({ state: id, known, found });
  }

  async #reload(): Promise<void> {
    if (this.#store.shared) await this.#renewAfterLoss();
    const state = await this.#store.load(this.#state.id);
    if (!state) throw new Error(`The state ${this.#state.id} is no longer in the store.`);
    this.replaceState(state);
  }

  #wake(): void {
    const waiters = this.#waiters;
    this.#waiters = new Set();
    for (const wake of waiters) wake();
  }
}
