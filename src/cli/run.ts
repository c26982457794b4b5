/** What all commands at a server share: how they start, speak, are interrupted and end. */

import { printable } from "../contract/printable.ts";
import { Api } from "./api.ts";
import { CommandFailure, type Told } from "./failure.ts";
import { asJson } from "./printable.ts";
import { findProfile, type Profile } from "./profile.ts";
import { Progress } from "./progress.ts";
import { type Colors, type Common, colorsFor, type Terminal } from "./terminal.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** The parts of a process that a running command uses. */
export interface CommandProcess extends Terminal {
  on(event: "SIGINT" | "SIGHUP", listener: () => void): unknown;
  off(event: "SIGINT" | "SIGHUP", listener: () => void): unknown;
  exit(code: number): unknown;
}

/** The parts of a process that adding commands needs. */
export interface CommandHost extends CommandProcess {
  readonly env: Environment;
  exitCode?: NodeJS.Process["exitCode"];
}

/** Of a process that ctrl-c ended, as shells have it. */
const INTERRUPTED = 130;

/** A running command: where it speaks, and what it says if it is interrupted. */
export class Session {
  readonly terminal: CommandProcess;
  readonly env: Environment;
  readonly options: Common;
  /** Of stdout. */
  readonly colors: Colors;
  /** Of stderr. */
  readonly errorColors: Colors;
  readonly #progress: Progress;
  #state = "Interrupted. Nothing was changed.";
  #api: Api | undefined;

  constructor(options: Common, env: Environment, terminal: CommandProcess) {
    this.options = options;
    this.env = env;
    this.terminal = terminal;
    this.colors = colorsFor(terminal.stdout, options, env);
    this.errorColors = colorsFor(terminal.stderr, options, env);
    this.#progress = new Progress(terminal.stderr, options.quiet !== true);
  }

  /** The server of the profile. Throws `CommandFailure` if none is named. */
  get api(): Api {
    this.#api ??= this.apiOf(findProfile(this.options.profile, this.env));
    return this.#api;
  }

  /** Another server, or another account. */
  apiOf(profile: Profile): Api {
    return new Api(profile, this);
  }

  /** Something that may take long, from now until it is disposed of; `busy`, if nothing else runs meanwhile. */
  during(what: string, busy?: boolean): Disposable {
    return this.#progress.during(what, busy);
  }

  /** A result, to stdout. */
  print(text: string): void {
    this.#progress.clear();
    this.terminal.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
  }

  /** What a person should know besides, to stderr; not with `--quiet`. */
  note(sentence: string): void {
    if (this.options.quiet !== true) this.tell(sentence);
  }

  /** What a person must know, to stderr, also with `--quiet`. */
  tell(sentence: string): void {
    this.#progress.clear();
    this.terminal.stderr.write(`${sentence}\n`);
  }

  /** What is so, should ctrl-c come from now on: one or more lines that say what stays and what to do. */
  ifInterrupted(state: string): void {
    this.#state = state;
  }

  /** Says it. */
  interrupted(): void {
    this.#progress.clear();
    this.terminal.stderr.write(`\n${this.#state}\n`);
  }
}

/**
 * Runs a command and resolves with its exit code. What it throws as `CommandFailure` is printed to stderr, or with
 * `--json` as JSON to stdout; ctrl-c says what is so and ends the process.
 */
export async function runCommand(
  options: Common,
  env: Environment,
  terminal: CommandProcess,
  action: (session: Session) => Promise<number>,
): Promise<number> {
  const session = new Session(options, env, terminal);
  const interrupt = () => {
    session.interrupted();
    terminal.exit(INTERRUPTED);
  };
  // A reader that has enough, such as `head`, is no defect; a terminal that is gone is told nothing.
  const closed = (error: Error) => {
    if ("code" in error && error.code === "EPIPE") terminal.exit(0);
    else if (!("code" in error && error.code === "EIO")) throw error;
  };
  terminal.on("SIGINT", interrupt);
  terminal.stdout.on("error", closed);
  try {
    return await action(session);
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    if (options.json === true) session.print(failureJson(error));
    else session.tell(failureText(error, session.errorColors));
    return error.exitCode;
  } finally {
    terminal.off("SIGINT", interrupt);
    terminal.stdout.off("error", closed);
  }
}

function failureJson({ message, problems, advice }: CommandFailure): string {
  return asJson({ success: false, message, problems, advice: advice ?? null });
}

/** What is wrong, each problem with its place, pointer and page, and what to do. */
function failureText({ message, problems, advice }: CommandFailure, colors: Colors): string {
  const lines = [`${colors.red("Error:")} ${printable(message)}`];
  for (const problem of problems) lines.push(...problemLines(problem, colors));
  if (advice !== undefined) lines.push(`${colors.bold("What to do:")} ${printable(advice)}`);
  return lines.join("\n");
}

/** One problem: `file:line:column: what is wrong`, and below it what a reader may look up. */
export function problemLines({ message, place, code, pointer, page }: Told, colors: Colors): string[] {
  const first = place === undefined ? printable(message) : `${colors.bold(place)}: ${printable(message)}`;
  const more = [code === undefined ? undefined : `code ${code}`, pointer, page].filter(
    (one) => one !== undefined && one !== "",
  );
  return [`  ${first}`, ...(more.length > 0 ? [`    ${colors.dim(printable(more.join("  ")))}`] : [])];
}
