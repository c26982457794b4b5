// Starting a program and standing in for it: its output, its signals, its end.

import { spawn } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the project, without a slash at its end. */
export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * The Node that runs Patchbay, the npm that goes with it, and the folder that has both as commands.
 * @typedef {{ readonly node: string, readonly npm: import("./npm.js").Command, readonly folder: string }} Toolchain
 */

/**
 * How a program ended: as `spawn` tells it, and by which signal this process was asked to stop meanwhile.
 * @typedef {{ code: number | null, signal: NodeJS.Signals | null, asked: NodeJS.Signals | null, said: string }} Ending
 */

/** What only the user can mend. Its message is for the screen as it stands: what, where, what to do. */
export class SetupFailure extends Error {}

/**
 * Runs one of the commands in bin/, and turns what the user must mend into a sentence and exit code 1.
 * @param {() => Promise<void>} command
 */
export async function runCommand(command) {
  try {
    await command();
  } catch (error) {
    if (!(error instanceof SetupFailure)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}

/**
 * @param {unknown} error
 */
export function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}

/**
 * The environment of everything that is run: its `node` and `npm` are the ones found here.
 * @param {Toolchain} toolchain
 * @returns {NodeJS.ProcessEnv}
 */
export function environment({ npm, folder }) {
  const env = { ...process.env, PATH: [folder, process.env.PATH ?? ""].join(delimiter) };
  return npm.length === 1 ? env : { ...env, npm_node_execpath: npm[0], npm_execpath: npm[1] };
}

/**
 * Runs a program to its end. Signals that ask this process to stop are passed on, and the program decides.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, cwd?: string, listen?: boolean }} [options] `listen`: keep what it says
 *   instead of showing it
 * @returns {Promise<Ending>}
 */
export function run(command, args, { env = process.env, cwd = process.cwd(), listen = false } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, cwd, stdio: listen ? ["ignore", "pipe", "pipe"] : "inherit" });
    /** @type {Ending} */
    const ending = { code: null, signal: null, asked: null, said: "" };
    for (const stream of [child.stderr, child.stdout]) {
      stream?.setEncoding("utf8").on("data", (text) => {
        ending.said += text;
      });
    }
    // A terminal sends these to all its processes, so the program has it already; a second one would be taken
    // for impatience.
    const fromTerminal = process.stdin.isTTY ? ["SIGINT", "SIGHUP"] : [];
    /** @param {NodeJS.Signals} signal */
    const passOn = (signal) => {
      ending.asked = signal;
      if (!fromTerminal.includes(signal)) child.kill(signal);
    };
    const signals = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]);
    for (const signal of signals) process.on(signal, passOn);
    const done = () => {
      for (const signal of signals) process.off(signal, passOn);
    };
    child.on("error", (error) => {
      done();
      reject(error);
    });
    child.on("close", (code, signal) => {
      done();
      resolve({ ...ending, code, signal });
    });
  });
}

/**
 * @param {number} pid
 */
export function isAlive(pid) {
  // Zero means "this process and its group" to the system, and here: not known yet.
  if (pid === 0) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Another user's, but there.
    return codeOf(error) === "EPERM";
  }
}

/**
 * @param {unknown} error
 * @returns {unknown} such as "ENOENT"
 */
export function codeOf(error) {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

/**
 * Ends this process the way the program ended that it stood in for.
 * @param {Ending} ending
 */
export function endLike({ code, signal }) {
  if (signal !== null) process.kill(process.pid, signal);
  process.exitCode = code ?? 1;
}

/**
 * A program of an installed package, such as `tsc`, as a file that Node runs.
 * @param {string} name
 */
export function toolFile(name) {
  const link = join(ROOT, "node_modules", ".bin", name);
  if (!existsSync(link)) throw new SetupFailure(`No installed package has a program called ${name}.`);
  return realpathSync(link);
}
