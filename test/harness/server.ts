/** A real server in the test's own process, and a client that checks every answer by its schema. */

import { appendFileSync, mkdirSync } from "node:fs";
import Cloudflare, { type ClientOptions } from "cloudflare";
import { Compile, type Validator } from "typebox/compile";
import { BareFailure, Failure } from "../../src/contract/envelope.ts";
import { type OperationName, operations } from "../../src/contract/operations.ts";
import type { ServerConfig } from "../../src/server/config.ts";
import { demo } from "../../src/server/demo.ts";
import { type Overrides, type RunningServer, startServer } from "../../src/server/patchbay.ts";

export { demo } from "../../src/server/demo.ts";

export const ACCOUNT = demo.account;
export const OTHER_ACCOUNT = "0a1b2c3d4e5f60718293a4b5c6d7e8f9";
/** The demonstration's interconnects: version "1", "1.5" and "2". */
export const ORD = demo.interconnect;
export const AMS = "023e105f4ecef8ad9ca31a8372d0c353";
export const SIN = "5d41402abc4b2a76b9719d911017c592";

export const LIST = `/client/v4/accounts/${ACCOUNT}/magic/cf_interconnects`;
export const one = (id: string) => `${LIST}/${id}`;
export const ROUTES = `/client/v4/accounts/${ACCOUNT}/magic/routes`;
export const CNI = `/client/v4/accounts/${ACCOUNT}/cni`;
export const OWN = `/patchbay/v1/accounts/${ACCOUNT}`;

/** An answer, parsed. `body` is `undefined` where there is none. */
export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every form
  readonly body: any;
}

export interface Ask {
  /** A bearer token; `null` sends no credential. The demonstration's own unless given. */
  readonly token?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON; a text or bytes are sent as they are. */
  readonly body?: unknown;
}

const answers = new Map<OperationName, Validator>(
  Object.entries(operations).map(([name, { answer }]) => [
    name as OperationName,
    Compile(answer) as unknown as Validator,
  ]),
);
const failure = Compile(Failure);
const bareFailure = Compile(BareFailure);

const routes = Object.entries(operations).map(([name, { method, path }]) => ({
  name: name as OperationName,
  method: method as string,
  pattern: new RegExp(`^${path.replaceAll(/:\w+/g, "[^/]+")}$`),
}));

/** The operation a request is for, if it is one. */
export function operationOf(method: string, url: string): OperationName | undefined {
  const path = new URL(url, "http://localhost").pathname;
  return routes.find((route) => route.method === method && route.pattern.test(path))?.name;
}

/** Throws if the answer is not what the operation's schema says. */
export function checkAnswer(method: string, url: string, status: number, body: unknown): void {
  const name = operationOf(method, url);
  const validator =
    status < 400
      ? name && answers.get(name)
      : status === 400 && bareFailure.Check(body)
        ? bareFailure
        : failure;
  if (status === 304) return;
  if (!validator) throw new Error(`${method} ${url} answered ${status}, but is no operation.`);
  if (!validator.Check(body)) {
    const told = JSON.stringify(validator.Errors(body).slice(0, 3));
    throw new Error(
      `${method} ${url} answered ${status} against its schema: ${told}\n${JSON.stringify(body)?.slice(0, 2000)}`,
    );
  }
}

/** Notes that an operation was driven, for docs/evidence.md. */
export function noteEvidence(method: string, url: string, status: number, by: string): void {
  const operation = operationOf(method, url);
  const directory = process.env["PATCHBAY_EVIDENCE"];
  if (!operation || !directory) return;
  mkdirSync(directory, { recursive: true });
  appendFileSync(`${directory}/${process.pid}.jsonl`, `${JSON.stringify({ operation, status, by })}\n`);
}

/** What a fault made up is no evidence of an operation. */
const isReal = ({ headers }: Response) => !headers.has("x-patchbay-fault");

/** Sends a request as given and checks the answer. */
export async function ask(base: string, method: string, path: string, asked: Ask = {}): Promise<Reply> {
  const { token = demo.token, headers = {}, body } = asked;
  const raw = typeof body === "string" || body instanceof Uint8Array;
  const response = await fetch(base + path, {
    method,
    headers: {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: raw ? (body as string) : JSON.stringify(body) }),
  });
  const text = await response.text();
  const json = response.headers.get("content-type") === "application/json" && text !== "";
  const reply = {
    status: response.status,
    headers: response.headers,
    body: json ? JSON.parse(text) : text || undefined,
  };
  if (json || response.status === 304) checkAnswer(method, base + path, reply.status, reply.body);
  if (isReal(response)) noteEvidence(method, base + path, reply.status, "probe");
  return reply;
}

export interface TestServer extends RunningServer {
  ask(method: string, path: string, asked?: Ask): Promise<Reply>;
  /** The official client, every answer checked on its way. */
  client(options?: ClientOptions): Cloudflare;
}

const usual: ServerConfig = {
  host: "127.0.0.1",
  port: 0,
  data: undefined,
  seed: undefined,
  sandbox: true,
  metricsPort: undefined,
  rateLimit: "off",
  logLevel: "silent",
};

/** Starts a server; in memory and with the demonstration unless told otherwise. */
export async function startTestServer(
  config: Partial<ServerConfig> = {},
  overrides: Overrides = {},
): Promise<TestServer> {
  const server = await startServer({ ...usual, ...config }, overrides);
  return Object.assign(server, {
    ask: (method: string, path: string, asked?: Ask) => ask(server.url, method, path, asked),
    client: (options: ClientOptions = {}) =>
      new Cloudflare({
        apiToken: demo.token,
        baseURL: `${server.url}/client/v4`,
        fetch: checkedFetch(options),
        ...options,
      }),
  });
}

/** `fetch` for the official client: passes everything on, checks what comes back. */
function checkedFetch(options: ClientOptions): typeof fetch {
  const credential = options.apiKey ? "key" : "token";
  return async (input, init) => {
    const response = await fetch(input, init);
    const url = typeof input === "string" ? input : input instanceof URL ? input.href : input.url;
    const method = init?.method?.toUpperCase() ?? "GET";
    // A copy that nobody reads would keep the client from letting go of the answer.
    if (response.headers.get("content-type") === "application/json") {
      checkAnswer(method, url, response.status, JSON.parse(await response.clone().text()));
    }
    if (isReal(response)) noteEvidence(method, url, response.status, `client, ${credential}`);
    return response;
  };
}

/** The codes of a refusal, in order. */
export function codes(reply: Reply): number[] {
  return reply.body.errors.map((error: { code: number }) => error.code);
}

/** `code pointer` of each problem of a refusal, in order. */
export function problems(reply: Reply): string[] {
  return reply.body.errors.map((error: { code: number; source?: { pointer: string } }) =>
    error.source ? `${error.code} ${error.source.pointer}` : String(error.code),
  );
}
