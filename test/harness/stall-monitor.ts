/**
 * Measures the longest step of this thread's event loop, in milliseconds of its own CPU time: what other processes
 * take from a busy machine does not count. A step here is one turn of the loop, garbage collection on this thread included.
 */
export class StallMonitor implements Disposable {
  #longest = 0;
  #total = 0;
  #turns = 0;
  #last = process.threadCpuUsage();
  readonly #timer: NodeJS.Timeout;
  readonly #notice: ((milliseconds: number) => void) | undefined;

  /** `notice` is called after each turn, with its milliseconds of CPU time. */
  static start(notice?: (milliseconds: number) => void): StallMonitor {
    return new StallMonitor(notice);
  }

  private constructor(notice: ((milliseconds: number) => void) | undefined) {
    this.#notice = notice;
    // Timers run once per turn of the loop, so what passes between two of them is one turn, or several short ones.
    this.#timer = setInterval(() => this.#look(), 1).unref();
  }

  /** Milliseconds of CPU time of the longest turn so far. */
  get longest(): number {
    this.#look();
    return this.#longest;
  }

  /** Milliseconds of CPU time of the average turn so far. */
  get mean(): number {
    return this.#turns === 0 ? 0 : this.#total / this.#turns;
  }

  /** Forgets what was measured so far. */
  reset(): void {
    this.#last = process.threadCpuUsage();
    this.#longest = 0;
    this.#total = 0;
    this.#turns = 0;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const { user, system } = process.threadCpuUsage();
    const spent = (user - this.#last.user + system - this.#last.system) / 1_000;
    this.#last = { user, system };
    this.#longest = Math.max(this.#longest, spent);
    this.#total += spent;
    this.#turns++;
    this.#notice?.(spent);
  }
}
