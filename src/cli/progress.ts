/** Tells a person at a terminal what takes so long: one line that counts, gone as soon as there is more to say. */

import type { Output } from "./terminal.ts";

/** Milliseconds of silence before anything is said, and between two lines. */
const PATIENCE = 1_000;

interface Wait {
  readonly what: string;
  readonly since: number;
}

export class Progress {
  readonly #stream: Output;
  readonly #on: boolean;
  readonly #waits: Wait[] = [];
  #timer: NodeJS.Timeout | undefined;
  #drawn = false;

  /** `on`: may anything be said at all? Only at a terminal is it. */
  constructor(stream: Output, on: boolean) {
    this.#stream = stream;
    this.#on = on && stream.isTTY === true;
  }

  /**
   * Something that may take long, from now until it is disposed of. `busy` is what leaves no time to say anything
   * later, so that it is said at once.
   */
  during(what: string, busy = false): Disposable {
    if (!this.#on) return { [Symbol.dispose]: () => undefined };
    const wait = { what, since: performance.now() };
    this.#waits.push(wait);
    if (this.#timer === undefined) this.#wake(PATIENCE);
    if (busy) this.#draw(wait);
    return {
      [Symbol.dispose]: () => {
        this.#waits.splice(this.#waits.indexOf(wait), 1);
        this.clear();
        if (this.#waits.length > 0) return;
        clearTimeout(this.#timer);
        this.#timer = undefined;
      },
    };
  }

  /** Takes the line away. */
  clear(): void {
    if (this.#drawn) this.#stream.write("\r\u001b[K");
    this.#drawn = false;
  }

  #wake(milliseconds: number): void {
    this.#timer = setTimeout(() => {
      const wait = this.#waits.at(-1);
      // A timer fires up to a millisecond early, and what is waited for now may have begun after it was set.
      const early = wait ? Math.ceil(PATIENCE - (performance.now() - wait.since)) : 0;
      if (wait && early <= 0) this.#draw(wait);
      this.#wake(early > 0 ? early : PATIENCE);
    }, milliseconds).unref();
  }

  #draw({ what, since }: Wait): void {
    const seconds = Math.round((performance.now() - since) / 1000);
    this.#stream.write(`\r\u001b[K${what} …${seconds === 0 ? "" : ` ${seconds} s`} `);
    this.#drawn = true;
  }
}
