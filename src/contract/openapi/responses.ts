/** What an operation can answer, status by status. */

import { BareFailure, Failure } from "../envelope.ts";
import { type ErrorName, entryOf } from "../errors.ts";
import type { Operation } from "../operation.ts";
import { exampleOf } from "./examples.ts";
import { refusalsAt, refusalsOf } from "./refusals.ts";
import type { PlainSchema, PublishedSchemas } from "./schemas.ts";

export interface MediaType {
  readonly schema: PlainSchema;
  readonly example?: unknown;
}

export interface Header {
  readonly description: string;
  readonly required?: true;
  readonly schema: PlainSchema;
  readonly example?: string;
}

export interface Reference {
  readonly $ref: string;
}

export interface Response {
  readonly description: string;
  readonly headers?: Readonly<Record<string, Reference>>;
  readonly content?: Readonly<Record<string, MediaType>>;
  /** Codes that `errors` may hold. */
  readonly "x-error-codes"?: readonly number[];
}

export const JSON_TYPE = "application/json";

/** The headers of answers by the name they are referred to: what stands before `-of-` is their own. */
export const responseHeaders = {
  "cf-ray": {
    description: "Names the request. The change it made stands under this name in the change log.",
    required: true,
    schema: { type: "string", pattern: "^[0-9a-f]{16}-" },
  },
  etag: {
    description: "The version of what is answered, for `if-match` and `if-none-match`.",
    required: true,
    schema: { type: "string" },
  },
  "etag-of-change": {
    description:
      "The version that the request made, if it changed something; of an undo that was only judged, the one it was judged on.",
    schema: { type: "string" },
  },
  ratelimit: {
    description: "What is left of the credential's quota, and the seconds until it is whole again.",
    required: true,
    schema: { type: "string" },
    example: '"default";r=1199;t=300',
  },
  "ratelimit-policy": {
    description: "The quota of a credential, and the seconds it is for.",
    required: true,
    schema: { type: "string" },
    example: '"default";q=1200;w=300',
  },
  "retry-after": {
    description: "Seconds to wait before the request is sent again.",
    required: true,
    schema: { type: "string", pattern: "^[0-9]+$" },
  },
} as const satisfies Record<string, Header>;

const statusNames: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  408: "Request Timeout",
  409: "Conflict",
  410: "Gone",
  412: "Precondition Failed",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  422: "Unprocessable Content",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  507: "Insufficient Storage",
};

export function statusName(status: number): string {
  return statusNames[status] ?? `Status ${status}`;
}

/** Statuses that come of the same few reasons whatever is asked, so that the document holds them once. */
const common = [408, 413, 415, 429, 431, 500, 503];

export class Responses {
  readonly #schemas: PublishedSchemas;
  readonly #shared = new Map<string, { readonly text: string; readonly response: Response }>();

  constructor(schemas: PublishedSchemas) {
    this.#schemas = schemas;
  }

  /** Those that several operations share, by name. */
  get shared(): Readonly<Record<string, Response>> {
    return Object.fromEntries([...this.#shared].map(([name, { response }]) => [name, response]));
  }

  of(operation: Operation): Readonly<Record<string, Response | Reference>> {
    const byStatus = Map.groupBy(refusalsOf(operation), (name) => entryOf(name).status);
    const refusals = [...byStatus].map(([status, names]): [string, Response | Reference] => [
      String(status),
      this.#share(status, this.#refusal(status, names, refusalsAt(operation, status))),
    ]);
    return {
      200: this.#accepted(operation),
      ...(operation.conditional && operation.method === "GET" ? { 304: notModified } : {}),
      ...Object.fromEntries(refusals),
    };
  }

  #accepted(operation: Operation): Response {
    const headers = headersNamed([
      "cf-ray",
      "ratelimit-policy",
      ...(operation.judgesCredential ? [] : (["ratelimit"] as const)),
      ...(operation.conditional ? ([operation.method === "GET" ? "etag" : "etag-of-change"] as const) : []),
    ]);
    if (operation.empty) return { description: "Done. The body is empty.", headers };
    if (operation.produces !== undefined) {
      return { description: "Accepted.", headers, content: { [operation.produces]: { schema: {} } } };
    }
    const schema = this.#schemas.publish(operation.answer);
    const example = exampleOf(schema, (name) => this.#schemas.find(name));
    const content = { [JSON_TYPE]: { schema, ...(example === undefined ? {} : { example }) } };
    return { description: "Accepted.", headers, content };
  }

  /** `all`: with those that may follow the first, which has this status. */
  #refusal(status: number, names: readonly ErrorName[], all: readonly ErrorName[]): Response {
    const failure = this.#schemas.publish(Failure);
    // The gateway's answer to a request without credentials has a form of its own.
    const schema = names.includes("missing_credentials")
      ? { anyOf: [failure, this.#schemas.publish(BareFailure)] }
      : failure;
    const waits = names.some((name) => name === "rate_limited") || status === 503;
    return {
      description: `${statusName(status)}. ${whyOf(all)}`,
      ...(waits ? { headers: headersNamed(["retry-after"]) } : {}),
      content: { [JSON_TYPE]: { schema } },
      "x-error-codes": [...new Set(all.map((name) => entryOf(name).code))],
    };
  }

  /** The response itself, or a reference to it if it is as it always is. */
  #share(status: number, response: Response): Response | Reference {
    if (!common.includes(status)) return response;
    const name = statusName(status).replaceAll(/\s/g, "");
    const text = JSON.stringify(response);
    const known = this.#shared.get(name);
    if (known && known.text !== text) return response;
    this.#shared.set(name, known ?? { text, response });
    return { $ref: `#/components/responses/${name}` };
  }
}

/** Why it is refused, where that is one thing; else the codes tell. */
function whyOf(names: readonly ErrorName[]): string {
  const [only, ...others] = names;
  if (only !== undefined && others.length === 0) return entryOf(only).when;
  return "`code` of each of `errors` says why; each has a page, whose address is its `documentation_url`.";
}

function headersNamed(names: readonly (keyof typeof responseHeaders)[]): Readonly<Record<string, Reference>> {
  const entries = names.map((name) => [name.replace(/-of-.*/, ""), { $ref: `#/components/headers/${name}` }]);
  return Object.fromEntries(entries);
}

const notModified: Response = {
  description: "Not Modified. What `if-none-match` names is still current.",
  headers: headersNamed(["cf-ray", "ratelimit-policy", "ratelimit", "etag"]),
};
