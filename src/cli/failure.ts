/** What ends a command: a sentence for people, and the same as JSON. */

import type { Told } from "../file/told.ts";

export type { Told };

/** Ends a command. `main.ts` prints it, or tells it as JSON where that was asked for. */
export class CommandFailure extends Error {
  readonly problems: readonly Told[];
  /** What to do next, as a sentence or a command. */
  readonly advice: string | undefined;
  /** Of the process. */
  readonly exitCode: number;

  constructor(
    message: string,
    more: { readonly problems?: readonly Told[]; readonly advice?: string; readonly exitCode?: number } = {},
  ) {
    super(message);
    this.name = "CommandFailure";
    this.problems = more.problems ?? [];
    this.advice = more.advice;
    this.exitCode = more.exitCode ?? 1;
  }
}
