/** So many at a time, in the order in which they came. */
export class Lane {
  readonly #width: number;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(width = 1) {
    this.#width = width;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  async run<T>(action: () => Promise<T>): Promise<T> {
    // Whoever ends hands its place over, so that nobody who comes later takes it.
    if (this.#running < this.#width) this.#running++;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await action();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running--;
    }
  }
}
