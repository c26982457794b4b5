/** The command `patchbay`: as an operator runs it, in a process of its own, or in the test's own process. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { HostInProcess } from "./in-process.ts";

export const BIN = fileURLToPath(new URL("../../bin/patchbay.js", import.meta.url));
export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** How a process ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** `patchbay serve` in the test's own process. */
export interface RunningHere {
  /** Where the server answers, without a slash at the end. */
  readonly url: string;
  /** Everything said so far. */
  readonly said: { readonly stdout: string; readonly stderr: string };
  /** Tells the command that a signal arrived, and resolves with its exit code. */
  end(signal: "SIGINT" | "SIGTERM"): Promise<number>;
}

export interface Running extends Omit<RunningHere, "end"> {
  readonly process: ChildProcess;
  /** Sends a signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<Ending>;
}

export interface Surroundings {
  /** Put before the command, e.g. a tracer with its arguments. */
  readonly before?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** The environment of the test without what would decide for the command. */
function environment(own: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(PATCHBAY_|NODE_OPTIONS|VITEST|DATABASE_URL$)/.test(name),
  );
  // What is tested here is asked more often than any client asks.
  return { ...Object.fromEntries(kept), PATCHBAY_RATE_LIMIT: "off", ...own };
}

function start(args: readonly string[], { before = [], env, cwd = ROOT }: Surroundings) {
  const [program = process.execPath, ...rest] = [...before, process.execPath, BIN, ...args];
  const child = spawn(program, rest, { cwd, env: environment(env), stdio: ["ignore", "pipe", "pipe"] });
  const said = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text) => {
    said.stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text) => {
    said.stderr += text;
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  return { child, said };
}

/** Runs the command to its end, which must come by itself. */
export async function runCommand(args: readonly string[], surroundings: Surroundings = {}) {
  const { child, said } = start(args, surroundings);
  const [code] = await once(child, "close");
  return { code: code as number | null, ...said };
}

type Variables = Readonly<Record<string, string>>;

/** Runs the command to its end in the test's own process. */
export async function runInProcess(args: readonly string[], env: Variables = {}) {
  const host = new HostInProcess(env, false);
  return { code: await host.run(args), ...host.printed };
}

/**
 * Starts `patchbay serve` in the test's own process, waits until it has printed its address, and stops it after the test.
 * It cannot answer while the test waits for a child process with `spawnSync`, as `paste` does.
 */
export async function serveInProcess(args: readonly string[], env: Variables = {}): Promise<RunningHere> {
  const greeted = Promise.withResolvers<string>();
  const host = new HostInProcess(
    { PATCHBAY_LOG_LEVEL: "silent", PATCHBAY_RATE_LIMIT: "off", ...env },
    false,
    () => {
      const url = urlIn(host.printed.stdout);
      if (url !== undefined) greeted.resolve(url);
    },
  );
  const ended = host.run(["serve", ...args]);
  const end = (signal: "SIGINT" | "SIGTERM") => {
    host.emit(signal);
    return ended;
  };
  onTestFinished(async () => void (await end("SIGTERM")));
  const early = ended.then((code) => {
    throw new Error(`patchbay ended with ${code}: ${host.printed.stderr}${host.printed.stdout}`);
  });
  return { url: await Promise.race([greeted.promise, early]), said: host.printed, end };
}

/** The server's address in its greeting, which ends with an empty line. */
function urlIn(greeting: string): string | undefined {
  return greeting.endsWith("\n\n") ? /^Patchbay answers at (\S+)$/m.exec(greeting)?.[1] : undefined;
}

/** Starts `patchbay serve` and waits until it has said where it is. */
export async function serve(args: readonly string[], surroundings: Surroundings = {}): Promise<Running> {
  const { child, said } = start(["serve", ...args], surroundings);
  const ended = once(child, "close");
  const url = await new Promise<string>((resolve, reject) => {
    const look = () => {
      const url = urlIn(said.stdout);
      if (url !== undefined) resolve(url);
    };
    child.stdout.on("data", look);
    child.once("error", reject);
    child.once("close", (code) =>
      reject(new Error(`patchbay ended with ${code}: ${said.stderr}${said.stdout}`)),
    );
  });
  return {
    url,
    process: child,
    said,
    end: async (signal) => {
      child.kill(signal);
      const [code, by] = await ended;
      return { code, signal: by };
    },
  };
}

/** What a test gives to `serve` unless the test is about it. */
export function quietly(data: string, seed?: string): string[] {
  const usual = ["--port", "0", "--metrics-port", "off", "--log-level", "silent", "--data", data];
  return seed === undefined ? usual : [...usual, "--seed", seed];
}
