/** Tells that something changed in the kernel, whoever changed it. */

import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import type { Commands } from "./commands.ts";

/** Milliseconds that it has to be quiet for, since one change comes as many lines. */
const QUIET = 50;
/** Milliseconds after which it is told although it is never quiet. */
const LONGEST = 500;
/** Milliseconds before one that ended is started again; then what happened meanwhile is looked for. */
const AGAIN = 1_000;

const WATCHERS: readonly (readonly [string, readonly string[]])[] = [
  ["ip", ["-o", "monitor", "link", "address", "route", "rule"]],
  ["nft", ["monitor"]],
];

export class Monitor implements Disposable {
  readonly #commands: Commands;
  readonly #isOurs: (line: string) => boolean;
  readonly #changed: () => void;
  readonly #children = new Set<ChildProcess>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #quiet: NodeJS.Timeout | undefined;
  #since = 0;
  #ended = false;

  /** `isOurs`: may a line be about something that the edge made? */
  constructor(commands: Commands, isOurs: (line: string) => boolean, changed: () => void) {
    this.#commands = commands;
    this.#isOurs = isOurs;
    this.#changed = changed;
    for (const [program, args] of WATCHERS) this.#watch(program, args);
  }

  /** Tells of it again after the next quiet. */
  touch(): void {
    if (this.#ended) return;
    const now = performance.now();
    if (this.#quiet) clearTimeout(this.#quiet);
    else this.#since = now;
    const wait = Math.max(0, Math.min(QUIET, this.#since + LONGEST - now));
    this.#quiet = setTimeout(() => {
      this.#quiet = undefined;
      this.#changed();
    }, wait);
  }

  [Symbol.dispose](): void {
    this.#ended = true;
    clearTimeout(this.#quiet);
    for (const timer of this.#timers) clearTimeout(timer);
    for (const child of this.#children) child.kill("SIGKILL");
  }

  #watch(program: string, args: readonly string[]): void {
    const child = this.#commands.start(program, args, { stdio: ["ignore", "pipe", "ignore"] });
    this.#children.add(child);
    if (child.stdout)
      createInterface({ input: child.stdout }).on("line", (line) => {
        if (this.#isOurs(line)) this.touch();
      });
    const again = () => {
      if (!this.#children.delete(child) || this.#ended) return;
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        this.#watch(program, args);
        this.touch();
      }, AGAIN);
      this.#timers.add(timer);
    };
    child.on("error", again);
    child.on("close", again);
  }
}
