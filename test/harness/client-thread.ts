/** A client in a thread of its own, so that what it does takes no time of the server's event loop. */

import { Worker } from "node:worker_threads";

export interface Sent {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
}

export interface Received {
  readonly status: number;
  readonly bytes: number;
  /** The first characters of the body, for a test that fails. */
  readonly start: string;
}

const program = `
const { parentPort } = require("node:worker_threads");
const { request, Agent } = require("node:http");
const agent = new Agent({ keepAlive: true });
parentPort.on("message", ({ number, method, url, headers, body }) => {
  const fail = (error) => parentPort.postMessage({ number, error: String(error) });
  const length = body === undefined ? {} : { "content-length": body.length, "content-type": "application/json" };
  const sent = request(url, { method, agent, headers: { ...length, ...headers } });
  sent.on("error", fail);
  sent.on("response", (answer) => {
    let bytes = 0;
    let start = "";
    answer.on("data", (chunk) => {
      if (bytes === 0) start = chunk.toString("utf8", 0, 500);
      bytes += chunk.length;
    });
    answer.on("error", fail);
    answer.on("end", () => parentPort.postMessage({ number, received: { status: answer.statusCode, bytes, start } }));
  });
  sent.end(body);
});
`;

export class ClientThread implements AsyncDisposable {
  readonly #worker = new Worker(program, { eval: true });
  readonly #waiting = new Map<number, PromiseWithResolvers<Received>>();
  #sent = 0;

  constructor() {
    this.#worker.on("message", ({ number, received, error }) => {
      const waiting = this.#waiting.get(number);
      this.#waiting.delete(number);
      if (received) waiting?.resolve(received);
      else waiting?.reject(new Error(error));
    });
  }

  /** Encodes a body ahead of the request, for a test that measures what comes after. */
  static encode(body: unknown): Buffer {
    return Buffer.from(JSON.stringify(body));
  }

  send({ method, url, headers, body }: Sent): Promise<Received> {
    const number = ++this.#sent;
    const waiting = Promise.withResolvers<Received>();
    this.#waiting.set(number, waiting);
    const encoded = body === undefined || body instanceof Buffer ? body : ClientThread.encode(body);
    this.#worker.postMessage({ number, method, url, headers, body: encoded });
    return waiting.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate();
  }
}
