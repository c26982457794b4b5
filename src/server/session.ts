/** The cookie of a session in a browser, and the proof that a page of this server sent a request with it. */

import { createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { CSRF_HEADER, sessionCookie } from "../contract/session.ts";
import type { Asking } from "./auth.ts";
import type { Ingress } from "./network/ingress.ts";
import { refuse } from "./refusal.ts";

/** Stands for several session cookies with different values: another port may have set one, and neither is preferred. */
const AMBIGUOUS = "ambiguous";

/** The value of the session cookie of a request, whatever other credential the request carries. */
export function cookieValue(message: IncomingMessage, ingress: Ingress): string | undefined {
  const { cookie } = message.headers;
  if (cookie === undefined) return undefined;
  const { name } = sessionCookie(ingress.baseOf(message));
  const parts = cookie.split(";").map((part) => part.trim());
  const values = new Set(
    parts.filter((part) => part.startsWith(`${name}=`)).map((part) => part.slice(name.length + 1)),
  );
  const [value] = values;
  return values.size > 1 ? AMBIGUOUS : value;
}

/** The session that a request is of. A credential in a header takes precedence over the cookie. */
export function sessionOf(message: IncomingMessage, ingress: Ingress): string | undefined {
  return hasCredential(message.headers) ? undefined : cookieValue(message, ingress);
}

function hasCredential(headers: IncomingHttpHeaders): boolean {
  const { authorization } = headers;
  return authorization !== undefined || "x-auth-key" in headers || "x-auth-email" in headers;
}

/**
 * The value that requests with the cookie carry in a header, which no page of another origin can: a function of the
 * session alone, so that it is the same at every server of a database and after a restart.
 */
export function csrfOf(session: string): string {
  return createHmac("sha256", session).update("x-patchbay-csrf").digest("base64url");
}

/** Throws if a request by the cookie could have been sent by a page of another origin. */
export function judgeCsrf(method: string | undefined, { headers, session }: Asking): void {
  if (method === "GET" || method === "HEAD") return;
  if (session === undefined) return;
  const given = headers[CSRF_HEADER];
  if (given === undefined) throw refuse("csrf_required", { given: "none" });
  const [right, sent] = [Buffer.from(csrfOf(session)), Buffer.from(String(given))];
  if (right.length !== sent.length || !timingSafeEqual(right, sent))
    throw refuse("csrf_required", { given: "another session's" });
}

/** The `Set-Cookie` header that sets the session cookie, or without a session deletes it. */
export function cookieLine(session: string | undefined, base: string): string {
  const { name, secure } = sessionCookie(base);
  const life = session === undefined ? "; Max-Age=0" : "";
  return `${name}=${session ?? ""}; Path=/; HttpOnly; SameSite=Strict${secure ? "; Secure" : ""}${life}`;
}
