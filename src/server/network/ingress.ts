/** The way by which requests come in: under which name of the server, from which page, from whose address. */

import type { IncomingMessage } from "node:http";
import type { Prefix } from "../../contract/addresses.ts";
import { isLoopback, isLoopbackAddress } from "../../contract/loopback.ts";
import { refuse } from "../refusal.ts";
import { judgeFraming } from "./framing.ts";
import { Proxies, withoutPort } from "./proxies.ts";

/** A host name or address, with or without a port. */
const HOST = /^(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._-]+)(?::\d{1,5})?$/;

export interface IngressSettings {
  /** Does the server listen on this machine's own addresses alone? */
  readonly loopback: boolean;
  /** What the server itself speaks. */
  readonly scheme: "http" | "https";
  /** The origin that clients use, where that was said. */
  readonly publicUrl?: string | undefined;
  readonly trustProxy?: readonly Prefix[] | undefined;
}

export class Ingress {
  readonly #settings: IngressSettings;
  readonly #proxies: Proxies | undefined;
  /** Host and port of `publicUrl`, as clients that leave a usual port out name it. */
  readonly #publicHost: string | undefined;
  /** Are there credentials that everybody knows? */
  #demonstration = false;
  /** The host found right last: most clients name the same. */
  #known: string | undefined;

  constructor(settings: IngressSettings) {
    this.#settings = settings;
    const { trustProxy, publicUrl } = settings;
    this.#proxies = trustProxy ? new Proxies(trustProxy) : undefined;
    this.#publicHost = publicUrl === undefined ? undefined : new URL(publicUrl).host;
  }

  /** While there are credentials that everybody knows, nobody is answered whose request was passed on from elsewhere. */
  guard(demonstration: boolean): void {
    this.#demonstration = demonstration;
  }

  /**
   * Refuses a request that is not framed as HTTP/1.1 here, that names a host that is not this server, that a page of another origin sent, or
   * whose sender is hidden. A server on loopback answers only to the names of this machine, so that no
   * name pointed at 127.0.0.1 by somebody else's DNS reaches it.
   */
  check(message: IncomingMessage): void {
    judgeFraming(message);
    const { headers } = message;
    const { origin } = headers;
    const host = this.#proxies ? this.#hostBehind(message, this.#proxies) : headers.host;
    if (host === undefined) throw refuse("malformed_http", { detail: "the Host header is missing" });
    if (host !== this.#known) this.#judgeHost(host);
    if (origin !== undefined) this.#judgeOrigin(origin, host);
    if (this.#demonstration && headers["x-forwarded-for"] !== undefined) {
      refuseForwarded(String(headers["x-forwarded-for"]));
    }
  }

  /** The client's address: the other end of the connection, or who a trusted proxy there says it is. */
  addressOf(message: IncomingMessage): string {
    const peer = message.socket.remoteAddress ?? "";
    return this.#proxies ? (this.#proxies.clientOf(message) ?? peer) : peer;
  }

  /** The address under which the client reached this server, for links to its pages. */
  baseOf(message: IncomingMessage): string {
    const { scheme, publicUrl } = this.#settings;
    if (publicUrl !== undefined) return publicUrl;
    const proxies = this.#proxies;
    const host = proxies?.wordOf(message, "x-forwarded-host") ?? message.headers.host;
    if (host === undefined || !HOST.test(host)) return "";
    const spoken = proxies?.wordOf(message, "x-forwarded-proto");
    return `${spoken === "http" || spoken === "https" ? spoken : scheme}://${host}`;
  }

  #hostBehind(message: IncomingMessage, proxies: Proxies): string | undefined {
    const told = message.headers["x-forwarded-for"];
    if (told !== undefined && proxies.clientOf(message) === undefined) {
      const expected = "addresses with commas between";
      throw refuse("invalid_header", { name: "x-forwarded-for", given: JSON.stringify(told), expected });
    }
    return proxies.wordOf(message, "x-forwarded-host") ?? message.headers.host;
  }

  #judgeHost(host: string): void {
    // Two lines arrive as one list. To take either for the one that counts would be a guess.
    if (host.includes(",")) throw refuse("malformed_http", { detail: "there is more than one Host" });
    const name = HOST.exec(host)?.[1];
    if (name === undefined || !this.#isOwn(host, name)) throw refuse("foreign_host", { host });
    this.#known = host;
  }

  #isOwn(host: string, name: string): boolean {
    const { loopback, publicUrl } = this.#settings;
    if (isLoopback(name)) return true;
    return publicUrl === undefined ? !loopback : this.#isPublic(host);
  }

  /** Is this the host of `publicUrl`? Its usual port may be named or not. */
  #isPublic(host: string): boolean {
    const { publicUrl } = this.#settings;
    if (publicUrl === undefined) return false;
    const url = `${new URL(publicUrl).protocol}//${host}`;
    return URL.canParse(url) && new URL(url).host === this.#publicHost;
  }

  #judgeOrigin(origin: string, host: string): void {
    const own = this.#isPublic(host)
      ? origin === this.#settings.publicUrl
      : origin === `http://${host}` || origin === `https://${host}`;
    if (!own) throw refuse("foreign_origin", { origin });
  }
}

/** Credentials that everybody knows are for this machine: not for whom somebody's proxy lets in. */
function refuseForwarded(told: string): void {
  const foreign = told
    .split(",")
    .map((text) => text.trim())
    .find((text) => !isLoopbackAddress(withoutPort(text)));
  if (foreign !== undefined)
    throw refuse("forwarded_demonstration", { address: foreign || "an empty address" });
}
