/** Talks to a server of the interconnects API: a Patchbay, or Cloudflare's own. Knows no more than the wire. */

import { setTimeout } from "node:timers/promises";
import { CommandFailure, type Told } from "./failure.ts";
import { type Profile, rootOf } from "./profile.ts";

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  // What is in it is read by who knows the operation.
  readonly result: unknown;
  readonly info: unknown;
  readonly messages: readonly { readonly code?: number; readonly message: string }[];
}

export interface Ask {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Milliseconds; 60,000 unless given. */
  readonly timeout?: number;
  /** Gives up what is under way. */
  readonly signal?: AbortSignal;
  /** Nobody waits for the answer: it comes when there is something to tell. */
  readonly patient?: boolean;
}

/** Hears of what a person who waits should know. */
export interface Listener {
  /** A sentence, such as of a rate limit's pause. */
  note(sentence: string): void;
  /** What is waited for, until it is disposed of. */
  during(what: string): Disposable;
}

const nobody: Listener = {
  note: () => undefined,
  during: () => ({ [Symbol.dispose]: () => undefined }),
};

/** A server's refusal, with its status and everything it says. */
export class ServerRefusal extends CommandFailure {
  readonly status: number;

  constructor(status: number, message: string, problems: readonly Told[], advice?: string) {
    super(message, { problems, ...(advice === undefined ? {} : { advice }) });
    this.name = "ServerRefusal";
    this.status = status;
  }
}

const ATTEMPTS = 5;
/** Seconds that a command waits at most for one more attempt. */
const LONGEST_PAUSE = 300;

export class Api {
  readonly profile: Profile;
  readonly #listener: Listener;
  #patchbay: Promise<boolean> | undefined;

  constructor(profile: Profile, listener: Listener = nobody) {
    this.profile = profile;
    this.#listener = listener;
  }

  /** The account's path in the vendor's API. */
  get account(): string {
    return `/accounts/${this.profile.account}`;
  }

  /** A call of the vendor's API; `path` begins after `/client/v4`. Throws `ServerRefusal` for what is refused. */
  call(method: string, path: string, asked: Ask = {}): Promise<Reply> {
    return this.#exchange(method, this.profile.baseUrl + path, asked);
  }

  /** A call of what is Patchbay's own, on the account: `path` begins after `/patchbay/v1/accounts/{id}`. */
  own(method: string, path: string, asked: Ask = {}): Promise<Reply> {
    return this.#exchange(
      method,
      `${rootOf(this.profile)}/patchbay/v1/accounts/${this.profile.account}${path}`,
      asked,
    );
  }

  /** Is it a Patchbay? Asked once: a Patchbay answers for its own paths in its own words, whoever asks. */
  isPatchbay(): Promise<boolean> {
    this.#patchbay ??= this.#looksLikePatchbay();
    return this.#patchbay;
  }

  async #looksLikePatchbay(): Promise<boolean> {
    const { hostname } = new URL(this.profile.baseUrl);
    // Cloudflare's own is not asked for what it cannot have.
    if (hostname === "api.cloudflare.com") return false;
    try {
      const { result } = await this.own("GET", "/changes?limit=1");
      return Array.isArray(result);
    } catch (error) {
      // Known, but not to this token: the refusal of a permission is an answer too.
      if (error instanceof ServerRefusal)
        return error.status === 403 && error.problems.some(({ code }) => code === 10000);
      throw error;
    }
  }

  async #exchange(method: string, url: string, asked: Ask): Promise<Reply> {
    using _ = asked.patient ? undefined : this.#listener.during(`Waiting for ${new URL(url).host}`);
    for (let attempt = 1; ; attempt++) {
      const response = await this.#send(method, url, asked);
      const pause = pauseOf(response);
      if (pause === undefined || attempt === ATTEMPTS || pause > LONGEST_PAUSE) return readReply(response);
      if (pause >= 1)
        this.#listener.note(`The server asks to wait ${Math.ceil(pause)} s (${response.status}).`);
      await response.body?.cancel();
      await setTimeout(pause * 1000);
    }
  }

  async #send(
    method: string,
    url: string,
    { headers = {}, body, timeout = 60_000, signal }: Ask,
  ): Promise<Response> {
    try {
      return await fetch(url, {
        method,
        headers: {
          authorization: `Bearer ${this.profile.token}`,
          accept: "application/json",
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.any([AbortSignal.timeout(timeout), ...(signal ? [signal] : [])]),
      });
    } catch (error) {
      throw new CommandFailure(`${new URL(url).origin} cannot be reached: ${reasonOf(error)}.`, {
        advice: "patchbay doctor tells more.",
      });
    }
  }
}

/** Seconds until the same may be asked again, where the server says so; only where nothing was done. */
function pauseOf({ status, headers }: Response): number | undefined {
  if (headers.get("x-should-retry") === "false") return undefined;
  if (status !== 429 && status !== 503) return undefined;
  const told = headers.get("retry-after");
  // Who is too busy may have begun; who says when to come again has not.
  if (told === null && status === 503) return undefined;
  const after = Number(told ?? "1");
  return Number.isFinite(after) && after >= 0 ? after : undefined;
}

async function readReply(response: Response): Promise<Reply> {
  const { status, headers } = response;
  const text = await response.text();
  let body: Record<string, unknown>;
  try {
    const parsed: unknown = text === "" ? {} : JSON.parse(text);
    body = Object(parsed);
  } catch {
    throw new ServerRefusal(status, `The server answered ${status} with something that is no JSON.`, []);
  }
  if (status >= 400 || body["success"] === false) throw refusalOf(status, headers, body);
  const messages = Array.isArray(body["messages"]) ? body["messages"] : [];
  return { status, headers, result: body["result"], info: body["result_info"], messages };
}

function refusalOf(status: number, headers: Headers, body: Record<string, unknown>): ServerRefusal {
  const errors: unknown[] = Array.isArray(body["errors"]) ? body["errors"] : [];
  const problems = errors.map((error): Told => {
    const { code, message, source, documentation_url: page } = Object(error);
    return {
      message: String(message ?? "no reason given"),
      ...(typeof code === "number" ? { code } : {}),
      ...(typeof source?.pointer === "string" ? { pointer: source.pointer } : {}),
      ...(typeof page === "string" ? { page } : {}),
    };
  });
  const request = headers.get("cf-ray");
  const sentence = `The server refused it (${status}${request === null ? "" : `, request ${request}`}).`;
  return new ServerRefusal(status, sentence, problems);
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return "no answer in time";
  return error.cause instanceof Error && error.cause.message !== "" ? error.cause.message : error.message;
}
