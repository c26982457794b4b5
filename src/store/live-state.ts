/**
 * A state in memory, and the one queue of decisions on it.
 *
 * Commands that arrive together, or while a commit is on its way, are decided one after the other on
 * the newest view and share the next commit. Their answers, refusals included, are released when all
 * they were decided on is durable; readers see only what is durable.
 */

import { randomUUID } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import type { Change } from "../account/change.ts";
import { type Command, type Decision, decideInSteps } from "../account/decide.ts";
import { pendingOf } from "../account/pending.ts";
import type { State } from "../account/state.ts";
import { carryOver } from "./carry-over.ts";
import { nextTurn } from "./next-turn.ts";
import { isLost, standingOf } from "./position.ts";
import {
  Conflict,
  type LockedState,
  NotCommitted,
  OutcomeUnknown,
  type Position,
  type Store,
} from "./store.ts";

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

/** One attempt to commit a batch. */
interface Attempt {
  /** The revision that it was decided on. */
  readonly base: number;
  readonly decided: readonly Decided[];
  readonly changes: readonly Change[];
}

/** Told of every commit. Sizes in commands and objects; `seconds` of the commit alone. */
export type CommitObserver = (commit: {
  readonly state: string;
  readonly revision: number;
  readonly changes: readonly Change[];
  readonly seconds: number;
}) => void;

/** Told when the store turns out to lack changes that it had acknowledged: `known` was in it, and is not any more. */
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

  async #reach(found: Position, before: Position): Promise<void> {
    const standing = standingOf(this.position, found, before);
    if (standing === "elsewhere") {
      // Others that found the same may have had the state loaded again since.
      if (isLost(found, this.position)) this.#noteLoss(found);
      await this.#reload();
    } else if (standing === "behind") await this.#readOn(this.#state.durable);
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
        if (!failed) await this.#reach(found, before);
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

  /** Decides a batch and commits it. If the commit fails, finds out what became of it and decides again. */
  async #decideBatch(taken: Pending[]): Promise<void> {
    /** Attempts whose commit may have become durable, or may still do so. */
    const open: Attempt[] = [];
    let unknown: OutcomeUnknown | undefined;
    let batch = taken;
    for (let number = 1; ; number++) {
      let lock: LockedState | undefined;
      try {
        if (this.#stale) await this.#reload();
        if (number > 1) lock = await this.#hold();
        // A statement whose response was lost may run on, with the row locked. Now that the lock is ours, it has ended.
        const logged = await this.#findLogged(open);
        if (logged) {
          await lock?.release();
          return this.#answer(logged);
        }
      } catch (error) {
        await lock?.release();
        return rejectAll(batch, unknown ?? new NotCommitted(messageOf(error)));
      }
      const attempt = await this.#decideAll(batch);
      try {
        // A statement that has not reached the database yet fails only if this attempt takes its revision.
        if (attempt.changes.length === 0 && open.some(({ base }) => base === attempt.base)) throw unknown;
        await this.#commit(attempt, lock ?? this.#store);
      } catch (error) {
        this.#takeBack(attempt.changes);
        batch = attempt.decided.map(({ pending }) => pending);
        if (error instanceof OutcomeUnknown) {
          unknown = error;
          open.push(attempt);
        }
        const recovered = await this.#recover(error, attempt.base);
        if (recovered && number < (error instanceof NotCommitted ? 2 : MOST_ATTEMPTS)) continue;
        const logged = await this.#findLogged(recovered ? open : []).catch(() => undefined);
        if (logged) return this.#answer(logged);
        // The outcome of an earlier attempt stays unknown when a later one fails.
        return rejectAll(batch, unknown ?? error);
      } finally {
        await lock?.release();
      }
      return this.#answer(attempt);
    }
  }

  #answer({ decided, changes }: Attempt): void {
    for (const { pending, decision } of decided) pending.resolve(decision);
    if (changes.length > 0) this.#wake();
  }

  /** Who lost a race keeps the others out for the next attempt, so that everybody gets through. */
  async #hold(): Promise<LockedState | undefined> {
    if (!this.#store.shared) return undefined;
    const lock = await this.#store.lock(this.#state.id);
    try {
      if (lock) await this.#reach(lock.position, this.position);
      return lock;
    } catch (error) {
      await lock?.release();
      throw error;
    }
  }

  /** Decides until the batch is large enough; the rest goes back to the queue. */
  async #decideAll(batch: Pending[]): Promise<Attempt> {
    const base = this.#state.revision;
    const decided: Decided[] = [];
    let edits = 0;
    let taken = 0;
    for (const pending of batch) {
      if (edits >= MOST_EDITS) break;
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
    this.#queue.unshift(...batch.slice(taken));
    return { base, decided, changes: decided.flatMap((one) => one.changes) };
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
          this.#state.apply(decision.change.edits, decision.change.record.time);
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

  async #decide(command: Command): Promise<Decision> {
    const steps = decideInSteps(this.#state, command);
    let step = steps.next();
    while (!step.done) {
      // Whoever only reads does not wait for a large one.
      await setImmediate();
      step = steps.next();
    }
    return step.value;
  }

  async #commit({ base, changes }: Attempt, to: Pick<Store, "commit">): Promise<void> {
    if (changes.length === 0) return;
    const { id, epoch, head } = this.#state;
    const start = performance.now();
    const deadline = pendingOf(this.#state)?.confirm_by ?? null;
    const commit = this.#store.shared ? randomUUID() : undefined;
    const own = commit === undefined ? {} : { id: commit, head };
    await to.commit({ state: id, epoch, base, changes, deadline, ...own });
    this.#state.head = commit;
    for (const { edits, record } of changes) this.#state.settle(edits, record.revision);
    const seconds = (performance.now() - start) / 1000;
    this.#observe({ state: id, revision: this.#state.durable, changes, seconds });
  }

  #takeBack(changes: readonly Change[]): void {
    for (const { edits } of changes.toReversed()) this.#state.takeBack(edits);
  }

  /** Brings the state to where the store is after a failed commit. False if that is not known. */
  async #recover(error: unknown, base: number): Promise<boolean> {
    try {
      if (error instanceof OutcomeUnknown) await this.#reload();
      else if (error instanceof Conflict) await this.#readOn(base);
      else if (!(error instanceof NotCommitted)) throw error;
      return true;
    } catch {
      this.#stale = true;
      return false;
    }
  }

  /** The attempt that is in the log: the record at its first revision has the id of its first request. */
  async #findLogged(attempts: readonly Attempt[]): Promise<Attempt | undefined> {
    for (const attempt of attempts) {
      const [first] = attempt.changes;
      const record = first && (await this.#store.change(this.#state.id, attempt.base + 1));
      if (record && record.request_id === first.record.request_id) return attempt;
    }
    return undefined;
  }

  /** Carries the state over the changes that others made. */
  async #readOn(base: number): Promise<void> {
    const page = await this.#store.changesAfter(this.#state.id, base, MOST_READ_ON);
    if (!page || page.more || page.position.epoch !== this.#state.epoch) return this.#reload();
    // Another standby's log: what is in memory is no part of it.
    if (page.from !== this.#state.head) {
      const { position } = this;
      if (page.from !== undefined && isLost({ ...position, head: page.from }, position))
        this.#noteLoss(page.position);
      return this.#reload();
    }
    // What was pruned cannot be read on.
    if ((page.records[0]?.revision ?? base + 1) !== base + 1) return this.#reload();
    for (const record of page.records) carryOver(this.#state, record);
    this.#state.head = page.position.head;
    this.#wake();
  }

  #noteLoss(found: Position): void {
    this.#observeLoss({ state: this.#state.id, known: this.position, found });
  }

  async #reload(): Promise<void> {
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

function rejectAll(batch: readonly Pending[], reason: unknown): void {
  for (const pending of batch) pending.reject(reason);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
