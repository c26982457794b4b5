/** A deadline at a terminal: the time that is left, and the keys that end it before. */

import { performance } from "node:perf_hooks";
import type { Session } from "../run.ts";
import { remaining } from "./confirm-within.ts";

export type Key = "confirm" | "revert";

/** Enter or `c` confirms, `r` reverts; ctrl-c is a signal as everywhere. */
function keyOf(input: string): Key | "interrupt" | undefined {
  for (const character of input) {
    if (character === "\u0003") return "interrupt";
    if (character === "\r" || character === "\n" || character === "c" || character === "C") return "confirm";
    if (character === "r" || character === "R") return "revert";
  }
  return undefined;
}

export class Countdown implements Disposable {
  readonly #session: Session;
  readonly #drawing: NodeJS.Timeout;
  readonly #listen: (chunk: Buffer) => void;
  #key = Promise.withResolvers<Key>();
  #beside = "";
  /** By this process's own clock, which nobody sets. */
  #deadline: number;

  constructor(session: Session, seconds: number) {
    this.#session = session;
    this.#deadline = performance.now() + seconds * 1000;
    const { terminal } = session;
    const { stdin } = terminal;
    this.#listen = (chunk) => {
      const key = keyOf(chunk.toString("latin1"));
      if (key === "interrupt") terminal.kill(terminal.pid, "SIGINT");
      else if (key !== undefined) this.#key.resolve(key);
    };
    stdin.setRawMode?.(true);
    stdin.on("data", this.#listen).resume();
    this.#drawing = setInterval(() => this.#draw(), 1000);
    this.#draw();
  }

  /** Milliseconds; negative when it is over. */
  get left(): number {
    return this.#deadline - performance.now();
  }

  extend(milliseconds: number): void {
    this.#deadline += milliseconds;
    this.#draw();
  }

  /** The next key that means something. */
  async key(): Promise<Key> {
    const key = await this.#key.promise;
    this.#key = Promise.withResolvers();
    return key;
  }

  /** What stands beside the time. */
  show(beside: string): void {
    this.#beside = beside;
    this.#draw();
  }

  /** A sentence above the line that counts. */
  say(sentence: string): void {
    this.#session.terminal.stderr.write(`\r\u001b[K${sentence}\n`);
    this.#draw();
  }

  #draw(): void {
    const { bold } = this.#session.errorColors;
    const time = bold(remaining(this.left));
    this.#session.terminal.stderr.write(
      `\r\u001b[KUndone in ${time}. Enter or c confirms, r reverts now. ${this.#beside}`,
    );
  }

  [Symbol.dispose](): void {
    clearInterval(this.#drawing);
    const { stdin, stderr } = this.#session.terminal;
    stdin.off("data", this.#listen);
    stdin.setRawMode?.(false);
    stdin.pause();
    stderr.write("\r\u001b[K");
  }
}
