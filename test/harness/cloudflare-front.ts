/**
 * A server as Cloudflare's own is for a client: what is Patchbay's is not there. It stands before a real server, so that
 * what it refuses and answers is judged by the same rules; a test may answer some requests in its place.
 */

import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import consumers from "node:stream/consumers";

export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

export interface FrontAnswer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** `cut` ends the connection without an answer. */
type Answered = FrontAnswer | "cut" | undefined;

/** Answers in the place of the server, or adds headers to its answer. */
export interface Part {
  answer?(seen: Seen): Answered | Promise<Answered>;
  headers?(seen: Seen): Readonly<Record<string, string>>;
}

export interface Front extends AsyncDisposable {
  readonly url: string;
  readonly seen: Seen[];
}

const UNKNOWN: FrontAnswer = {
  status: 404,
  body: { result: null, success: false, errors: [{ code: 7003, message: "Could not route" }], messages: [] },
};

/** Hides what is Patchbay's own. */
export const asCloudflare: Part = {
  answer: ({ path }) => (path.startsWith("/client/v4/") ? undefined : UNKNOWN),
};

export async function startFront(url: string, part: Part = asCloudflare): Promise<Front> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => void pass(request, response));

  async function pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url: path = "", headers } = request;
    const one = { method, path, headers, body: await consumers.text(request) };
    seen.push(one);
    const given = await part.answer?.(one);
    if (given === "cut") {
      request.socket.destroy();
      return;
    }
    if (given) {
      response.writeHead(given.status, { "content-type": "application/json", ...given.headers });
      response.end(JSON.stringify(given.body));
      return;
    }
    const kept = ["authorization", "content-type", "x-magic-new-hc-target"];
    if (part !== asCloudflare) kept.push("if-match");
    const sent = Object.fromEntries(
      kept.flatMap((name) => (headers[name] ? [[name, String(headers[name])]] : [])),
    );
    const answer = await fetch(url + path, {
      method,
      headers: sent,
      ...(one.body ? { body: one.body } : {}),
    });
    const etag = answer.headers.get("etag");
    response.writeHead(answer.status, {
      "content-type": "application/json",
      ...(part === asCloudflare || etag === null ? {} : { etag }),
      ...part.headers?.(one),
    });
    response.end(await answer.text());
  }

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    seen,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
