/** Faults that are armed, and what a request meets that one strikes. */

import { setTimeout } from "node:timers/promises";
import { type ArmedFault, EVERY_VENDOR_OPERATION, type Fault } from "../../contract/fault.ts";
import type { Operation } from "../../contract/operation.ts";
import { type OperationName, operations } from "../../contract/operations.ts";
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
  readonly id: number;
  readonly fault: ArmedFault;
  readonly times: number;
  struck: number;
}

export class Faults {
  readonly #observe: FaultObserver;
  #listed: Listed[] = [];
  #newest = 0;
  /** Those that will still strike, by what they are armed for, in the order in which they were armed. */
  readonly #waiting = new Map<string, Listed[]>();

  constructor(observe: FaultObserver) {
    this.#observe = observe;
  }

  /** Arms a fault behind those that are armed for its operation already. */
  arm(fault: ArmedFault): Fault {
    if (this.#listed.length >= MOST_FAULTS) throw refuse("too_many_faults", { most: MOST_FAULTS });
    const listed = { id: ++this.#newest, fault, times: fault.times ?? 1, struck: 0 };
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

  /** Takes one away, and tells how it stood; `undefined` if there is none of this id. */
  disarm(id: number): Fault | undefined {
    const listed = this.#listed.find((one) => one.id === id);
    if (!listed) return undefined;
    this.#listed = this.#listed.filter((one) => one !== listed);
    this.#spend(listed);
    return show(listed);
  }

  clear(): void {
    this.#listed = [];
    this.#waiting.clear();
  }

  /** As at the start: the next fault is the first. */
  reset(): void {
    this.clear();
    this.#newest = 0;
  }

  /** Will the next request of this operation meet a fault? */
  isArmed(operation: OperationName): boolean {
    return this.#next(operation) !== undefined;
  }

  /** The fault that a request of this operation meets, which is thereby counted. */
  take(operation: OperationName): ArmedFault | undefined {
    const next = this.#next(operation);
    if (!next) return undefined;
    next.struck++;
    if (next.struck === next.times) this.#spend(next);
    this.#observe(operation, effectOf(next.fault));
    return next.fault;
  }

  /** Of what is armed for the operation itself and for all, whichever was armed first. */
  #next(operation: OperationName): Listed | undefined {
    if (this.#waiting.size === 0) return undefined;
    const own = this.#waiting.get(operation)?.[0];
    const known: Operation = operations[operation];
    const shared = known.origin === "vendor" ? this.#waiting.get(EVERY_VENDOR_OPERATION)?.[0] : undefined;
    return own && shared ? (own.id < shared.id ? own : shared) : (own ?? shared);
  }

  /** It strikes no more. */
  #spend(listed: Listed): void {
    const { operation } = listed.fault;
    const left = (this.#waiting.get(operation) ?? []).filter((one) => one !== listed);
    if (left.length === 0) this.#waiting.delete(operation);
    else this.#waiting.set(operation, left);
  }
}

function show({ id, fault, times, struck }: Listed): Fault {
  return { id, ...fault, times, struck, left: times - struck };
}

/** `status=503, latency_ms=200`. */
export function effectOf({ status, latency_ms, drop }: ArmedFault): string {
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
