/** Runs commands of the machine: `ip`, `nft`, `sysctl`, `birdc`. Nothing else in the edge runs any. */

import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { type Ended, runInShell } from "./shell.ts";

/** Milliseconds after which a command is given up: none of them talks to anybody but the kernel or a daemon beside it. */
const PATIENCE = 30_000;

/** Root's programs are found also where PATH is another user's. */
const PATH = `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`;

/** Those that are run again and again, and end soon. */
const QUICK = new Set(["ip", "nft"]);

/** A command that failed, or is not there. */
export class CommandFailed extends Error {
  readonly command: string;
  /** The exit code; undefined if it could not be started, or was ended by a signal. */
  readonly code: number | undefined;
  readonly stderr: string;
  /** What it printed before it failed. */
  readonly stdout: string;

  constructor(command: string, code: number | undefined, stderr: string, stdout = "") {
    super(`${command}: ${stderr.trim() || (code === undefined ? "was ended" : `exit code ${code}`)}`);
    this.name = "CommandFailed";
    this.command = command;
    this.code = code;
    this.stderr = stderr;
    this.stdout = stdout;
  }
}

export class Commands {
  /** The network namespace in which they run; that of this process if there is none. */
  readonly namespace: string | undefined;

  constructor(namespace?: string) {
    this.namespace = namespace;
  }

  /** Resolves with what was printed. Throws `CommandFailed`. */
  async run(program: string, args: readonly string[], input = ""): Promise<string> {
    const [file, all] = this.#inside(program, args);
    const quick = QUICK.has(program) ? runInShell([file, ...all], PATH, input, PATIENCE) : undefined;
    const { code, stdout, stderr } = await (quick ?? runAlone(file, all, input));
    if (code === 0) return stdout;
    throw new CommandFailed([program, ...args].join(" "), code, stderr, stdout);
  }

  /** Starts something that goes on. Whoever starts it ends it. */
  start(program: string, args: readonly string[], options: SpawnOptions): ChildProcess {
    const [file, all] = this.#inside(program, args);
    return spawn(file, all, { ...options, env: { ...process.env, ...options.env, PATH } });
  }

  #inside(program: string, args: readonly string[]): [string, readonly string[]] {
    if (this.namespace === undefined) return [program, args];
    if (program === "ip") return ["ip", ["-n", this.namespace, ...args]];
    return ["ip", ["netns", "exec", this.namespace, program, ...args]];
  }
}

function runAlone(file: string, args: readonly string[], input: string): Promise<Ended> {
  return new Promise((resolve) => {
    const env = { ...process.env, PATH };
    const child = spawn(file, args, { stdio: ["pipe", "pipe", "pipe"], timeout: PATIENCE, env });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
    child.on("error", (error) => resolve({ code: undefined, stdout: "", stderr: error.message }));
    child.on("close", (code) => {
      const stdout = Buffer.concat(out).toString();
      resolve({ code: code ?? undefined, stdout, stderr: Buffer.concat(err).toString() });
    });
    // One that ends before it has read everything says why in its exit code.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
  });
}
