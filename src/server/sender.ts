/** Answers on their way out: their headers, and what is counted and logged of them. */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { FastifyRequest } from "fastify";
import {
  LARGE_BODY_BYTES,
  MAX_PUBLIC_BYTES_UNDER_WAY,
  MAX_RESPONSE_BYTES_UNDER_WAY,
} from "../contract/limits.ts";
import type { OperationName } from "../contract/operations.ts";
import { LINGER } from "./broken-requests.ts";
import type { AppContext } from "./context.ts";
import { type Answer, fail } from "./envelope.ts";
import { Budget } from "./network/budget.ts";
import { refuse } from "./refusal.ts";
import { linesOfChange } from "./submitting.ts";

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

/** Consecutive checks, spread over the patience, in which a client has received nothing before its connection is closed. */
const IDLE_CHECKS = 6;

export class Sender {
  readonly #context: AppContext;
  /** The `ratelimit-policy` header. */
  readonly #policy: string;
  /** Milliseconds for a response of which the client receives nothing more. */
  readonly #patience: number;
  readonly #underWay = new Budget(MAX_RESPONSE_BYTES_UNDER_WAY);
  readonly #publicUnderWay = new Budget(MAX_PUBLIC_BYTES_UNDER_WAY);
  #draining = false;

  constructor(context: AppContext, policy: string, patience: number) {
    this.#context = context;
    this.#policy = policy;
    this.#patience = patience;
    context.draining.addEventListener("abort", () => {
      this.#draining = true;
    });
  }

  /** The headers that are the same each time an answer is given, as the flat list that Node writes fastest. */
  linesOf({ status, body, length, headers = {} }: Answer): readonly string[] {
    const lines = ["ratelimit-policy", this.#policy];
    if (!headers["cache-control"]) lines.push("cache-control", "no-store");
    const empty = status !== 304 && body.length === 0;
    if (!headers["content-type"] && !empty) lines.push("content-type", "application/json");
    if (!headers["vary"]) lines.push("vary", "x-magic-new-hc-target");
    if (!headers["x-content-type-options"]) lines.push("x-content-type-options", "nosniff");
    if (status !== 304) lines.push("content-length", String(length ?? Buffer.byteLength(body)));
    for (const name in headers) lines.push(name, headers[name] ?? "");
    return lines;
  }

  /** Sends an answer. All answers of the server leave here. */
  send(request: Exchange, response: ServerResponse, answer: Answer, lines?: readonly string[]): void {
    if (this.#fits(request, response, answer)) this.#send(request, response, answer, lines);
    else {
      const { problems } = refuse("too_much_under_way");
      this.#send(request, response, fail(problems, this.#context.ingress.baseOf(request.raw)));
    }
  }

  /** Whether a response can be held until the client has it. What a request changed is reported in any case. */
  #fits(
    { method, rate }: Exchange,
    response: ServerResponse,
    { body, length = body.length }: Answer,
  ): boolean {
    if (method !== "GET" || length <= LARGE_BODY_BYTES) return true;
    // Without a counted credential, it is one of the public pages.
    return (rate === "" ? this.#publicUnderWay : this.#underWay).hold(length, response);
  }

  /** Ends the connection of a client that receives nothing more of a response. */
  #waitForClient({ complete, socket }: IncomingMessage, response: ServerResponse): void {
    // The timer starts again whenever the system has taken some of it, and whenever something is read: so nothing is.
    if (complete) socket.pause();
    // Node checks for progress only when the timer ends: one long timer would take up to twice as long.
    const interval = this.#patience / IDLE_CHECKS;
    let idle = 0;
    let last = performance.now();
    response.setTimeout(interval, () => {
      const now = performance.now();
      idle = now - last < 2 * interval ? idle + 1 : 1;
      last = now;
      if (idle < IDLE_CHECKS) response.setTimeout(interval);
      else socket.destroy();
    });
  }

  #send(request: Exchange, response: ServerResponse, answer: Answer, lines = this.linesOf(answer)): void {
    const { status, body } = answer;
    const { inspector } = this.#context;
    if (response.writableEnded || response.destroyed) {
      if (status === DROPPED) inspector?.note(request, answer, []);
      return;
    }
    const headers = request.rate === "" ? [...lines] : [...lines, "ratelimit", request.rate];
    headers.push("cf-ray", request.id);
    if (request.made && status < 400) headers.push(...linesOfChange(request.made, request.watched));
    const unread = hasMuchLeft(request);
    const last = this.#draining || unread || asksToUpgrade(request);
    if (unread) lingerOn(request.raw.socket);
    if (last && !answer.headers?.["connection"]) headers.push("connection", "close");
    inspector?.note(request, answer, headers);
    response.writeHead(status, headers);
    // A text of as many bytes as characters is ASCII, which Node writes faster under its simpler name.
    response.end(body, answer.length === body.length ? "latin1" : "utf8");
    if (response.writableLength > 0) this.#waitForClient(request.raw, response);
    const seconds = (performance.now() - request.startedAt) / 1000;
    this.#context.metrics.countRequest(request.operation, status, seconds);
    if (this.#context.log.isLevelEnabled("debug")) {
      const { method, url, raw } = request;
      const about = {
        request_id: request.id,
        operation: request.operation,
        method,
        url: this.#context.masker.url(url),
        ip: this.#context.ingress.addressOf(raw),
        status,
        seconds,
      };
      this.#context.log.debug(about, "request");
    }
  }
}

/**
 * Keeps a connection open for a moment after its last response, and discards what still comes in: closed with bytes unread,
 * the system would reset it, and the client would lose the response.
 */
function lingerOn(socket: Socket): void {
  socket.destroySoon = () => {
    socket.end();
    socket.resume();
    setTimeout(() => socket.destroy(), LINGER).unref();
  };
}

/** Node reads no more requests of a connection after one that asks to upgrade it, which nothing here does. */
function asksToUpgrade({ raw }: Exchange): boolean {
  const { connection, upgrade } = raw.headers;
  return upgrade !== undefined && /\bupgrade\b/i.test(connection ?? "");
}

/** Is a body on its way that is not worth reading to its end, only to keep the connection? */
function hasMuchLeft({ raw }: Exchange): boolean {
  if (raw.complete) return false;
  return (
    raw.headers["transfer-encoding"] !== undefined ||
    Number(raw.headers["content-length"] ?? 0) > LARGE_BODY_BYTES
  );
}
