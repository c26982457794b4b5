/** Health and figures, on a port of their own that need not be reachable by the API's users. */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { LISTEN_BACKLOG } from "../contract/limits.ts";
import type { Patience } from "./broken-requests.ts";
import { listen, type Place } from "./listen.ts";
import type { Metrics } from "./metrics.ts";
import { Connections, connectionOf } from "./network/connections.ts";
import { createServer } from "./node-http.ts";

export interface Health {
  readonly metrics: Metrics;
  /** Resolves with why it is not, or nothing. */
  readonly unready: () => Promise<string | undefined>;
}

export interface MetricsServer {
  readonly address: AddressInfo | string | null;
  close(): Promise<void>;
}

export async function serveMetrics(place: Place, health: Health, patience: Patience): Promise<MetricsServer> {
  const connections = new Connections(patience);
  const options = {
    headersTimeout: patience.headers,
    requestTimeout: patience.request,
    connectionsCheckingInterval: patience.check,
  };
  const inTurn = connections.inTurn((request, response) => {
    const send = (status: number, text: string, type = "text/plain; charset=utf-8") =>
      answer(request, response, status, text, type);
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
      (error) => send(500, `${String(error)}\n`),
    );
  });
  const server = createServer(options, inTurn);
  await listen(place, () => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once("error", reject);
    server.listen({ port: place.port, host: place.host, backlog: LISTEN_BACKLOG }, resolve);
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

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  text: string,
  type: string,
): void {
  const headers = { "content-type": type, "content-length": Buffer.byteLength(text) };
  response.writeHead(status, headers);
  connectionOf(request)?.write(response, text, "utf8");
}
