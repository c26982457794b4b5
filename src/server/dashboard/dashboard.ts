/** The dashboard: one page, the scripts and styles it loads, and a start page for programs and where it is not built. */

import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { renderHtml, renderMarkdown, startPage } from "../../contract/pages.ts";
import type { Routes } from "../call.ts";
import type { AppContext } from "../context.ts";
import type { Answer } from "../envelope.ts";
import { refuse } from "../refusal.ts";
import { PAGE_POLICY, wantsHtml } from "../routes/pages.ts";
import { DashboardFiles, type SentFile } from "./files.ts";

/** Everything from this server and nothing inline. */
export const DASHBOARD_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

/** Seconds that a file named by its content may be kept. */
const A_YEAR = 365 * 24 * 60 * 60;

export function addDashboard(app: FastifyInstance, routes: Routes, { dashboard }: AppContext): void {
  const files = new DashboardFiles(dashboard);

  const later = (request: FastifyRequest, reply: FastifyReply, made: Promise<Answer>) => {
    reply.hijack();
    made.then(
      (answer) => routes.answer(request, reply, answer),
      (error) => routes.answer(request, reply, routes.refusal(request, error)),
    );
  };

  const sendPage = (request: FastifyRequest, reply: FastifyReply) => {
    const page = files.page(request.headers["accept-encoding"]);
    later(
      request,
      reply,
      page.then((file) => (file ? pageOf(file) : startOf(true))),
    );
  };

  app.get("/", (request, reply) => {
    if (wantsHtml(request)) sendPage(request, reply);
    else routes.answer(request, reply, startOf(false));
  });
  app.get("/dashboard", sendPage);
  app.get("/dashboard/*", sendPage);
  app.get("/assets/:name", (request, reply) => {
    const { name } = request.params as { name: string };
    const found = files.asset(name, request.headers["accept-encoding"]);
    later(
      request,
      reply,
      found.then((file) => (file ? assetOf(file) : routes.refusal(request, refuse("no_route")))),
    );
  });
}

const common = {
  "content-security-policy": DASHBOARD_POLICY,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
};

/** Asked again each time: it names the files of the newest build. */
function pageOf(file: SentFile): Answer {
  return sent(file, { ...common, vary: "accept, accept-encoding", "cache-control": "no-cache" });
}

function assetOf(file: SentFile): Answer {
  return sent(file, {
    ...common,
    vary: "accept-encoding",
    "cache-control": `public, max-age=${A_YEAR}, immutable`,
  });
}

function sent({ type, body, encoding }: SentFile, headers: Readonly<Record<string, string>>): Answer {
  return {
    status: 200,
    // The same bytes for all responses.
    body: [body],
    length: body.length,
    headers: { ...headers, "content-type": type, ...(encoding && { "content-encoding": encoding }) },
  };
}

/** What a program finds, and a person where there is no dashboard. */
function startOf(forPerson: boolean): Answer {
  const page = startPage(forPerson);
  const [type, body] = forPerson
    ? ["text/html; charset=utf-8", renderHtml(page)]
    : ["text/markdown; charset=utf-8", renderMarkdown(page)];
  const headers = {
    "content-type": type,
    "content-security-policy": PAGE_POLICY,
    "x-content-type-options": "nosniff",
    vary: "accept",
  };
  return { status: 200, body, headers };
}
