/** Limits how many actions run at the same time. The others wait, in order of arrival. */
export class ConcurrencyLimit {
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
    // An action that ends passes its place to the next waiting one, so that a new arrival cannot take it.
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
