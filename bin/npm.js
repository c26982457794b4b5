// npm, as the bootstrap uses it: whichever there is, quietly.

import { existsSync } from "node:fs";
import { basename } from "node:path";
import { messageOf, ROOT, run } from "./program.js";

/**
 * A command with its first arguments: `["npm"]`, or `[node, "…/npm-cli.js"]`.
 * @typedef {readonly [string, ...string[]]} Command
 */

/**
 * The npm that started this process, run by the Node that ran it (Debian's npm runs under no other); else `npm`.
 * @returns {Command}
 */
export function callersNpm() {
  const { npm_execpath: cli, npm_node_execpath: node } = process.env;
  // Yarn and pnpm set this too, to themselves.
  if (cli === undefined || basename(cli) !== "npm-cli.js" || !existsSync(cli)) return ["npm"];
  return [node !== undefined && existsSync(node) ? node : process.execPath, cli];
}

/**
 * Runs npm in the project's folder, quietly.
 * @param {Command} npm
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 */
export async function runNpm([command, ...first], args, env = process.env) {
  // An npm above hands its own switches down, and `npm pack --dry-run` must not make this one do nothing.
  const own = [
    "--dry-run=false",
    "--global=false",
    "--json=false",
    "--loglevel=error",
    "--no-audit",
    "--no-fund",
  ];
  try {
    return await run(command, [...first, ...args, ...own], { env, cwd: ROOT, listen: true });
  } catch (error) {
    return { code: 1, signal: null, asked: null, said: `npm could not be run (${messageOf(error)})` };
  }
}

/**
 * The line of npm's complaint that says most.
 * @param {{ said: string, code: number | null, signal: string | null }} npm
 * @returns {string}
 */
export function reasonOf({ said, code, signal }) {
  const lines = said
    .split("\n")
    .map((line) => line.replace(/^npm (error|ERR!)\s*/, "").trim())
    .filter((line) => line !== "" && !line.startsWith("npm warn"));
  const telling = lines.find((line) => !/^(code|errno|syscall|path|dest)\b/.test(line)) ?? lines[0];
  return (telling ?? `npm ended with ${signal ?? `exit code ${code}`}`).replace(/\.$/, "");
}
