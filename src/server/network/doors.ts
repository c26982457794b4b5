/** Where connections come in: a server for each address, in clear or under TLS, all alike. */

import { lookup } from "node:dns/promises";
import { once } from "node:events";
import type { IncomingMessage, RequestListener, Server, ServerOptions } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { LISTEN_BACKLOG } from "../../contract/limits.ts";
import type { Patience } from "../broken-requests.ts";
import { createServer as createHttpServer } from "../node-http.ts";
import type { Connections } from "./connections.ts";
import { type KeyPair, OLDEST_TLS } from "./key-pair.ts";

/** Milliseconds that an idle connection is kept for its next request. */
const KEEP_ALIVE = 75_000;

/** What comes in that is no request of the application's. */
export interface Strays {
  readonly broken: (error: NodeJS.ErrnoException, socket: Socket) => void;
  readonly connect: (request: IncomingMessage, socket: Duplex) => void;
}

export class Doors {
  readonly #patience: Patience;
  readonly #served: Connections;
  readonly #servers: Server[] = [];
  /** Connections as they came, which under TLS are known to no HTTP server until they have shaken hands. */
  readonly #connections = new Set<Socket>();
  #pair: KeyPair | undefined;
  #openAnother: (() => Server) | undefined;

  /** With a pair, TLS is spoken. */
  constructor(patience: Patience, connections: Connections, pair?: KeyPair) {
    this.#patience = patience;
    this.#served = connections;
    this.#pair = pair;
  }

  get scheme(): "http" | "https" {
    return this.#pair ? "https" : "http";
  }

  /** The first server, for whoever listens with it. */
  open(handler: RequestListener, strays: Strays): Server {
    const inTurn = this.#served.inTurn(handler);
    this.#openAnother = () => {
      const server = this.#make(inTurn);
      // A client that has sent its request and closed its side is still answered.
      Object.assign(server, { httpAllowHalfOpen: true });
      // An expectation that nobody knows is no reason not to answer.
      server.on("checkExpectation", (request, response) => server.emit("request", request, response));
      server.on("connect", strays.connect);
      this.#servers.push(server);
      return server;
    };
    return this.#openAnother();
  }

  /**
   * Listens on the other addresses of a name, as `localhost` has one of IPv4 and one of IPv6. One that cannot
   * be had is done without: the name was reached by the first.
   */
  async openOthers(name: string, strays: Strays): Promise<void> {
    const address = this.#servers[0]?.address();
    if (typeof address !== "object" || !address || !this.#openAnother) return;
    for (const other of await lookup(name, { all: true })) {
      if (other.address === address.address) continue;
      const server = this.#openAnother();
      server.on("clientError", strays.broken);
      server.listen({ port: address.port, host: other.address, backlog: LISTEN_BACKLOG });
      await once(server, "listening").catch(() => this.#servers.splice(this.#servers.indexOf(server), 1));
    }
  }

  /** New handshakes get this pair; connections that have shaken hands keep theirs. */
  use(pair: KeyPair): void {
    this.#pair = pair;
    const { cert, key } = pair;
    for (const server of this.#servers) {
      if ("setSecureContext" in server && typeof server.setSecureContext === "function") {
        server.setSecureContext({ cert, key, minVersion: OLDEST_TLS });
      }
    }
  }

  /** Closes the servers that `openOthers` opened, each when its last answer has left. */
  async closeOthers(): Promise<void> {
    const closed = this.#servers.slice(1).map(async (server) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      server.close(() => resolve());
      server.closeIdleConnections();
      await promise;
    });
    await Promise.all(closed);
  }

  /** Cuts everything off. */
  cutOff(): void {
    for (const server of this.#servers) server.closeAllConnections();
    for (const connection of this.#connections) connection.destroy();
  }

  #make(handler: RequestListener): Server {
    const { headers, request, check } = this.#patience;
    const options: ServerOptions = {
      keepAliveTimeout: KEEP_ALIVE,
      headersTimeout: headers,
      requestTimeout: request,
      connectionsCheckingInterval: check,
      requireHostHeader: false,
      // Of two lines with one name, none is dropped without a word.
      joinDuplicateHeaders: true,
    };
    if (!this.#pair) return createHttpServer(options, handler);
    const { cert, key } = this.#pair;
    const secure = {
      cert,
      key,
      minVersion: OLDEST_TLS,
      handshakeTimeout: headers,
      // As with HTTP in clear.
      allowHalfOpen: true,
    } as const;
    const server = createHttpsServer({ ...options, ...secure }, handler);
    server.on("connection", (connection: Socket) => {
      this.#connections.add(connection);
      connection.once("close", () => this.#connections.delete(connection));
    });
    return server;
  }
}
