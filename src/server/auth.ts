/** Who is asking, and may they: credentials to a principal, a principal to its rights. */

import { timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { Asker } from "../account/directory/rights.ts";
import {
  admits,
  findToken,
  findUser,
  isInForce,
  isMemberOfAll,
  permits,
  permitsOnUser,
  type TokenDoc,
  type UserDoc,
  userKind,
  userOf,
} from "../account/directory.ts";
import type { State } from "../account/state.ts";
import { type Problem, problem } from "../contract/errors.ts";
import type { Actor } from "../contract/log.ts";
import { type PermissionGroup, permissionGroups } from "../contract/permissions.ts";
import { hashSecret } from "../store/secrets.ts";
import { Denial, Refusal, refuse } from "./refusal.ts";
import { authorizationOf } from "./session.ts";

export interface TokenPrincipal {
  readonly by: "token";
  readonly actor: Actor;
  readonly token: TokenDoc;
}

export type Principal =
  | TokenPrincipal
  | { readonly by: "key"; readonly actor: Actor; readonly user: UserDoc };

/** Old tokens are 40 characters; newer ones carry a prefix and a checksum. */
const TOKEN = /^(?:[0-9A-Za-z_-]{40}|cf[ua]t_[0-9A-Za-z_-]{40,80})$/;
const KEY = /^(?:[0-9a-f]{32,45}|cfk_[0-9A-Za-z_-]{40,80})$/;
const EMAIL = /^[^@\s]+@[^@\s]+$/;

/** The token of an `Authorization` header. Throws if it is not one. */
function readToken(header: string): string {
  const token = /^bearer +(\S+)$/i.exec(header)?.[1];
  if (token === undefined || !TOKEN.test(token)) throw refuse("malformed_authorization");
  return token;
}

/** How many headers are remembered; past that, remembering begins anew. */
const MOST_REMEMBERED = 10_000;

/** Finds tokens by header, and remembers whose they are for as long as the directory stands still. */
export class Tokens {
  readonly #remembered = new Map<string, TokenPrincipal>();
  #directory: State | undefined;
  #revision = 0;

  find(header: string, directory: State): TokenPrincipal | undefined {
    if (directory !== this.#directory || directory.durable !== this.#revision) {
      this.#remembered.clear();
      this.#directory = directory;
      this.#revision = directory.durable;
    }
    const known = this.#remembered.get(header);
    if (known) return known;
    const found = findToken(directory, hashSecret(readToken(header)));
    if (!found) return undefined;
    const { id, doc } = found;
    const principal: TokenPrincipal = {
      by: "token",
      token: doc,
      actor: { type: "token", id, name: doc.name },
    };
    if (this.#remembered.size >= MOST_REMEMBERED) this.#remembered.clear();
    this.#remembered.set(header, principal);
    return principal;
  }
}

export interface Asking {
  readonly headers: IncomingHttpHeaders;
  readonly address: string;
  /** Milliseconds. */
  readonly now: number;
}

export const everyGroup = Object.keys(permissionGroups) as readonly PermissionGroup[];

/** The principal of a request. Throws the gateway's refusal if there is none. */
export function authenticate(asking: Asking, directory: State, tokens: Tokens): Principal {
  const { headers, address, now } = asking;
  const authorization = authorizationOf(headers);
  if (authorization !== undefined) {
    const principal = tokens.find(authorization, directory);
    if (!principal) throw refuse("invalid_access_token");
    const { actor, token } = principal;
    if (!isInForce(token, now)) {
      const named = (account: string) => permits(token.policies, everyGroup, account);
      throw new Denial(problem("invalid_access_token"), actor, named);
    }
    if (!admits(token, address)) throw new Denial(problem("location_not_allowed", { address }), actor);
    return principal;
  }
  return authenticateByKey(headers, directory);
}

function authenticateByKey(headers: IncomingHttpHeaders, directory: State): Principal {
  const email = headers["x-auth-email"];
  const key = headers["x-auth-key"];
  if (email === undefined && key === undefined) throw refuse("missing_credentials");
  if (key === undefined) throw refuse("missing_auth_key");
  if (email === undefined) throw refuse("missing_credentials");
  const malformed: Problem[] = [];
  if (Array.isArray(email) || email.length > 254 || !EMAIL.test(email))
    malformed.push(problem("malformed_auth_email"));
  if (Array.isArray(key) || !KEY.test(key)) malformed.push(problem("malformed_auth_key"));
  const [first, second] = malformed;
  // The gateway tells both causes in one chain.
  if (first && second) {
    const chain = [
      { code: 6102, message: "Invalid format for X-Auth-Email header" },
      { code: 6103, message: "Invalid format for X-Auth-Key header" },
    ];
    throw new Refusal([{ ...first, chain }]);
  }
  if (first) throw new Refusal([first]);
  const found = findUser(directory, String(email));
  const known = Buffer.from(found?.doc.key_hash ?? "0".repeat(64), "hex");
  const same = timingSafeEqual(Buffer.from(hashSecret(String(key)), "hex"), known);
  if (!found || !same) throw refuse("unknown_key");
  return { by: "key", user: found.doc, actor: { type: "user", id: found.id, name: found.doc.email } };
}

/** The principal, for those who decide on it in the directory. */
export function askerOf({ by, actor }: Principal): Asker {
  return { by, id: actor.id };
}

/** The user that the principal is or belongs to, if there is one. */
export function userIdOf(principal: Principal): string | undefined {
  if (principal.by === "key") return principal.actor.id;
  const { owner } = principal.token;
  return owner && "user" in owner ? owner.user : undefined;
}

/** The token presented for a check of itself, whatever its status. A user's is checked at one place, an account's at another. */
export function presentedToken(
  asking: Asking,
  directory: State,
  account?: string,
): { id: string; doc: TokenDoc } {
  const { headers } = asking;
  const authorization = authorizationOf(headers);
  if (authorization === undefined) {
    authenticateByKey(headers, directory);
    throw refuse("invalid_api_token");
  }
  const found = findToken(directory, hashSecret(readToken(authorization)));
  const { owner } = found?.doc ?? {};
  const elsewhere = owner && ("user" in owner ? account !== undefined : owner.account !== account);
  if (!found || elsewhere) throw refuse("invalid_api_token");
  if (!admits(found.doc, asking.address)) throw refuse("location_not_allowed", { address: asking.address });
  return found;
}

/** Throws unless the principal may use an operation of these groups on an account (or on all). */
export function authorize(
  principal: Principal,
  groups: readonly PermissionGroup[],
  account: string | undefined,
  directory: State,
): void {
  if (principal.by === "token") {
    if (!permits(principal.token.policies, groups, account))
      throw new Denial(problem("authentication_error"), principal.actor);
    return;
  }
  const { user } = principal;
  const member = account === undefined ? isMemberOfAll(directory, user) : user.accounts.includes(account);
  if (!member) throw new Denial(problem("unauthorized_resource"), principal.actor);
}

/** The user that the principal is or belongs to. Throws unless it may use an operation of these groups on that user. */
export function authorizeUser(
  principal: Principal,
  groups: readonly PermissionGroup[],
  directory: State,
): { id: string; doc: UserDoc } {
  if (principal.by === "key") return { id: principal.actor.id, doc: principal.user };
  const id = userIdOf(principal);
  const entry = id === undefined ? undefined : directory.get(userKind.name, id);
  if (!entry) throw refuse("no_user");
  if (!permitsOnUser(principal.token.policies, groups, entry.id)) throw refuse("authentication_error");
  return { id: entry.id, doc: userOf(entry) };
}
