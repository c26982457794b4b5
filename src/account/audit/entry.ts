/** Entries of the audit log, each drawn from a change or from a refused request. */

import type { AuditEntry } from "../../contract/audit.ts";
import type { Actor } from "../../contract/log.ts";
import { operationNamed } from "../../contract/operations.ts";
import { type ChangeRecord, maskRecord, type ObjectChange } from "../change.ts";
import { kinds } from "../kinds.ts";
import { partOf } from "./concern.ts";
import type { RefusedRequest } from "./refused.ts";

/** What is known around the logs of an account when they are read. */
export interface Surroundings {
  readonly account: { readonly id: string; readonly name?: string };
  /** Whose a token is, as far as that is known. */
  readonly ownerOf: (token: string) => TokenOwner | undefined;
}

export type TokenOwner =
  | { readonly type: "user"; readonly id: string; readonly email?: string }
  | { readonly type: "account"; readonly id: string };

/** An entry, and what it is looked for by: one may be about many objects. */
export interface Audited {
  readonly entry: AuditEntry;
  readonly ids: readonly string[];
  readonly types: readonly string[];
}

/** Which log an entry is drawn from. */
export type Origin = "account" | "directory" | "event";

/** The first digit after the epoch of an entry's id, by origin. */
const digits: Readonly<Record<Origin, string>> = { account: "a", directory: "d", event: "e" };

/** An entry's id: the epoch of its log, the log, its place in it. 32 hexadecimal digits. */
export function entryId(epoch: string, origin: Origin, position: number): string {
  return `${epoch}${digits[origin]}${position.toString(16).padStart(15, "0")}`;
}

/** The place an id names in a log; `undefined` if it is not of this log. */
export function positionIn(id: string, epoch: string, origin: Origin): number | undefined {
  const head = epoch + digits[origin];
  const rest = id.slice(head.length);
  if (!id.startsWith(head) || !/^[0-9a-f]{15}$/.test(rest)) return undefined;
  const position = Number.parseInt(rest, 16);
  return Number.isSafeInteger(position) ? position : undefined;
}

/** Objects told in one entry at most. */
const MOST_OBJECTS = 10;

/** A change of the account's own objects. */
export function fromChange(record: ChangeRecord, epoch: string, around: Surroundings): Audited {
  return fromRecord(record, "account", epoch, around);
}

/** A change of the directory as far as it concerns the account; `undefined` if it does not. */
export function fromDirectory(
  record: ChangeRecord,
  epoch: string,
  around: Surroundings,
): Audited | undefined {
  const part = partOf(record, around.account.id, kinds);
  return part && fromRecord(part, "directory", epoch, around);
}

function fromRecord(
  record: ChangeRecord,
  log: "account" | "directory",
  epoch: string,
  around: Surroundings,
): Audited {
  const { objects, revision, time } = record;
  const operation = operationNamed(record.operation);
  const [first] = objects;
  const one = objects.length === 1 ? first : undefined;
  const uri =
    operation && uriOf(operation.path, isCertain(log, one, around) ? around.account.id : undefined, one);
  const types = [...new Set(objects.map(({ kind }) => kind))];
  const told =
    objects.length > MOST_OBJECTS ? { ...record, objects: objects.slice(0, MOST_OBJECTS) } : record;
  const response = {
    log,
    revision,
    count: objects.length,
    objects: maskRecord(told, kinds).objects.map(bare),
  };
  const entry: AuditEntry = {
    id: entryId(epoch, log, revision),
    account: around.account,
    action: {
      description: describe(operation?.summary ?? record.operation, objects),
      result: "success",
      time,
      type: actionOf(objects),
    },
    actor: actorOf(record.actor, record.address, around),
    raw: {
      cf_ray_id: record.request_id,
      ...(operation && { method: operation.method, status_code: 200 }),
      ...(uri !== undefined && { uri }),
    },
    resource: {
      ...(one && { id: one.id }),
      product: productOf(operation?.path),
      response,
      scope: scopeOf(operation?.path),
      ...(types.length === 1 && types[0] !== undefined && { type: types[0] }),
    },
  };
  return { entry, ids: objects.map(({ id }) => id), types };
}

/** Which accounts an object concerns is for the directory's own log. */
function bare({ accounts: _, fields, ...change }: ObjectChange) {
  return { ...change, fields: { ...fields } };
}

/** What a request of a method would have done. */
function actionBy(method: string): AuditEntry["action"]["type"] {
  switch (method) {
    case "GET":
    case "HEAD":
      return "view";
    case "POST":
      return "create";
    case "DELETE":
      return "delete";
    default:
      return "update";
  }
}

/** A request that was refused for want of a right. */
export function fromRefusal(
  event: RefusedRequest,
  number: number,
  epoch: string,
  around: Surroundings,
): Audited {
  const { operation: name, method, path, status, code, message, more } = event;
  const operation = operationNamed(name);
  const target = operation && targetOf(operation.path, path);
  const what = `${operation?.summary ?? name}: ${message}`;
  const entry: AuditEntry = {
    id: entryId(epoch, "event", number),
    account: around.account,
    action: {
      description: more === undefined ? what : `${what}, and ${more} more refusals`,
      result: "failure",
      time: event.time,
      type: actionBy(method),
    },
    actor: event.foreign ? foreignToken(event.address) : actorOf(event.actor, event.address, around),
    raw: { cf_ray_id: event.request_id, method, status_code: status, uri: shown(path) },
    resource: {
      ...(target !== undefined && { id: target }),
      product: productOf(operation?.path),
      response: { errors: [{ code, message }], ...(more !== undefined && { more }) },
      scope: scopeOf(operation?.path),
    },
  };
  return { entry, ids: target === undefined ? [] : [target], types: [] };
}

function describe(summary: string, objects: readonly ObjectChange[]): string {
  const [first] = objects;
  if (objects.length > 1) return `${summary}: ${objects.length} objects`;
  return first?.name === undefined ? summary : `${summary}: ${first.name}`;
}

/** What was done to all of the objects; an update, if it was not the same to all. */
function actionOf(objects: readonly ObjectChange[]): ObjectChange["action"] {
  const [first] = objects;
  return first && objects.every(({ action }) => action === first.action) ? first.action : "update";
}

/** The vendor tells addresses without its base path. */
const BASE = /^\/client\/v4(?=\/)/;

function shown(path: string): string {
  return path.replace(BASE, "");
}

const PARAMETER = /:\w+/g;

/**
 * Is an account in the address of an operation this one? In its own log it is. In the directory's, it is
 * where the object is the account or is owned by it; a token of another account may concern it as well.
 */
function isCertain(
  log: "account" | "directory",
  one: ObjectChange | undefined,
  around: Surroundings,
): boolean {
  if (log === "account") return true;
  if (!one) return false;
  const { id } = around.account;
  if (one.id === id || "owner.account" in one.fields) return true;
  const owner = around.ownerOf(one.id);
  return owner?.type === "account" && owner.id === id;
}

/** The address an operation was called by, where the log tells: it names the account, and one object at most. */
function uriOf(path: string, account: string | undefined, one: ObjectChange | undefined): string | undefined {
  const rest = shown(path).replace(":account_id", account ?? ":account_id");
  if (account === undefined && rest.includes(":account_id")) return undefined;
  const open = rest.match(PARAMETER)?.length ?? 0;
  if (open === 0) return rest;
  return open === 1 && one ? rest.replace(PARAMETER, () => one.id) : undefined;
}

/** The object that an address names: what stands for the last parameter but the account. */
function targetOf(pattern: string, path: string): string | undefined {
  const at = pattern.split("/").findLastIndex((part) => part.startsWith(":") && part !== ":account_id");
  return at === -1 ? undefined : path.split("/")[at];
}

const PRODUCT = /^\/client\/v4\/(?:accounts\/:account_id\/)?([^/:]+)/;

/** The part of the API that an operation belongs to: `magic`, `cni`, `tokens`. Patchbay's own is `patchbay`. */
function productOf(path: string | undefined): string {
  return PRODUCT.exec(path ?? "")?.[1] ?? "patchbay";
}

function scopeOf(path: string | undefined): "accounts" | "user" {
  return path?.startsWith("/client/v4/user") ? "user" : "accounts";
}

/** A token of another account. An account's log names no other account, nor what another account calls its tokens. */
function foreignToken(address: string | undefined): AuditEntry["actor"] {
  return {
    context: "api_token",
    ...fromAddress(address),
    token_name: "a token of another account",
    type: "account",
  };
}

function fromAddress(address: string | undefined) {
  return address === undefined ? {} : { ip_address: address };
}

function actorOf(actor: Actor, address: string | undefined, around: Surroundings): AuditEntry["actor"] {
  const from = fromAddress(address);
  switch (actor.type) {
    case "user":
      return { context: "api_key", email: actor.name, id: actor.id, ...from, type: "user" };
    case "token": {
      const owned = around.ownerOf(actor.id);
      if (owned?.type === "account" && owned.id !== around.account.id) return foreignToken(address);
      const { type = "account", ...owner } = owned ?? {};
      return { context: "api_token", ...owner, ...from, token_id: actor.id, token_name: actor.name, type };
    }
    case "system":
      return { id: actor.id, ...from, type: "system" };
  }
}
