/** A real server in the test's own process, and a client that checks every answer by the published contract. */

import { appendFileSync } from "node:fs";
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

/** What a fault made up is no evidence of an operation. */
export const isReal = ({ headers }: Response) => !headers.has("x-patchbay-fault");

/** The body of an answer: parsed if it is JSON, `undefined` if it is empty. */
export async function readAnswer(response: Response): Promise<unknown> {
  const text = await response.text();
  if (text === "") return undefined;
  return response.headers.get("content-type") === "application/json" ? JSON.parse(text) : text;
}

/**
 * Throws if the answer is none that the published contract knows. Pages for people are no part of it, and what a
 * fault made up is not either. */
export function checkAnswer(method: string, url: string, response: Response, body: unknown): void {
  if (!isReal(response)) return;
  const contentType = response.headers.get("content-type");
  if (operationOf(method, url) === undefined && contentType !== "application/json") return;
  const header = (name: string) => response.headers.get(name);
  judgeAnswer(method, url, { status: response.status, contentType, header, body });
}

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
  const reply = { status: response.status, headers: response.headers, body: await readAnswer(response) };
  checkAnswer(method, base + path, response, reply.body);
  if (isReal(response)) noteEvidence(method, base + path, reply.status, "probe");
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
