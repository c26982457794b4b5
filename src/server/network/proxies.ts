/** What trusted proxies say of the requests they pass on. Nobody else's word counts. */

import type { IncomingMessage } from "node:http";
import { contains, formatHost, type Prefix, parseHost } from "../../contract/addresses.ts";

/** How many peers' standing is remembered; past that, remembering begins anew. */
const MOST_REMEMBERED = 1_000;

/** Where a request came from. `undefined` if a trusted proxy says something that is no address. */
export type Client = string | undefined;

export class Proxies {
  readonly #trusted: readonly Prefix[];
  readonly #remembered = new Map<string, boolean>();

  constructor(trusted: readonly Prefix[]) {
    this.#trusted = trusted;
  }

  /** Is the other end of the connection a trusted proxy? */
  sent(message: IncomingMessage): boolean {
    const peer = message.socket.remoteAddress ?? "";
    const known = this.#remembered.get(peer);
    if (known !== undefined) return known;
    const host = parseHost(peer);
    const trusted = host !== undefined && this.#trusts(host);
    if (this.#remembered.size >= MOST_REMEMBERED) this.#remembered.clear();
    this.#remembered.set(peer, trusted);
    return trusted;
  }

  /**
   * The client's address. Each proxy adds the address of its own peer at the right, so the list is believed
   * from there as long as the one who spoke is trusted: the client is the right-most address that is not.
   */
  clientOf(message: IncomingMessage): Client {
    const peer = message.socket.remoteAddress ?? "";
    const told = message.headers["x-forwarded-for"];
    if (told === undefined || !this.sent(message)) return peer;
    const addresses = String(told).split(",");
    let client = peer;
    for (let index = addresses.length - 1; index >= 0; index--) {
      const host = parseHost(withoutPort((addresses[index] ?? "").trim()));
      if (!host) return undefined;
      client = formatHost(host);
      if (!this.#trusts(host)) break;
    }
    return client;
  }

  /** The last word of a list that proxies add to, if a trusted one sent it. */
  wordOf(message: IncomingMessage, header: "x-forwarded-host" | "x-forwarded-proto"): string | undefined {
    const told = message.headers[header];
    if (told === undefined || !this.sent(message)) return undefined;
    return String(told).split(",").at(-1)?.trim();
  }

  #trusts(host: Prefix): boolean {
    return this.#trusted.some((prefix) => contains(prefix, host));
  }
}

/** Some proxies tell the port too: `192.0.2.1:1234`, `[2001:db8::1]:1234`. */
export function withoutPort(text: string): string {
  const bracketed = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(text)?.[1];
  return bracketed ?? /^([\d.]+):\d{1,5}$/.exec(text)?.[1] ?? text;
}
