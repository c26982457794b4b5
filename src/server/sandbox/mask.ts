/** Takes secrets out of what a sandbox shows of requests and answers, whole or cut off anywhere. */

import type { IncomingHttpHeaders } from "node:http";
import { MASK } from "../../account/change.ts";
import { CSRF_HEADER } from "../../contract/session.ts";

const SECRET_HEADERS = new Set([
  "authorization",
  "proxy-authorization",
  "x-auth-key",
  "cookie",
  "set-cookie",
  CSRF_HEADER,
]);

/** Members whose value is a secret wherever they stand. */
const SECRET_MEMBERS = new Set(["md5_key", "value", "key", "token", "csrf", "secret", "password"]);

/** A token or key by its form: prefixed, or 40 characters alone. */
const SECRETS = /(?:cf(?:[ua]t|k)|pbs)_[0-9A-Za-z_-]{8,}|(?<![\w-])[\w-]{40}(?![\w-])/g;

/** A text of JSON, and whether it names a member. */
const LITERAL = /"((?:[^"\\]|\\.)*)(?:"(\s*:)?|\\?$)/gs;

/** A member where nothing can be told of quotes. */
const LOOSE = /\b(md5_key|value|key|token|csrf|secret|password)\b(["'\s]*[:=]\s*["']?)[^"',}\]\s]+/g;

/** Headers by name, those of credentials masked but for their scheme. */
export function maskHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const masked: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) masked[name] = maskHeader(name, String(value));
  }
  return masked;
}

export function maskHeader(name: string, value: string): string {
  if (!SECRET_HEADERS.has(name)) return maskText(value);
  const scheme = name.endsWith("authorization") ? /^(?:bearer|basic) +(?=\S)/i.exec(value)?.[0] : undefined;
  return `${scheme ?? ""}${MASK}`;
}

/** What has the form of a token or key. */
export function maskText(text: string): string {
  return text.replaceAll(SECRETS, MASK);
}

/** A body of JSON. With `broken` it need not be any. */
export function maskBody(text: string, broken: boolean): string {
  const masked = maskText(maskMembers(text));
  return broken ? masked.replaceAll(LOOSE, `$1$2${MASK}`) : masked;
}

function maskMembers(text: string): string {
  let masked = "";
  let at = 0;
  for (const { index, 0: literal, 1: name = "", 2: colon } of text.matchAll(LITERAL)) {
    if (index < at || colon === undefined || !SECRET_MEMBERS.has(decoded(name))) continue;
    const begin = index + literal.length;
    masked += `${text.slice(at, begin)}"${MASK}"`;
    at = endOfValue(text, begin);
  }
  return masked + text.slice(at);
}

function decoded(name: string): string {
  if (!name.includes("\\")) return name;
  try {
    return String(JSON.parse(`"${name}"`));
  } catch {
    return name;
  }
}

/** Where the value ends that begins here: at its comma, or at the end of what holds it. */
function endOfValue(text: string, begin: number): number {
  let depth = 0;
  let quoted = false;
  for (let at = begin; at < text.length; at++) {
    const character = text[at];
    if (quoted) {
      if (character === "\\") at++;
      else if (character === '"') quoted = false;
    } else if (character === '"') quoted = true;
    else if (character === "[" || character === "{") depth++;
    else if (character === "]" || character === "}") {
      if (depth === 0) return at;
      depth--;
    } else if (character === "," && depth === 0) return at;
  }
  return text.length;
}
