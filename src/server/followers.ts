/** Long polls that wait for the next change of a log: how many may wait, and until when. */

import type { Socket } from "node:net";
import { MAX_FOLLOWERS, MAX_FOLLOWERS_PER_ACCOUNT } from "../contract/limits.ts";
import type { LiveState } from "../store/live-state.ts";
import { Refusal, refuse } from "./refusal.ts";

/** Seconds until a follower that was refused should try again. */
const RETRY_AFTER = 5;

/** One waiting request. Disposing of it admits another. */
export interface Place extends Disposable {
  /**
   * Resolves when the time is over, the client closed the connection or its side of it, or the server stops. Never rejects.
   * A client that closed its side is answered at once: it cannot be told from one that is gone.
   */
  over(milliseconds: number, socket: Socket, closing: AbortSignal): Promise<"over">;
}

export class Followers {
  readonly #most: number;
  readonly #mostOfOne: number;
  /** By state. */
  readonly #waiting = new Map<string, number>();
  #total = 0;

  constructor(most = MAX_FOLLOWERS, mostOfOne = MAX_FOLLOWERS_PER_ACCOUNT) {
    this.#most = most;
    this.#mostOfOne = mostOfOne;
  }

  /** Admits a request that waits for a state's next change, or for something else. Throws the refusal of one more than may wait. */
  enter(state: string, what = "for changes of this account"): Place {
    const own = this.#waiting.get(state) ?? 0;
    if (own >= this.#mostOfOne) throw tooMany(own, what, this.#mostOfOne);
    if (this.#total >= this.#most) throw tooMany(this.#total, "on this server", this.#most);
    this.#waiting.set(state, own + 1);
    this.#total++;
    const ended: (() => void)[] = [];
    return {
      over: (milliseconds, socket, closing) => {
        const { promise, resolve } = Promise.withResolvers<"over">();
        const end = () => resolve("over");
        const timer = setTimeout(end, milliseconds);
        socket.on("end", end);
        socket.on("close", end);
        closing.addEventListener("abort", end);
        ended.push(() => {
          clearTimeout(timer);
          socket.off("end", end);
          socket.off("close", end);
          closing.removeEventListener("abort", end);
        });
        if (socket.destroyed || socket.readableEnded || closing.aborted) end();
        return promise;
      },
      [Symbol.dispose]: () => {
        for (const end of ended) end();
        this.#leave(state);
      },
    };
  }

  #leave(state: string): void {
    this.#total--;
    const left = (this.#waiting.get(state) ?? 0) - 1;
    if (left > 0) this.#waiting.set(state, left);
    else this.#waiting.delete(state);
  }
}

/** Waits for a state's next change, or its replacement, until it is disposed of. */
export function waitForMove(live: LiveState): Disposable & { readonly promise: Promise<"moved"> } {
  const { promise, resolve } = Promise.withResolvers<"moved">();
  const stop = live.onMove(() => resolve("moved"));
  return { promise, [Symbol.dispose]: stop };
}

function tooMany(count: number, what: string, most: number): Refusal {
  const { problems } = refuse("too_many_followers", { count, what, most });
  return new Refusal(problems, { "retry-after": String(RETRY_AFTER) });
}
