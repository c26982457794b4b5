/**
 * Refused requests on their way to the store. Nobody waits for them: they are kept in batches, a little
 * later. A flood of them costs neither memory nor disk: past a few in a minute they are counted.
 */

import type { FastifyRequest } from "fastify";
import type { Logger } from "pino";
import type { RefusedRequest } from "../../account/audit/refused.ts";
import { ownerOf } from "../../account/audit/surroundings.ts";
import { unmapped } from "../../contract/addresses.ts";
import { entryOf } from "../../contract/errors.ts";
import type { Actor } from "../../contract/log.ts";
import type { StateEvent, Store } from "../../store/store.ts";
import type { Clock } from "../clock.ts";
import type { AppContext } from "../context.ts";
import type { Denial } from "../refusal.ts";

/** Refusals of one credential in one account that are told one by one, in a minute. */
const OF_CREDENTIAL = 10;
/** Those of one account, whatever the credentials. */
const OF_ACCOUNT = 100;
/** Pairs of account and credential that are told apart in a minute; past that, an account's are counted together. */
const MOST_PAIRS = 1_000;
/** UTF-16 units of a path that are kept. */
const LONGEST_PATH = 1_000;
/** Milliseconds. */
const MINUTE = 60_000;
/** Milliseconds until a refusal is kept at the latest. */
const SOON = 1_000;

type Refused = Omit<RefusedRequest, "time" | "more">;

interface Tally {
  readonly state: string;
  /** Of several credentials? */
  readonly shared: boolean;
  told: number;
  more: number;
  last: Refused;
}

/** Stands for credentials that are not told apart. */
const several: Actor = { type: "system", id: "several", name: "several credentials" };

export class Refusals {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #log: Pick<Logger, "warn">;
  #waiting: StateEvent[] = [];
  readonly #pairs = new Map<string, Tally>();
  readonly #told = new Map<string, number>();
  #soon: NodeJS.Timeout | undefined;
  #minute: NodeJS.Timeout | undefined;
  #keeping: Promise<void> = Promise.resolve();

  constructor(store: Store, clock: Clock, log: Pick<Logger, "warn">) {
    this.#store = store;
    this.#clock = clock;
    this.#log = log;
  }

  /** Takes in a refusal of a request for an account. */
  note(state: string, event: Refused): void {
    this.#minute ??= setTimeout(() => this.#endMinute(), MINUTE).unref();
    const tally = this.#tallyOf(state, event);
    tally.last = event;
    const told = this.#told.get(state) ?? 0;
    if (tally.shared || tally.told >= OF_CREDENTIAL || told >= OF_ACCOUNT) {
      tally.more++;
      return;
    }
    tally.told++;
    this.#told.set(state, told + 1);
    this.#waiting.push({ state, event: { time: this.#clock.timestamp(), ...event } });
    this.#soon ??= setTimeout(() => void this.#keep(), SOON).unref();
  }

  /**
   * Resolves once the refusals so far that are told one by one are kept. Counts are kept once a minute, whoever reads: with
   * every read, they would push the rest out of the bounded log.
   */
  flush(): Promise<void> {
    return this.#keep();
  }

  /** Forgets what is not kept yet: the world it happened in is gone. */
  forget(): void {
    this.#waiting = [];
    this.#pairs.clear();
    this.#told.clear();
  }

  /** Keeps what there is, and sets no timer any more. */
  async close(): Promise<void> {
    clearTimeout(this.#minute);
    this.#takeCounts();
    await this.#keep();
  }

  #tallyOf(state: string, event: Refused): Tally {
    const own = `${state} ${event.actor.id}`;
    const shared = !this.#pairs.has(own) && this.#pairs.size >= MOST_PAIRS;
    const key = shared ? state : own;
    let tally = this.#pairs.get(key);
    if (!tally) {
      tally = { state, shared, told: 0, more: 0, last: event };
      this.#pairs.set(key, tally);
    }
    return tally;
  }

  /** A credential of which some were told has a count of its own; of an account's others there is one count together. */
  #takeCounts(): void {
    // A start that fails closes this before the clock of a shared store has a time.
    if (this.#pairs.size === 0) return;
    const time = this.#clock.timestamp();
    const together = new Map<string, Tally>();
    for (const tally of this.#pairs.values()) {
      const { state, told, more, last } = tally;
      if (more === 0) continue;
      tally.more = 0;
      if (told > 0) this.#waiting.push({ state, event: { time, ...last, more } });
      else together.set(state, { ...tally, more: more + (together.get(state)?.more ?? 0) });
    }
    for (const [state, { last, more }] of together) {
      const { foreign: _, ...refused } = last;
      this.#waiting.push({ state, event: { time, ...refused, actor: several, more } });
    }
  }

  #endMinute(): void {
    this.#minute = undefined;
    this.#takeCounts();
    void this.#keep();
    this.#pairs.clear();
    this.#told.clear();
  }

  #keep(): Promise<void> {
    clearTimeout(this.#soon);
    this.#soon = undefined;
    const events = this.#waiting;
    if (events.length === 0) return this.#keeping;
    this.#waiting = [];
    const kept = this.#store.note(events).catch((error: unknown) => {
      this.#log.warn({ err: error, count: events.length }, "refused requests are missing from the audit log");
    });
    this.#keeping = Promise.all([this.#keeping, kept]).then(() => undefined);
    return this.#keeping;
  }
}

/** Notes who was refused, where an account is named and it is of interest there. */
export function noteDenial(
  { accounts, refusals, ingress, masker }: AppContext,
  request: FastifyRequest,
  { actor, concerns, problems }: Denial,
): void {
  const account: unknown = Reflect.get(Object(request.params), "account_id");
  const [problem] = problems;
  if (typeof account !== "string" || !problem || !accounts.get(account) || !concerns(account)) return;
  const { code, status } = entryOf(problem.name);
  // Told by what the directory knows now: the token may be deleted before the log is read.
  const owner = actor.type === "token" ? ownerOf(accounts.directory.state, actor.id) : undefined;
  const foreign = owner?.type === "account" && owner.id !== account;
  refusals.note(account, {
    actor,
    ...(foreign && { foreign }),
    request_id: request.id,
    address: unmapped(ingress.addressOf(request.raw)),
    operation: request.operation,
    method: request.method,
    path: masker.url(request.url.split("?", 1)[0] ?? "").slice(0, LONGEST_PATH),
    status,
    code,
    message: masker.text(problem.message),
  });
}
