/** How every command ends: by its exit code, or by a failure that is told as text or as JSON. */

import { CommandFailure, type Told } from "./failure.ts";
import { type Common, colorsFor, type Terminal } from "./terminal.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Runs a command. Resolves with its exit code. */
export async function run(
  options: Common,
  env: Environment,
  terminal: Terminal,
  action: () => Promise<number>,
): Promise<number> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    if (options.json) terminal.stdout.write(`${JSON.stringify(asJson(error))}\n`);
    else terminal.stderr.write(asText(error, options, env, terminal));
    return error.exitCode;
  }
}

/** Tells a person what goes on; nothing with `--quiet`. */
export function noteTo(options: Common, terminal: Terminal): (sentence: string) => void {
  return (sentence) => {
    if (!options.quiet) terminal.stderr.write(`${sentence}\n`);
  };
}

function asJson({ message, problems, advice }: CommandFailure): object {
  return { success: false, message, problems, ...(advice === undefined ? {} : { advice }) };
}

function asText(
  { message, problems, advice }: CommandFailure,
  options: Common,
  env: Environment,
  terminal: Terminal,
): string {
  const { red, dim } = colorsFor(terminal.stderr, options, env);
  const lines = [red(message), ...problems.flatMap((problem) => tellProblem(problem, dim))];
  if (advice !== undefined) lines.push(advice);
  return `${lines.join("\n")}\n`;
}

function tellProblem({ code, message, pointer, place, page }: Told, dim: (text: string) => string): string[] {
  const where = place ?? pointer;
  const head = `  ${where === undefined ? "" : `${where}: `}${message}${code === undefined ? "" : ` (${code})`}`;
  return page === undefined ? [head] : [head, dim(`    ${page}`)];
}
