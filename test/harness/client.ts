/** The official client, every answer checked on its way. It takes long to load: only its own tests have it. */

import Cloudflare, { type ClientOptions } from "cloudflare";
import { checkAnswer, demo, isReal, noteEvidence, readAnswer, type TestServer } from "./server.ts";

/** The official client at a server; with the demonstration's token unless told otherwise. */
export function clientOf(server: TestServer, options: ClientOptions = {}): Cloudflare {
  return new Cloudflare({
    apiToken: demo.token,
    baseURL: `${server.url}/client/v4`,
    fetch: checkedFetch(options),
    ...options,
  });
}

/** `fetch` for the official client: passes everything on, checks what comes back. */
function checkedFetch(options: ClientOptions): typeof fetch {
  const credential = options.apiKey ? "key" : "token";
  return async (input, init) => {
    const response = await fetch(input, init);
    const url = typeof input === "string" ? input : input instanceof URL ? input.href : input.url;
    const method = init?.method?.toUpperCase() ?? "GET";
    checkAnswer(method, url, response, readAnswer(response, await response.clone().text()));
    if (isReal(response)) noteEvidence(method, url, response.status, `client, ${credential}`);
    return response;
  };
}
