/** Limits how many large reads of the log for responses run at the same time. */

import { LARGE_LOG_READ_BYTES, LARGE_LOG_READS_AT_ONCE } from "../contract/limits.ts";
import type { Store } from "../store/store.ts";
import { ConcurrencyLimit } from "./concurrency-limit.ts";

export class LogReads {
  readonly #store: Pick<Store, "logSize">;
  readonly #limit = new ConcurrencyLimit(LARGE_LOG_READS_AT_ONCE);

  constructor(store: Pick<Store, "logSize">) {
    this.#store = store;
  }

  /**
   * Runs `read`, which reads and encodes at most `limit` records after a revision. A large read waits for its turn, since a
   * record takes many times its size in memory while it is parsed and encoded.
   */
  async run<T>(id: string, after: number, limit: number, read: () => Promise<T>): Promise<T> {
    const { bytes } = await this.#store.logSize(id, after, limit);
    return bytes <= LARGE_LOG_READ_BYTES ? read() : this.#limit.run(read);
  }

  /** For a read whose size is unknown in advance: treats it as large. */
  runLarge<T>(read: () => Promise<T>): Promise<T> {
    return this.#limit.run(read);
  }
}
