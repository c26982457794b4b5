/** A bare connection, for what no HTTP client would send. */

import { connect as open, type Socket } from "node:net";
import { connect as openSecurely } from "node:tls";
import { judgeAnswer } from "./contract.ts";
import { demo, noteEvidence } from "./server.ts";

export interface RawReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every form
  readonly body: any;
}

export class RawConnection {
  readonly socket: Socket;
  /** What is under TLS, if that is spoken. */
  readonly #connection: Socket;
  /** Resolves when the other side has closed. */
  readonly closed: Promise<void>;
  #received = Buffer.alloc(0);
  #arrived = Promise.withResolvers<void>();
  #over = false;

  constructor(base: string) {
    const { protocol, hostname, port } = new URL(base);
    const place = { host: hostname, port: Number(port), allowHalfOpen: true };
    this.#connection = open(place);
    this.socket = protocol === "https:" ? openSecurely({ socket: this.#connection }) : this.#connection;
    this.#connection.on("error", () => undefined);
    this.socket.on("data", (data: Buffer) => {
      this.#received = Buffer.concat([this.#received, data]);
      this.#wake();
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    const over = () => {
      this.#over = true;
      this.#wake();
      resolve();
    };
    this.socket.on("end", over);
    this.socket.on("close", over);
    // Being cut off is one of the answers.
    this.socket.on("error", () => undefined);
  }

  #wake(): void {
    this.#arrived.resolve();
    this.#arrived = Promise.withResolvers();
  }

  /** Sends bytes as they are. Resolves when they have left. */
  send(data: string | Uint8Array): Promise<void> {
    return new Promise((resolve) => this.socket.write(data, () => resolve()));
  }

  /** The next answer; `undefined` if the connection was closed without one. Throws if what came is no answer. */
  async reply(bodyless = false): Promise<RawReply | undefined> {
    for (;;) {
      const reply = this.#take(bodyless);
      if (reply) return reply;
      if (this.#over) {
        if (this.#received.length > 0) throw new Error(`Cut off after: ${this.#received.toString("latin1")}`);
        return undefined;
      }
      await this.#arrived.promise;
    }
  }

  #take(bodyless: boolean): RawReply | undefined {
    const end = this.#received.indexOf("\r\n\r\n");
    if (end === -1) return undefined;
    const [first = "", ...lines] = this.#received.subarray(0, end).toString("latin1").split("\r\n");
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(first)?.[1]);
    if (Number.isNaN(status)) throw new Error(`No status line: ${first}`);
    const headers = Object.fromEntries(
      lines.map((line) => [
        line.slice(0, line.indexOf(":")).toLowerCase(),
        line.slice(line.indexOf(":") + 1).trim(),
      ]),
    );
    const length = bodyless || status === 304 || status < 200 ? 0 : Number(headers["content-length"]);
    if (Number.isNaN(length)) throw new Error(`No length: ${lines.join(", ")}`);
    if (this.#received.length < end + 4 + length) return undefined;
    const text = this.#received.subarray(end + 4, end + 4 + length).toString();
    this.#received = this.#received.subarray(end + 4 + length);
    if (status < 200) return this.#take(bodyless);
    const body = headers["content-type"] === "application/json" && text !== "" ? JSON.parse(text) : text;
    return { status, headers, body };
  }

  /** Breaks the connection off, as a crashed client does. */
  reset(): void {
    this.#connection.resetAndDestroy();
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

export interface RawRequest {
  readonly method?: string;
  readonly path: string;
  readonly version?: string;
  /** Lines as they are, after the host and before those of the body. */
  readonly headers?: readonly string[];
  /** `null` leaves `Host` out. */
  readonly host?: string | null;
  /** `null` sends no credential. */
  readonly token?: string | null;
  /** `null` leaves `Content-Type` out. */
  readonly type?: string | null;
  readonly body?: string | Uint8Array;
}

/** The bytes of a request. A body gets its `Content-Type` and `Content-Length`. */
export function rawRequest(asked: RawRequest): Buffer {
  const { method = "GET", path, version = "1.1", headers = [], body } = asked;
  const { host = "localhost", token = demo.token, type = "application/json" } = asked;
  const lines = [`${method} ${path} HTTP/${version}`];
  if (host !== null) lines.push(`Host: ${host}`);
  if (token !== null) lines.push(`Authorization: Bearer ${token}`);
  lines.push(...headers);
  if (body !== undefined && type !== null) lines.push(`Content-Type: ${type}`);
  if (body !== undefined) lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
  return Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), Buffer.from(body ?? "")]);
}

/** Sends one request as given on a connection of its own; a JSON answer is checked by its schema. */
export async function askRaw(base: string, request: RawRequest | string): Promise<RawReply | undefined> {
  using connection = new RawConnection(base);
  await connection.send(typeof request === "string" ? request : rawRequest(request));
  const [method = "", path = ""] =
    typeof request === "string" ? request.split(" ", 2) : [request.method ?? "GET", request.path];
  const reply = await connection.reply(method === "HEAD");
  const url = URL.canParse(path, base) ? path : "/";
  const contentType = reply?.headers["content-type"];
  const isReal = reply?.headers["x-patchbay-fault"] === undefined;
  if (reply && isReal && contentType === "application/json" && method !== "HEAD") {
    const { status, headers, body } = reply;
    judgeAnswer(method, url, {
      status,
      contentType,
      header: (name) => headers[name],
      body: body === "" ? undefined : body,
    });
    noteEvidence(method, url, status, "probe");
  }
  return reply;
}

/** `status code` of an answer, or `closed` if there was none. */
export function rawVerdict(reply: RawReply | undefined): string {
  if (!reply) return "closed";
  const errors: { code: number }[] = reply.body?.errors ?? [];
  return [reply.status, ...errors.map(({ code }) => code)].join(" ");
}
