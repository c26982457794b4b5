/** What the vendor answers with a status, as far as that is known. */

import type { FaultStatus } from "../../contract/fault.ts";
import { type Answer, fail } from "../envelope.ts";
import { type Refusal, refuse } from "../refusal.ts";

interface Circumstances {
  readonly path: string;
  /** The address of the error pages. */
  readonly docs: string;
}

/** Refusals that come in the envelope. */
const refusals: Readonly<Partial<Record<FaultStatus, (path: string) => Refusal>>> = {
  400: () => refuse("invalid_request", { detail: "a fault was injected" }),
  401: () => refuse("invalid_api_token"),
  403: () => refuse("authentication_error"),
  404: (path) => refuse("not_routable", { path }),
  409: () => refuse("injected_conflict"),
  429: () => refuse("rate_limited"),
  500: () => refuse("injected_error"),
};

/** What stands in front of the gateway answers for it in its own form, as clients of the vendor's have met it. */
const outside: Readonly<Partial<Record<FaultStatus, Pick<Answer, "body" | "headers">>>> = {
  502: page("502 Bad Gateway"),
  503: page("503 Service Temporarily Unavailable"),
  504: { body: "upstream request timeout", headers: { "content-type": "text/plain" } },
};

/** Seconds to wait that an injected refusal names: the vendor's 300 would keep a test waiting as long. */
const RETRY_AFTER = "1";

export function answerOf(status: FaultStatus, { path, docs }: Circumstances): Answer {
  const refusal = refusals[status]?.(path);
  if (!refusal) return { status, body: "", ...outside[status] };
  const answer = fail(refusal.problems, docs);
  // One that is made up goes away when the request is sent again.
  if (status === 409) return { ...answer, headers: {} };
  return status === 429 ? { ...answer, headers: { "retry-after": RETRY_AFTER } } : answer;
}

function page(title: string): Pick<Answer, "body" | "headers"> {
  const lines = [
    "<html>",
    `<head><title>${title}</title></head>`,
    "<body>",
    `<center><h1>${title}</h1></center>`,
    "<hr><center>cloudflare</center>",
    "</body>",
    "</html>",
    "",
  ];
  return { body: lines.join("\r\n"), headers: { "content-type": "text/html" } };
}
