/** Where a command speaks: results to stdout, everything else to stderr. */

import { once } from "node:events";
import { createInterface } from "node:readline/promises";
import { CommandFailure } from "./failure.ts";

export interface Input extends NodeJS.ReadableStream {
  readonly isTTY?: boolean;
  /** Terminals only. */
  setRawMode?(isRaw: boolean): unknown;
}

export interface Output extends NodeJS.WritableStream {
  readonly isTTY?: boolean;
  /** The width of a terminal. */
  readonly columns?: number;
}

/** The streams and signals of a process that a command uses. A test passes its own. */
export interface Terminal {
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly pid: number;
  kill(pid: number, signal: "SIGINT"): unknown;
}

/** Options that all commands have. */
export interface Common {
  readonly profile?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly color?: boolean;
}

type Paint = (text: string) => string;

export interface Colors {
  readonly red: Paint;
  readonly green: Paint;
  readonly yellow: Paint;
  readonly cyan: Paint;
  readonly bold: Paint;
  readonly dim: Paint;
}

const plain: Paint = (text) => text;
const sgr =
  (on: number, off: number): Paint =>
  (text) =>
    `\u001b[${on}m${text}\u001b[${off}m`;

/** Colours for a stream: on a terminal, unless `NO_COLOR` is set (https://no-color.org) or `--no-color` given. */
export function colorsFor(
  stream: Output,
  { color }: Common,
  env: Readonly<Record<string, string | undefined>>,
): Colors {
  const on = color !== false && !env["NO_COLOR"] && env["TERM"] !== "dumb" && stream.isTTY === true;
  if (!on) return { red: plain, green: plain, yellow: plain, cyan: plain, bold: plain, dim: plain };
  return {
    red: sgr(31, 39),
    green: sgr(32, 39),
    yellow: sgr(33, 39),
    cyan: sgr(36, 39),
    bold: sgr(1, 22),
    dim: sgr(2, 22),
  };
}

/** Can a person be asked? Only where both ends are a terminal. */
export function canAsk({ stdin, stderr }: Terminal): boolean {
  return stdin.isTTY === true && stderr.isTTY === true;
}

/** Asks for `yes`. Throws where nobody can answer: no prompt without a terminal. */
export async function confirmed(terminal: Terminal, question: string): Promise<boolean> {
  if (!canAsk(terminal)) {
    throw new CommandFailure("This asks before it acts, and there is no terminal to ask at.", {
      advice: "Give --yes to act without being asked.",
    });
  }
  const reader = createInterface({ input: terminal.stdin, output: terminal.stderr });
  // While it reads, ctrl-c is a key; whoever runs the command hears of it as everywhere else.
  reader.on("SIGINT", () => terminal.kill(terminal.pid, "SIGINT"));
  const closed = once(reader, "close").then(() => "");
  try {
    const answer = await Promise.race([reader.question(`${question} Only "yes" is taken: `), closed]);
    return answer.trim() === "yes";
  } finally {
    reader.close();
  }
}
