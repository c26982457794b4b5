/** Judges how a request is framed, where Node accepts what another HTTP server could read in another way. */

import type { IncomingMessage } from "node:http";
import { Refusal, refuse } from "../refusal.ts";

/** Where the next request begins is in doubt, so none is read. */
const CLOSE = { connection: "close" };

/** Throws the refusal of a request whose version or transfer coding this server does not support. */
export function judgeFraming({ httpVersion, headers }: IncomingMessage): void {
  if (httpVersion !== "1.1" && httpVersion !== "1.0")
    throw malformed(`the version is HTTP/${httpVersion}; use HTTP/1.1`);
  const coding = headers["transfer-encoding"];
  if (coding === undefined) return;
  if (httpVersion === "1.0") throw malformed("HTTP/1.0 has no transfer codings");
  if (coding.trim().toLowerCase() !== "chunked")
    throw malformed("the only transfer coding that this server supports is chunked");
}

function malformed(detail: string): Refusal {
  return new Refusal(refuse("malformed_http", { detail }).problems, CLOSE);
}

/** A target in absolute form. */
const ABSOLUTE = /^https?:\/\/([^/?#]*)(.*)$/is;

/**
 * Gives a request whose target is in absolute form the target and `Host` that it would have in origin form: the host of
 * the target is the one that counts (RFC 9112, section 3.2.2). A missing or repeated `Host` stays the fault that it is.
 */
export function toOriginForm(message: IncomingMessage): void {
  const { url = "", headers } = message;
  if (url.startsWith("/")) return;
  const [, host, path = ""] = ABSOLUTE.exec(url) ?? [];
  if (host === undefined) return;
  message.url = path.startsWith("/") ? path : `/${path}`;
  if (headers.host !== undefined && !headers.host.includes(",")) headers.host = host;
}
