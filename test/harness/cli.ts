/** The commands at a server, run as processes, at a terminal or not. */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { BIN, ROOT } from "./command.ts";
import { ACCOUNT, demo } from "./server.ts";
import { temporaryDirectory } from "./temporary.ts";

/** Why there are no pseudo-terminals: those of util-linux are used, whose program of the same name elsewhere differs. */
export const noTerminal =
  spawnSync("script", ["--version"]).status === 0 ? undefined : "not installed: script (util-linux)";

export interface At {
  readonly url: string;
  readonly token?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Said {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The environment that names a server, and nothing of the tester's own. */
export function environmentFor({ url, token = demo.token, env = {} }: At): NodeJS.ProcessEnv {
  return {
    PATH: process.env["PATH"],
    HOME: "/nonexistent",
    TERM: "xterm",
    CLOUDFLARE_API_TOKEN: token,
    CLOUDFLARE_ACCOUNT_ID: ACCOUNT,
    CLOUDFLARE_BASE_URL: `${url}/client/v4`,
    ...env,
  };
}

/** Runs the command to its end, without a terminal. */
export async function patchbay(at: At, args: readonly string[], stdin = ""): Promise<Said> {
  const running = start(at, args);
  // A command that does not read its input may be gone before all of it was written.
  running.child.stdin?.on("error", () => undefined).end(stdin);
  return running.ended;
}

export interface RunningCommand {
  readonly child: ChildProcess;
  /** Everything said so far. */
  readonly said: { stdout: string; stderr: string };
  readonly ended: Promise<Said>;
  /** Resolves once stdout and stderr together hold what is looked for; rejects if the command ends before. */
  hears(wanted: RegExp): Promise<string>;
  type(keys: string): void;
}

export function start(at: At, args: readonly string[], cwd = ROOT): RunningCommand {
  return startIn(environmentFor(at), args, cwd);
}

/** The command in an environment of whatever kind. */
export function startIn(env: NodeJS.ProcessEnv, args: readonly string[], cwd = ROOT): RunningCommand {
  return watched(spawn(process.execPath, [BIN, ...args], { cwd, env }));
}

/** The command at a pseudo-terminal: all it says comes as stdout. */
export function startAtTerminal(at: At, args: readonly string[]): RunningCommand {
  return startAtTerminalIn(environmentFor(at), args);
}

export function startAtTerminalIn(env: NodeJS.ProcessEnv, args: readonly string[]): RunningCommand {
  const quoted = [process.execPath, BIN, ...args].map((arg) => `'${arg.replaceAll("'", "'\\''")}'`);
  const id = join(temporaryDirectory(), "pid");
  onTestFinished(() => endLeftBehind(id));
  const line = `echo $$ > '${id}'; exec ${quoted.join(" ")}`;
  return watched(spawn("script", ["-qec", line, "/dev/null"], { cwd: ROOT, env }));
}

/** Ends a command that has outlived its terminal, as one with a deadline does; not who has its number by now. */
function endLeftBehind(id: string): void {
  try {
    const pid = Number(readFileSync(id, "utf8"));
    if (readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(BIN)) process.kill(pid, "SIGKILL");
  } catch {
    // It has ended, or never begun.
  }
}

function watched(child: ChildProcess): RunningCommand {
  const said = { stdout: "", stderr: "" };
  const waiting = new Set<() => void>();
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.setEncoding("utf8").on("data", (text: string) => {
      said[name] += text;
      for (const look of waiting) look();
    });
  }
  const ended = once(child, "close").then(([code]) => ({ code: code as number | null, ...said }));
  onTestFinished(() => void child.kill("SIGKILL"));
  return {
    child,
    said,
    ended,
    hears: (wanted) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = wanted.exec(said.stdout + said.stderr);
          if (!found) return;
          waiting.delete(look);
          resolve(found[0]);
        };
        waiting.add(look);
        look();
        void ended.then(({ code }) =>
          reject(new Error(`ended with ${code} before ${wanted}: ${said.stdout}${said.stderr}`)),
        );
      }),
    type: (keys) => void child.stdin?.write(keys),
  };
}

/** A file of the running test's own. */
export function fileOf(text: string, name = "interconnects.yaml"): string {
  const file = join(temporaryDirectory(), name);
  writeFileSync(file, text);
  return file;
}
