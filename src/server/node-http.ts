/**
 * The one place where the server opens HTTP servers. The linter refuses others (`lint/http-servers.grit`).
 *
 * `import` of a name of `node:http` fills in all of its names, one of which loads a complete HTTP client: 30 ms of every start.
 */

import type { RequestListener, Server, ServerOptions } from "node:http";
import type { ServerOptions as SecureServerOptions } from "node:https";

const http = process.getBuiltinModule("node:http");

export const { maxHeaderSize, STATUS_CODES } = http;

/** With `tls`, the server speaks HTTPS. */
export function createHttpServer(
  options: ServerOptions,
  handler: RequestListener,
  tls?: Pick<SecureServerOptions, "cert" | "key" | "minVersion" | "handshakeTimeout">,
): Server {
  const server = tls
    ? process.getBuiltinModule("node:https").createServer({ ...options, ...tls }, handler)
    : http.createServer(options, handler);
  // Node drops header fields past this number, 1,000 of them and unless it is 0, and says nothing. `maxHeaderSize` bounds them.
  server.maxHeadersCount = 0;
  return server;
}
