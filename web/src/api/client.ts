/** Calls of the server's API, the same as everybody's. The token is in this module's memory alone. */

import type { ResponseInfo } from "../../../src/contract/envelope.ts";

/** What authenticates: a token in memory, or the cookie that no script reads, with its proof for what changes something. */
let token: string | undefined;
let csrf: string | undefined;

export function authenticateBy(credential: { readonly token?: string; readonly csrf?: string }): void {
  token = credential.token;
  csrf = credential.csrf;
}

/** The server refused, or did not answer (`status` 0). */
export class ApiFailure extends Error {
  readonly status: number;
  readonly errors: readonly ResponseInfo[];

  constructor(status: number, errors: readonly ResponseInfo[], message: string) {
    super(message);
    this.name = "ApiFailure";
    this.status = status;
    this.errors = errors;
  }

  /** Is whoever asks not, or no longer, known? */
  get isSignedOut(): boolean {
    return this.errors.some(({ code }) => SIGNED_OUT.has(code));
  }
}

/** The gateway's codes for a credential that is missing, malformed, or not in force. */
const SIGNED_OUT = new Set([6003, 9106, 9109]);

/** By which the inspector knows the dashboard's own requests. */
export const CLIENT_HEADER = "x-patchbay-client";
export const DASHBOARD = "dashboard";

export interface Asked {
  readonly method?: "GET" | "POST" | "PUT" | "DELETE";
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Instead of what was signed in with. */
  readonly token?: string;
}

export interface Reply<T> {
  readonly result: T;
  readonly info: Readonly<Record<string, unknown>>;
  readonly messages: readonly ResponseInfo[];
  readonly headers: Headers;
}

/** Throws `ApiFailure`, or `AbortError` if the signal was given. */
export async function ask<T>(path: string, asked: Asked = {}): Promise<Reply<T>> {
  const { method = "GET", body, signal } = asked;
  const bearer = asked.token ?? token;
  const headers = new Headers({ accept: "application/json", [CLIENT_HEADER]: DASHBOARD, ...asked.headers });
  if (bearer !== undefined) headers.set("authorization", `Bearer ${bearer}`);
  else if (csrf !== undefined && method !== "GET") headers.set("x-patchbay-csrf", csrf);
  if (body !== undefined) headers.set("content-type", "application/json");
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal ? { signal } : {}),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiFailure(0, [], "The server does not answer. Is it running, and is this machine connected?");
  }
  return readReply<T>(response);
}

async function readReply<T>(response: Response): Promise<Reply<T>> {
  const told: unknown = await response.json().catch(() => undefined);
  const { success, result, errors, messages, result_info: info } = Object(told);
  if (!response.ok || success === false) {
    const problems: readonly ResponseInfo[] = Array.isArray(errors) ? errors : [];
    const [first] = problems;
    throw new ApiFailure(
      response.status,
      problems,
      first?.message ?? `The server answered ${response.status}.`,
    );
  }
  return {
    // The CNI API answers without the envelope.
    result: (success === undefined ? told : result) as T,
    info: Object(info),
    messages: Array.isArray(messages) ? messages : [],
    headers: response.headers,
  };
}

/** What to say of anything that went wrong. */
export function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
