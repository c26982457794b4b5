/** The HTTP application: limits, routes, and an answer for everything that is none. */

import type { IncomingMessage, RequestListener } from "node:http";
import Fastify, { type FastifyError, type FastifyInstance, type FastifyRequest } from "fastify";
import { operations } from "../contract/operations.ts";
import { BrokenRequests, type Patience, usualPatience } from "./broken-requests.ts";
import { Routes } from "./call.ts";
import type { AppContext } from "./context.ts";
import { addDashboard } from "./dashboard/dashboard.ts";
import type { Doors, Strays } from "./network/doors.ts";
import { collectBody } from "./read-request.ts";
import { refuse } from "./refusal.ts";
import { addAccountAdministration } from "./routes/account-administration.ts";
import { addAuditRoute } from "./routes/audit.ts";
import { addCniRoutes } from "./routes/cni/cnis.ts";
import { addPortRoutes } from "./routes/cni/ports.ts";
import { addSlotRoutes } from "./routes/cni/slots.ts";
import { addAccountRoutes } from "./routes/directory/accounts.ts";
import { addPermissionGroups, addTokenChecks } from "./routes/directory/token-checks.ts";
import { addTokenRoutes } from "./routes/directory/tokens.ts";
import { addUserRoutes } from "./routes/directory/users.ts";
import { addFaultRoutes } from "./routes/faults.ts";
import { addHealthRoutes } from "./routes/health.ts";
import { addInspectorRoute } from "./routes/inspector.ts";
import { addInterconnectRoutes } from "./routes/interconnects.ts";
import { addLastChangeRoutes } from "./routes/last-changes.ts";
import { addLogRoutes } from "./routes/log.ts";
import { addPages } from "./routes/pages.ts";
import { addResetRoute } from "./routes/reset.ts";
import { addSessionRoutes } from "./routes/session.ts";
import { addStaticRoutes } from "./routes/static-routes.ts";
import { addUndoRoutes } from "./routes/undo.ts";

export interface App {
  readonly app: FastifyInstance;
  /** For servers beside the one that the application opens. */
  readonly strays: Strays;
}

export function createApp(context: AppContext, doors: Doors, patience: Patience = usualPatience): App {
  const strays: Strays = {
    broken: (error, socket) => broken.answer(error, socket),
    connect: (_request, socket) => broken.refuseConnect(socket),
  };
  const app = Fastify({
    logger: false,
    forceCloseConnections: "idle",
    return503OnClosing: false,
    genReqId: () => context.newRequestId(),
    routerOptions: { maxParamLength: 500, ignoreDuplicateSlashes: false, caseSensitive: true },
    serverFactory: (handler) => {
      const first = context.settle
        ? settledFirst(context.settle, handler)
        : knownFirst(() => routes, handler);
      const whole = context.store.shared ? freshFirst(context, () => routes, first) : first;
      return doors.open(whole, strays);
    },
    clientErrorHandler: strays.broken,
    // Bodies are checked and written by the contract. Without this, the framework would load its own ways at start.
    schemaController: { compilersFactory: { buildValidator: unused, buildSerializer: unused } },
    // A path that cannot be decoded. It comes here past all hooks.
    frameworkErrors: (_error, request, reply) => {
      if (!routes.begin(request, reply)) return;
      const refusal = refuse("not_routable", { path: pathOf(request.url) });
      routes.answer(request, reply, routes.refusal(request, refusal));
    },
  });
  const routes = new Routes(app, context);
  const broken = new BrokenRequests(routes, patience);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (_request: FastifyRequest, payload: IncomingMessage) => collectBody(payload));
  app.addHook("onRequest", (request, reply, done) => {
    if (!broken.note(reply)) return;
    if (!routes.begin(request, reply)) return;
    // Before the body is read: what it says does not matter.
    if (!request.is404) return done();
    const refusal = notFound(request.method, pathOf(request.url));
    routes.answer(request, reply, routes.refusal(request, refusal));
  });
  addInterconnectRoutes(routes, context);
  addStaticRoutes(routes, context);
  addSlotRoutes(routes, context);
  addPortRoutes(routes, context);
  addCniRoutes(routes, context);
  addAccountAdministration(routes, context);
  addLogRoutes(routes, context);
  addLastChangeRoutes(routes, context);
  addUndoRoutes(routes, context);
  addHealthRoutes(routes, context);
  addAuditRoute(routes, context);
  addAccountRoutes(routes, context);
  addUserRoutes(routes, context);
  addTokenChecks(routes, context);
  addPermissionGroups(routes, context);
  addTokenRoutes(routes, context);
  addResetRoute(routes, context);
  addFaultRoutes(routes, context);
  addInspectorRoute(routes, context);
  addSessionRoutes(app, routes, context);
  addPages(app, routes, context);
  addDashboard(app, routes, context);
  app.setErrorHandler((error: FastifyError, request, reply) => {
    routes.answer(
      request,
      reply,
      routes.refusal(request, ownRefusal(error, request.headers["content-type"])),
    );
  });
  return { app, strays };
}

function unused(): never {
  throw new Error("no route has a schema of the framework's");
}

/** Without the date, which Node would add, and once everything is done that its time has come for. */
function settledFirst(settle: () => Promise<void>, handler: RequestListener): RequestListener {
  return (request, response) => {
    response.sendDate = false;
    void settle().then(() => handler(request, response));
  };
}

/** Lets what is known be answered before the framework sees it. */
function knownFirst(routes: () => Routes, handler: RequestListener): RequestListener {
  return (request, response) => {
    if (!routes().answerKnown(request, response)) handler(request, response);
  };
}

/** Paths whose answers come from what is kept, and the account that they are about, if it may be one. */
const KEPT = /^\/(?:client\/v4|patchbay\/v1)\/(?:accounts\/([0-9a-f]{32})(?![^/?]))?/;

/** Brings into memory what a request is about, as new as it is when the request arrives. */
function freshFirst(
  { accounts, lookAtWorld }: AppContext,
  routes: () => Routes,
  handler: RequestListener,
): RequestListener {
  return (request, response) => {
    const kept = KEPT.exec(decoded(request.url ?? ""));
    const fresh = kept && accounts.fresh(kept[1]);
    if (!fresh) return handler(request, response);
    fresh
      .then(lookAtWorld)
      .catch((error: unknown) => routes().noteStale(request, error))
      .then(() => handler(request, response));
  };
}

/** A path as the router reads it, which takes the number of a letter for the letter. */
function decoded(url: string): string {
  if (!url.includes("%")) return url;
  return url.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
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
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
      return refuse("unsupported_media_type", { given: type ?? "absent" });
    case "ECONNRESET":
      return refuse("malformed_http", { detail: "it was broken off" });
    default:
      return error;
  }
}
