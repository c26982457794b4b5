/** Faults that are armed, and what a request meets that one strikes. */

import { setTimeout } from "node:timers/promises";
import type { ArmedFault, Fault } from "../../contract/fault.ts";
import type { Answer } from "../envelope.ts";
import { refuse } from "../refusal.ts";
import { answerOf } from "./fault-answers.ts";

/** How many faults are listed at most, those that have struck as often as they should included. */
const MOST_FAULTS = 1_000;

/** What an injected answer carries, so that nobody takes it for a real one. */
export const MARK = "x-patchbay-fault";

/** Called for each fault that strikes. */
export type FaultObserver = (operation: string, effect: string) => void;

interface Listed {
  readonly fault: ArmedFault;
  readonly times: number;
  struck: number;
}

export class Faults {
  readonly #observe: FaultObserver;
  #listed: Listed[] = [];
  /** Those that will still strike, by operation, in the order in which they were armed. */
  readonly #waiting = new Map<string, Listed[]>();

  constructor(observe: FaultObserver) {
    this.#observe = observe;
  }

  /** Arms a fault behind those that are armed for its operation already. */
  arm(fault: ArmedFault): Fault {
    if (this.#listed.length >= MOST_FAULTS) throw refuse("too_many_faults", { most: MOST_FAULTS });
    const listed = { fault, times: fault.times ?? 1, struck: 0 };
    this.#listed.push(listed);
    const waiting = this.#waiting.get(fault.operation);
    if (waiting) waiting.push(listed);
    else this.#waiting.set(fault.operation, [listed]);
    return show(listed);
  }

  /** All that were armed since they were cleared last. */
  list(): readonly Fault[] {
    return this.#listed.map(show);
  }

  clear(): void {
    this.#listed = [];
    this.#waiting.clear();
  }

  /** Will the next request of this operation meet a fault? */
  isArmed(operation: string): boolean {
    return this.#waiting.size > 0 && this.#waiting.has(operation);
  }

  /** The fault that a request of this operation meets, which is thereby counted. */
  take(operation: string): ArmedFault | undefined {
    if (this.#waiting.size === 0) return undefined;
    const waiting = this.#waiting.get(operation);
    const next = waiting?.[0];
    if (!next) return undefined;
    next.struck++;
    if (next.struck === next.times) waiting.shift();
    if (waiting.length === 0) this.#waiting.delete(operation);
    this.#observe(operation, effectOf(next.fault));
    return next.fault;
  }
}

function show({ fault, times, struck }: Listed): Fault {
  return { ...fault, times, struck, left: times - struck };
}

/** `status=503, latency_ms=200`. */
function effectOf({ status, latency_ms, drop }: ArmedFault): string {
  const effects = Object.entries({ status, latency_ms, drop }).filter(([, value]) => value !== undefined);
  return effects.map(([name, value]) => `${name}=${value}`).join(", ");
}

/** What the answer to a request that is struck depends on besides. */
export interface Struck {
  /** Carries the operation out. Its refusals are answers too. */
  readonly carryOut: () => Promise<Answer>;
  readonly path: string;
  /** The address of the error pages. */
  readonly docs: string;
  /** Aborted when the server stops, which waits for no delay. */
  readonly closing: AbortSignal;
}

/** The answer to a request that a fault strikes; `undefined` if the connection is to be closed without one. */
export async function meet(fault: ArmedFault, struck: Struck): Promise<Answer | undefined> {
  const { status, latency_ms, drop } = fault;
  const carriedOut = status === undefined && drop !== "before" ? await struck.carryOut() : undefined;
  if (latency_ms !== undefined) {
    await setTimeout(latency_ms, undefined, { signal: struck.closing }).catch(() => undefined);
  }
  if (drop !== undefined) return undefined;
  const answer = status === undefined ? carriedOut : answerOf(status, struck);
  return answer && { ...answer, headers: { ...answer.headers, [MARK]: effectOf(fault) } };
}
