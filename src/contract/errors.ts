/**
 * Every error of the API, in one table: code, status, sentence, what to do, where it is known from.
 *
 * Codes below 990000 are the vendor's; 990000 to 990999 are Patchbay's own, for refusals whose code
 * the vendor does not publish. A page for each code is generated from this table.
 */

import { adminErrors } from "./errors-admin.ts";
import { auditErrors } from "./errors-audit.ts";
import { cniErrors } from "./errors-cni.ts";
import { directoryErrors } from "./errors-directory.ts";
import { gatewayErrors } from "./errors-gateway.ts";
import { healthErrors } from "./errors-health.ts";
import { networkErrors } from "./errors-network.ts";
import { ownErrors } from "./errors-own.ts";
import { sessionErrors } from "./errors-session.ts";
import { undoErrors } from "./errors-undo.ts";

/**
 * Where a behaviour is known from: the vendor's documentation, its live service, a conclusion from
 * either, or a decision of Patchbay's.
 */
export type Mark = "documented" | "observed" | "inferred" | "ours";

export interface ErrorEntry {
  readonly code: number;
  /** HTTP status. */
  readonly status: number;
  /** The sentence on the wire, with `{placeholders}`. */
  readonly message: string;
  /** When it happens. */
  readonly when: string;
  /** What the caller should do about it. */
  readonly todo: string;
  readonly mark: Mark;
  /** The gateway's nested causes, where it sends them. */
  readonly chain?: readonly { readonly code: number; readonly message: string }[];
}

export const errorTable = {
  ...gatewayErrors,
  ...ownErrors,
  ...directoryErrors,
  ...cniErrors,
  ...auditErrors,
  ...adminErrors,
  ...networkErrors,
  ...undoErrors,
  ...healthErrors,
  ...sessionErrors,
} satisfies Record<string, ErrorEntry>;

export type ErrorName = keyof typeof errorTable;

/** One thing that is wrong with a request. */
export interface Problem {
  readonly name: ErrorName;
  readonly message: string;
  /** JSON pointer into the request's body. */
  readonly pointer?: string;
  /** Nested causes; those of the table unless given. */
  readonly chain?: ErrorEntry["chain"];
}

type Values = Readonly<Record<string, string | number>>;

/** Fills the table's sentence. A value too long to read is cut. */
export function problem(name: ErrorName, values: Values = {}, pointer?: string): Problem {
  const message = errorTable[name].message.replace(/\{(\w+)\}/g, (_, key: string) =>
    shorten(String(values[key] ?? "")),
  );
  return pointer === undefined ? { name, message } : { name, message, pointer: shortenPointer(pointer) };
}

/** The longest value repeated in a sentence, in UTF-16 units. */
const LONGEST_VALUE = 400;

function shorten(text: string): string {
  return text.length <= LONGEST_VALUE ? text : `${text.slice(0, LONGEST_VALUE)}…`.toWellFormed();
}

/** The longest pointer told, in UTF-16 units. */
const LONGEST_POINTER = 1_000;

/** A pointer that is told as it is, or else that of the nearest value around it that has a shorter one. */
function shortenPointer(pointer: string): string {
  return pointer.length <= LONGEST_POINTER
    ? pointer
    : pointer.slice(0, pointer.lastIndexOf("/", LONGEST_POINTER));
}

/** The HTTP status of a refusal: that of its first problem. */
export function statusOf(problems: readonly Problem[]): number {
  const [first] = problems;
  return first ? entryOf(first.name).status : 400;
}

export function entryOf(name: ErrorName): ErrorEntry {
  return errorTable[name];
}

/** At most this many problems are told; the rest is counted. */
export const MOST_PROBLEMS = 100;

/** Collects all that is wrong with a request. Past the limit a problem costs no more than its count. */
export class Problems {
  readonly #told: Problem[] = [];
  #more = 0;

  get found(): boolean {
    return this.#told.length > 0;
  }

  /** Are there as many as will be told? Further ones are only counted. */
  get full(): boolean {
    return this.#told.length >= MOST_PROBLEMS;
  }

  /** `values` and `pointer` may be functions, for what takes work to make. */
  add(name: ErrorName, values: Values | (() => Values), pointer?: string | (() => string)): void {
    if (this.full) {
      this.#more++;
      return;
    }
    const at = typeof pointer === "function" ? pointer() : pointer;
    this.#told.push(problem(name, typeof values === "function" ? values() : values, at));
  }

  list(): readonly Problem[] {
    return this.#more === 0 ? this.#told : [...this.#told, problem("more_problems", { count: this.#more })];
  }
}
