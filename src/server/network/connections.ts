/**
 * The connections of a listener. Each handles one request at a time, and is closed if its client does not read.
 *
 * Node handles pipelined requests in parallel and keeps the responses until the client reads. With a client
 * that does not read, that is a response of megabytes in memory for each request of a few bytes.
 */

import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { MOST_PIPELINED, SMALL_MESSAGE } from "../../contract/limits.ts";
import { BytesUnderWay } from "./bytes-under-way.ts";

/**
 * The body of a response. A text or a buffer belongs to the response. Chunks are created while they are sent,
 * or shared between responses, so they do not count as bytes under way.
 */
export type ResponseBody = string | Buffer | Iterable<Buffer>;

/** Bytes, or about as many, that are held for this body alone. */
export function heldFor(body: ResponseBody): number {
  return typeof body === "string" || body instanceof Uint8Array ? body.length : 0;
}

/** How long a client may take for a response. In milliseconds. */
export interface WritePatience {
  /** Without reading anything of it. */
  readonly writing: number;
  /** Between two checks. */
  readonly check: number;
}

/**
 * Milliseconds that a connection stays open after its last response while the client still sends: if it were
 * closed with unread bytes, the kernel would reset it, and the client could lose the response.
 */
export const LINGER = 1_000;
/** How many times that a client may go on sending. */
const MOST_LINGERS = 10;

/** Bytes of a response that are written at once. The client must read as many within the write timeout. */
const CHUNK = 64 * 1024;

const known = new WeakMap<Socket, Connection>();

/** The connection that a request came by, if its listener has `Connections`. */
export function connectionOf({ socket }: Pick<IncomingMessage, "socket">): Connection | undefined {
  return known.get(socket);
}

export class Connections {
  readonly bytes: BytesUnderWay;
  readonly #patience: WritePatience;
  readonly #open = new Set<Connection>();
  #timer: NodeJS.Timeout | undefined;

  constructor(patience: WritePatience, bytes = new BytesUnderWay()) {
    this.#patience = patience;
    this.bytes = bytes;
  }

  /** Open connections. */
  get size(): number {
    return this.#open.size;
  }

  /** Hands the requests of a connection to the handler one by one. */
  inTurn(handler: RequestListener): RequestListener {
    return (request, response) => {
      const connection = known.get(request.socket) ?? this.#add(request.socket);
      connection.receive(request, response, handler);
    };
  }

  #add(socket: Socket): Connection {
    const connection = new Connection(socket, this.bytes);
    known.set(socket, connection);
    this.#open.add(connection);
    this.#timer ??= setInterval(() => this.#check(), this.#patience.check).unref();
    socket.once("close", () => {
      connection.abandon();
      this.#open.delete(connection);
      if (this.#open.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    });
    return connection;
  }

  #check(): void {
    // In checks and not by the clock: after a stall of this process, no client is blamed for it.
    const most = this.#patience.writing / this.#patience.check;
    for (const connection of this.#open) {
      if (connection.countCheck() > most) connection.cutOff();
    }
  }
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly handler: RequestListener;
}

export class Connection {
  readonly #socket: Socket;
  readonly #bytes: BytesUnderWay;
  /** Requests that were received, but not begun. */
  readonly #waiting: Exchange[] = [];
  /** The response to the request that was begun. */
  #current: ServerResponse | undefined;
  #newest: IncomingMessage | undefined;
  #afterAll: (() => void) | undefined;
  /** Bytes held for the current request and its response. */
  #held = 0;
  /** Checks since the client last read something of the response that is being written. */
  #checks: number | undefined;

  constructor(socket: Socket, bytes: BytesUnderWay) {
    this.#socket = socket;
    this.#bytes = bytes;
  }

  /** The request whose headers arrived last, begun or not. */
  get newest(): IncomingMessage | undefined {
    return this.#newest;
  }

  receive(request: IncomingMessage, response: ServerResponse, handler: RequestListener): void {
    this.#newest = request;
    const exchange = { request, response, handler };
    if (!this.#current) this.#begin(exchange);
    else if (this.#waiting.length < MOST_PIPELINED) this.#waiting.push(exchange);
    else this.cutOff();
  }

  /** Runs an action once every request received so far is answered. */
  afterAll(act: () => void): void {
    if (this.#current) this.#afterAll = act;
    else act();
  }

  /** Counts bytes that arrived of a body, which has `whole` bytes so far, unless the process holds too many. */
  admitBody(bytes: number, whole: number): boolean {
    if (!this.#bytes.hasRoom(bytes, whole)) return false;
    this.#hold(bytes);
    return true;
  }

  /** Whether a response of this size may be sent to a request that can be repeated. */
  admitsResponse(length: number): boolean {
    return this.#bytes.hasRoom(length, length);
  }

  /** Writes the body of the current response, as fast as the client reads. */
  write(response: ServerResponse, body: ResponseBody, encoding: "latin1" | "utf8"): void {
    this.#checks = 0;
    this.#hold(heldFor(body));
    if (typeof body !== "string") {
      this.#writeChunks(response, slices(body instanceof Uint8Array ? [body] : body));
    } else if (body.length <= SMALL_MESSAGE) response.end(body, encoding);
    else this.#writeChunks(response, slices([Buffer.from(body, encoding)]));
  }

  /** After the last response, discards what the client still sends for a while, instead of closing at once. */
  linger(): void {
    const socket = this.#socket;
    // Node calls this after the last response of a connection.
    socket.destroySoon = () => {
      socket.destroySoon = () => socket.destroy();
      socket.end();
      socket.resume();
      let { bytesRead } = socket;
      let times = 0;
      const timer = setInterval(() => {
        if (socket.bytesRead === bytesRead || ++times === MOST_LINGERS) socket.destroy();
        bytesRead = socket.bytesRead;
      }, LINGER).unref();
      socket.once("end", () => socket.destroy());
      socket.once("close", () => clearInterval(timer));
    };
  }

  /** Counts one more check without progress, and returns how many there were. */
  countCheck(): number {
    return this.#checks === undefined ? 0 : ++this.#checks;
  }

  /** Ends the connection, unread data in the kernel included. */
  cutOff(): void {
    // Under TLS there is no access to the handle of TCP.
    if ("encrypted" in this.#socket) this.#socket.destroy();
    else this.#socket.resetAndDestroy();
  }

  /** Forgets everything: the socket is closed. */
  abandon(): void {
    this.#waiting.length = 0;
    this.#end();
  }

  #begin({ request, response, handler }: Exchange): void {
    this.#current = response;
    response.once("close", () => this.#finish(response));
    handler(request, response);
  }

  #finish(response: ServerResponse): void {
    if (this.#current !== response) return;
    this.#end();
    // After the last response of a connection, nothing more is begun.
    const next = this.#socket.writable ? this.#waiting.shift() : undefined;
    if (next) {
      this.#begin(next);
      return;
    }
    const act = this.#afterAll;
    this.#afterAll = undefined;
    act?.();
  }

  #end(): void {
    this.#current = undefined;
    this.#checks = undefined;
    this.#bytes.release(this.#held);
    this.#held = 0;
  }

  #hold(bytes: number): void {
    // A response may be finished after its connection was closed.
    if (!this.#current) return;
    this.#held += bytes;
    this.#bytes.hold(bytes);
  }

  #writeChunks(response: ServerResponse, chunks: Iterator<Uint8Array>): void {
    for (;;) {
      const { value, done } = chunks.next();
      if (done) {
        response.end();
        return;
      }
      if (!response.write(value)) break;
    }
    response.once("drain", () => {
      if (this.#current !== response) return;
      this.#checks = 0;
      this.#writeChunks(response, chunks);
    });
  }
}

function* slices(parts: Iterable<Uint8Array>): Generator<Uint8Array> {
  for (const part of parts) {
    for (let start = 0; start < part.length; start += CHUNK) yield part.subarray(start, start + CHUNK);
  }
}
