/** Tells the server what the edge sees: at once when something changed, and every few seconds that it is there. */

import { setTimeout } from "node:timers/promises";
import { type HealthReport, type Minute, STALE_AFTER, type Transition } from "../../contract/health.ts";
import { type Client, Refused } from "../follow/client.ts";
import { Pauses } from "../follow/pauses.ts";
import type { Item, Spool } from "./spool.ts";

/** Milliseconds between reports while nothing happens: four may be lost before what was said is stale. */
export const HEARTBEAT = (STALE_AFTER * 1000) / 5;
/** Milliseconds after which all states are told again, whatever the server remembers. */
const ALL_STATES_EVERY = 60_000;
/** Milliseconds by which a transition may be ahead of the server's clock: what is far ahead the server does not keep. */
const AHEAD = 60_000;
/** Transitions and minutes in one report. */
const MOST_ITEMS = 5_000;

/** What a report says besides what waits in the spool; asked for when one is made. */
export type Standing = Omit<HealthReport, "states" | "transitions" | "minutes"> & {
  readonly states: NonNullable<HealthReport["states"]>;
};

interface Needs {
  readonly client: Client;
  readonly spool: Spool;
  readonly standing: () => Standing;
  /** The server took a report; or it did not, for this reason. */
  readonly heard: (trouble: string | undefined) => void;
}

export class Reporter implements AsyncDisposable {
  readonly #needs: Needs;
  readonly #closing = new AbortController();
  #wake = Promise.withResolvers<void>();
  #statesDue = 0;
  /** The newest time that was told of a state. */
  #newest = Number.NEGATIVE_INFINITY;
  /** What the server's clock is ahead of the one that never jumps, once it has answered. */
  #serverAhead: number | undefined;
  readonly #running: Promise<void>;

  constructor(needs: Needs) {
    this.#needs = needs;
    this.#running = this.#run();
  }

  /** Something is to be told now; `all` if states are to be told whole, since others are watched than before. */
  tell(items: readonly Item[] = [], all = false): void {
    this.#needs.spool.add(items);
    if (all) this.#statesDue = 0;
    this.#wake.resolve();
  }

  transition(value: Transition): void {
    this.tell([{ kind: "transition", value }]);
  }

  minutes(values: readonly Minute[]): void {
    this.tell(values.map((value) => ({ kind: "minute", value })));
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    const pauses = new Pauses();
    while (!signal.aborted) {
      this.#wake = Promise.withResolvers();
      try {
        await this.#report(signal);
        this.#needs.heard(undefined);
        pauses.reset();
      } catch (error) {
        if (signal.aborted) return;
        this.#needs.heard(error instanceof Error ? error.message : String(error));
        this.#statesDue = 0;
        await pauses.after(error, signal);
        continue;
      }
      if (this.#needs.spool.size > 0) continue;
      const woken = new AbortController();
      const heartbeat = setTimeout(HEARTBEAT, undefined, { signal: AbortSignal.any([signal, woken.signal]) });
      await Promise.race([this.#wake.promise, heartbeat.catch(() => undefined)]);
      woken.abort();
    }
  }

  async #report(signal: AbortSignal): Promise<void> {
    const { client, spool, standing } = this.#needs;
    const items = spool.next(MOST_ITEMS);
    const { states, ...rest } = standing();
    const now = performance.now();
    const transitions = items.flatMap((item) => (item.kind === "transition" ? [item.value] : []));
    const whole = now >= this.#statesDue || this.#areMisdated(transitions, now);
    // Before it is sent: who asks for all of them meanwhile gets them with the next report.
    if (whole) this.#statesDue = now + ALL_STATES_EVERY;
    const body: HealthReport = {
      ...rest,
      ...(whole && { states }),
      transitions,
      minutes: items.flatMap((item) => (item.kind === "minute" ? [item.value] : [])),
    };
    try {
      const asked = { method: "POST", body, signal, timeout: 10_000 } as const;
      const { result } = await client.own("/health/reports", asked);
      const received = Date.parse(String(Object(result).received));
      if (!Number.isNaN(received)) this.#serverAhead = received - performance.now();
    } catch (error) {
      // What the server can make nothing of, it never can: it must not keep the rest from being told.
      if (error instanceof Refused && (error.status === 400 || error.status === 413)) spool.taken(items);
      throw error;
    }
    spool.taken(items);
    const told = whole ? states.map(({ since }) => since) : transitions.map(({ time }) => time);
    const newest = told.reduce((most, text) => Math.max(most, Date.parse(text)), Number.NEGATIVE_INFINITY);
    this.#newest = whole ? newest : Math.max(this.#newest, newest);
  }

  /**
   * Would the server not go by them, since a clock jumped? One far ahead it does not keep, and one older than what it
   * knows it takes for history.
   */
  #areMisdated(transitions: readonly Transition[], now: number): boolean {
    const server = this.#serverAhead === undefined ? undefined : now + this.#serverAhead;
    return transitions.some(({ time }) => {
      const at = Date.parse(time);
      return at < this.#newest || (server !== undefined && at > server + AHEAD);
    });
  }

  /** Tells what there is once more, if the server takes it soon, and ends. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#running;
    await this.#report(AbortSignal.timeout(1_000)).catch(() => undefined);
  }
}
