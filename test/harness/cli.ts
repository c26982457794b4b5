/** The commands at a server, in the test's own process or as processes, at a terminal or not. */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { BIN, ROOT } from "./command.ts";
import { HostInProcess, type Printed } from "./in-process.ts";
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

/** Runs the command to its end in the test's own process, without a terminal. `stdin` is its input. */
export function patchbay(at: At, args: readonly string[], stdin = ""): Promise<Said> {
  return runIn(environmentFor(at), args, stdin);
}

export function runIn(env: NodeJS.ProcessEnv, args: readonly string[], stdin = ""): Promise<Said> {
  const { host, command } = inProcess(env, args, false);
  host.stdin.end(stdin);
  return command.ended;
}

/** Runs the command in the test's own process, at a simulated terminal. Signals need `startAtTerminal`. */
export function openAtTerminal(at: At, args: readonly string[]): RunningHere {
  return openAtTerminalIn(environmentFor(at), args);
}

export function openAtTerminalIn(env: NodeJS.ProcessEnv, args: readonly string[]): RunningHere {
  return inProcess(env, args, true).command;
}

function inProcess(env: NodeJS.ProcessEnv, args: readonly string[], isTTY: boolean) {
  const heard = new Set<() => void>();
  const host = new HostInProcess(env, isTTY, () => {
    for (const look of heard) look();
  });
  const said = host.printed;
  const ended = host.run(args).then((code) => ({ code, ...said }));
  const type = (keys: string) => void host.stdin.write(keys);
  return { host, command: { said, ended, hears: hearing(said, heard, ended), type } };
}

/** Runs the command to its end as a process, without a terminal. */
export async function patchbayProcess(at: At, args: readonly string[], stdin = ""): Promise<Said> {
  const running = start(at, args);
  // A command that does not read its input may be gone before all of it was written.
  running.child.stdin?.on("error", () => undefined).end(stdin);
  return running.ended;
}

/** A command in the test's own process. */
export interface RunningHere {
  /** Everything said so far. */
  readonly said: Printed;
  readonly ended: Promise<Said>;
  /**
   * Resolves once stdout and stderr together contain a text, searched from the character `after` on; rejects if the
   * command ends first.
   */
  hears(wanted: RegExp | string, after?: number): Promise<string>;
  type(keys: string): void;
}

export interface RunningCommand extends RunningHere {
  readonly child: ChildProcess;
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
  const heard = new Set<() => void>();
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.setEncoding("utf8").on("data", (text: string) => {
      said[name] += text;
      for (const look of heard) look();
    });
  }
  const ended = once(child, "close").then(([code]) => ({ code: code as number | null, ...said }));
  onTestFinished(() => void child.kill("SIGKILL"));
  return {
    child,
    said,
    ended,
    hears: hearing(said, heard, ended),
    type: (keys) => void child.stdin?.write(keys),
  };
}

/** `heard` is called whenever `said` grows. */
function hearing(said: Printed, heard: Set<() => void>, ended: Promise<Said>): RunningHere["hears"] {
  return (wanted, after = 0) =>
    new Promise((resolve, reject) => {
      const pattern = typeof wanted === "string" ? new RegExp(RegExp.escape(wanted)) : wanted;
      const look = () => {
        const found = pattern.exec((said.stdout + said.stderr).slice(after));
        if (!found) return;
        heard.delete(look);
        resolve(found[0]);
      };
      heard.add(look);
      look();
      ended.then(
        ({ code }) => reject(new Error(`ended with ${code} before ${wanted}: ${said.stdout}${said.stderr}`)),
        reject,
      );
    });
}

/** A file of the running test's own. */
export function fileOf(text: string, name = "interconnects.yaml"): string {
  const file = join(temporaryDirectory(), name);
  writeFileSync(file, text);
  return file;
}
