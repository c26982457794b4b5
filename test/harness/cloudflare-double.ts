/**
 * A second, independent server of Cloudflare's Magic interconnects API, for tests: it knows what the vendor documents
 * and nothing else. No `/patchbay`, no `etag`, conditions and headers it does not know ignored, its rate limit on.
 * Imports nothing of Patchbay's, so that what passes here needs nothing of Patchbay's.
 *
 * Where the vendor documents nothing (codes of some refusals, whether an update of many is atomic) it decides as the
 * rest of that API does, and no test may rely on it.
 */

import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import consumers from "node:stream/consumers";
import {
  type DoubleInterconnect,
  DoubleRefusal,
  type DoubleSecrets,
  mergeUpdate,
  tell,
} from "./cloudflare-double-interconnects.ts";
import { doubleRoutes, doubleSecrets, doubleWorld } from "./cloudflare-double-world.ts";

export type { DoubleInterconnect } from "./cloudflare-double-interconnects.ts";
export { doubleWorld } from "./cloudflare-double-world.ts";

export interface DoubleToken {
  readonly value: string;
  /** What it may on the account; everything unless said. */
  readonly may?: readonly ("read" | "write")[];
  readonly status?: "active" | "disabled" | "expired";
}

export interface DoubleOptions {
  readonly account?: string;
  readonly tokens?: readonly DoubleToken[];
  readonly interconnects?: readonly DoubleInterconnect[];
  /** Static routes as they are told. */
  readonly routes?: readonly Readonly<Record<string, unknown>>[];
  readonly secrets?: Partial<DoubleSecrets>;
  /** Of each token; 1,200 in 300 seconds unless said. Over it, everything is refused for as long again. */
  readonly rateLimit?: { readonly requests: number; readonly seconds: number };
  /** Milliseconds. */
  readonly clock?: () => number;
  /** Looks at each request first, and decides what becomes of it. */
  readonly meddle?: (request: SeenRequest) => Meddling | Promise<Meddling>;
}

/**
 * An answer in the service's place; or the connection is broken off: before the service hears of the request, or in the
 * middle of its answer.
 */
export type Meddling = DoubleAnswer | "break" | "break the answer" | undefined;

/** A request as it came in. */
export interface SeenRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** Parsed; `undefined` if there was none, or no JSON. */
  readonly body: unknown;
}

export interface DoubleAnswer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface CloudflareDouble extends AsyncDisposable {
  /** Without a slash at the end and without `/client/v4`. */
  readonly url: string;
  /** For `CLOUDFLARE_BASE_URL` and profiles. */
  readonly baseUrl: string;
  readonly account: string;
  readonly token: string;
  /** Everything that was asked, oldest first. */
  readonly requests: readonly SeenRequest[];
  /** The interconnects as they are stored. */
  interconnects(): readonly DoubleInterconnect[];
  /** Somebody else changes an interconnect. */
  change(id: string, fields: Partial<DoubleInterconnect>): void;
  close(): Promise<void>;
}

export const DOUBLE_ACCOUNT = "023e105f4ecef8ad9ca31a8372d0c353";
export const DOUBLE_TOKEN = "double-of-cloudflare-token-0000000000000";

/** Starts the double on a free port of this machine. */
export async function startCloudflareDouble(options: DoubleOptions = {}): Promise<CloudflareDouble> {
  const { account = DOUBLE_ACCOUNT, tokens = [{ value: DOUBLE_TOKEN }] } = options;
  const requests: SeenRequest[] = [];
  const service = new Service(account, tokens, options);
  const server = createServer((incoming, response) => {
    void readRequest(incoming).then(async (request) => {
      requests.push(request);
      const meddled = await options.meddle?.(request);
      if (meddled === "break") incoming.socket.destroy();
      else if (meddled === "break the answer") sendHalf(response, service.answer(request));
      else send(response, meddled ?? service.answer(request));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The double has no port.");
  const close = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  };
  const url = `http://127.0.0.1:${address.port}`;
  return {
    url,
    baseUrl: `${url}/client/v4`,
    account,
    token: tokens[0]?.value ?? "",
    requests,
    interconnects: () => service.interconnects,
    change: (id, fields) => service.change(id, fields),
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function readRequest(incoming: IncomingMessage): Promise<SeenRequest> {
  const { pathname, searchParams } = new URL(incoming.url ?? "/", "http://double");
  const text = await consumers.text(incoming);
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    body = undefined;
  }
  const { method = "GET", headers } = incoming;
  return { method, path: pathname, query: searchParams, headers, text, body };
}

function send(response: ServerResponse, { status, body, headers }: DoubleAnswer): void {
  sendHead(response, status, headers);
  response.end(JSON.stringify(body));
}

function sendHalf(response: ServerResponse, { status, body, headers }: DoubleAnswer): void {
  sendHead(response, status, headers);
  response.write(JSON.stringify(body).slice(0, 20), () => response.destroy());
}

function sendHead(response: ServerResponse, status: number, headers: DoubleAnswer["headers"] = {}): void {
  response.writeHead(status, {
    "content-type": "application/json",
    "cf-ray": `${randomBytes(8).toString("hex")}-ORD`,
    "cf-cache-status": "DYNAMIC",
    "cache-control": "no-store, no-cache, must-revalidate",
    server: "cloudflare",
    ...headers,
  });
}

/** As the Magic service answers. */
const granted = (result: unknown): DoubleAnswer => ({
  status: 200,
  body: { result, success: true, errors: [], messages: [] },
});

/** As the gateway before it does. */
const refused = (status: number, code: number, message: string, more: object = {}): DoubleAnswer => ({
  status,
  body: { success: false, errors: [{ code, message, ...more }], messages: [], result: null },
});

/** What the service knows, and how it answers. */
class Service {
  interconnects: readonly DoubleInterconnect[];
  readonly #account: string;
  readonly #tokens: readonly DoubleToken[];
  readonly #secrets: DoubleSecrets;
  readonly #routes: readonly unknown[];
  readonly #limit: { readonly requests: number; readonly seconds: number };
  readonly #clock: () => number;
  readonly #counts = new Map<string, { begun: number; used: number; blockedUntil: number }>();

  constructor(account: string, tokens: readonly DoubleToken[], options: DoubleOptions) {
    this.#account = account;
    this.#tokens = tokens;
    this.interconnects = options.interconnects ?? doubleWorld;
    this.#routes = options.routes ?? doubleRoutes;
    this.#secrets = { ...doubleSecrets, ...options.secrets };
    this.#limit = options.rateLimit ?? { requests: 1200, seconds: 300 };
    this.#clock = options.clock ?? Date.now;
  }

  change(id: string, fields: Partial<DoubleInterconnect>): void {
    this.interconnects = this.interconnects.map((one) =>
      one.id === id ? { ...one, ...fields, modified_on: this.#now() } : one,
    );
  }

  answer(request: SeenRequest): DoubleAnswer {
    const credential = request.headers.authorization;
    if (!request.path.startsWith("/client/v4/")) return noRoute(request.path);
    if (credential === undefined)
      return {
        status: 400,
        body: {
          success: false,
          errors: [{ code: 9106, message: "Missing X-Auth-Key, X-Auth-Email or Authorization headers" }],
        },
      };
    const value = /^Bearer ([0-9A-Za-z_-]{40,90})$/.exec(credential)?.[1];
    if (value === undefined) {
      const chain = [{ code: 6111, message: "Invalid format for Authorization header" }];
      return refused(400, 6003, "Invalid request headers", { error_chain: chain });
    }
    const limits = this.#count(value);
    const answer = limits.refusal ?? this.#route(request, value);
    return { ...answer, headers: { ...limits.headers, ...answer.headers } };
  }

  #now(): string {
    return new Date(this.#clock()).toISOString().replace("Z", "000Z");
  }

  #count(token: string): { headers: Record<string, string>; refusal?: DoubleAnswer } {
    const { requests, seconds } = this.#limit;
    const now = this.#clock() / 1000;
    const kept = this.#counts.get(token);
    const count =
      kept && now < Math.max(kept.begun + seconds, kept.blockedUntil)
        ? kept
        : { begun: now, used: 0, blockedUntil: 0 };
    this.#counts.set(token, count);
    count.used += 1;
    if (count.used > requests && count.blockedUntil === 0) count.blockedUntil = now + seconds;
    const end = Math.max(count.begun + seconds, count.blockedUntil);
    const left = Math.max(0, requests - count.used);
    const rest = Math.max(1, Math.ceil(end - now));
    const headers = {
      ratelimit: `"default";r=${left};t=${rest}`,
      "ratelimit-policy": `"default";q=${requests};w=${seconds}`,
    };
    if (count.blockedUntil === 0) return { headers };
    const refusal = refused(429, 971, "Please wait and consider throttling your request speed");
    return { headers: { ...headers, "retry-after": String(rest) }, refusal };
  }

  #route(request: SeenRequest, value: string): DoubleAnswer {
    const { method, path } = request;
    const token = this.#tokens.find((one) => one.value === value);
    if (path === "/client/v4/user/tokens/verify")
      return method === "GET" ? verify(token) : notAllowed(method);
    const [, account, resource, id] =
      /^\/client\/v4\/accounts\/([^/]+)\/magic\/(cf_interconnects|routes)(?:\/([^/]+))?$/.exec(path) ?? [];
    if (account === undefined || resource === undefined) return noRoute(path);
    if (!/^[0-9a-f]{32}$/.test(account)) return notRoutable(path);
    if (token === undefined || (token.status ?? "active") !== "active")
      return refused(403, 9109, "Invalid access token");
    if (account !== this.#account) return refused(403, 10000, "Authentication error");
    const { may = ["read", "write"] } = token;
    const wanted = method === "GET" ? may.length > 0 : may.includes("write");
    if (!["GET", "PUT"].includes(method)) return notAllowed(method);
    if (!wanted) return refused(403, 10000, "Authentication error");
    if (resource === "routes")
      return method === "GET" && id === undefined ? granted({ routes: this.#routes }) : notAllowed(method);
    try {
      return method === "GET" ? this.#read(request, id) : this.#write(request, id);
    } catch (error) {
      if (!(error instanceof DoubleRefusal)) throw error;
      const { status, code, message } = error;
      return { status, body: { result: null, success: false, errors: [{ code, message }], messages: [] } };
    }
  }

  #read({ headers }: SeenRequest, id: string | undefined): DoubleAnswer {
    const show = (one: DoubleInterconnect) => tell(one, wantsObject(headers), this.#secrets);
    if (id === undefined) return granted({ interconnects: this.interconnects.map(show) });
    return granted({ interconnect: show(this.#find(id)) });
  }

  #write({ headers, query, body }: SeenRequest, id: string | undefined): DoubleAnswer {
    const object = wantsObject(headers);
    const updates = id === undefined ? elementsOf(body) : [{ ...Object(body), id }];
    if (id !== undefined && (typeof body !== "object" || body === null || Array.isArray(body)))
      throw new DoubleRefusal("Invalid Request: json: cannot unmarshal the body into an interconnect");
    const merged = new Map(this.interconnects.map((one) => [one.id, one]));
    const now = this.#now();
    const changed: string[] = [];
    for (const update of updates) {
      const { id: named } = Object(update);
      if (typeof named !== "string") throw new DoubleRefusal("Invalid Request: id is required");
      const after = mergeUpdate(this.#find(named), update, object, this.#secrets);
      merged.set(named, { ...after, modified_on: now });
      changed.push(named);
    }
    const names = [...merged.values()].map(({ name }) => name);
    if (new Set(names).size < names.length)
      throw new DoubleRefusal("Invalid Request: the name is shared with another tunnel");
    if (query.get("validate_only") !== "true") this.interconnects = [...merged.values()];
    const told = changed.flatMap((one) => {
      const after = merged.get(one);
      return after ? [tell(after, object, this.#secrets)] : [];
    });
    return granted(
      id === undefined
        ? { modified: true, modified_interconnects: told }
        : { modified: true, modified_interconnect: told[0] },
    );
  }

  #find(id: string): DoubleInterconnect {
    const found = this.interconnects.find((one) => one.id === id);
    if (found) return found;
    throw new DoubleRefusal("The interconnect was not found", 404, 1029);
  }
}

const wantsObject = (headers: IncomingHttpHeaders) => headers["x-magic-new-hc-target"] === "true";

/** The documented siblings' form: a list under the name of the collection. */
function elementsOf(body: unknown): readonly unknown[] {
  const { interconnects = [] } = Object(body);
  if (typeof body === "object" && body !== null && !Array.isArray(body) && Array.isArray(interconnects))
    return interconnects;
  throw new DoubleRefusal(
    "Invalid Request: json: cannot unmarshal array into Go value of type map[string][]Interconnect",
  );
}

function verify(token: DoubleToken | undefined): DoubleAnswer {
  if (!token) return refused(401, 1000, "Invalid API Token");
  const { status = "active" } = token;
  const sentence = status === "active" ? "This API Token is valid and active" : `This API Token is ${status}`;
  const body = {
    result: { id: "f267e341f3dd4697bd3b9f71dd96247f", status },
    success: true,
    errors: [],
    messages: [{ code: 10000, message: sentence, type: null }],
  };
  return { status: 200, body };
}

const notAllowed = (method: string) => refused(405, 7001, `Method ${method} not available for that URI.`);
const notRoutable = (path: string) =>
  refused(404, 7003, `Could not route to ${path}, perhaps your object identifier is invalid?`);
const noRoute = (path: string) =>
  path.includes("/accounts/") ? notRoutable(path) : refused(404, 10404, "No route for that URI");
