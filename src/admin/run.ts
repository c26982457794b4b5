/** What all commands on a data directory share: where it is, what they say, how they end. */

import { ConfigError } from "../store/config-error.ts";
import { StoreRefused } from "../store/store.ts";

/** The part of the process that a command uses. */
export interface Terminal {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** The data directory, as `patchbay serve` finds it. */
export function dataDirectory(option: string | undefined, environment: Environment): string {
  return option ?? (environment["PATCHBAY_DATA"] || "data");
}

/** Says what the action returns, or why it was refused. Resolves with the exit status. */
export async function run(terminal: Terminal, action: () => Promise<string>): Promise<number> {
  try {
    terminal.stdout.write(`${await action()}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof StoreRefused)) throw error;
    terminal.stderr.write(`${error.message}\n`);
    return 1;
  }
}

/** RFC 3339, UTC, with microseconds as everywhere in the log. */
export function timestamp(now = new Date()): string {
  return now.toISOString().replace("Z", "000Z");
}

/** A number of things in words: `1 state`, `1,200 changes`. */
export function count(number: number, thing: string): string {
  return `${number.toLocaleString("en")} ${thing}${number === 1 ? "" : "s"}`;
}
