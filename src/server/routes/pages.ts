/** Pages for people: the start page and what each error means. */

import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { errorPage, errorPages, renderHtml, renderMarkdown, startPage } from "../../contract/pages.ts";
import type { Routes } from "../call.ts";
import { refuse } from "../refusal.ts";

/** Nothing is loaded from anywhere, and nothing runs. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";

export function addPages(app: FastifyInstance, routes: Routes): void {
  const send = (request: FastifyRequest, reply: FastifyReply, page: ReturnType<typeof errorPage>) => {
    if (!page) return routes.answer(request, reply, routes.refusal(request, refuse("no_route")));
    const html = request.headers.accept?.includes("text/html") ?? false;
    routes.answer(request, reply, {
      status: 200,
      body: html ? renderHtml(page) : renderMarkdown(page),
      headers: {
        "content-type": html ? "text/html; charset=utf-8" : "text/markdown; charset=utf-8",
        "content-security-policy": POLICY,
        "x-content-type-options": "nosniff",
        vary: "accept",
      },
    });
  };
  app.get("/", (request, reply) => send(request, reply, startPage()));
  app.get("/docs/errors", (request, reply) => send(request, reply, errorPages()));
  app.get("/docs/errors/:code", (request, reply) => {
    const { code } = request.params as { code: string };
    send(request, reply, errorPage(code.replace(/\.md$/, "")));
  });
}
