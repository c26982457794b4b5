/** Tells that something changed in the kernel, whoever changed it. */

import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import type { Commands } from "./commands.ts";
import { NftablesEvents } from "./nftables-events.ts";

/** Milliseconds that it has to be quiet for, since one change comes as many lines. */
const QUIET = 50;
/** Milliseconds after which it is told although it is never quiet. */
const LONGEST = 500;
/** Milliseconds before one that ended is started again; then what happened meanwhile is looked for. */
const AGAIN = 1_000;

/** Milliseconds until one that was started hears everything. */
const SETTLED = 1_000;

/** Milliseconds between two looks at whether nftables said something. */
const NFTABLES = 250;

export interface Listener {
  /** Of everything, one line each (`ip -o monitor label`). Is it about something that the edge made? */
  heard(line: string): boolean;
  /** A table of nftables changed that the edge made. */
  heardOfTables(): void;
  /** It is quiet again after what was about the edge. */
  changed(): void;
}

export class Monitor implements Disposable {
  readonly #commands: Commands;
  readonly #listener: Listener;
  readonly #nftables: NftablesEvents;
  readonly #poll: NodeJS.Timeout;
  #child: ChildProcess | undefined;
  #restart: NodeJS.Timeout | undefined;
  #settled: NodeJS.Timeout | undefined;
  #quiet: NodeJS.Timeout | undefined;
  #since = 0;
  #started = 0;
  #ended = false;

  constructor(commands: Commands, listener: Listener) {
    this.#commands = commands;
    this.#listener = listener;
    this.#nftables = new NftablesEvents(commands.namespace);
    this.#poll = setInterval(() => this.#ask(), NFTABLES);
    this.#watch();
  }

  /** Since when it tells of every change (a time of `performance.now`, which may be to come), if it does. */
  hearingSince(): number | undefined {
    this.#ask();
    return this.#child && this.#started + SETTLED;
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
      this.#listener.changed();
    }, wait);
  }

  /** If it is about to tell, it waits for another quiet. */
  defer(): void {
    if (this.#quiet) this.touch();
  }

  [Symbol.dispose](): void {
    this.#ended = true;
    clearTimeout(this.#quiet);
    clearTimeout(this.#restart);
    clearTimeout(this.#settled);
    clearInterval(this.#poll);
    this.#child?.kill("SIGKILL");
    this.#nftables[Symbol.dispose]();
  }

  #ask(): void {
    if (this.#ended || !this.#nftables.happened()) return;
    this.#listener.heardOfTables();
    this.touch();
  }

  #watch(): void {
    const args = ["-o", "monitor", "label", "link", "address", "route", "rule"];
    const child = this.#commands.start("ip", args, { stdio: ["ignore", "pipe", "ignore"] });
    this.#child = child;
    this.#started = performance.now();
    // For what happened before it listened.
    clearTimeout(this.#settled);
    this.#settled = setTimeout(() => this.touch(), SETTLED);
    if (child.stdout)
      createInterface({ input: child.stdout }).on("line", (line) => {
        if (this.#listener.heard(line)) this.touch();
      });
    const again = () => {
      if (this.#child !== child || this.#ended) return;
      this.#child = undefined;
      this.#restart = setTimeout(() => this.#watch(), AGAIN);
    };
    child.on("error", again);
    child.on("close", again);
  }
}
