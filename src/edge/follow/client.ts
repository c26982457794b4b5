/** Calls of a server's API, with what an edge needs of it: one token, patience, and failures told apart. */

/** The server could not be reached, or was not able to answer: the same may be asked again. */
export class Unreachable extends Error {
  /** Seconds after which it says to ask again. */
  readonly retryAfter: number | undefined;

  constructor(message: string, retryAfter?: number) {
    super(message);
    this.retryAfter = retryAfter;
  }
}

/** The server refused it, and would again. */
export class Refused extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export interface Reply {
  readonly result: unknown;
  readonly info: Readonly<Record<string, unknown>>;
}

interface Asked {
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Milliseconds; 20,000 unless said. */
  readonly timeout?: number;
  readonly signal: AbortSignal;
}

export class Client {
  readonly server: string;
  readonly account: string;
  readonly #token: string;

  /** `server` without a slash at the end, and without the path of an API. */
  constructor({ server, account, token }: { server: string; account: string; token: string }) {
    this.server = server;
    this.account = account;
    this.#token = token;
  }

  /** What is Patchbay's own, on the account. Throws `Unreachable` or `Refused`. */
  own(path: string, asked: Asked): Promise<Reply> {
    return this.#ask(`${this.server}/patchbay/v1/accounts/${this.account}${path}`, asked);
  }

  /** The vendor's API, on the account. */
  vendor(path: string, asked: Asked): Promise<Reply> {
    return this.#ask(`${this.server}/client/v4/accounts/${this.account}${path}`, asked);
  }

  /** The vendor's API, on no account. */
  everyone(path: string, asked: Asked): Promise<Reply> {
    return this.#ask(`${this.server}/client/v4${path}`, asked);
  }

  async #ask(
    url: string,
    { method = "GET", body, headers, timeout = 20_000, signal }: Asked,
  ): Promise<Reply> {
    let response: Response;
    let text: string;
    try {
      response = await fetch(url, {
        method,
        headers: {
          authorization: `Bearer ${this.#token}`,
          accept: "application/json",
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeout)]),
      });
      text = await response.text();
    } catch (error) {
      if (signal.aborted) throw error;
      throw new Unreachable(`${this.server} cannot be reached: ${reasonOf(error)}`);
    }
    return readReply(response, text);
  }
}

function readReply({ status, headers }: Response, text: string): Reply {
  const told = parse(text);
  const again = Number(headers.get("retry-after") ?? Number.NaN);
  const retryAfter = Number.isFinite(again) ? again : undefined;
  if (status === 429 || status >= 500) throw new Unreachable(`the server answered ${status}`, retryAfter);
  if (status >= 400 || told["success"] === false) {
    const [first] = Array.isArray(told["errors"]) ? told["errors"] : [];
    throw new Refused(status, String(Object(first).message ?? `the server answered ${status}`));
  }
  if (!Object.hasOwn(told, "result")) return { result: told, info: {} };
  return { result: told["result"], info: Object(told["result_info"]) };
}

function parse(text: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(text));
  } catch {
    throw new Unreachable("the server answered with something that is no JSON");
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return "no answer in time";
  return error.cause instanceof Error && error.cause.message !== "" ? error.cause.message : error.message;
}
