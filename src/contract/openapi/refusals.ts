/** Which refusals an operation can answer with, from what the operation is. */

import { type ErrorName, entryOf } from "../errors.ts";
import type { Operation } from "../operation.ts";
import { parametersOf } from "./parameters-of.ts";

/** Of every request, whatever it asks for. */
const always = [
  "malformed_http",
  "request_timeout",
  "headers_too_large",
  "foreign_host",
  "foreign_origin",
  "forwarded_demonstration",
  "missing_credentials",
  "missing_auth_key",
  "store_away",
  // A server with a shared database reads the directory and the account before it answers, where they have changed.
  "store_unreadable",
  "malformed_authorization",
  "malformed_auth_email",
  "malformed_auth_key",
  "unknown_key",
  "location_not_allowed",
  "unknown_query",
  "internal_error",
  "too_much_under_way",
] as const satisfies readonly ErrorName[];

/** Where a credential has to be in force. */
const inForce = ["invalid_access_token", "rate_limited"] as const satisfies readonly ErrorName[];

/** Where a credential has to be permitted something. */
const permitted = ["authentication_error", "unauthorized_resource"] as const satisfies readonly ErrorName[];

/** Where a cookie alone does not suffice. */
const changing = ["csrf_required"] as const satisfies readonly ErrorName[];

/** Where a body may come, expected or not. */
const withBytes = ["unsupported_media_type", "body_too_large"] as const satisfies readonly ErrorName[];

/** Where a body is read. */
const withBody = [
  "invalid_request",
  "null_not_permitted",
  "repeated_key",
  "too_deep",
  "bad_text",
  "too_many_names",
  "too_many_values",
  "unknown_field",
  "missing_field",
  "invalid_value",
  "more_problems",
] as const satisfies readonly ErrorName[];

/** Where something is made durable. */
const durable = ["store_unavailable", "outcome_unknown"] as const satisfies readonly ErrorName[];

/** The refusals of an operation by name, each once, in order of status and code. */
export function refusalsOf(operation: Operation): readonly ErrorName[] {
  const { method, path, groups, query, body } = operation;
  const changes = method !== "GET";
  const names = new Set<ErrorName>([
    ...always,
    ...(operation.judgesCredential ? [] : inForce),
    ...(groups.length > 0 ? permitted : []),
    ...(operation.credentialOf === "user" ? (["no_user"] as const) : []),
    // What varies in a path may be no text at all.
    ...(path.includes(":") ? (["not_routable"] as const) : []),
    ...parametersOf(operation).flatMap(({ refusals = [] }) => refusals),
    ...(query.length > 0 ? (["invalid_query"] as const) : []),
    ...(changes ? [...changing, ...withBytes] : []),
    ...(body ? withBody : []),
    ...(changes && !operation.volatile && !operation.unlogged ? durable : []),
    ...(operation.confirmable
      ? ([
          "change_pending",
          "confirmed_too_late",
          "undo_outrun",
          "rollbacks_busy",
          "rollback_too_large",
        ] as const)
      : changes
        ? (["not_confirmable"] as const)
        : []),
    ...(operation.sandboxOnly ? (["not_a_sandbox"] as const) : []),
    ...(operation.refusals ?? []),
  ]);
  return [...names].sort((a, b) => rank(a) - rank(b));
}

/** What is wrong with values, which is reported together with all else that is. */
const ofValues = [
  "invalid_request",
  "null_not_permitted",
  "unknown_field",
  "missing_field",
  "invalid_value",
  "more_problems",
] as const satisfies readonly ErrorName[];

/**
 * The refusals that may be in an answer of this status. The status is that of the first; those that depend on values and
 * the state are reported together, whatever their own.
 */
export function refusalsAt(operation: Operation, status: number): readonly ErrorName[] {
  const all = refusalsOf(operation);
  const together = new Set<ErrorName>([...(operation.body ? ofValues : []), ...(operation.refusals ?? [])]);
  const isFirst = (name: ErrorName) => entryOf(name).status === status;
  const more = all.some((name) => isFirst(name) && together.has(name));
  return all.filter((name) => isFirst(name) || (more && together.has(name)));
}

/** Statuses come first, codes after them. */
function rank(name: ErrorName): number {
  const { status, code } = entryOf(name);
  return status * 1_000_000 + code;
}
