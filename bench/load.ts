/** A small HTTP/1.1 load generator: it costs a fraction of what any server does, so it is not what is measured. */

import { connect, type Socket } from "node:net";

export interface Figures {
  readonly requests: number;
  readonly seconds: number;
  /** Milliseconds, ascending. */
  readonly latencies: readonly number[];
  /** Answers by status. */
  readonly statuses: Readonly<Record<string, number>>;
}

/** One connection, one request at a time. */
class Client {
  readonly #socket: Socket;
  #left = 0;
  #head = "";
  #status = "";
  #done: ((status: string) => void) | undefined;
  #failed: ((error: Error) => void) | undefined;

  static async open(port: number): Promise<Client> {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    return new Client(socket);
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk) => this.#read(chunk));
    socket.on("error", (error) => this.#failed?.(error));
    socket.on("close", () => this.#failed?.(new Error("the server closed the connection")));
  }

  /** Resolves with the status once the whole answer is there. */
  send(request: Buffer): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#done = resolve;
      this.#failed = reject;
      this.#socket.write(request);
    });
  }

  close(): void {
    this.#failed = undefined;
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    if (this.#left > 0) {
      this.#left -= chunk.length;
    } else {
      const text = this.#head + chunk.toString("latin1");
      const end = text.indexOf("\r\n\r\n");
      if (end === -1) {
        this.#head = text;
        return;
      }
      const head = text.slice(0, end);
      this.#head = "";
      this.#status = head.slice(9, 12);
      const length = /content-length: (\d+)/i.exec(head)?.[1];
      if (length === undefined) throw new Error(`an answer without content-length: ${head}`);
      this.#left = Number(length) - (text.length - end - 4);
    }
    if (this.#left === 0) this.#done?.(this.#status);
  }
}

class Tally {
  readonly latencies: number[] = [];
  readonly statuses: Record<string, number> = {};
  #start = performance.now();

  add(status: string, milliseconds: number): void {
    this.latencies.push(milliseconds);
    this.statuses[status] = (this.statuses[status] ?? 0) + 1;
  }

  restart(): void {
    this.latencies.length = 0;
    this.#start = performance.now();
  }

  figures(): Figures {
    const seconds = (performance.now() - this.#start) / 1000;
    this.latencies.sort((a, b) => a - b);
    return { requests: this.latencies.length, seconds, latencies: this.latencies, statuses: this.statuses };
  }
}

/** Closed loop: every connection sends its next request when the last is answered. */
export class Loop {
  readonly #clients: readonly Client[];
  readonly #next: (turn: number) => Buffer;
  #turn = 0;

  static async open(port: number, connections: number, next: (turn: number) => Buffer): Promise<Loop> {
    return new Loop(await Promise.all(Array.from({ length: connections }, () => Client.open(port))), next);
  }

  private constructor(clients: readonly Client[], next: (turn: number) => Buffer) {
    this.#clients = clients;
    this.#next = next;
  }

  async run(seconds: number): Promise<Figures> {
    const tally = new Tally();
    const end = performance.now() + seconds * 1000;
    await Promise.all(
      this.#clients.map(async (client) => {
        while (performance.now() < end) {
          const start = performance.now();
          const status = await client.send(this.#next(this.#turn++));
          tally.add(status, performance.now() - start);
        }
      }),
    );
    return tally.figures();
  }

  close(): void {
    for (const client of this.#clients) client.close();
  }
}

export async function drive(
  port: number,
  connections: number,
  seconds: number,
  next: (turn: number) => Buffer,
): Promise<Figures> {
  const loop = await Loop.open(port, connections, next);
  const figures = await loop.run(seconds);
  loop.close();
  return figures;
}

/** A number of requests one after the other on one connection. */
export async function times(port: number, requests: readonly Buffer[]): Promise<Figures> {
  const client = await Client.open(port);
  const tally = new Tally();
  for (const request of requests) {
    const start = performance.now();
    const status = await client.send(request);
    tally.add(status, performance.now() - start);
  }
  client.close();
  return tally.figures();
}

/** Open loop: requests leave at a fixed rate whatever comes back; latency counts from when each was due. */
export async function paced(
  port: number,
  rate: number,
  until: Promise<unknown>,
  next: (turn: number) => Buffer,
): Promise<Figures> {
  const idle = await Promise.all(Array.from({ length: 64 }, () => Client.open(port)));
  const all = [...idle];
  const tally = new Tally();
  const flying = new Set<Promise<void>>();
  let over = false;
  void until.finally(() => {
    over = true;
  });
  const start = performance.now();
  for (let turn = 0; !over; turn++) {
    const due = start + (turn * 1000) / rate;
    while (performance.now() < due) await new Promise((resolve) => setTimeout(resolve, 1));
    const client = idle.pop() ?? (await Client.open(port));
    if (!all.includes(client)) all.push(client);
    const flight = client.send(next(turn)).then((status) => {
      tally.add(status, performance.now() - due);
      idle.push(client);
    });
    flying.add(flight);
    flight.finally(() => flying.delete(flight));
  }
  await Promise.all(flying);
  const figures = tally.figures();
  for (const client of all) client.close();
  return figures;
}

export function percentile(figures: Figures, share: number): number {
  const { latencies } = figures;
  return latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? Number.NaN;
}

export function milliseconds(value: number): string {
  return `${value < 10 ? value.toFixed(2) : value.toFixed(0)} ms`;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
