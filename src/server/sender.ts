/** Answers on their way out: their headers, and what is counted and logged of them. */

import type { ServerResponse } from "node:http";
import type { FastifyRequest } from "fastify";
import { SMALL_MESSAGE } from "../contract/limits.ts";
import type { OperationName } from "../contract/operations.ts";
import type { AppContext } from "./context.ts";
import { type Answer, fail } from "./envelope.ts";
import { connectionOf, heldFor, type ResponseBody } from "./network/connections.ts";
import { refuse } from "./refusal.ts";
import { linesOfChange } from "./submitting.ts";

/** A body larger than this is worked on in steps, between which others are answered. */
export const LARGE_BODY = 256 * 1024;

/** Stands for a status where the connection was closed instead. */
export const DROPPED = 0;

/** What an answer needs to know of its request. */
export type Exchange = Pick<
  FastifyRequest,
  "id" | "raw" | "method" | "url" | "ip" | "startedAt" | "operation" | "rate" | "made" | "watched"
> & {
  /** The operation that it is a request of, if it is of one. */
  readonly asked: OperationName | undefined;
  /** As it came, if it was read. */
  readonly body?: unknown;
};

export class Sender {
  readonly #context: AppContext;
  /** The `ratelimit-policy` header. */
  readonly #policy: string;
  /** Whether each response asks its client to leave. */
  #draining = false;

  constructor(context: AppContext, policy: string) {
    this.#context = context;
    this.#policy = policy;
    context.draining.addEventListener("abort", () => {
      this.#draining = true;
    });
  }

  /** The headers that are the same each time an answer is given, as the flat list that Node writes fastest. */
  linesOf({ status, body, length, headers = {} }: Answer): readonly string[] {
    const lines = ["ratelimit-policy", this.#policy];
    if (!headers["cache-control"]) lines.push("cache-control", "private, no-cache");
    const size = length ?? (isWhole(body) ? Buffer.byteLength(body) : 0);
    const empty = status !== 304 && size === 0;
    if (!headers["content-type"] && !empty) lines.push("content-type", "application/json");
    if (!headers["vary"]) lines.push("vary", "x-magic-new-hc-target");
    if (status !== 304) lines.push("content-length", String(size));
    for (const name in headers) lines.push(name, headers[name] ?? "");
    return lines;
  }

  /** Sends an answer. All answers of the server leave here. */
  send(request: Exchange, response: ServerResponse, answer: Answer, lines = this.linesOf(answer)): void {
    const { status, body, length } = answer;
    const connection = connectionOf(request.raw);
    // A change was made, whatever becomes of its response.
    const isRepeatable = request.method === "GET" && heldFor(body) > SMALL_MESSAGE;
    if (isRepeatable && connection?.admitsResponse(heldFor(body)) === false) {
      const { problems } = refuse("too_much_under_way");
      this.send(request, response, fail(problems, this.#context.ingress.baseOf(request.raw)));
      return;
    }
    const { inspector } = this.#context;
    if (response.writableEnded || response.destroyed) {
      if (status === DROPPED) inspector?.note(request, answer, []);
      return;
    }
    const headers = request.rate === "" ? [...lines] : [...lines, "ratelimit", request.rate];
    headers.push("cf-ray", request.id);
    if (request.made && status < 400) headers.push(...linesOfChange(request.made, request.watched));
    const isUnread = hasMuchLeft(request) || isUpgrade(request);
    if (isUnread) connection?.linger();
    const last = this.#draining || isUnread;
    if (last && !answer.headers?.["connection"]) headers.push("connection", "close");
    inspector?.note(request, answer, headers);
    response.writeHead(status, headers);
    // A text of as many bytes as characters is ASCII, which Node writes faster under its simpler name.
    const encoding = typeof body === "string" && length === body.length ? "latin1" : "utf8";
    connection?.write(response, body, encoding);
    const seconds = (performance.now() - request.startedAt) / 1000;
    this.#context.metrics.countRequest(request.operation, status, seconds);
    if (this.#context.log.isLevelEnabled("debug")) {
      const { method, url, raw } = request;
      const about = {
        request_id: request.id,
        operation: request.operation,
        method,
        url,
        ip: this.#context.ingress.addressOf(raw),
        status,
        seconds,
      };
      this.#context.log.debug(about, "request");
    }
  }
}

function isWhole(body: ResponseBody): body is string | Buffer {
  return typeof body === "string" || body instanceof Uint8Array;
}

/** Whether Node's parser took everything that follows the request for another protocol. No upgrade is made. */
function isUpgrade({ raw: { headers } }: Exchange): boolean {
  return headers.upgrade !== undefined && /upgrade/i.test(headers.connection ?? "");
}

/** Is a body on its way that is not worth reading to its end, only to keep the connection? */
function hasMuchLeft({ raw }: Exchange): boolean {
  if (raw.complete) return false;
  return (
    raw.headers["transfer-encoding"] !== undefined || Number(raw.headers["content-length"] ?? 0) > LARGE_BODY
  );
}
