/** Pages for people, and the contract for programs: the reference, what each error means. */

import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { interconnectsFileSchema } from "../../contract/interconnects-file.ts";
import { errorPage, errorPages, type Page, renderHtml, renderMarkdown } from "../../contract/pages.ts";
import type { Routes } from "../call.ts";
import type { AppContext } from "../context.ts";
import type { Answer } from "../envelope.ts";
import { hasDemoCredentials } from "../exposure.ts";
import { type Form, Published } from "../published.ts";
import { refuse } from "../refusal.ts";

/** Nothing is loaded from anywhere, and nothing runs. */
export const PAGE_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";

export function addPages(app: FastifyInstance, routes: Routes, { accounts, ingress }: AppContext): void {
  const published = new Published();

  const send = (
    request: FastifyRequest,
    reply: FastifyReply,
    type: string,
    { body, length }: Pick<Answer, "body" | "length">,
  ) =>
    routes.answer(request, reply, {
      status: 200,
      body,
      ...(length !== undefined && { length }),
      headers: {
        "content-type": type,
        "content-security-policy": PAGE_POLICY,
        "x-content-type-options": "nosniff",
        vary: "accept",
      },
    });

  const sendPage = (request: FastifyRequest, reply: FastifyReply, page: Page | undefined) => {
    if (!page) return routes.answer(request, reply, routes.refusal(request, refuse("no_route")));
    if (wantsHtml(request)) send(request, reply, "text/html; charset=utf-8", { body: renderHtml(page) });
    else send(request, reply, "text/markdown; charset=utf-8", { body: renderMarkdown(page) });
  };

  const sendPublished = (request: FastifyRequest, reply: FastifyReply, form: Form) => {
    const isDemo = hasDemoCredentials(accounts.directory.state);
    reply.hijack();
    published.text(form, ingress.baseOf(request.raw), isDemo).then(
      (text) => send(request, reply, types[form], text),
      (error) => routes.answer(request, reply, routes.refusal(request, error)),
    );
  };

  app.get("/openapi.json", (request, reply) => sendPublished(request, reply, "openapi"));
  app.get("/docs", (request, reply) =>
    sendPublished(request, reply, wantsHtml(request) ? "html" : "markdown"),
  );
  // For editors, which have no credential: it says what can be written, and nothing of any account.
  app.get("/patchbay/v1/schemas/interconnects.json", (request, reply) =>
    send(request, reply, "application/schema+json", { body: fileSchema }),
  );
  app.get("/docs/errors", (request, reply) => sendPage(request, reply, errorPages()));
  app.get("/docs/errors/:code", (request, reply) => {
    const { code } = request.params as { code: string };
    sendPage(request, reply, errorPage(code.replace(/\.md$/, "")));
  });
}

const fileSchema = JSON.stringify(interconnectsFileSchema);

const types = {
  html: "text/html; charset=utf-8",
  markdown: "text/markdown; charset=utf-8",
  openapi: "application/json",
} as const;

export function wantsHtml({ headers }: FastifyRequest): boolean {
  return headers.accept?.includes("text/html") ?? false;
}
