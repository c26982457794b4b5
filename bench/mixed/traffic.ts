/** What the clients of the mixed load share: sending a request, counting its response, and the pace of a client. */

import { Agent, type IncomingHttpHeaders, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { OPERATOR } from "./world.ts";

export interface Sent {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON text. */
  readonly body?: string | Buffer;
  /** `null` sends no credential. The operator's unless given. */
  readonly token?: string | null;
  readonly agent?: Agent;
}

export interface Received {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Responses of each kind of request by status; 0 counts requests without a response. */
export type Counts = Map<string, Map<number, number>>;

export class Traffic {
  readonly url: string;
  /** Aborted when the load is over. */
  readonly over: AbortSignal;
  readonly totals: Counts = new Map();
  readonly #agent = new Agent({ keepAlive: true });
  readonly #over = new AbortController();
  #recent: Counts = new Map();
  #latencies = new Map<string, number[]>();

  constructor(url: string) {
    this.url = url;
    this.over = this.#over.signal;
  }

  /** Counts a response, or with status 0 that there was none. */
  count(kind: string, status: number): void {
    for (const counts of [this.totals, this.#recent]) {
      const statuses = counts.get(kind) ?? new Map<number, number>();
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      counts.set(kind, statuses);
    }
  }

  /** Counts, and latencies in milliseconds by kind, since the call before. */
  recent(): { readonly counts: Counts; readonly latencies: ReadonlyMap<string, readonly number[]> } {
    const recent = { counts: this.#recent, latencies: this.#latencies };
    this.#recent = new Map();
    this.#latencies = new Map();
    return recent;
  }

  /** Sends a request and counts it. `undefined` if there was no response. */
  async send(kind: string, path: string, sent: Sent = {}): Promise<Received | undefined> {
    const start = performance.now();
    try {
      const received = await this.#exchange(path, sent);
      this.count(kind, received.status);
      const latencies = this.#latencies.get(kind) ?? [];
      latencies.push(performance.now() - start);
      this.#latencies.set(kind, latencies);
      return received;
    } catch (error) {
      if (this.over.aborted) return undefined;
      this.count(kind, 0);
      if (process.env["PATCHBAY_BENCH_VERBOSE"]) console.error(kind, path, error);
      return undefined;
    }
  }

  #exchange(
    path: string,
    { method = "GET", headers, body, token = OPERATOR, agent }: Sent,
  ): Promise<Received> {
    const { promise, resolve, reject } = Promise.withResolvers<Received>();
    const sent = request(this.url + path, {
      method,
      agent: agent ?? this.#agent,
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined
          ? {}
          : { "content-type": "application/json", "content-length": Buffer.byteLength(body) }),
        ...headers,
      },
    });
    sent.on("error", reject);
    sent.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks),
        }),
      );
    });
    sent.end(body);
    return promise;
  }

  /** Repeats an action until the load ends, at most once per `every` milliseconds. */
  async repeat(every: number, act: (turn: number) => Promise<unknown>): Promise<void> {
    // Clients of the same pace do not act at the same moment.
    await this.wait(Math.random() * every);
    for (let turn = 0; !this.over.aborted; turn++) {
      const start = performance.now();
      await act(turn);
      await this.wait(every - (performance.now() - start));
    }
  }

  /** Resolves after a number of milliseconds, or when the load ends. */
  async wait(milliseconds: number): Promise<void> {
    await sleep(Math.max(1, milliseconds), undefined, { signal: this.over }).catch((error: unknown) => {
      if (!this.over.aborted) throw error;
    });
  }

  /** Ends the load: every client stops after its current request. */
  end(): void {
    this.#over.abort();
  }

  close(): void {
    this.#agent.destroy();
  }
}
