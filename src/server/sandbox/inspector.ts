/** The requests that a sandbox answered last, as they came and as they were answered. */

import type { ResponseInfo } from "../../contract/envelope.ts";
import { ignoredFields } from "../../contract/ignored.ts";
import {
  BODY_KEPT,
  LARGEST_SEARCHED,
  PROBLEMS_KEPT,
  REQUESTS_KEPT,
  type SeenBody,
  type SeenRequest,
} from "../../contract/inspector.ts";
import type { Operation } from "../../contract/operation.ts";
import { type OperationName, operations } from "../../contract/operations.ts";
import type { Clock } from "../clock.ts";
import type { Answer } from "../envelope.ts";
import type { Exchange } from "../sender.ts";
import { MARK } from "./faults.ts";
import { maskBody, maskHeader, maskHeaders, maskText } from "./mask.ts";

/** What is looked at beyond what is kept, so that no secret is cut off before it is known for one. */
const BEYOND = 512;

const SHOWN = /^\/(?:client\/v4|patchbay\/v1)(?:[/?]|$)/;

export class Inspector {
  readonly #clock: Clock;
  readonly #seen: SeenRequest[] = [];
  readonly #waiting = new Set<() => void>();
  #newest = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Keeps what a request was and how it is answered. `lines` are the answer's headers, names and values in turn. */
  note(request: Exchange, answer: Answer, lines: readonly string[]): void {
    const { asked, method, url, startedAt } = request;
    if (asked === "listRequests" || !SHOWN.test(url)) return;
    const { status, headers: { [MARK]: fault } = {} } = answer;
    const isRefused = status >= 400;
    this.#seen.push({
      number: ++this.#newest,
      time: this.#clock.timestamp(),
      method,
      path: maskText(url),
      operation: asked ?? null,
      status: status === 0 ? null : status,
      duration_ms: Math.round((performance.now() - startedAt) * 1000) / 1000,
      fault: fault ?? null,
      request: {
        headers: maskHeaders(request.raw.headers),
        body: bodyOf(request.body, request.raw.headers["content-type"], isRefused),
      },
      response: { headers: headersOf(lines), body: answeredBody(answer) },
      problems: isRefused ? problemsOf(answer) : [],
      ignored: isRefused || status === 0 ? [] : ignoredIn(asked, request.body),
    });
    if (this.#seen.length > REQUESTS_KEPT) this.#seen.shift();
    for (const wake of this.#waiting) wake();
  }

  /** Those with a larger number, oldest first; all, if no request has that number yet. */
  after(number: number): readonly SeenRequest[] {
    if (number > this.#newest) return this.#seen;
    return this.#seen.filter((one) => one.number > number);
  }

  /** Calls back with each request that is noted, until what is returned is called. */
  onNote(wake: () => void): () => void {
    this.#waiting.add(wake);
    return () => void this.#waiting.delete(wake);
  }
}

function headersOf(lines: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let index = 0; index < lines.length; index += 2) {
    const name = lines[index] ?? "";
    headers[name] = maskHeader(name, lines[index + 1] ?? "");
  }
  return headers;
}

function answeredBody({ body, headers = {} }: Answer): SeenBody | null {
  return bodyOf(body, headers["content-type"] ?? "application/json", false);
}

function bodyOf(body: unknown, type: string | undefined, broken: boolean): SeenBody | null {
  if (!(typeof body === "string" || body instanceof Uint8Array) || body.length === 0) return null;
  const bytes = typeof body === "string" ? Buffer.byteLength(body) : body.length;
  const isText = type === undefined || /json|^text\//i.test(type);
  return { text: isText ? kept(body, broken) : null, bytes };
}

/** A text of its own: a part of a larger one would keep all of that in memory. */
function kept(body: string | Uint8Array, broken: boolean): string {
  const most = BODY_KEPT + BEYOND;
  const start =
    typeof body === "string" ? Buffer.from(body.slice(0, most)) : Buffer.from(body.subarray(0, most));
  const masked = Buffer.from(maskBody(start.toString("utf8"), broken));
  // A character that is cut in two is left out.
  const text = masked.subarray(0, BODY_KEPT).toString("utf8");
  return masked.length > BODY_KEPT ? text.replace(/\ufffd$/, "") : text;
}

function problemsOf({ body }: Answer): ResponseInfo[] {
  const parsed: unknown = typeof body === "string" ? parse(body) : undefined;
  const errors: unknown = typeof parsed === "object" && parsed !== null && Reflect.get(parsed, "errors");
  if (!Array.isArray(errors)) return [];
  return errors
    .slice(0, PROBLEMS_KEPT)
    .map((error: ResponseInfo) => ({ ...error, message: maskText(error.message) }));
}

/** What an accepted body said for nothing. */
function ignoredIn(asked: OperationName | undefined, body: unknown): string[] | null {
  if (asked === undefined || !(body instanceof Uint8Array) || body.length === 0) return [];
  if (body.length > LARGEST_SEARCHED) return null;
  const operation: Operation = operations[asked];
  return operation.body ? ignoredFields(operation.body, parse(body)) : [""];
}

function parse(body: string | Uint8Array): unknown {
  try {
    return JSON.parse(typeof body === "string" ? body : Buffer.from(body).toString("utf8"));
  } catch {
    return undefined;
  }
}
