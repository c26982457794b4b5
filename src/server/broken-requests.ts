/** What never became a whole request is answered too, and its connection closed. */

import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { FastifyReply } from "fastify";
import type { Routes } from "./call.ts";
import { fail } from "./envelope.ts";
import type { Turns } from "./network/turns.ts";
import { maxHeaderSize, STATUS_CODES } from "./node-http.ts";
import { Refusal, refuse } from "./refusal.ts";

/** How long a connection may take. All in milliseconds. */
export interface Patience {
  /** For the headers of a request. */
  readonly headers: number;
  /** For a whole request, its body included. */
  readonly request: number;
  /** How often connections are looked at. */
  readonly check: number;
  /** For a response of which the client receives nothing more. */
  readonly response: number;
  /** For requests under way when the server stops. */
  readonly stopping: number;
}

export const usualPatience: Patience = {
  headers: 10_000,
  request: 30_000,
  check: 1_000,
  response: 30_000,
  stopping: 5_000,
};

/**
 * Milliseconds that a connection is kept open after its last answer: what is still coming in would make the
 * system cut it off, and the answer with it.
 */
export const LINGER = 1_000;

const BROKEN_TLS = /^(?:ERR_SSL_|ERR_TLS_|EPROTO$)/;

/** What is asked of a proxy is asked of nobody here (RFC 9110, section 15.5.6: a 405 names what there is). */
const CONNECT_HEADERS = { allow: "GET, POST, PUT, DELETE" };

/** The newest request of a connection, kept with it as its reply. */
const newest = Symbol("newest");

type Connection = Socket & { [newest]?: FastifyReply };

export class BrokenRequests {
  readonly #routes: Routes;
  readonly #patience: Patience;
  readonly #turns: Turns;
  /** Connections on which nothing more is understood. */
  readonly #given = new WeakSet<Socket>();

  constructor(routes: Routes, patience: Patience, turns: Turns) {
    this.#routes = routes;
    this.#turns = turns;
    this.#patience = patience;
  }

  /** Notes a request whose headers have arrived. */
  note(reply: FastifyReply): void {
    const connection: Connection = reply.request.raw.socket;
    connection[newest] = reply;
  }

  /** Answers for bytes that are no request, or that came too slowly, after the answers still due before it. */
  answer(error: NodeJS.ErrnoException, socket: Connection): void {
    if (this.#given.has(socket)) return;
    // What breaks under TLS breaks the means to answer.
    if (error.code === "ECONNRESET" || BROKEN_TLS.test(error.code ?? "") || !socket.writable) {
      socket.destroy();
      return;
    }
    this.#given.add(socket);
    this.#turns.onAllBegun(socket, () => this.#answer(error, socket));
  }

  #answer(error: NodeJS.ErrnoException, socket: Connection): void {
    const reply = socket[newest];
    if (reply && !reply.request.raw.complete) this.#answerPart(error, reply);
    else if (reply && !reply.raw.writableFinished) {
      reply.raw.once("close", () => this.#tell(socket, this.#refusal(error, "headers"), isHead(error)));
    } else this.#tell(socket, this.#refusal(error, "headers"), isHead(error));
  }

  /** Answers a CONNECT, whose connection is handed out as it is, after the answers still due before it. */
  refuseConnect(socket: Duplex): void {
    if (!(socket instanceof Socket)) {
      socket.destroy();
      return;
    }
    const connection: Connection = socket;
    // The HTTP server no longer listens to it.
    connection.on("error", () => connection.destroy());
    this.#turns.onAllBegun(connection, () => this.#refuseConnect(connection));
  }

  #refuseConnect(connection: Connection): void {
    const { problems } = refuse("method_not_available", { method: "CONNECT" });
    const refusal = new Refusal(problems, CONNECT_HEADERS);
    const reply = connection[newest];
    if (!reply || reply.raw.writableFinished) this.#tell(connection, refusal);
    else reply.raw.once("close", () => this.#tell(connection, refusal));
  }

  /** Answers a request whose body broke off, unless it was answered before that. */
  #answerPart(error: NodeJS.ErrnoException, reply: FastifyReply): void {
    const { request } = reply;
    if (reply.raw.writableEnded) {
      request.raw.socket.destroySoon();
      return;
    }
    const refusal = this.#routes.refusal(request, this.#refusal(error, "request"));
    this.#routes.answer(request, reply, {
      ...refusal,
      headers: { ...refusal.headers, connection: "close" },
    });
  }

  #refusal(error: NodeJS.ErrnoException, part: "headers" | "request"): Refusal {
    if (error.code === "ERR_HTTP_REQUEST_TIMEOUT") {
      return refuse("request_timeout", { seconds: this.#patience[part] / 1000 });
    }
    if (error.code === "HPE_HEADER_OVERFLOW") return refuse("headers_too_large", { most: maxHeaderSize });
    return refuse("malformed_http", { detail: error.code ?? "it cannot be parsed" });
  }

  /** Answers on the bare connection. */
  #tell(socket: Socket, { problems, headers }: Refusal, bodiless = false): void {
    if (!socket.writable) {
      socket.destroy();
      return;
    }
    const { status, body } = fail(problems, "");
    const head = [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      "connection: close",
      "content-type: application/json",
      "x-content-type-options: nosniff",
      `content-length: ${Buffer.byteLength(body)}`,
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ];
    socket.end(`${head.join("\r\n")}\r\n\r\n${bodiless ? "" : body}`);
    setTimeout(() => socket.destroy(), LINGER).unref();
  }
}

/** A line that begins a request. */
const REQUEST_LINE = /^([A-Z]+) \S+ HTTP\/\d\.\d\r?$/gm;

/** Whether what broke was a HEAD, whose answer has no body, as far as the bytes that came last show it. */
function isHead(error: NodeJS.ErrnoException): boolean {
  const packet: unknown = Reflect.get(error, "rawPacket");
  const parsed: unknown = Reflect.get(error, "bytesParsed");
  if (!(packet instanceof Uint8Array)) return false;
  const end = typeof parsed === "number" ? parsed : packet.length;
  const lines = [...Buffer.from(packet.subarray(0, end)).toString("latin1").matchAll(REQUEST_LINE)];
  return lines.at(-1)?.[1] === "HEAD";
}
