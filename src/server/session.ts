/** The cookie that stands for a token in a browser, and the proof that a page of this server sent it. */

import { createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { CSRF_HEADER, SESSION_COOKIE } from "../contract/session.ts";
import { refuse } from "./refusal.ts";

/** The token of the session that a request is of. Whoever sends a credential in a header is asked about that one. */
export function sessionToken(headers: IncomingHttpHeaders): string | undefined {
  const { authorization, cookie } = headers;
  if (cookie === undefined || authorization !== undefined) return undefined;
  if (headers["x-auth-key"] !== undefined || headers["x-auth-email"] !== undefined) return undefined;
  const found = cookie.split(";").find((part) => part.trimStart().startsWith(`${SESSION_COOKIE}=`));
  return found?.trim().slice(SESSION_COOKIE.length + 1);
}

/** The `Authorization` header of a request: its own, or what its session stands for. */
export function authorizationOf(headers: IncomingHttpHeaders): string | undefined {
  const token = sessionToken(headers);
  return token === undefined ? headers.authorization : `Bearer ${token}`;
}

/**
 * What requests by the cookie carry in a header, which no page of another origin can: a function of the token alone, so
 * that it is the same at every server of a database and after a restart.
 */
export function csrfOf(token: string): string {
  return createHmac("sha256", token).update("x-patchbay-csrf").digest("base64url");
}

/** Throws if a request by the cookie could have been sent by a page of another origin. */
export function judgeCsrf(method: string | undefined, headers: IncomingHttpHeaders): void {
  if (method === "GET" || method === "HEAD") return;
  const token = sessionToken(headers);
  if (token === undefined) return;
  const given = headers[CSRF_HEADER];
  if (given === undefined) throw refuse("csrf_required", { given: "none" });
  const [right, sent] = [Buffer.from(csrfOf(token)), Buffer.from(String(given))];
  if (right.length !== sent.length || !timingSafeEqual(right, sent))
    throw refuse("csrf_required", { given: "another session's" });
}

/** The `Set-Cookie` header that begins a session, or without a token ends it. */
export function cookieLine(token: string | undefined, secure: boolean): string {
  const life = token === undefined ? "; Max-Age=0" : "";
  return `${SESSION_COOKIE}=${token ?? ""}; Path=/; HttpOnly; SameSite=Strict${secure ? "; Secure" : ""}${life}`;
}
