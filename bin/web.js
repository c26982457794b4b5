// The dashboard's static files, dist/web/: built from web/ where they are missing or older than what they are made of.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { alone } from "./bootstrap.js";
import { environment, ROOT, run, SetupFailure, toolFile } from "./program.js";

const BUILT = join(ROOT, "dist", "web");
/** Beside the folder, not in it: all that is in it is served. */
const STAMP = join(ROOT, "dist", "web.stamp");
const SOURCES = ["web", "src/contract", "src/account", "package-lock.json"];

/**
 * Builds the dashboard if it is not as its sources are.
 * @param {import("./program.js").Toolchain} toolchain
 */
export async function ensureWeb(toolchain) {
  // What is run without its sources, such as the tests of the bootstrap, has no dashboard.
  if (!existsSync(join(ROOT, "web", "package.json")) || isFresh(hashOfSources())) return;
  await alone(async () => {
    // While this one waited for its turn, another may have built.
    const hash = hashOfSources();
    if (!isFresh(hash)) await build(toolchain, hash);
  });
}

/**
 * @param {import("./program.js").Toolchain} toolchain
 * @param {string} hash
 */
async function build(toolchain, hash) {
  console.error("Building the dashboard …");
  // Put together aside, so that a server that runs meanwhile never sees half of it.
  const aside = join(ROOT, "dist", `web-${process.pid}`);
  try {
    const args = [toolFile("vite"), "build", "--logLevel", "warn", "--outDir", aside, "--emptyOutDir"];
    const ending = await run(toolchain.node, args, {
      // Whoever runs it: tests are to see what users see.
      env: { ...environment(toolchain), NODE_ENV: "production" },
      cwd: join(ROOT, "web"),
      listen: true,
    });
    if (ending.code !== 0) {
      throw new SetupFailure(`The dashboard could not be built:\n${ending.said.trim()}`);
    }
    rmSync(STAMP, { force: true });
    rmSync(BUILT, { recursive: true, force: true });
    renameSync(aside, BUILT);
    writeFileSync(STAMP, hash);
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
}

/**
 * @param {string} hash
 */
function isFresh(hash) {
  return existsSync(join(BUILT, "index.html")) && existsSync(STAMP) && readFileSync(STAMP, "utf8") === hash;
}

/** By content: a fresh clone's files are all as new as each other. */
function hashOfSources() {
  const hash = createHash("sha256");
  for (const source of SOURCES) {
    for (const file of filesOf(join(ROOT, source)).sort()) {
      hash.update(relative(ROOT, file)).update("\0").update(readFileSync(file)).update("\0");
    }
  }
  return hash.digest("hex");
}

/**
 * @param {string} path a file, or a folder with all that is below it
 * @returns {string[]}
 */
function filesOf(path) {
  if (!existsSync(path)) return [];
  if (statSync(path).isFile()) return [path];
  const entries = readdirSync(path, { recursive: true, withFileTypes: true, encoding: "utf8" });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !file.includes(`${sep}node_modules${sep}`));
}
