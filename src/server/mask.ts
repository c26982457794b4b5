/** Takes secrets out of what logs and a sandbox's inspector show of requests and answers, complete or cut off anywhere. */

import type { IncomingHttpHeaders } from "node:http";
import { MASK } from "../account/change.ts";
import { userKind, userOf } from "../account/directory.ts";
import type { State } from "../account/state.ts";
import { operations } from "../contract/operations.ts";
import { secretMembers } from "../contract/secret.ts";
import { CSRF_HEADER } from "../contract/session.ts";
import { hashSecret } from "../store/secrets.ts";

const SECRET_HEADERS = new Set([
  "authorization",
  "proxy-authorization",
  "x-auth-key",
  "cookie",
  "set-cookie",
  CSRF_HEADER,
]);

/** Headers of other products that carry credentials, such as `x-api-key`. */
const SECRET_WORDS = /(?:^|[-_])(?:api-?key|key|token|secret|password|passwd|credentials?)(?:$|[-_])/;

/** Members whose value is a secret wherever they are: those of the schemas, and what clients send by mistake. */
const SECRET_MEMBERS = secretMembers(operations, new Set(["value", "key", "token", "secret", "password"]));

/** A token or key by its form: prefixed, 40 characters alone, or more hex digits than an identifier has. */
const SECRETS = /(?:cf(?:[ua]t|k)|pbs)_[0-9A-Za-z_-]{8,}|(?<![\w-])(?:[\w-]{40}|[0-9a-f]{33,45})(?![\w-])/g;

/** An identifier, or a key of the older form. */
const HEX = /(?<![0-9A-Za-z])[0-9a-f]{32}(?![0-9A-Za-z])/g;

/** A text of JSON, and whether it names a member. */
const LITERAL = /"((?:[^"\\]|\\.)*)(?:"(\s*:)?|\\?$)/gs;

/** A member where nothing can be told of quotes. */
const LOOSE = new RegExp(
  `\\b(${[...SECRET_MEMBERS].join("|")})\\b(["'\\s]*[:=]\\s*["']?)[^"',}\\]\\s]+`,
  "g",
);

/** Masks by form and by name, and by what the directory knows. */
export class Masker {
  readonly #directory: () => State;
  #known:
    | { readonly directory: State; readonly revision: number; readonly hashes: ReadonlySet<string> }
    | undefined;

  constructor(directory: () => State) {
    this.#directory = directory;
  }

  /** Headers by name, those of credentials masked but for their scheme. */
  headers(headers: IncomingHttpHeaders): Record<string, string> {
    const masked: Record<string, string> = {};
    for (const [name, value] of Object.entries(headers)) {
      if (value !== undefined) masked[name] = this.header(name, String(value));
    }
    return masked;
  }

  header(name: string, value: string): string {
    if (!SECRET_HEADERS.has(name) && !SECRET_WORDS.test(name)) return this.text(value);
    const scheme = name.endsWith("authorization") ? /^(?:bearer|basic) +(?=\S)/i.exec(value)?.[0] : undefined;
    return `${scheme ?? ""}${MASK}`;
  }

  /** What has the form of a token or key, and keys of users that have the form of an identifier. */
  text(text: string): string {
    return text.replaceAll(SECRETS, MASK).replaceAll(HEX, (word) => (this.#isKey(word) ? MASK : word));
  }

  /** A path with its query, in which every letter may be percent-encoded. */
  url(url: string): string {
    const masked = this.text(url);
    if (!url.includes("%")) return masked;
    const decoded = unescaped(url);
    return this.text(decoded) === decoded ? masked : this.text(decoded);
  }

  /** A body of JSON. With `broken` it need not be any. */
  body(text: string, broken: boolean): string {
    const masked = this.text(maskMembers(text));
    return broken ? masked.replaceAll(LOOSE, `$1$2${MASK}`) : masked;
  }

  #isKey(word: string): boolean {
    const directory = this.#directory();
    const revision = directory.durable;
    if (this.#known?.directory !== directory || this.#known.revision !== revision) {
      const hashes = new Set(directory.list(userKind.name).map((entry) => userOf(entry).key_hash));
      this.#known = { directory, revision, hashes };
    }
    return this.#known.hashes.has(hashSecret(word));
  }
}

/** ASCII letters for their percent-encoded form; what is no such form stays. */
function unescaped(url: string): string {
  return url.replaceAll(/%([2-7][0-9a-f])/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
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
