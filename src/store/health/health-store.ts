/**
 * What edges report, kept beside the log: it moves no revision, its last second may be lost with the power, and
 * what is old goes. Every engine passes `health-store-contract`.
 */

import type { Heard, HeardTransition, KnownEdge, Measured } from "../../account/health/known-edge.ts";

export interface KeptMinute extends Measured {
  readonly edge: string;
}

export interface KeptTransition extends HeardTransition {
  readonly edge: string;
}

/** All times in milliseconds since 1970. Whatever reads may throw `Unreadable`, or `Away` if it cannot be reached. */
export interface HealthStore {
  /**
   * Keeps a report, which came at `arrived`. What it tells is read as soon as this resolves. The same report again
   * changes nothing but when the edge was last heard of. Throws `TooManyEdges`, or `NotCommitted` if it is not
   * kept, or not all of it.
   */
  note(account: string, report: Heard, arrived: number): Promise<void>;
  /** What is known of an account's edges, by name. */
  edges(account: string): Promise<readonly KnownEdge[]>;
  /** The newest minutes of an interconnect from a time on, by time and edge. */
  minutes(account: string, interconnect: string, from: number, limit: number): Promise<readonly KeptMinute[]>;
  /** Its newest transitions from a time on, by time. */
  transitions(
    account: string,
    interconnect: string,
    from: number,
    limit: number,
  ): Promise<readonly KeptTransition[]>;
  /** All of an account's transitions after a time, the oldest first. */
  transitionsAfter(account: string, time: number, limit: number): Promise<readonly KeptTransition[]>;
  /** Forgets what is older, and edges that were not heard of since. */
  prune(before: number): Promise<void>;
  /** Forgets an account, or everything. */
  forget(account?: string): Promise<void>;
  close(): Promise<void>;
}

/** The account has as many edges as it may. */
export class TooManyEdges extends Error {}
