/**
 * One request of a connection at a time: the next begins when the response before it has left.
 *
 * Without it, a client that sends many requests and reads nothing has the server hold all the responses, and a read that
 * is sent after a write on the same connection can be answered from before the write (RFC 9112, section 9.3.2).
 */

import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { MAX_PIPELINED_REQUESTS } from "../../contract/limits.ts";

interface Connection {
  busy: boolean;
  readonly waiting: [IncomingMessage, ServerResponse][];
  /** What waits until every request that arrived has begun. */
  onAllBegun: (() => void)[];
}

export class Turns {
  readonly #connections = new WeakMap<Socket, Connection>();
  readonly #limit: number;
  /** Requests of all connections that wait for the response before them. */
  #waiting = 0;

  constructor(limit = MAX_PIPELINED_REQUESTS) {
    this.#limit = limit;
  }

  inTurn(handler: RequestListener): RequestListener {
    return (request, response) => {
      const { socket } = request;
      const connection = this.#of(socket);
      if (!connection.busy) {
        this.#begin(handler, connection, request, response);
        return;
      }
      if (this.#waiting >= this.#limit) {
        socket.destroy();
        return;
      }
      connection.waiting.push([request, response]);
      this.#waiting++;
      // What has arrived is parsed to its end; nothing more is read until these have begun.
      socket.pause();
    };
  }

  /** Calls back once every request that arrived on a connection has begun: now, if none waits. */
  onAllBegun(socket: Socket, act: () => void): void {
    const connection = this.#connections.get(socket);
    if (!connection || connection.waiting.length === 0) act();
    else connection.onAllBegun.push(act);
  }

  #of(socket: Socket): Connection {
    let connection = this.#connections.get(socket);
    if (!connection) {
      connection = { busy: false, waiting: [], onAllBegun: [] };
      this.#connections.set(socket, connection);
      const made = connection;
      socket.once("close", () => this.#drop(made));
    }
    return connection;
  }

  #begin(
    handler: RequestListener,
    connection: Connection,
    request: IncomingMessage,
    response: ServerResponse,
  ): void {
    connection.busy = true;
    response.once("close", () => {
      connection.busy = false;
      this.#beginNext(handler, connection, request.socket);
    });
    handler(request, response);
  }

  #beginNext(handler: RequestListener, connection: Connection, socket: Socket): void {
    // After a response that ends the connection, nothing more is answered.
    if (socket.destroyed || socket.writableEnded) {
      this.#drop(connection);
      return;
    }
    const next = connection.waiting.shift();
    const isLast = connection.waiting.length === 0;
    if (isLast && socket.isPaused()) socket.resume();
    if (next) {
      this.#waiting--;
      this.#begin(handler, connection, ...next);
    }
    if (!isLast) return;
    for (const act of connection.onAllBegun.splice(0)) act();
  }

  #drop(connection: Connection): void {
    this.#waiting -= connection.waiting.length;
    connection.waiting.length = 0;
    connection.onAllBegun = [];
  }
}
