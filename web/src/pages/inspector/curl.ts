/** A request that was seen as a line for a POSIX shell. */

import type { SeenRequest } from "../../../../src/contract/inspector.ts";

/** The variable that stands for the token, as the vendor's own examples call it. */
const TOKEN = "$CLOUDFLARE_API_TOKEN";

/** What curl says itself, what belongs to one connection or browser, and what authenticates. */
const left = new Set([
  "accept-encoding",
  "accept-language",
  "authorization",
  "connection",
  "content-length",
  "cookie",
  "expect",
  "host",
  "keep-alive",
  "origin",
  "priority",
  "proxy-authorization",
  "referer",
  "te",
  "transfer-encoding",
  "upgrade-insecure-requests",
  "user-agent",
  "x-auth-email",
  "x-auth-key",
  "x-patchbay-csrf",
]);
const ofProxy = /^(?:sec-|x-forwarded-|forwarded$|via$|cf-)/;

/** `origin` is the server's, such as `http://127.0.0.1:8787`. */
export function curlOf({ method, path, request }: SeenRequest, origin: string): string {
  const { headers, body } = request;
  const sent = Object.entries(headers).filter(
    ([name, value]) => !left.has(name) && !ofProxy.test(name) && value !== "*/*",
  );
  const data = body?.text ?? "";
  const isWhole = body === null || (body.text !== null && byteLength(body.text) >= body.bytes);
  const isAuthenticated = ["authorization", "x-auth-key", "cookie"].some((name) => name in headers);
  const usual = data === "" ? "GET" : "POST";
  const words = [
    `curl ${quoted(origin + path)}`,
    ...(/[[\]{}]/.test(path) ? ["--globoff"] : []),
    ...(method === usual ? [] : method === "HEAD" ? ["--head"] : [`-X ${method}`]),
    ...(isAuthenticated ? [`-H "Authorization: Bearer ${TOKEN}"`] : []),
    ...sent.map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`),
    ...(data === "" ? [] : [`--data-raw ${quoted(data)}`]),
  ];
  const line = words.join(" \\\n  ");
  return isWhole ? line : `# Not all of the body was kept.\n${line}`;
}

/** Of a text in which secrets are masked, the length is only about that of what was sent. */
function byteLength(text: string): number {
  return text.includes("(masked)") ? Number.POSITIVE_INFINITY : new TextEncoder().encode(text).length;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
