/** A `Watch` in a process of its own, inside a namespace: a process has the sockets of the namespace it is in. */

import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Minute, Transition } from "../../src/contract/health.ts";
import type { ProbeTarget } from "../../src/edge/probe/targets.ts";
import type { WatchedState, WatchFigures } from "../../src/edge/watch.ts";
import type { Host } from "./namespaces.ts";

/** What the process is asked, a line of JSON each. */
export type Question =
  | { readonly ask: "set"; readonly targets: readonly ProbeTarget[] }
  | { readonly ask: "look" }
  /** Its clocks go forward by so many milliseconds, or back. */
  | { readonly ask: "jump"; readonly monotonic: number; readonly wall: number };

/** What it says. `at` is `performance.now()` there when it was said. */
export type Saying =
  | { readonly say: "transition"; readonly at: number; readonly transition: Transition }
  | { readonly say: "ready"; readonly at: number }
  | ({ readonly say: "look"; readonly at: number } & Look);

export interface Look {
  readonly figures: WatchFigures;
  readonly states: Readonly<Record<string, WatchedState>>;
  readonly roundTrips: Readonly<Record<string, number>>;
  readonly minutes: readonly Minute[];
}

const PROGRAM = fileURLToPath(new URL("watching-child.ts", import.meta.url));
/** Milliseconds; a machine that is emulated is slow. */
const PATIENCE = 30_000;

export class Watching {
  readonly #child: ReturnType<Host["spawn"]>;
  readonly #said: Saying[] = [];
  #complaints = "";
  #wake: () => void = () => undefined;

  private constructor(child: ReturnType<Host["spawn"]>) {
    this.#child = child;
    child.stderr?.on("data", (chunk: Buffer) => {
      this.#complaints += chunk.toString();
    });
    if (child.stdout === null) throw new TypeError("the child has no output");
    createInterface({ input: child.stdout }).on("line", (line) => {
      this.#said.push(JSON.parse(line));
      this.#wake();
    });
    child.on("close", () => this.#wake());
  }

  /** Ready to be told what to watch. It ends with the host. */
  static async start(host: Host, healthTimeScale = 1): Promise<Watching> {
    const watching = new Watching(host.spawn(process.execPath, [PROGRAM, String(healthTimeScale)]));
    await watching.#next((saying) => saying.say === "ready");
    return watching;
  }

  /** Resolves when they are being watched. */
  async set(targets: readonly ProbeTarget[]): Promise<number> {
    this.#ask({ ask: "set", targets });
    return (await this.#next((saying) => saying.say === "ready")).at;
  }

  /** As if its clocks had jumped. */
  async jump({ monotonic = 0, wall = 0 }: { monotonic?: number; wall?: number }): Promise<void> {
    this.#ask({ ask: "jump", monotonic, wall });
    await this.#next((saying) => saying.say === "ready");
  }

  async look(): Promise<Look> {
    this.#ask({ ask: "look" });
    const said = await this.#next((saying) => saying.say === "look");
    if (said.say !== "look") throw new TypeError("not a look");
    return said;
  }

  /** Looks again and again until it is as wanted. */
  async until(wanted: (look: Look) => boolean): Promise<Look> {
    const deadline = performance.now() + PATIENCE;
    for (;;) {
      const look = await this.look();
      if (wanted(look)) return look;
      if (performance.now() > deadline) throw new Error(`never: ${JSON.stringify(look)}`);
      // The other process has to get its turn.
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** The next transition of an interconnect. */
  async transition(interconnect: string): Promise<Transition> {
    const said = await this.#next(
      (saying) => saying.say === "transition" && saying.transition.interconnect === interconnect,
    );
    if (said.say !== "transition") throw new TypeError("not a transition");
    return said.transition;
  }

  async stop(): Promise<void> {
    const closed = once(this.#child, "close");
    this.#child.stdin?.end();
    await closed;
  }

  #ask(question: Question): void {
    this.#child.stdin?.write(`${JSON.stringify(question)}\n`);
  }

  /** The first that was said and not yet taken. */
  async #next(which: (saying: Saying) => boolean): Promise<Saying> {
    const timer = setTimeout(() => this.#wake(), PATIENCE);
    const deadline = performance.now() + PATIENCE;
    try {
      for (;;) {
        const at = this.#said.findIndex(which);
        const [found] = at === -1 ? [] : this.#said.splice(at, 1);
        if (found !== undefined) return found;
        if (this.#child.exitCode !== null || performance.now() >= deadline)
          throw new Error(`nothing came; ${this.#complaints || "it said nothing"}`);
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      clearTimeout(timer);
    }
  }
}
