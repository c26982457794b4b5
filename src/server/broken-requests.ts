/** What never became a whole request is answered too, and its connection closed. */

import type { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { FastifyReply } from "fastify";
import type { Routes } from "./call.ts";
import { fail } from "./envelope.ts";
import { connectionOf, LINGER, type WritePatience } from "./network/connections.ts";
import { maxHeaderSize, STATUS_CODES } from "./node-http.ts";
import { Refusal, refuse } from "./refusal.ts";

/** How long a connection may take. All in milliseconds. */
export interface Patience extends WritePatience {
  /** For the headers of a request. */
  readonly headers: number;
  /** For a whole request, its body included. */
  readonly request: number;
  /** For requests under way when the server stops. */
  readonly stopping: number;
}

export const usualPatience: Patience = {
  headers: 10_000,
  request: 30_000,
  writing: 30_000,
  check: 1_000,
  stopping: 5_000,
};

const BROKEN_TLS = /^(?:ERR_SSL_|ERR_TLS_|EPROTO$)/;

/** What is asked of a proxy is asked of nobody here (RFC 9110, section 15.5.6: a 405 names what there is). */
const CONNECT_HEADERS = { allow: "GET, POST, PUT, DELETE" };

export class BrokenRequests {
  readonly #routes: Routes;
  readonly #patience: Patience;
  /** Connections on which nothing more is understood. */
  readonly #given = new WeakSet<Socket>();
  /** Replies to requests that were begun. */
  readonly #replies = new WeakMap<IncomingMessage, FastifyReply>();
  /** What is wrong with requests whose body broke off before they were begun. */
  readonly #broken = new WeakMap<IncomingMessage, NodeJS.ErrnoException>();

  constructor(routes: Routes, patience: Patience) {
    this.#routes = routes;
    this.#patience = patience;
  }

  /** Notes a request that is begun. False if its body broke off before that; then it is answered. */
  note(reply: FastifyReply): boolean {
    const { raw } = reply.request;
    if (raw.complete) return true;
    const error = this.#broken.get(raw);
    if (error) this.#answerPart(error, reply);
    else this.#replies.set(raw, reply);
    return !error;
  }

  /** Answers for bytes that are no request, or that came too slowly, after the answers still due before it. */
  answer(error: NodeJS.ErrnoException, socket: Socket): void {
    if (this.#given.has(socket)) return;
    // What breaks under TLS breaks the means to answer.
    if (error.code === "ECONNRESET" || BROKEN_TLS.test(error.code ?? "") || !socket.writable) {
      socket.destroy();
      return;
    }
    this.#given.add(socket);
    const connection = connectionOf({ socket });
    const newest = connection?.newest;
    if (connection && newest && !newest.complete) {
      const reply = this.#replies.get(newest);
      if (reply) this.#answerPart(error, reply);
      else this.#broken.set(newest, error);
      return;
    }
    const tell = () => this.#tell(socket, this.#refusal(error, "headers"));
    if (connection) connection.afterAll(tell);
    else tell();
  }

  /** Answers a CONNECT, whose connection is handed out as it is, after the answers still due before it. */
  refuseConnect(socket: Duplex): void {
    if (!(socket instanceof Socket)) {
      socket.destroy();
      return;
    }
    // The HTTP server no longer listens to it.
    socket.on("error", () => socket.destroy());
    const { problems } = refuse("method_not_available", { method: "CONNECT" });
    const refusal = new Refusal(problems, CONNECT_HEADERS);
    const tell = () => this.#tell(socket, refusal);
    const connection = connectionOf({ socket });
    if (connection) connection.afterAll(tell);
    else tell();
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
  #tell(socket: Socket, { problems, headers }: Refusal): void {
    if (!socket.writable) {
      socket.destroy();
      return;
    }
    const { status, body } = fail(problems, "");
    const head = [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      "connection: close",
      "content-type: application/json",
      `content-length: ${Buffer.byteLength(body)}`,
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ];
    socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
    setTimeout(() => socket.destroy(), LINGER).unref();
  }
}
