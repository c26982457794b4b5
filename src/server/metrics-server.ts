/** Health and figures, on a port of their own that need not be reachable by the API's users. */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Logger } from "pino";
import { statusOf } from "../contract/errors.ts";
import { LISTEN_BACKLOG } from "../contract/limits.ts";
import { isLoopback } from "../contract/loopback.ts";
import { listen, type Place } from "./listen.ts";
import type { Metrics } from "./metrics.ts";
import { Ingress } from "./network/ingress.ts";
import { Turns } from "./network/turns.ts";
import { createHttpServer } from "./node-http.ts";
import { Refusal } from "./refusal.ts";

/** Milliseconds for a request to arrive, and for a connection to make progress. */
const PATIENCE = 30_000;

export interface Health {
  readonly metrics: Metrics;
  /** Resolves with why it is not, or nothing. */
  readonly unready: () => Promise<string | undefined>;
  readonly log: Pick<Logger, "error">;
}

export interface MetricsServer {
  readonly address: AddressInfo | string | null;
  close(): Promise<void>;
}

export async function serveMetrics(place: Place, health: Health): Promise<MetricsServer> {
  const ingress = new Ingress({ loopback: isLoopback(place.host), scheme: "http" });
  const turns = new Turns();
  const options = { joinDuplicateHeaders: true, headersTimeout: PATIENCE, requestTimeout: PATIENCE };
  // A health check over HTTP/1.0 may have no Host, which Node asks of HTTP/1.1.
  const handler = turns.inTurn((request, response) => {
    const send = (status: number, text: string, type = "text/plain; charset=utf-8") =>
      answer(response, status, text, type);
    const refusal = refusalOf(ingress, request);
    if (refusal) return send(statusOf(refusal.problems), `${refusal.message}\n`);
    const path = request.url?.split("?", 1)[0];
    if (request.method !== "GET") return send(405, "GET only\n");
    if (path === "/healthz") return send(200, "ok\n");
    if (path === "/readyz") {
      return void health
        .unready()
        .then((reason) => (reason === undefined ? send(200, "ready\n") : send(503, `${reason}\n`)));
    }
    if (path !== "/metrics") return send(404, "Here are /healthz, /readyz and /metrics.\n");
    const { registry } = health.metrics;
    registry.metrics().then(
      (text) => send(200, text, registry.contentType),
      (error) => {
        health.log.error({ err: error }, "the metrics could not be read");
        send(500, "The metrics could not be read. The server's log has the cause.\n");
      },
    );
  });
  const server = createHttpServer(options, handler);
  // Closes connections whose client does not read.
  server.timeout = PATIENCE;
  await listen(place, () => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once("error", reject);
    server.listen(place.port, place.host, LISTEN_BACKLOG, resolve);
    return promise;
  });
  return {
    address: server.address(),
    close: async () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      server.close(() => resolve());
      server.closeAllConnections();
      await promise;
    },
  };
}

/** A page of another origin, or one that has a name of its own point here, reads nothing. */
function refusalOf(ingress: Ingress, request: IncomingMessage): Refusal | undefined {
  const { host, origin } = request.headers;
  if (host === undefined && origin === undefined) return undefined;
  try {
    ingress.check(request);
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

function answer(response: ServerResponse, status: number, text: string, type: string): void {
  response.writeHead(status, {
    "content-type": type,
    "content-length": Buffer.byteLength(text),
    "x-content-type-options": "nosniff",
  });
  response.end(text);
}
