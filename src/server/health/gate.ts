/**
 * Undoes changes that made what they touched fall, and confirms those that did it no harm. What is to be decided, the
 * account's log and the reports say; here is only who looks. Several may look: as with deadlines, the first decision
 * counts, and the others find nothing to do.
 */

import type { Logger } from "pino";
import type { ChangeRecord } from "../../account/change.ts";
import { confirmChange } from "../../account/confirming.ts";
import type { Command, Decision } from "../../account/decide.ts";
import {
  type Gate,
  type GateRules,
  judgeGate,
  touchedBy,
  type Verdict,
  watchesOf,
} from "../../account/health/gate.ts";
import { interconnectKind, interconnectOf } from "../../account/interconnect.ts";
import { durablePending, type PendingDoc, type RevertOn } from "../../account/pending.ts";
import type { State } from "../../account/state.ts";
import { LogMovedOn, revertWaiting } from "../../account/undo.ts";
import type { Actor } from "../../contract/log.ts";
import type { Accounts } from "../../store/accounts.ts";
import type { HealthStore } from "../../store/health/health-store.ts";
import type { LiveState } from "../../store/live-state.ts";
import type { Store } from "../../store/store.ts";
import { pause, runInSlices } from "../../store/time-slice.ts";
import { Backoff } from "../backoff.ts";
import type { Clock } from "../clock.ts";
import type { Rollbacks } from "../rollbacks.ts";

/**
 * Milliseconds after which a change that waits is looked at again: for time that passed, and for reports that came to
 * another server.
 */
const BETWEEN = 500;
/** Transitions after a change that are looked at; the first of them say how it was before. */
const MOST_TRANSITIONS = 20_000;

interface Needs {
  readonly accounts: Accounts;
  readonly store: Store;
  readonly rollbacks: Rollbacks;
  readonly health: HealthStore;
  readonly clock: Clock;
  readonly log: Logger;
  readonly newRequestId: () => string;
  readonly rules: GateRules;
  /** Does time move with requests alone? Then nobody looks between them. */
  readonly byRequests?: boolean;
}

type Waiting = PendingDoc & { readonly revert_on: RevertOn };

export class HealthGate {
  readonly #needs: Needs;
  /** By account. */
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #running = new Map<string, Promise<void>>();
  /** Accounts of which something was heard while they were looked at. */
  readonly #again = new Set<string>();
  /** Records of the changes that wait, by account. */
  readonly #records = new Map<string, { readonly epoch: string; readonly record: ChangeRecord }>();
  readonly #backoff = new Backoff();
  #closed = false;

  constructor(needs: Needs) {
    this.#needs = needs;
  }

  /** Decides what can be decided by now. Where time moves with requests, it is called before each of them. */
  async settle(): Promise<void> {
    for (const account of this.#needs.accounts.all()) await this.#look(account);
  }

  /** To be told of every change of an account's state, and of every report that was kept. */
  readonly moved = (id: string): void => {
    void this.reported(id);
  };

  /** Resolves once what was reported has had its effect. */
  async reported(id: string): Promise<void> {
    const account = this.#needs.accounts.get(id);
    if (account) await this.#look(account);
  }

  /** How many interconnects are watched for a change that was just made. */
  async watched({ state }: LiveState, record: ChangeRecord): Promise<number> {
    try {
      await pause();
      const reports = await this.#reportsSince(state.id, record);
      const watches = await runInSlices(watchesOf(gateOf(state, record, "down"), reports));
      return new Set(watches.map(({ interconnect }) => interconnect)).size;
    } catch (error) {
      // The change is made, and waits: its answer is not withheld for this.
      this.#needs.log.warn(
        { err: error, account: state.id },
        "the number of interconnects watched for a change is unknown",
      );
      return 0;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    await Promise.all(this.#running.values());
  }

  #look(account: LiveState): Promise<void> {
    const { id } = account.state;
    const running = this.#running.get(id);
    if (running) {
      this.#again.add(id);
      return running;
    }
    if (this.#closed || !waitingIn(account.state)) {
      this.#records.delete(id);
      this.#backoff.forget(id);
      return Promise.resolve();
    }
    const looking = this.#lookUntilQuiet(account).finally(() => {
      this.#running.delete(id);
      this.#sleep(account);
    });
    this.#running.set(id, looking);
    return looking;
  }

  async #lookUntilQuiet(account: LiveState): Promise<void> {
    const { id } = account.state;
    const { log } = this.#needs;
    do {
      this.#again.delete(id);
      try {
        await this.#decide(account);
      } catch (error) {
        if (!(error instanceof LogMovedOn))
          log.error(
            { err: error, account: id },
            "the health of a pending change could not be evaluated, and is checked again",
          );
      }
    } while (this.#again.has(id) && !this.#closed);
  }

  #sleep(account: LiveState): void {
    const { id } = account.state;
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
    if (this.#closed || this.#needs.byRequests || !waitingIn(account.state)) return;
    const look = async () => {
      this.#timers.delete(id);
      try {
        await this.#needs.accounts.fresh(id);
      } catch (error) {
        this.#needs.log.debug({ err: error, account: id }, "the account could not be refreshed");
      }
      // It may have left memory, and come back as another.
      const now = this.#needs.accounts.get(id);
      if (now) await this.#look(now);
      else this.#records.delete(id);
    };
    this.#timers.set(
      id,
      setTimeout(() => void look(), BETWEEN),
    );
  }

  async #decide(account: LiveState): Promise<void> {
    const { clock, log, rules, rollbacks } = this.#needs;
    const { state } = account;
    const waiting = waitingIn(state);
    if (!waiting || (!this.#needs.byRequests && this.#backoff.left(state, waiting) > 0)) return;
    const { revision, revert_on } = waiting;
    await pause();
    const record = await this.#recordOf(state, revision);
    if (!record) return;
    await pause();
    const gate = gateOf(state, record, revert_on);
    await pause();
    const reports = await this.#reportsSince(state.id, record);
    await pause();
    const verdict = await runInSlices(judgeGate(gate, reports, rules, clock.now()));
    if (verdict.what === "wait") return;
    const actor = actorOf(state, verdict, rules);
    const about = { time: clock.timestamp(), actor, requestId: this.#needs.newRequestId() };
    if (verdict.what === "confirm") {
      await this.#submit(account, confirmChange(revision, about), revision);
      return;
    }
    let failure: unknown = new Error("The rollback was refused.");
    try {
      const isMade = await rollbacks.forServer(async (read) => {
        const { command } = revertWaiting(await read.revertingPending(account, revision), about);
        return this.#submit(account, command, revision);
      });
      if (isMade || !waitingIn(account.state)) return;
    } catch (error) {
      failure = error;
    }
    const { delay, isNews } = this.#backoff.failed(account.state, waiting, failure);
    const details = { err: failure, account: state.id, revision, retryAfterMs: delay };
    log[isNews ? "error" : "debug"](details, "a change whose health check failed could not be rolled back");
  }

  async #submit(account: LiveState, command: Command, revision: number): Promise<boolean> {
    const { log } = this.#needs;
    const { id } = account.state;
    const decision: Decision = await account.submit(command);
    const { operation, circumstances } = command;
    if (decision.ok) {
      log.warn(
        { account: id, revision, operation, reason: circumstances.actor.name },
        "a pending change was settled by health",
      );
    } else {
      // Somebody was faster, or what became of the account since does not admit it.
      const [first] = decision.problems;
      log.info(
        { account: id, revision, operation, reason: first?.message },
        "a pending change could not be settled by health",
      );
    }
    return decision.ok;
  }

  async #reportsSince(account: string, { time }: ChangeRecord) {
    const { health } = this.#needs;
    const [edges, transitions] = await Promise.all([
      health.edges(account),
      health.transitionsAfter(account, Date.parse(time), MOST_TRANSITIONS),
    ]);
    return { edges, transitions };
  }

  async #recordOf({ id, epoch }: State, revision: number): Promise<ChangeRecord | undefined> {
    const known = this.#records.get(id);
    if (known?.epoch === epoch && known.record.revision === revision) return known.record;
    const record = await this.#needs.store.change(id, revision);
    if (record) this.#records.set(id, { epoch, record });
    return record;
  }
}

function waitingIn(state: State): Waiting | undefined {
  const pending = durablePending(state);
  return pending?.revert_on === undefined ? undefined : { ...pending, revert_on: pending.revert_on };
}

function gateOf(state: State, record: ChangeRecord, revertOn: RevertOn): Gate {
  const touched = touchedBy(record).filter((id) => state.get(interconnectKind.name, id));
  return {
    revision: record.revision,
    epoch: state.epoch,
    revertOn,
    madeAt: Date.parse(record.time),
    touched,
  };
}

/** Health, with the reason for its name. */
function actorOf(state: State, verdict: Exclude<Verdict, { what: "wait" }>, { settle }: GateRules): Actor {
  const of = { type: "system", id: "health" } as const;
  if (verdict.what === "confirm")
    return { ...of, name: `all that it touched is healthy for ${settle / 1000} s` };
  const entry = state.get(interconnectKind.name, verdict.interconnect);
  const name = entry ? interconnectOf(entry).name : verdict.interconnect;
  return { ...of, name: `${name} is ${verdict.state} at edge ${verdict.edge}` };
}
