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
  "too_much_under_way",
  "malformed_authorization",
  "malformed_auth_email",
  "malformed_auth_key",
  "unknown_key",
  "location_not_allowed",
  "unknown_query",
  "internal_error",
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
  "unknown_field",
  "missing_field",
  "invalid_value",
  "more_problems",
] as const satisfies readonly ErrorName[];

/** Where something is made durable, and what others made so before is read. */
const durable = [
  "store_unavailable",
  "outcome_unknown",
  "store_unreadable",
] as const satisfies readonly ErrorName[];

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
      ? (["change_pending", "confirmed_too_late", "undo_outrun"] as const)
      : changes
        ? (["not_confirmable"] as const)
        : []),
    ...(operation.sandboxOnly ? (["not_a_sandbox"] as const) : []),
    ...(operation.refusals ?? []),
  ]);
  return [...names].sort((a, b) => rank(a) - rank(b));
}

/** Statuses come first, codes after them. */
function rank(name: ErrorName): number {
  const { status, code } = entryOf(name);
  return status * 1_000_000 + code;
}
