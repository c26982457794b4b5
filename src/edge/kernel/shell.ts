/**
 * Starts short programs for an agent that is large: to copy its own process for each takes longer than most of them run
 * (10 ms and more on virtual machines), which a small shell beside it does at once. A few shells, one command at a time
 * each; they end when this process does.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import type { Readable } from "node:stream";

export interface Ended {
  /** The exit code; undefined if it could not be started, was ended, or took too long. */
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** Of as many commands at a time. */
const MOST_SHELLS = 3;
/** Where the shell's own words end and a command's input begins; no input has such a line. */
const END = `END_${randomBytes(8).toString("hex")}`;
const NOT_FOUND = 127;
/** A command that a signal ended has this and the signal's number. */
const SIGNALLED = 128;

interface Running {
  readonly end: (ended: Ended) => void;
  readonly patience: NodeJS.Timeout;
  readonly out: Buffer[];
  readonly err: Buffer[];
  outEnded: boolean;
  errEnded: boolean;
}

class Shell {
  readonly #child: ChildProcess;
  #running: Running | undefined;
  isGone = false;

  constructor() {
    // A group of its own, so that a command that hangs is ended with its shell.
    this.#child = spawn("/bin/sh", [], { stdio: ["pipe", "pipe", "ignore", "pipe"], detached: true });
    const [stdin, stdout, , stderr] = this.#child.stdio;
    stdin?.on("error", () => this.#fail("the shell ended"));
    this.#read(stdout as Readable, "out");
    this.#read(stderr as Readable, "err");
    this.#child.on("error", (error) => this.#fail(error.message));
    this.#child.on("close", () => this.#fail("the shell ended"));
    this.#keepAlive(false);
  }

  get isBusy(): boolean {
    return this.#running !== undefined;
  }

  run(words: readonly string[], path: string, input: string, patience: number): Promise<Ended> {
    const { promise, resolve } = Promise.withResolvers<Ended>();
    const late = setTimeout(() => this.#fail(`did not end within ${patience / 1000} seconds`), patience);
    this.#running = { end: resolve, patience: late, out: [], err: [], outEnded: false, errEnded: false };
    this.#keepAlive(true);
    const command = `PATH=${quoted(path)} ${words.map(quoted).join(" ")}`;
    const document = input === "" || input.endsWith("\n") ? input : `${input}\n`;
    // A zero byte ends what is printed, then comes the exit code; another one ends the complaints.
    const text = `${command} 2>&3 <<'${END}'\n${document}${END}\nprintf '\\0%d\\0' $?; printf '\\0' >&3\n`;
    this.#child.stdin?.write(text);
    return promise;
  }

  #read(stream: Readable, to: "out" | "err"): void {
    stream.on("data", (chunk: Buffer) => {
      const running = this.#running;
      if (!running) return;
      running[to].push(chunk);
      // Of standard output the last byte of all is the second zero.
      if (chunk.at(-1) !== 0) return;
      if (to === "err") running.errEnded = true;
      else running.outEnded = Buffer.concat(running.out).toString("latin1").split("\0").length === 3;
      if (running.outEnded && running.errEnded) this.#finish(running);
    });
  }

  #finish(running: Running): void {
    const [stdout = "", status] = Buffer.concat(running.out).toString().split("\0");
    const stderr = Buffer.concat(running.err).toString().slice(0, -1);
    const number = Number(status);
    const code = number === NOT_FOUND || number > SIGNALLED ? undefined : number;
    this.#end(running, { code, stdout, stderr });
  }

  #fail(why: string): void {
    this.isGone = true;
    if (this.#child.pid !== undefined)
      try {
        process.kill(-this.#child.pid, "SIGKILL");
      } catch {
        // It is gone already.
      }
    if (this.#running) this.#end(this.#running, { code: undefined, stdout: "", stderr: why });
  }

  #end(running: Running, ended: Ended): void {
    clearTimeout(running.patience);
    this.#running = undefined;
    this.#keepAlive(false);
    running.end(ended);
  }

  /** Nobody waits for a shell that has nothing to do. */
  #keepAlive(keep: boolean): void {
    const handles = [this.#child, ...this.#child.stdio] as readonly unknown[];
    for (const handle of handles) if (isHandle(handle)) handle[keep ? "ref" : "unref"]();
  }
}

interface Handle {
  ref(): void;
  unref(): void;
}

function isHandle(value: unknown): value is Handle {
  return typeof value === "object" && value !== null && "ref" in value && "unref" in value;
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

let shells: readonly Shell[] = [];

/** Runs it in a shell that is free; `undefined` if none is. */
export function runInShell(
  words: readonly string[],
  path: string,
  input: string,
  patience: number,
): Promise<Ended> | undefined {
  shells = shells.filter(({ isGone }) => !isGone);
  let free = shells.find(({ isBusy }) => !isBusy);
  if (!free && shells.length < MOST_SHELLS) {
    free = new Shell();
    shells = [...shells, free];
  }
  return free?.run(words, path, input, patience);
}
