/** The HTTP application: limits, routes, and an answer for everything that is none. */

import { maxHeaderSize } from "node:http";
import type { Socket } from "node:net";
import Fastify, { type FastifyError, type FastifyInstance } from "fastify";
import { operations } from "../contract/operations.ts";
import { Routes } from "./call.ts";
import type { AppContext } from "./context.ts";
import { fail } from "./envelope.ts";
import { refuse } from "./refusal.ts";
import { requestIds } from "./request-id.ts";
import { addInterconnectRoutes } from "./routes/interconnects.ts";
import { addLogRoutes } from "./routes/log.ts";
import { addPages } from "./routes/pages.ts";
import { addResetRoute } from "./routes/reset.ts";
import { addTokenRoutes } from "./routes/token.ts";

/** Bytes of a body. */
export const MOST_BODY = 16 * 1024 * 1024;
/** Seconds for the headers, and for the whole request. */
const HEADERS_SECONDS = 10;
const REQUEST_SECONDS = 30;

export function createApp(context: AppContext): FastifyInstance {
  const app = Fastify({
    logger: false,
    bodyLimit: MOST_BODY,
    requestTimeout: REQUEST_SECONDS * 1000,
    keepAliveTimeout: 75_000,
    forceCloseConnections: "idle",
    return503OnClosing: false,
    genReqId: requestIds(),
    routerOptions: { maxParamLength: 500, ignoreDuplicateSlashes: false, caseSensitive: true },
    http: {
      headersTimeout: HEADERS_SECONDS * 1000,
      connectionsCheckingInterval: 1_000,
      requireHostHeader: false,
    },
    clientErrorHandler: answerBrokenRequest,
    // A path that cannot be decoded. It comes here past all hooks.
    frameworkErrors: (_error, request, reply) => {
      routes.begin(request, reply, () => {
        const refusal = refuse("not_routable", { path: pathOf(request.url) });
        routes.answer(request, reply, routes.refusal(request, refusal));
      });
    },
  });
  const routes = new Routes(app, context);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
  app.addHook("onRequest", (request, reply, done) => {
    routes.begin(request, reply, () => {
      // Before the body is read: what it says does not matter.
      if (!request.is404) return done();
      const refusal = notFound(request.method, pathOf(request.url));
      routes.answer(request, reply, routes.refusal(request, refusal));
    });
  });
  addInterconnectRoutes(routes, context);
  addLogRoutes(routes, context);
  addTokenRoutes(routes, context);
  addResetRoute(routes, context);
  addPages(app, routes);
  app.setErrorHandler((error: FastifyError, request, reply) => {
    routes.answer(
      request,
      reply,
      routes.refusal(request, ownRefusal(error, request.headers["content-type"])),
    );
  });
  return app;
}

function pathOf(url: string): string {
  return url.split("?", 1)[0] ?? url;
}

/** Patterns of all known paths, to tell a wrong method from a wrong path. */
const known = Object.values(operations).map(({ path, method }) => ({
  method,
  pattern: new RegExp(`^${path.replaceAll(/:\w+/g, "[^/]+")}$`),
}));

function notFound(method: string, path: string) {
  const methods = new Set(
    known.filter(({ pattern }) => pattern.test(path)).map((operation) => operation.method),
  );
  if (methods.size > 0) {
    const refusal = refuse("method_not_available", { method });
    return Object.assign(refusal, { headers: { allow: [...methods].join(", ") } });
  }
  return path.includes("/accounts/") ? refuse("not_routable", { path }) : refuse("no_route");
}

/** The framework's own refusals, in words of the table. */
function ownRefusal(error: FastifyError, type: string | undefined): unknown {
  switch (error.code) {
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return refuse("body_too_large", { most: MOST_BODY });
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
      return refuse("unsupported_media_type", { given: type ?? "absent" });
    case "FST_ERR_CTP_INVALID_CONTENT_LENGTH":
      return refuse("malformed_http", { detail: "the body is not as long as content-length says" });
    default:
      return error;
  }
}

/** What never became a request gets an answer on the bare connection. */
function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const { status, body } = fail(brokenRequest(error).problems, "");
  const reason =
    { 400: "Bad Request", 408: "Request Timeout", 431: "Request Header Fields Too Large" }[status] ?? "";
  const head = `HTTP/1.1 ${status} ${reason}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n`;
  socket.end(head + String(body));
}

function brokenRequest(error: NodeJS.ErrnoException) {
  if (error.code === "ERR_HTTP_REQUEST_TIMEOUT")
    return refuse("request_timeout", { seconds: REQUEST_SECONDS });
  if (error.code === "HPE_HEADER_OVERFLOW") return refuse("headers_too_large", { most: maxHeaderSize });
  return refuse("malformed_http", { detail: error.code ?? "it cannot be parsed" });
}
