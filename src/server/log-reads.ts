/** Reads of the log for responses. */

import { LARGE_LOG_READ_BYTES, LARGE_LOG_READS_AT_ONCE } from "../contract/limits.ts";
import type { Store } from "../store/store.ts";
import { Lane } from "./lane.ts";

export class LogReads {
  readonly #store: Pick<Store, "logSize">;
  readonly #lane = new Lane(LARGE_LOG_READS_AT_ONCE);

  constructor(store: Pick<Store, "logSize">) {
    this.#store = store;
  }

  /**
   * Runs a read of the records after a revision, at most `limit` of them, with what is made of them. A large one waits for
   * its turn: a record takes many times its bytes while it is parsed and encoded.
   */
  async run<T>(id: string, after: number, limit: number, read: () => Promise<T>): Promise<T> {
    const { bytes } = await this.#store.logSize(id, after, limit);
    return bytes <= LARGE_LOG_READ_BYTES ? read() : this.#lane.run(read);
  }

  /** The same for a read whose size is not known ahead. */
  runLarge<T>(read: () => Promise<T>): Promise<T> {
    return this.#lane.run(read);
  }
}
