/** The command `patchbay` in the test's own process, with an environment, streams and an exit code of its own. */

import { EventEmitter } from "node:events";
import { PassThrough, Writable } from "node:stream";
import { type Host, main } from "../../src/main.ts";

/** What the command has printed. At a terminal, everything is in `stdout`. */
export interface Printed {
  stdout: string;
  stderr: string;
}

/** Only a process ends in the middle of a command: tests of signals start one. */
class NotAProcess extends Error {
  constructor(what: string) {
    super(`${what} needs a process of its own: start the command with start() or startAtTerminal().`);
  }
}

export class HostInProcess extends EventEmitter implements Host {
  readonly printed: Printed = { stdout: "", stderr: "" };
  readonly env: Host["env"];
  readonly stdin;
  readonly stdout;
  readonly stderr;
  readonly pid = 0;
  exitCode?: Host["exitCode"];

  /** `isTTY`: stdin, stdout and stderr are one terminal. */
  constructor(env: Host["env"], isTTY: boolean, heard: () => void = () => undefined) {
    super();
    this.env = env;
    this.stdin = Object.assign(new PassThrough(), isTTY ? { isTTY, setRawMode: () => undefined } : {});
    const output = (stream: keyof Printed) => {
      const write = (text: unknown, _encoding: unknown, done: () => void) => {
        this.printed[isTTY ? "stdout" : stream] += String(text);
        heard();
        done();
      };
      return Object.assign(
        new Writable({ write, decodeStrings: false }),
        isTTY ? { isTTY, columns: 80 } : {},
      );
    };
    this.stdout = output("stdout");
    this.stderr = output("stderr");
  }

  umask(): void {
    // It is the test's process, too.
  }

  kill(_pid: number, signal: string): never {
    throw new NotAProcess(signal);
  }

  exit(code: number): never {
    throw new NotAProcess(`Exit code ${code} in the middle of a command`);
  }

  /** Runs a command to its end and resolves with its exit code. */
  async run(args: readonly string[]): Promise<number> {
    await main(args, this);
    return Number(this.exitCode ?? 0);
  }
}
