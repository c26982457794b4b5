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
import { standingOf } from "./position.ts";
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

/** Told of every commit. Sizes in commands and objects; `seconds` of the commit alone. */
export type CommitObserver = (commit: {
  readonly state: string;
  readonly revision: number;
  readonly changes: readonly Change[];
  readonly seconds: number;
}) => void;

export class LiveState {
  readonly #store: Store;
  readonly #observe: CommitObserver;
  #state: State;
  /** Is the store known to be elsewhere, or not known where? Then the state is loaded before the next decision. */
  #stale = false;
  #queue: Pending[] = [];
  #behind: Behind[] = [];
  #running: Promise<void> | undefined;
  #exclusive: Promise<void> = Promise.resolve();
  #held = 0;
  #waiters = new Set<() => void>();

  constructor(state: State, store: Store, observe: CommitObserver) {
    this.#state = state;
    this.#store = store;
    this.#observe = observe;
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
    if (standing === "elsewhere") await this.#reload();
    else if (standing === "behind") await this.#readOn(this.#state.durable);
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

  async #decideBatch(taken: Pending[]): Promise<void> {
    let batch = taken;
    let unknown: OutcomeUnknown | undefined;
    for (let attempt = 1; ; attempt++) {
      let lock: LockedState | undefined;
      try {
        if (this.#stale) await this.#reload();
        if (attempt > 1) lock = await this.#hold();
      } catch (error) {
        await lock?.release();
        const reason = unknown ?? new NotCommitted(error instanceof Error ? error.message : String(error));
        for (const pending of batch) pending.reject(reason);
        return;
      }
      const base = this.#state.revision;
      const { decided, rest } = await this.#decideAll(batch);
      const changes = decided.flatMap((one) => one.changes);
      this.#queue.unshift(...rest);
      const start = performance.now();
      try {
        await this.#commit(base, changes, lock ?? this.#store);
      } catch (error) {
        this.#takeBack(changes);
        if (error instanceof OutcomeUnknown) unknown = error;
        const outcome = await this.#recover(error, base, changes, attempt, unknown !== undefined);
        if (outcome === "again") {
          batch = decided.map(({ pending }) => pending);
          continue;
        }
        if (outcome === "failed") {
          // What an earlier attempt left open is not closed by a later one that failed.
          for (const { pending } of decided) pending.reject(unknown ?? error);
          return;
        }
      } finally {
        await lock?.release();
      }
      for (const { pending, decision } of decided) pending.resolve(decision);
      if (changes.length === 0) return;
      this.#wake();
      this.#report(changes, (performance.now() - start) / 1000);
      return;
    }
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

  /** Decides until the batch is large enough; what is left over waits for the next. */
  async #decideAll(batch: Pending[]): Promise<{ decided: Decided[]; rest: Pending[] }> {
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

  async #commit(base: number, changes: readonly Change[], to: Pick<Store, "commit">): Promise<void> {
    if (changes.length === 0) return;
    const { id, epoch, head } = this.#state;
    const deadline = pendingOf(this.#state)?.confirm_by ?? null;
    const commit = this.#store.shared ? randomUUID() : undefined;
    const own = commit === undefined ? {} : { id: commit, head };
    await to.commit({ state: id, epoch, base, changes, deadline, ...own });
    this.#state.head = commit;
    for (const { edits, record } of changes) this.#state.settle(edits, record.revision);
  }

  /** Reports a commit that is settled. An observer that fails changes nothing about the commit. */
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

  /** After a failed commit: decide again, give up, or find that it was committed after all. */
  async #recover(
    error: unknown,
    base: number,
    changes: readonly Change[],
    attempt: number,
    unknown: boolean,
  ): Promise<"again" | "failed" | "committed"> {
    try {
      if (error instanceof OutcomeUnknown) await this.#reload();
      else if (error instanceof Conflict) await this.#readOn(base);
      else if (!(error instanceof NotCommitted)) throw error;
      // What this attempt lost the race to may be an earlier one, whose outcome was unknown.
      const moved = !(error instanceof NotCommitted);
      if (moved && unknown && (await this.#isLogged(base + 1, changes))) return "committed";
    } catch {
      this.#stale = true;
      return "failed";
    }
    return attempt < (error instanceof NotCommitted ? 2 : MOST_ATTEMPTS) ? "again" : "failed";
  }

  /** Did the batch take this revision? A request's id is its own, so the record tells whose commit did. */
  async #isLogged(revision: number, [first]: readonly Change[]): Promise<boolean> {
    const logged = await this.#store.change(this.#state.id, revision);
    return first !== undefined && logged?.request_id === first.record.request_id;
  }

  /** Carries the state over the changes that others made. */
  async #readOn(base: number): Promise<void> {
    const page = await this.#store.changesAfter(this.#state.id, base, MOST_READ_ON);
    if (!page || page.more || page.position.epoch !== this.#state.epoch) return this.#reload();
    // Another standby's log: what is in memory is no part of it.
    if (page.from !== this.#state.head) return this.#reload();
    // What was pruned cannot be read on.
    if ((page.records[0]?.revision ?? base + 1) !== base + 1) return this.#reload();
    for (const record of page.records) carryOver(this.#state, record);
    this.#state.head = page.position.head;
    this.#wake();
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
