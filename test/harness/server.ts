/** A real server in the test's own process, and a client that checks every answer by the published contract. */

import { appendFileSync } from "node:fs";
import { Agent, type IncomingMessage, request } from "node:http";
import consumers from "node:stream/consumers";
import type { ServerConfig } from "../../src/server/config.ts";
import { demo } from "../../src/server/demo.ts";
import { type Overrides, type RunningServer, startServer } from "../../src/server/patchbay.ts";
import { describedOperation, judgeAnswer } from "./contract.ts";

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

/** The operation a request is for, if it is one. */
export function operationOf(method: string, url: string): string | undefined {
  return describedOperation(method, url)?.operation.operationId;
}

const noted = new Set<string>();

/** Notes that an operation was driven, for docs/evidence.md. */
export function noteEvidence(method: string, url: string, status: number, by: string): void {
  const operation = operationOf(method, url);
  const directory = process.env["PATCHBAY_EVIDENCE"];
  if (!operation || !directory) return;
  const line = JSON.stringify({ operation, status, by });
  if (noted.has(line)) return;
  noted.add(line);
  appendFileSync(`${directory}/${process.pid}.jsonl`, `${line}\n`);
}

/** An answer without its body, whoever received it. */
interface Head {
  readonly status: number;
  readonly headers: Headers;
}

/** What a fault made up is no evidence of an operation. */
export const isReal = ({ headers }: Head) => !headers.has("x-patchbay-fault");

/** The body of an answer: parsed if it is JSON, `undefined` if it is empty. */
export function readAnswer({ headers }: Head, text: string): unknown {
  if (text === "") return undefined;
  return headers.get("content-type") === "application/json" ? JSON.parse(text) : text;
}

/**
 * Throws if the answer is none that the published contract knows. Pages for people are no part of it, and what a
 * fault made up is not either. */
export function checkAnswer(method: string, url: string, response: Head, body: unknown): void {
  if (!isReal(response)) return;
  const contentType = response.headers.get("content-type");
  if (operationOf(method, url) === undefined && contentType !== "application/json") return;
  const header = (name: string) => response.headers.get(name);
  judgeAnswer(method, url, { status: response.status, contentType, header, body });
}

const agent = new Agent({ keepAlive: true });

/**
 * One request and its whole answer. In clear it goes by Node's own client, which takes half of what `fetch` takes:
 * the tests send hundreds of thousands.
 */
async function exchange(
  url: string,
  method: string,
  headers: Readonly<Record<string, string>>,
  body: string | Uint8Array | undefined,
): Promise<{ status: number; headers: Headers; text: string }> {
  if (!url.startsWith("http://")) {
    const answer = await fetch(url, {
      method,
      headers,
      ...(body === undefined ? {} : { body: body as string }),
    });
    return { status: answer.status, headers: answer.headers, text: await answer.text() };
  }
  // Of some methods Node expects no body, and would not tell its length.
  const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
  const sent = request(url, { method, headers: { ...length, ...headers }, agent });
  const { answer, text } = await new Promise<{ answer: IncomingMessage; text: string }>((resolve, reject) => {
    // As `fetch` fails when a server goes away.
    const fail = (cause: unknown) => reject(new TypeError("fetch failed", { cause }));
    sent.on("error", fail);
    sent.on("response", (answer) => consumers.text(answer).then((text) => resolve({ answer, text }), fail));
    // As bytes: with a text, Node would write the headers in its encoding.
    sent.end(typeof body === "string" ? Buffer.from(body) : body);
  });
  const told = Object.entries(answer.headersDistinct).flatMap(([name, values = []]) =>
    values.map((value): [string, string] => [name, value]),
  );
  return { status: answer.statusCode ?? 0, headers: new Headers(told), text };
}

/** Sends a request as given and checks the answer. */
export async function ask(base: string, method: string, path: string, asked: Ask = {}): Promise<Reply> {
  const { token = demo.token, headers = {}, body } = asked;
  const raw = typeof body === "string" || body instanceof Uint8Array;
  const answer = await exchange(
    base + path,
    method,
    {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    raw || body === undefined ? body : JSON.stringify(body),
  );
  const reply = { status: answer.status, headers: answer.headers, body: readAnswer(answer, answer.text) };
  checkAnswer(method, base + path, answer, reply.body);
  if (isReal(answer)) noteEvidence(method, base + path, reply.status, "probe");
  return reply;
}

export interface TestServer extends RunningServer {
  ask(method: string, path: string, asked?: Ask): Promise<Reply>;
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
  });
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
