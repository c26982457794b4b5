/** Keeps pages from elsewhere in the user's browser away from a local server. */

import type { IncomingHttpHeaders } from "node:http";
import { isLoopback } from "./config.ts";
import { refuse } from "./refusal.ts";

/** A host name or address, with or without a port. */
const HOST = /^(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._-]+)(?::\d{1,5})?$/;

/**
 * Makes a check that refuses a request which names a host that is not this server, or that a page of
 * another origin sent. A server on loopback answers only to the names of this machine, so that no
 * name pointed at 127.0.0.1 by somebody else's DNS reaches it.
 */
export function originCheck(loopback: boolean): (headers: IncomingHttpHeaders) => void {
  /** The host found right last: most clients name the same. */
  let known: string | undefined;
  return ({ host, origin }) => {
    if (host === undefined) throw refuse("malformed_http", { detail: "the Host header is missing" });
    if (host !== known) {
      const name = HOST.exec(host)?.[1];
      if (name === undefined || (loopback && !isLoopback(name))) throw refuse("foreign_host", { host });
      known = host;
    }
    if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`) {
      throw refuse("foreign_origin", { origin });
    }
  };
}

/** The address under which the client reached this server, for links to its pages. */
export function docsBase(headers: IncomingHttpHeaders): string {
  const { host } = headers;
  return host !== undefined && HOST.test(host) ? `http://${host}` : "";
}
