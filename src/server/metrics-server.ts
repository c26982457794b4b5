/** Health and figures, on a port of their own that need not be reachable by the API's users. */

import type { ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Logger } from "pino";
import { listen, type Place } from "./listen.ts";
import type { Metrics } from "./metrics.ts";
import { createServer } from "./node-http.ts";

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
  const server = createServer((request, response) => {
    const send = (status: number, text: string, type = "text/plain; charset=utf-8") =>
      answer(response, status, text, type);
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
  await listen(place, () => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once("error", reject);
    server.listen(place.port, place.host, resolve);
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

function answer(response: ServerResponse, status: number, text: string, type: string): void {
  response.writeHead(status, { "content-type": type });
  response.end(text);
}
